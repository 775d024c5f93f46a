"""Every hostile kubeconfig ends in a clear message without its content, within limits of time and memory."""

import base64
import json
import os
import random
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import yaml

from tests.cluster.hostile_documents import SEEDS, changed_documents
from tests.fakes.authority import Authority
from tests.fakes.kubeconfig_table import ADDED, data
from tests.fakes.limited import Outcome, run_limited, summary
from tests.fakes.proxy_servers import socks_proxy
from traceable_kong.cluster import login_plugin
from traceable_kong.cluster.kubeconfig import connect
from traceable_kong.common import bounded_read
from traceable_kong.common.safe_text import PlainError

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the limits are those of Linux")

MARKER = "hunter2-marker"
SECONDS = 15.0
"""On a machine that is busy; the time of the processor has a limit of its own (`limited.py`)."""


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*ADDED, "KUBECONFIG", "KUBERNETES_SERVICE_HOST"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(bounded_read, "SECONDS", 0.3)
    monkeypatch.setattr(login_plugin, "SECONDS", 0.3)


@pytest.fixture(scope="module")
def good() -> dict[str, object]:
    authority = Authority()
    certificate, key = authority.issue("ann")
    plugin = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": "no-such-login-plugin",
        "args": ["a"],
        "env": [{"name": "A", "value": MARKER}],
        "interactiveMode": "Never",
        "provideClusterInfo": True,
    }
    user = {
        "as": "jane",
        "as-groups": ["a"],
        "as-user-extra": {"a": ["b"]},
        "client-certificate-data": data(certificate),
        "client-key-data": data(key),
        "exec": plugin,
    }
    cluster = {
        "server": "https://127.0.0.1:9",
        "certificate-authority-data": data(authority.pem),
        "proxy-url": "http://127.0.0.1:9",
        "tls-server-name": "a",
        "extensions": [{"name": "client.authentication.k8s.io/exec", "extension": {"a": 1}}],
    }
    return {
        "current-context": "here",
        "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": user}],
    }


def asked(text: str) -> Outcome:
    return run_limited(lambda: connect(kubeconfig=text).request("GET", "/version", seconds=1.0), PlainError)


def wrong(outcomes: dict[str, Outcome]) -> list[str]:
    print(f"kubeconfigs: {summary(outcomes.values())}")
    return [
        f"{name}: {item}"
        for name, item in outcomes.items()
        if item.kind != "refused" or not item.text.isprintable() or MARKER in item.text or item.seconds > SECONDS
    ]


def test_a_changed_kubeconfig(good: dict[str, object]) -> None:
    outcomes = {name: asked(yaml.safe_dump(document)) for name, document in changed_documents(good)}
    assert wrong(outcomes) == []


def test_a_damaged_text(good: dict[str, object]) -> None:
    text = yaml.safe_dump(good)
    outcomes = {str(seed): asked(_damaged(text, random.Random(seed))) for seed in range(SEEDS)}
    assert wrong(outcomes) == []


def _damaged(text: str, chance: random.Random) -> str:
    pieces = ("", "\n", "  ", ": ", "- ", "[", "{", "&a ", "*a", "!!", "\t", "\0", "\x1b", "'", "|\n", "? ", "\ud800")
    for _ in range(chance.randint(1, 6)):
        place = chance.randrange(len(text))
        text = text[:place] + chance.choice(pieces) + text[place + chance.choice((0, 1, 20)) :]
    return text + "\n"


def test_a_text_that_is_large_or_deep() -> None:
    texts = {
        "aliases of aliases": "\n".join(
            ["a0: &a0 [x]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30))]
        ),
        "aliases as entries": "a: &a\n  name: x\nusers: [" + "*a, " * 50_000 + "*a]\n",
        "deep lists": "users: " + "[" * 100_000 + "\n",
        "deep blocks": "\n".join(" " * n + "- a:" for n in range(500)),
        "an alias of itself": "users: &a\n- *a\n",
        "keys that are lists": "? [a, b]\n: c\n",
        "a long line": "users: " + "x" * 2_000_000 + "\n",
        "many lines": "- a\n" * 250_000,
        "many documents": "---\n" * 100_000,
        "a tag of Python": "!!python/object/apply:os.system [exit]\n",
        "dates": "users: [2020-01-01, .inf, 0x10, 1_000]\n",
        "a merge": "<<: [1, 2]\nusers: []\n",
        "merges of merges": "a0: &a0 {x: 1}\n"
        + "".join(f"a{n}: &a{n}\n  <<: [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30)),
        "one list in many places": f"z: &z [{'x,' * 4_000} x]\nusers:\n- name: u\n  user:\n    as-user-extra:\n"
        + "".join(f"      a{n}: *z\n" for n in range(4_000)),
        "bytes": "users: []\na: !!binary eA==\n",
        "sixty digits": "a: 1:" + ":".join(["59"] * 10_000) + "\n",
    }
    outcomes = {name: run_limited(partial(connect, kubeconfig=text), PlainError) for name, text in texts.items()}
    assert wrong(outcomes) == []


FILES: dict[str, Callable[[Path], object]] = {
    "a pipe": lambda path: os.mkfifo(path),
    "a folder": lambda path: path.mkdir(),
    "a link to itself": lambda path: path.symlink_to(path),
    "zeros": lambda path: path.symlink_to("/dev/zero"),
    "random bytes": lambda path: path.write_bytes(random.Random(1).randbytes(100_000)),
    "3 GB": lambda path: os.truncate(os.open(path, os.O_CREAT | os.O_WRONLY), 3 * 10**9),
}


@pytest.mark.parametrize("place", ["kubeconfig", "token", "certificate-authority", "client-key"])
def test_a_file_that_is_none(place: str, tmp_path: Path, good: dict[str, object]) -> None:
    outcomes = {}
    for number, (name, make) in enumerate(FILES.items()):
        path = tmp_path / str(number)
        make(path)
        outcomes[name] = asked(str(path) if place == "kubeconfig" else yaml.safe_dump(_with_file(place, path)))
    assert wrong(outcomes) == []


def _with_file(place: str, path: Path) -> dict[str, object]:
    cluster = {"server": "https://127.0.0.1:9"}
    user: dict[str, str] = {}
    if place == "token":
        user["tokenFile"] = str(path)
    elif place == "client-key":
        user |= {"client-key": str(path), "client-certificate": str(path)}
    else:
        cluster[place] = str(path)
    return {
        "current-context": "here",
        "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": user}],
    }


def printing(**status: object) -> str:
    document = {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": status}
    return f"print({json.dumps(document)!r})"


PLUGINS = {
    "one that waits": "import time; time.sleep(60)",
    "one whose child waits": "import subprocess; subprocess.Popen(['sleep', '60'])",
    "one that prints without an end": "while True: print('x' * 65536)",
    "one that closes its output": "import os, time; os.close(1); time.sleep(60)",
    "one that prints binary": "import sys; sys.stdout.buffer.write(bytes(range(256)))",
    "deep JSON": "print('[' * 100000)",
    "a list": "print('[]')",
    "nulls": 'print(\'{"apiVersion": null, "kind": null, "status": null}\')',
    "a number as token": printing(token=1),
    "a token with a line break": printing(token="a\nb"),
    "a token of a half surrogate": printing(token="\ud800"),
    "a date that is none": printing(token="a", expirationTimestamp="soon"),
    "a date that is a number": printing(token="a", expirationTimestamp=1),
    "a certificate that is none": printing(clientCertificateData="a", clientKeyData="b"),
}


def test_a_hostile_login_plugin(good: dict[str, object]) -> None:
    outcomes = {}
    for name, code in PLUGINS.items():
        document = _with_file("token", Path("x"))
        plugin = {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": sys.executable,
            "args": ["-c", code],
            "interactiveMode": "Never",
        }
        document["users"] = [{"name": "u", "user": {"exec": plugin}}]
        outcomes[name] = asked(yaml.safe_dump(document))
    assert wrong(outcomes) == []


def test_an_identity_token_that_expires_beyond_every_number() -> None:
    claims = base64.urlsafe_b64encode(json.dumps({"exp": 10**400}).encode()).decode()
    document = _with_file("token", Path("x"))
    provider = {"name": "oidc", "config": {"id-token": f"a.{claims}.b"}}
    document["users"] = [{"name": "u", "user": {"auth-provider": provider}}]
    assert wrong({"a number of 400 digits": asked(yaml.safe_dump(document))}) == []


def test_a_date_for_a_login_plugin(good: dict[str, object]) -> None:
    text = yaml.safe_dump(good).replace("a: 1", "a: 2020-01-01").replace("no-such-login-plugin", "echo")
    outcome = asked(text)
    assert "2020-01-01" in text and outcome.kind == "refused" and "printed no credentials" in outcome.text


PROXIES = {
    "http://127.0.0.1:99999": "is not a URL",
    "http://": "is not a URL",
    "nonsense:x": "is not a URL",
    "http://127.0.0.1:9": "the proxy does not answer (Connection refused)",
    "socks5://127.0.0.1:9": "the proxy does not answer (Connection refused)",
}


@pytest.mark.parametrize("proxy", PROXIES)
def test_a_proxy_of_the_environment(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    document = _with_file("token", Path("x")) | {
        "clusters": [{"name": "c", "cluster": {"server": "https://[2001:db8::1]"}}]
    }
    document["users"] = [{"name": "u", "user": {}}]
    outcome = asked(yaml.safe_dump(document))
    assert outcome.kind == "refused" and PROXIES[proxy] in outcome.text


def test_a_user_for_a_socks_proxy_that_is_too_long() -> None:
    document = _with_file("token", Path("x"))
    document["users"] = [{"name": "u", "user": {}}]
    with socks_proxy() as proxy:
        server = {"server": "http://192.0.2.1", "proxy-url": f"socks5://{'u' * 256}:p@{proxy.address}"}
        document["clusters"] = [{"name": "c", "cluster": server}]
        outcome = asked(yaml.safe_dump(document))
    assert outcome.kind == "refused" and "the user or the password for the proxy is too long" in outcome.text
