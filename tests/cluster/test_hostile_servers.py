"""Every hostile API server ends in a clear message, within limits of time and memory."""

import sys
from collections.abc import Callable, Iterator

import pytest

from tests.cluster.api_server import kubeconfig
from tests.cluster.hostile_documents import changed_documents
from tests.cluster.hostile_servers import Send, bad_http, document, pages_without_an_end, server
from tests.fakes.limited import Outcome, run_limited, summary
from traceable_kong.cluster import kubernetes_client
from traceable_kong.cluster.kubeconfig import connect
from traceable_kong.cluster.kubernetes_client import KubernetesClient
from traceable_kong.common.safe_text import PlainError

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the limits are those of Linux")

REQUEST_SECONDS = 0.3
LIST_SECONDS = 1.0
GRACE_SECONDS = 15.0
"""For a machine that is busy; the time of the processor has a limit of its own (`limited.py`)."""

Ask = Callable[[KubernetesClient], object]

QUESTIONS: dict[str, Ask] = {
    "get": lambda api: api.get("/api/v1/pods/a"),
    "list": lambda api: api.list("/api/v1/pods"),
    "forward": lambda api: api.forward("gw", "p", 8001),
}

POD = {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "a", "labels": {"a": "b"}}, "spec": {"containers": []}}
PODS = {"kind": "PodList", "apiVersion": "v1", "metadata": {"continue": ""}, "items": [POD, POD]}


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kubernetes_client, "LIST_SECONDS", LIST_SECONDS)
    monkeypatch.delenv("HTTP_PROXY", raising=False)


@pytest.fixture
def tried() -> Iterator[Callable[[str, str, list[Send], Send], Outcome]]:
    outcomes: list[Outcome] = []

    def ask(question: str, url: str, answers: list[Send], send: Send) -> Outcome:
        answers.append(send)
        api = connect(kubeconfig=kubeconfig("here", here=url), request_seconds=REQUEST_SECONDS)
        outcome = run_limited(lambda: QUESTIONS[question](api), PlainError)
        outcomes.append(outcome)
        return outcome

    yield ask
    print(f"servers: {summary(outcomes)}")


Tried = Callable[[str, str, list[Send], Send], Outcome]


def is_refused(outcome: Outcome) -> bool:
    clear = outcome.text.isprintable() and len(outcome.text) >= len("who?") < 2_500
    return outcome.kind == "refused" and clear and outcome.seconds < LIST_SECONDS + GRACE_SECONDS


@pytest.mark.parametrize("question", ["list", "forward"])
def test_what_is_no_response_is_refused(question: str, tried: Tried) -> None:
    with server() as (url, answers):
        outcomes = {name: tried(question, url, answers, send) for name, send in bad_http()}
    assert [f"{name}: {outcome}" for name, outcome in outcomes.items() if not is_refused(outcome)] == []


def test_pages_end(tried: Tried) -> None:
    with server() as (url, answers):
        outcomes = {name: tried("list", url, answers, send) for name, send in pages_without_an_end().items()}
    assert [f"{name}: {outcome}" for name, outcome in outcomes.items() if not is_refused(outcome)] == []


@pytest.mark.parametrize(("question", "good"), [("get", POD), ("list", PODS)])
def test_a_changed_document_is_an_object_or_refused(question: str, good: object, tried: Tried) -> None:
    with server() as (url, answers):
        outcomes = {name: tried(question, url, answers, document(content)) for name, content in changed_documents(good)}
    assert {name: found for name, found in outcomes.items() if found.kind not in ("accepted", "refused")} == {}
    assert any(found.kind == "refused" for found in outcomes.values())
