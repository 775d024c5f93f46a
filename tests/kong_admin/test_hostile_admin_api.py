"""Every hostile Admin API ends in a clear message, within limits of time and memory."""

import sys
from collections.abc import Callable
from typing import Any

import pytest

from tests.cluster.hostile_documents import changed_documents
from tests.cluster.hostile_servers import Send, bad_http, document, server
from tests.fakes.limited import Outcome, run_limited, summary
from tests.fakes.plugin_schemas import SHOWN
from tests.kong_admin.test_plugin_target import target
from traceable_kong.common.safe_text import PlainError
from traceable_kong.kong_admin import entity_changes
from traceable_kong.kong_admin.admin_client import AdminClient
from traceable_kong.kong_admin.admin_connection import Tls, to_url
from traceable_kong.kong_admin.plugin_schema import read_schema

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the limits are those of Linux")

DEADLINE_SECONDS = 0.3
GRACE_SECONDS = 15.0
"""For a machine that is busy; the time of the processor has a limit of its own (`limited.py`)."""

Ask = Callable[[AdminClient], object]

ENTITY = {
    "id": "11111111-1111-4111-8111-111111111111",
    "name": "traceable",
    "tags": ["traceable-kong:other"],
    "enabled": True,
    "config": {"mode": "sync"},
    "route": {"id": "r-1"},
}


@pytest.fixture(autouse=True)
def no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entity_changes, "MARGIN_SECONDS", 0.0)
    monkeypatch.setattr(entity_changes, "LONGEST_SETTLE_SECONDS", 0.0)


def asked(url: str, ask: Ask) -> Outcome:
    client = AdminClient(to_url(url, Tls()), deadline_seconds=DEADLINE_SECONDS, workspace="team")
    return run_limited(lambda: ask(client), PlainError)


def is_refused(outcome: Outcome) -> bool:
    clear = outcome.text.isprintable() and 20 < len(outcome.text) < 2_500
    return outcome.kind == "refused" and clear and outcome.seconds < DEADLINE_SECONDS + GRACE_SECONDS


def test_what_is_no_response_is_refused() -> None:
    outcomes = {}
    with server() as (url, answers):
        for name, send in bad_http():
            answers.append(send)
            outcomes[name] = asked(url, lambda client: client.list("/plugins"))
    print(f"Admin APIs: {summary(outcomes.values())}")
    accepted = {"HTTP 204", "an empty body", "a byte order mark", "UTF-16"}
    assert [f"{name}: {item}" for name, item in outcomes.items() if not is_refused(item) and name not in accepted] == []
    assert all(item.kind in ("accepted", "refused") for item in outcomes.values())


FOLLOWING: dict[str, Any] = {
    "itself": "/plugins?size=1000",
    "again and again": "/plugins?offset=a",
    "a number": 5,
    "no URL": "http://[::1/x?y",
    "control characters": "/plugins?\r\nX: y",
    "another alphabet": "/plugins?größe",
}


@pytest.mark.parametrize("following", FOLLOWING)
def test_pages_end(following: str) -> None:
    page = document({"data": [ENTITY], "next": FOLLOWING[following]})
    with server() as (url, answers):
        answers.append(page)
        outcome = asked(url, lambda client: client.list("/plugins"))
    ends = following in ("a number", "no URL")
    assert outcome.kind == ("accepted" if ends else "refused"), outcome
    assert outcome.seconds < DEADLINE_SECONDS + GRACE_SECONDS


QUESTIONS: dict[str, tuple[Ask, object]] = {
    "entities": (lambda client: entity_changes.find_entity(client, target()), {"data": [ENTITY, ENTITY], "next": None}),
    "route": (
        lambda client: entity_changes.resolve_scope(client, target(route="größe / x")),
        {"id": "r-1", "name": "größe / x"},
    ),
    "node": (lambda client: entity_changes.wait_for_nodes(client), {"configuration": {"db_update_frequency": 5}}),
    "schema": (lambda client: read_schema(client, "traceable"), SHOWN["/schemas/plugins/traceable"]),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_changed_document_is_read_or_refused(question: str) -> None:
    ask, good = QUESTIONS[question]
    outcomes = {}
    with server() as (url, answers):
        for name, content in changed_documents(good):
            send: Send = document(content)
            answers.append(send)
            outcomes[name] = asked(url, ask)
    print(f"Admin APIs, {question}: {summary(outcomes.values())}")
    assert [f"{name}: {item}" for name, item in outcomes.items() if item.kind not in ("accepted", "refused")] == []
