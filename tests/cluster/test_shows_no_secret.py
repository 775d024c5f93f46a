"""No error about a kubeconfig or its login prints, logs or raises anything of its content."""

import json
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster.api_server import kubeconfig, serving
from traceable_kong.cluster.kubeconfig import connect
from traceable_kong.cluster.kubernetes_client import ApiError, Unreachable

MARKER = "hunter2-marker"


def changed(change: Callable[[dict[str, Any]], object], server: str = "https://127.0.0.1:1") -> str:
    document = yaml.safe_load(kubeconfig("here", here=server, user={"token": MARKER}))
    change(document)
    return yaml.safe_dump(document)


def cluster(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["clusters"][0]["cluster"]
    return found


def plugin(code: str) -> dict[str, Any]:
    return {
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1",
            "interactiveMode": "Never",
            "command": sys.executable,
            "args": ["-c", code],
            "env": [{"name": "PASSWORD", "value": MARKER}],
        }
    }


BROKEN = {
    "yaml": f"users:\n- user: {{token: {MARKER}\n",
    "tag": f"users: !{MARKER} [x]\n",
    "character": f"users: {MARKER}\x00\n",
    "json": '{"users": [{"token": "' + MARKER + '"\n',
    "text": f"{MARKER}\n{MARKER}\n",
    "list": f"- {MARKER}\n- b\n",
    "base64 of one": MARKER * 20,
    "longer than a path": MARKER * 2000,
    "with a null in it": f"{MARKER}\0",
    "home of nobody": f"~{MARKER}/config",
    "context": changed(lambda d: d["contexts"][0].update(name=MARKER)),
    "cluster": changed(lambda d: d["clusters"][0].update(name=MARKER)),
    "twice": changed(lambda d: d["contexts"].append(d["contexts"][0])),
    "current": changed(lambda d: d.update({"current-context": MARKER})),
    "certificate": changed(lambda d: cluster(d).update({"certificate-authority-data": f"{MARKER}!"})),
    "file": changed(lambda d: cluster(d).update({"certificate-authority": f"/nowhere/{MARKER}"})),
    "proxy": changed(lambda d: cluster(d).update({"proxy-url": f"nonsense://user:{MARKER}@proxy"})),
    "proxy's port": changed(lambda d: cluster(d).update({"proxy-url": f"http://user:{MARKER}@proxy:x"})),
    "address": changed(lambda d: cluster(d).update(server=f"https://user:{MARKER}@host:x")),
    "users": changed(lambda d: d.update(users=MARKER)),
    "user": changed(lambda d: d["users"][0].update(user=MARKER)),
    "exec": changed(lambda d: d["users"][0].update(user={"exec": {"command": MARKER}})),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_kubeconfig(what: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Unreachable) as refused:
        connect(kubeconfig=BROKEN[what]).request("GET", "/version")
    _nothing_shown(refused.value, capfd)


def test_the_line_is_shown() -> None:
    with pytest.raises(Unreachable, match=r"\(the text of kubeconfig\): it is not YAML \(line 3\)"):
        connect(kubeconfig=BROKEN["yaml"])


@pytest.mark.parametrize("what", BROKEN)
@pytest.mark.parametrize("one_line", [False, True])
def test_the_text_in_the_place_of_a_path(
    what: str, one_line: bool, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    text = BROKEN[what].replace("\0", "?")
    text = " ".join(text.split()) if one_line else text
    monkeypatch.setenv("KUBECONFIG", text)
    for kubeconfig_ in (None, text):
        with pytest.raises(Unreachable) as refused:
            connect(kubeconfig=kubeconfig_).request("GET", "/version")
        _nothing_shown(refused.value, capfd)


def test_the_path_of_a_secret(tmp_path: Path) -> None:
    with pytest.raises(Unreachable) as refused:
        connect(kubeconfig=str(tmp_path / MARKER), secret=True)
    assert MARKER not in str(refused.value)


@pytest.mark.parametrize("variable", ["KUBECONFIG", "option"])
def test_a_broken_file(
    variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "config"
    path.write_text(BROKEN["yaml"])
    monkeypatch.setenv("KUBECONFIG", str(path))
    with pytest.raises(Unreachable) as refused:
        connect(kubeconfig=str(path) if variable == "option" else None)
    _nothing_shown(refused.value, capfd)


REACHED: dict[str, Callable[[dict[str, Any]], object]] = {
    "a line break in the token": lambda d: d["users"][0].update(user={"token": f"{MARKER}\nx"}),
    "a token beyond latin-1": lambda d: d["users"][0].update(user={"token": f"{MARKER}\u2019"}),
    "a password in the address": lambda d: cluster(d).update(server=f"https://user:{MARKER}@127.0.0.1:1"),
    "a proxy that is away": lambda d: cluster(d).update({"proxy-url": f"http://user:{MARKER}@127.0.0.1:1"}),
    "a name that nobody knows": lambda d: cluster(d).update(server=f"https://user:{MARKER}@nowhere.invalid"),
}


@pytest.mark.parametrize("what", REACHED)
def test_no_server_answers(what: str, capfd: pytest.CaptureFixture[str]) -> None:
    api = connect(kubeconfig=changed(REACHED[what]))
    assert MARKER not in api.server_url
    with pytest.raises(Unreachable) as refused:
        api.request("GET", "/version")
    _nothing_shown(refused.value, capfd)
    with pytest.raises((Unreachable, ApiError)) as closed:
        api.forward("gw", "pod", 8001)
    _nothing_shown(closed.value, capfd)


@pytest.mark.parametrize(
    "code",
    [
        f"import sys; sys.exit('password {MARKER}')",
        f"print('{MARKER}')",
        f'print(\'{{"apiVersion": "{MARKER}", "kind": "", "status": {{}}}}\')',
    ],
)
def test_a_login_plugin_that_fails(code: str) -> None:
    """In a process of its own: pytest has a handler of its own for what is logged."""
    with serving() as server:
        text = changed(lambda d: d["users"][0].update(user=plugin(code)), server.url)
        script = (
            "import json, sys\n"
            "from traceable_kong.cluster.kubeconfig import connect\n"
            "from traceable_kong.cluster.kubernetes_client import Unreachable\n"
            "try:\n    connect(kubeconfig=json.load(sys.stdin)).request('GET', '/version')\n"
            "except Unreachable as problem:\n    print(problem)\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", script], input=json.dumps(text), capture_output=True, text=True, check=True
        )
        assert server.requests == []
    assert done.stdout.startswith("the login of the kubeconfig failed: its login plugin (exec) ")
    assert MARKER not in done.stdout + done.stderr


def test_the_message_of_a_server_is_one_line() -> None:
    with serving() as server:
        server.will(403, {"message": "no\x1b[2J\nerror: forged <{%fg 9%}>"})
        server.will(200, {}, ("Warning", '299 - "a\x1b[31mb"'))
        api = connect(kubeconfig=server.kubeconfig())
        with pytest.raises(ApiError) as refused:
            api.request("GET", "/x")
        assert str(refused.value) == "no\\x1b[2J error: forged < {%fg 9% }>"
        assert api.request("GET", "/x").warnings == ("a\\x1b[31mb",)


def _nothing_shown(problem: BaseException, capfd: pytest.CaptureFixture[str]) -> None:
    shown = capfd.readouterr()
    # As the engine prints an error that nobody catches.
    printed = "".join(traceback.format_exception(problem, chain=True))
    for text in (str(problem), repr(problem), printed, shown.out, shown.err):
        assert MARKER not in text
