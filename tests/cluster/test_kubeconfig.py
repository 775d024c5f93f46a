"""Kubeconfigs: a path, a text, several files as kubectl reads them, or none."""

import os
from pathlib import Path

import pytest

from tests.cluster.api_server import kubeconfig
from tests.fakes.authority import Authority
from traceable_kong.cluster import kubeconfig as module
from traceable_kong.cluster.kubeconfig import connect
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


def test_a_cluster_in_place_of_the_contexts() -> None:
    assert connect(kubeconfig=TWO, cluster="c-b").server_url == "https://b:6443"
    with pytest.raises(Unreachable, match="does not have the context's cluster"):
        connect(kubeconfig=TWO, cluster="gone")


def test_a_pipe_that_nobody_writes_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_read, "SECONDS", 0.1)
    os.mkfifo(tmp_path / "config")
    with pytest.raises(Unreachable, match="timed out"):
        connect(kubeconfig=str(tmp_path / "config"))


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/urandom"])
def test_a_file_without_an_end(path: str) -> None:
    with pytest.raises(Unreachable, match="no usable kubeconfig"):
        connect(kubeconfig=path)
