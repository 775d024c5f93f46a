"""The evaluation of a whole gateway: installed, uninstalled, and with an external agent."""

from typing import Any

from tests.fakes.protected_gateway import (
    ASYNC,
    FILES,
    answer,
    desired,
    evaluate,
    failure,
    instance,
    observed,
    observed_pod,
    pod,
)
from traceable_kong.verification.kong_observation import KongAnswer

Document = dict[str, Any]


def test_a_gateway_as_configured() -> None:
    report = evaluate(desired(), observed(pod("gw-1"), pod("gw-2")))
    assert report.ok and report.failed == []
    assert {check.name for check in report.checks} == {
        "ready",
        "rollout",
        "object",
        "files",
        "tme",
        "loaded",
        "plugin",
        "override",
        "agent",
        "policy",
        "label",
        "annotation",
        "webhook",
    }
    assert {check.pod for check in report.checks} == {"", "gw-1", "gw-2"}


def test_of_an_external_agent_only_the_address_is_checked() -> None:
    url = "https://agent.example.com:5442"
    config = {**ASYNC["config"], "ext_cap_endpoint": url}
    expected = {**ASYNC, "agent_namespace": None, "config": config}
    observation = observed(observed_pod(pod(tme=False), kong=answer(instance(config=config))), agent_pods=[])
    report = evaluate(desired(**expected), observation)
    assert report.ok and "agent" not in {check.name for check in report.checks}
    assert any("not checked" in note and url in note for note in report.notes)
    other = {**config, "ext_cap_endpoint": f"{url}1"}
    wrong = observed(observed_pod(pod(tme=False), kong=answer(instance(config=other))), agent_pods=[])
    assert failure(wrong, **expected).name == "plugin"
    off = evaluate(desired(**expected, enabled=False), observation)
    assert not any(url in note for note in off.notes)


def test_every_pod_is_evaluated() -> None:
    found = failure(observed(pod("gw-1"), pod("gw-2", tme=False)))
    assert (found.pod, found.name) == ("gw-2", "tme")


def left(document: Document, kong: KongAnswer | str) -> Any:
    return observed(observed_pod(document, kong=kong), agent_pods=[], agent_problem=None)


GONE: dict[str, Any] = {"installed": False, "enabled": False, "injection": None, "files": {}}


def test_after_uninstalling_nothing_of_traceable_is_left() -> None:
    bare = pod(tme=False)
    bare["spec"]["volumes"] = []
    nothing = KongAnswer({"cors": "3.9.0"}, [{"name": "cors"}])
    assert evaluate(desired(**GONE), left(bare, nothing)).ok

    files = failure(left(pod(tme=False), nothing), **GONE)
    assert (files.name, files.found) == ("files", ", ".join(FILES))

    listed = failure(left(bare, answer(instance(enabled=False))), **GONE)
    assert (listed.name, listed.found) == ("plugin", "Kong lists traceable")

    silent = failure(left(bare, "the Admin API does not answer"), **GONE)
    assert (silent.name, silent.found) == ("plugin", "the Admin API does not answer")
