"""The provider's client and the tool behind it: what the tool answers, and a tool that ends or does not exist."""

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from local.provider.kubernetes.api_client import PROGRAM, ApiClient, ApiError, Unreachable
from local.provider.kubernetes.provider_config import ProviderConfig
from local.provider.kubernetes.provider_errors import ProviderError

TOOL = """\
import json, os, sys

def say(document):
    print(json.dumps(document), flush=True)

settings = json.loads(sys.stdin.readline())
say(json.loads(settings["context"] or "{}") or {"namespace": settings["namespace"]})
held = []
for line in sys.stdin:
    asked = json.loads(line)
    path = asked["path"]
    if path == "/end":
        sys.exit()
    elif path == "/silent":
        os.close(1)
    elif path == "/refused":
        status = {"code": 409, "reason": "Conflict", "message": "another manager", "details": {"causes": []}}
        say({"id": asked["id"], "status": status})
    elif path == "/away":
        say({"id": asked["id"], "error": "connection refused"})
    else:
        held.append({"id": asked["id"], "object": asked})
    if path == "/last":
        while held:
            say(held.pop())
"""


@pytest.fixture(autouse=True)
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = tmp_path / PROGRAM
    made.write_text(f"#!{sys.executable} -IS\n{TOOL}")
    made.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    return made


def test_answers_reach_the_thread_that_asked_in_whatever_order_they_come() -> None:
    api = ApiClient(ProviderConfig(namespace="here"))
    with ThreadPoolExecutor(9) as threads:
        first = [
            threads.submit(api.request, "POST", f"/{each}", body={"n": each}, query={"a": "b"}) for each in range(8)
        ]
        while len(api._waiting) < 8:
            time.sleep(0.001)
        last = threads.submit(api.request, "GET", "/last")
    assert [each.result()["path"] for each in [*first, last]] == [*(f"/{each}" for each in range(8)), "/last"]
    assert [each.result()["body"] for each in first] == [{"n": each} for each in range(8)]
    assert first[0].result()["query"] == {"a": "b"}
    assert (api.default_namespace, api.kubeconfig) == ("here", None)
    api.close()


def test_errors_of_the_server_and_of_the_connection_differ() -> None:
    api = ApiClient(ProviderConfig(kubeconfig="text"))
    assert api.default_namespace == "default"
    assert api.kubeconfig is not None
    with pytest.raises(ApiError, match="another manager") as refused:
        api.request("GET", "/refused")
    assert (refused.value.code, refused.value.conflict, refused.value.details) == (409, True, {"causes": []})
    with pytest.raises(Unreachable, match="connection refused"):
        api.request("GET", "/away")
    api.close()


def test_a_tool_that_ends_is_an_error_of_every_request() -> None:
    api = ApiClient(ProviderConfig())
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(api.request, "GET", "/held")
        while not api._waiting:
            time.sleep(0.001)
        for _ in range(2):
            with pytest.raises(Unreachable, match=f"{PROGRAM} ended"):
                api.request("GET", "/end")
        with pytest.raises(Unreachable, match=f"{PROGRAM} ended"):
            waiting.result()


def test_a_tool_that_takes_requests_and_no_longer_answers_is_an_error() -> None:
    api = ApiClient(ProviderConfig())
    for _ in range(2):
        with pytest.raises(Unreachable, match=f"{PROGRAM} ended"):
            api.request("GET", "/silent")
    api.close()


@pytest.mark.parametrize(
    ("stage", "kind", "text"),
    [
        ("parse", Unreachable, "failed to parse kubeconfig data in `kubernetes:config:kubeconfig`- no YAML"),
        ("load", Unreachable, "unable to load Kubernetes client configuration from kubeconfig file"),
        ("connect", ProviderError, "failed to initialize discovery client: no YAML"),
    ],
)
def test_a_kubeconfig_that_is_not_usable(stage: str, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind) as refused:
        ApiClient(ProviderConfig(context=f'{{"stage": "{stage}", "error": "no YAML"}}'))
    assert str(refused.value).startswith(text)


def test_without_the_tool(tool: Path) -> None:
    tool.unlink()
    with pytest.raises(ProviderError, match=f"{PROGRAM} is not on PATH"):
        ApiClient(ProviderConfig())
