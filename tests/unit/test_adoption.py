"""Which releases a run imports, and what the program registers for them."""

from typing import Any

import pytest

import adoption
import kube
import settings
from cluster import Cluster
from tests.preflight.fake import FakeKube
from tests.unit.conftest import Program

BASE = {"agentTokenSecret": '{"name": "token", "key": "token"}', "plugin": '{"rock": "a.rock"}'}
ADOPT = '{"adopt": true}'


def wanted(api: FakeKube, monkeypatch: pytest.MonkeyPatch, **config: str) -> set[str]:
    monkeypatch.setattr(Cluster, "api", api)
    return set(adoption.to_adopt(settings.parse({**BASE, **config}), Cluster(kubeconfig=None, context=None)))


@pytest.fixture
def standing() -> FakeKube:
    """Both, as somebody installed them by hand."""
    api = FakeKube()
    api.release("kong", "quickstart", ["deployed"], owner=None)
    api.release("traceable", "traceable-agent", ["deployed"], owner=None)
    return api


def test_what_the_stack_does_not_name_is_not_looked_for(standing: FakeKube, monkeypatch: pytest.MonkeyPatch) -> None:
    assert wanted(standing, monkeypatch) == set()
    assert standing.asked == []


def test_both_are_taken_over(standing: FakeKube, monkeypatch: pytest.MonkeyPatch) -> None:
    assert wanted(standing, monkeypatch, kong=ADOPT, agent=ADOPT) == {"kong", "agent"}
    off = {"enabled": "false", "installed": "false"}
    assert wanted(standing, monkeypatch, kong=ADOPT, agent=ADOPT, **off) == {"kong"}, "without Traceable, no agent"


def test_what_carries_a_mark_or_is_not_there_is_not_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    api = FakeKube()
    api.release("kong", "quickstart", ["deployed"])
    assert wanted(api, monkeypatch, kong=ADOPT, agent=ADOPT) == set()


def test_where_nobody_answers_preflight_says_so(standing: FakeKube, monkeypatch: pytest.MonkeyPatch) -> None:
    standing.denied["/api/v1/namespaces/kong/secrets"] = 403
    assert wanted(standing, monkeypatch, kong=ADOPT) == set()

    def nobody(*_: Any, **__: Any) -> Any:
        raise kube.Unreachable("nobody there")

    monkeypatch.setattr(FakeKube, "list", nobody)
    assert wanted(standing, monkeypatch, kong=ADOPT) == set()


@pytest.mark.parametrize("found", [set(), {"kong"}, {"agent"}, {"kong", "agent"}])
def test_the_program_imports_those_alone(program: Program, monkeypatch: pytest.MonkeyPatch, found: set[str]) -> None:
    monkeypatch.setattr(adoption, "to_adopt", lambda *_: frozenset(found))
    made = program.up()
    assert made["gateway-release"].import_id == ("kong/quickstart" if "kong" in found else "")
    assert made["agent-release"].import_id == ("traceable/traceable-agent" if "agent" in found else "")
    assert made["gateway-release"].parent == "gateway" and made["gateway-release"].hooks
    assert {item.name for item in made.registrations if item.import_id} <= {"gateway-release", "agent-release"}


def test_preflight_is_told_what_will_be_given(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adoption, "to_adopt", lambda *_: frozenset())
    program.up()
    assert (program.intents[-1].gateway.adoption, program.intents[-1].agent and program.intents[-1].agent.adoption) == (
        None,
        None,
    )
    program.up(kong={"adopt": True}, agent={"adopt": True}, kongValues={"replicaCount": 3})
    intent = program.intents[-1]
    assert intent.gateway.adoption and intent.agent and intent.agent.adoption
    assert intent.gateway.adoption.values["replicaCount"] == 3
    assert (intent.gateway.adoption.chart, intent.gateway.adoption.version) == ("kong", "3.4.1")
    assert (intent.agent.adoption.chart, intent.agent.adoption.version) == ("traceable-agent", "1.58.0")
