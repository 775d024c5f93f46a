"""Kubeconfigs: a path, a text, several files as kubectl reads them, or none."""

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster.api_server import kubeconfig
from tests.fakes.authority import Authority
from traceable_kong.cluster import kubeconfig as module
from traceable_kong.cluster import kubeconfig_files
from traceable_kong.cluster.kubeconfig import UnusableKubeconfig, connect
from traceable_kong.cluster.kubernetes_client import Unreachable
from traceable_kong.common import bounded_read

TWO = kubeconfig("a", a="https://a:6443", b="https://b:6443/")


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No kubeconfig, and no pod around us, but what the test brings."""
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.mark.parametrize(
    "text",
    [
        TWO,
        '{"current-context": "a", "contexts": [{"name": "a", "context": '
        '{"cluster": "c", "user": "u"}}], "clusters": [{"name": "c", "cluster": {"server": "https://a:6443"}}], '
        '"users": [{"name": "u", "user": {}}]}',
    ],
)
def test_a_text(text: str) -> None:
    assert connect(kubeconfig=text).server_url == "https://a:6443"


def test_a_context() -> None:
    assert connect(kubeconfig=TWO, context="b").server_url == "https://b:6443"


def test_a_path_in_the_home_folder(tmp_path: Path) -> None:
    (tmp_path / "config").write_text(TWO)
    assert connect(kubeconfig=str(tmp_path / "config")).server_url == "https://a:6443"
    (tmp_path / ".kube").mkdir()
    (tmp_path / ".kube" / "config").write_text(kubeconfig("home", home="https://home"))
    assert connect().server_url == "https://home"


def test_the_first_current_context_of_several_files_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "none").write_text(kubeconfig("", x="https://x"))
    (tmp_path / "first").write_text(kubeconfig("one", one="https://one"))
    (tmp_path / "second").write_text(kubeconfig("two", two="https://two"))
    names = ("missing", "none", "first", "second")
    monkeypatch.setenv("KUBECONFIG", ":".join(str(tmp_path / name) for name in names))
    assert connect().server_url == "https://one"
    assert connect(context="two").server_url == "https://two"
    assert connect(context="x").server_url == "https://x"


@pytest.mark.parametrize(
    ("config", "context"),
    [
        (TWO, "gone"),
        ("a: b\nc: d", None),
        ("{", None),
        ("{}", None),
        ("[]\n", None),
        ("- a\n- b", None),
        ("text\nmore text", None),
        ("/nowhere/at/all", None),
        (kubeconfig("a", b="https://b"), None),
        (None, None),
        (None, "a"),
    ],
)
def test_an_unusable_kubeconfig(config: str | None, context: str | None) -> None:
    with pytest.raises(Unreachable, match="no usable kubeconfig"):
        connect(kubeconfig=config, context=context)


def test_inside_a_pod_its_service_account_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SERVICE_ACCOUNT", tmp_path)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "fd00::1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "6443")
    with pytest.raises(Unreachable):
        connect()
    (tmp_path / "ca.crt").write_text(Authority().pem)
    (tmp_path / "token").write_text("t\n")
    assert connect().server_url == "https://[fd00::1]:6443"
    with pytest.raises(Unreachable):
        connect(context="named")
    with pytest.raises(Unreachable):
        connect(kubeconfig="/nowhere/at/all")


def test_inside_a_pod_the_user_may_have_no_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As with runAsUser: then neither HOME nor the list of users says where it is."""
    monkeypatch.setattr(module, "SERVICE_ACCOUNT", tmp_path)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    monkeypatch.delenv("KUBERNETES_SERVICE_PORT", raising=False)
    monkeypatch.delenv("HOME")
    monkeypatch.setattr(os, "getuid", lambda: 65532)
    (tmp_path / "ca.crt").write_text(Authority().pem)
    (tmp_path / "token").write_text("t\n")
    assert connect().server_url == "https://10.0.0.1:443"


def refused(**arguments: Any) -> str:
    with pytest.raises(UnusableKubeconfig) as problem:
        connect(**arguments, named_by="--kubeconfig")
    return f"{problem.value}. {problem.value.fix('--kubeconfig FILE', '--context NAME')}"


def test_a_file_that_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says which file, what named it, what is wrong with it, and what to do."""
    (tmp_path / "empty").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    monkeypatch.chdir(tmp_path)
    for name, problem in {
        "none": "it does not exist",
        "empty": "it is empty",
        "folder": "it is a directory",
        "empty/config": "it cannot be read: Not a directory",
        "loop": "it cannot be read: Too many levels of symbolic links",
        "bytes": "it is not text",
    }.items():
        path, another = str(tmp_path / name), "Name another file: --kubeconfig FILE."
        assert refused(kubeconfig=path) == f"no usable kubeconfig ({path}, named by --kubeconfig): {problem}. {another}"
        assert refused(kubeconfig=f"~/{name}") == refused(kubeconfig=path)
        assert refused(kubeconfig=f"../{tmp_path.name}/{name}").endswith(f"{problem}. {another}")
    for name in ("none", "folder/none"):
        assert f"({tmp_path / name}, named" in refused(kubeconfig=name)


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """root may read everything, so the file system is told to refuse it."""

    def read(path: Path, limit: int) -> str:
        raise PermissionError(errno.EACCES, "Permission denied")

    (tmp_path / "config").write_text(TWO)
    monkeypatch.setattr(kubeconfig_files, "read_text", read)
    assert "it cannot be read: Permission denied. Name another" in refused(kubeconfig=str(tmp_path / "config"))


def test_no_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    another = "Name another file: --kubeconfig FILE, or set the variable KUBECONFIG."
    usual, one, two = tmp_path / ".kube" / "config", tmp_path / "one", tmp_path / "two"
    assert refused() == (f"no usable kubeconfig ({usual}, because KUBECONFIG is not set): it does not exist. {another}")
    monkeypatch.setenv("KUBECONFIG", f"{one}:{two}")
    assert refused() == f"no usable kubeconfig ({one}, {two}, named by KUBECONFIG): it does not exist. {another}"
    one.write_text(TWO)
    two.write_text("{")
    assert f"named by KUBECONFIG): {two}: it is not YAML" in refused()


def test_contexts_are_named_where_there_are_some(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a config"
    path.write_text(TWO)
    listed = f"Choose one of its contexts: --context NAME (`kubectl config get-contexts --kubeconfig '{path}'`"
    assert f"): it does not have the context gone. {listed} lists them)." in refused(
        kubeconfig=str(path), context="gone"
    )
    path.write_text(TWO.replace("current-context: a", ""))
    assert f"): it has no current-context. {listed} lists them)." in refused(kubeconfig=str(path))
    monkeypatch.setenv("KUBECONFIG", str(path))
    assert "contexts: --context NAME (`kubectl config get-contexts` lists them)." in refused()
    text = refused(kubeconfig=TWO, context="gone")
    assert "(the text of --kubeconfig)" in text and text.endswith("contexts: --context NAME.")
    path.write_text("clusters: []\nusers: [{name: a}]\n")
    assert "it has no contexts. Name another file" in refused(kubeconfig=str(path))


@pytest.mark.parametrize("key", ["certificate-authority", "client-certificate", "client-key"])
def test_a_file_that_a_kubeconfig_names_does_not_exist(key: str, tmp_path: Path) -> None:
    user = {"client-certificate": str(tmp_path / "x"), "client-key": str(tmp_path / "x")}
    document = yaml.safe_load(kubeconfig("a", a="https://a", user={} if "auth" in key else user))
    if "auth" in key:
        document["clusters"][0]["cluster"] = {"server": "https://a", key: str(tmp_path / "none")}
    else:
        (tmp_path / "x").write_text("")
        document["users"][0]["user"][key] = str(tmp_path / "none")
    assert f"the file that its {key} names cannot be read: No such file" in refused(kubeconfig=json.dumps(document))


def test_a_pipe_that_nobody_writes_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_read, "SECONDS", 0.1)
    os.mkfifo(tmp_path / "config")
    with pytest.raises(Unreachable, match="timed out"):
        connect(kubeconfig=str(tmp_path / "config"))


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/urandom"])
def test_a_file_without_an_end(path: str) -> None:
    with pytest.raises(Unreachable, match="no usable kubeconfig"):
        connect(kubeconfig=path)
