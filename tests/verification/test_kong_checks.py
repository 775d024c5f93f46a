"""What Kong reports: loaded, configured, not overridden; with warnings and notes."""

from typing import Any

import pytest

from tests.fakes.protected_gateway import (
    ASYNC,
    CONFIG,
    PLUGIN_UID,
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
from traceable_kong.verification.report import Check

Document = dict[str, Any]

NOT_CHECKED = "not checked: the agent's own connection"


def of_kong(kong: KongAnswer | str, *, document: Document | None = None, **changes: Any) -> Check:
    """The single check that fails with this answer of Kong."""
    return failure(observed(observed_pod(document or pod(), kong=kong)), **changes)


def warnings(*plugins: Any, routed: bool = True, **changes: Any) -> tuple[str, ...]:
    return evaluate(desired(**changes), observed(observed_pod(pod(), kong=answer(*plugins, routed=routed)))).warnings


def notes(*plugins: Document, **changes: Any) -> tuple[str, ...]:
    """The notes of a report in which every check holds."""
    kong = KongAnswer({"traceable": "2.1.2"}, list(plugins))
    report = evaluate(desired(**changes), observed(observed_pod(pod(), kong=kong)))
    assert report.ok, report.text()
    return report.notes


def test_an_admin_api_that_does_not_answer() -> None:
    found = of_kong("the Admin API does not answer (timed out)")
    assert (found.pod, found.name, found.found) == ("gw-1", "loaded", "the Admin API does not answer (timed out)")


def test_a_kong_that_does_not_know_the_plugin() -> None:
    found = of_kong(answer(version=None))
    assert (found.name, found.found) == ("loaded", "this Kong does not know traceable")
    assert "`kubectl --namespace gw rollout restart deployment edge-kong`" in found.fix


def test_a_kong_with_another_version() -> None:
    found = of_kong(answer(version="2.0.9"))
    assert (found.name, found.found) == ("loaded", "traceable 2.0.9")
    assert found.expected == "traceable 2.1.2 loaded by this Kong"


def test_a_kong_that_lists_no_plugin() -> None:
    found = of_kong(answer({"name": "cors"}))
    assert (found.name, found.found) == ("plugin", "Kong lists no traceable for all routes")


def test_a_kong_that_lists_the_plugin_for_one_route_only() -> None:
    found = of_kong(answer(instance(route={"id": "r"})))
    assert (found.name, found.found) == ("plugin", "Kong lists no traceable for all routes")


def test_another_ingress_class_of_the_controller_is_named() -> None:
    document = pod()
    document["spec"]["containers"][0]["env"][0]["value"] = "other"
    found = of_kong(answer({"name": "cors"}), document=document)
    assert found.found.endswith("its controller reads the ingress class 'other', and the plugin has 'kong'")


def test_a_plugin_that_is_disabled_or_enabled_unlike_the_config() -> None:
    assert of_kong(answer(instance(enabled=False))).found == "it is disabled"
    off = of_kong(answer(), enabled=False)
    assert (off.name, off.found) == ("plugin", "it is enabled")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("mode", "async"),
        ("ext_cap_endpoint", "http://elsewhere"),
        ("allow_on_failure", False),
        ("timeout", 900),
        ("timeout", None),
    ],
)
def test_every_option_is_compared(key: str, value: object) -> None:
    found = of_kong(answer(instance(config={**CONFIG, key: value})))
    assert (found.name, found.found) == ("plugin", f"{key} is {value!r} instead of {CONFIG[key]!r}")


def test_defaults_of_kong_are_no_difference() -> None:
    kong = answer(instance(config={**CONFIG, "max_body_size_bytes": 131072}))
    assert evaluate(desired(), observed(observed_pod(pod(), kong=kong))).ok


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        (
            {"config": {**CONFIG, "max_body_size_bytes": 1}},
            "max_body_size_bytes is set, and this stack leaves it at 131072",
        ),
        ({"config": {**CONFIG, "more": "planted"}}, "more is set, and this stack leaves it at None"),
        ({"protocols": ["tcp"]}, "protocols is ['tcp'] instead of ['grpc', 'grpcs', 'http', 'https']"),
        (
            {"ordering": {"before": {"access": ["cors"]}}},
            "ordering is {'before': {'access': ['cors']}} instead of None",
        ),
        ({"instance_name": "mine"}, "instance_name is 'mine' instead of None"),
    ],
)
@pytest.mark.parametrize("bound", [{}, {"route": {"id": "r"}}])
def test_what_is_not_configured_must_be_at_kongs_default(changes: Document, text: str, bound: Document) -> None:
    found = of_kong(answer(instance(**bound, **changes)), everywhere=not bound)
    assert (found.name, found.found) == ("plugin", text)


def test_the_ingress_controllers_default_protocols() -> None:
    kong = answer(instance(protocols=["https", "http"]))
    assert evaluate(desired(), observed(observed_pod(pod(), kong=kong))).ok


def test_without_a_schema_the_defaults_are_not_checked() -> None:
    listed = instance(config={**CONFIG, "max_body_size_bytes": 1}, protocols=["tcp"])
    kong = answer(listed, schema=None, schema_problem="HTTP 403")
    report = evaluate(desired(), observed(observed_pod(pod(), kong=kong)))
    assert report.ok and report.verdict == "not checked"
    assert report.not_checked == (
        "what this stack leaves at Kong's defaults, in gw-1: Kong does not show the plugin's schema (HTTP 403)",
    )


@pytest.mark.parametrize("kind", ["consumer", "consumer_group"])
def test_selected_a_plugin_for_one_consumer_only(kind: str) -> None:
    """If a KongConsumer names the plugin, Kong only has it for the requests of that consumer."""
    listed = instance(**{kind: {"id": "c"}})
    found = of_kong(answer(instance(route={"id": "r"}), listed), everywhere=False)
    assert (found.name, f"{kind} c: for requests of one consumer only" in found.found) == ("plugin", True)


@pytest.mark.parametrize("narrower", ["route", "service", "consumer", "consumer_group"])
def test_a_plugin_with_a_narrower_scope_and_other_options(narrower: str) -> None:
    over = instance(enabled=False, **{narrower: {"id": "1", "name": "shop"}})
    found = of_kong(answer(instance(), over))
    assert (found.name, found.found) == ("override", f"{narrower} shop: it is disabled")
    assert "`kubectl get kongplugins --all-namespaces`" in found.fix


def test_a_plugin_with_a_narrower_scope_and_the_same_options() -> None:
    kong = answer(instance(), instance(route={"id": "r"}))
    assert evaluate(desired(), observed(observed_pod(pod(), kong=kong))).ok


def test_selected_every_instance_is_compared() -> None:
    good, wrong = instance(route={"id": "a"}), instance(route={"id": "b"}, config={**CONFIG, "mode": "async"})
    assert evaluate(desired(everywhere=False), observed(observed_pod(pod(), kong=answer(good)))).ok
    found = of_kong(answer(good, wrong), everywhere=False)
    assert (found.name, found.found) == ("plugin", "mode is 'async' instead of 'sync'")


def of_object(uid: str, **changes: Any) -> Document:
    """An instance on a route as the ingress controller makes it from the object with this uid."""
    return instance(**{"route": {"id": uid}, "tags": ["k8s-kind:KongPlugin", f"k8s-uid:{uid}"], **changes})


def test_selected_instances_of_other_owners_are_ignored() -> None:
    ours, theirs = of_object(PLUGIN_UID), of_object("tenant", config={**CONFIG, "timeout": 1000})
    report = evaluate(desired(everywhere=False), observed(observed_pod(pod(), kong=answer(ours, theirs))))
    assert (report.ok, report.verdict) == (True, "protected"), report.text()
    off = evaluate(
        desired(everywhere=False, enabled=False),
        observed(observed_pod(pod(), kong=answer({**ours, "enabled": False}, theirs))),
    )
    assert (off.ok, off.verdict) == (True, "disabled"), off.text()


def test_selected_a_tag_of_another_owner_hides_no_difference() -> None:
    wrong = of_object(PLUGIN_UID, config={**CONFIG, "timeout": 1000})
    assert of_kong(answer(wrong), everywhere=False).found == "timeout is 1000 instead of 500"
    pretends = of_object("tenant", tags=["k8s-uid:tenant", f"k8s-uid:{PLUGIN_UID}"], enabled=False)
    kong = answer(of_object(PLUGIN_UID), pretends)
    assert evaluate(desired(everywhere=False), observed(observed_pod(pod(), kong=kong))).ok


def test_while_disabled_a_narrower_plugin_is_a_warning() -> None:
    kong = answer(instance(enabled=False), of_object("tenant"))
    report = evaluate(desired(enabled=False), observed(observed_pod(pod(), kong=kong)))
    assert (report.ok, report.verdict) == (True, "disabled"), report.text()
    assert "route tenant: it is enabled" in report.warnings[1]


def test_selected_a_plugin_for_all_routes() -> None:
    found = of_kong(answer(instance(), instance(route={"id": "a"})), everywhere=False)
    assert (found.name, found.found) == ("plugin", "Kong lists traceable for all routes, and scope is selected")


def test_selected_without_a_route_is_a_warning() -> None:
    (text,) = warnings({"name": "cors"}, routed=False, everywhere=False)
    assert "0 routes protected" in text and "konghq.com/plugins: traceable-plugin" in text
    assert warnings(instance(route={"id": "r"}), everywhere=False) == ()


def test_a_disabled_plugin_is_a_warning() -> None:
    text = warnings(instance(enabled=False), enabled=False)
    assert text == ("the plugin is disabled (enabled: false): nothing is protected",)


@pytest.mark.parametrize(
    ("listed", "changes", "verdict"),
    [
        (instance(), {}, "protected"),
        (instance(enabled=False), {"enabled": False}, "disabled"),
        (instance(route={"id": "r"}), {"everywhere": False}, "protected"),
        ({"name": "cors"}, {"everywhere": False}, "no route selected"),
        (instance(route={"id": "r"}, enabled=False), {"everywhere": False, "enabled": False}, "disabled"),
        (instance(), {"enabled": False}, "NOT AS CONFIGURED"),
    ],
)
def test_the_verdict(listed: dict[str, Any], changes: dict[str, Any], verdict: str) -> None:
    routed = listed["name"] == "traceable"
    report = evaluate(desired(**changes), observed(observed_pod(pod(), kong=answer(listed, routed=routed))))
    assert [report.verdict_of("gw-1"), report.verdict] == [verdict] * 2


def test_selected_one_pod_without_a_route() -> None:
    good = observed_pod(pod(), kong=answer(instance(route={"id": "r"})))
    idle = observed_pod(pod("gw-2"), kong=answer({"name": "cors"}, routed=False))
    report = evaluate(desired(everywhere=False), observed(good, idle))
    assert [report.verdict_of("gw-1"), report.verdict_of("gw-2")] == ["protected", "no route selected"]
    assert report.verdict == "no route selected"
    assert report.warnings[0].startswith("0 routes protected in gw-2: ")


def test_what_is_never_checked_is_a_note() -> None:
    assert [note.startswith(NOT_CHECKED) for note in notes(instance())] == [True]


def test_the_controllers_reason_is_shown_if_a_check_fails() -> None:
    events = [("2026-01-01T00:00:00Z", "first"), ("2026-01-01T00:00:03Z", "plugin 'traceable' not enabled")]
    broken = evaluate(desired(), observed(observed_pod(pod(), kong=answer({"name": "cors"})), events=events))
    assert broken.cause == "plugin 'traceable' not enabled"
    assert evaluate(desired(), observed(events=events)).cause == ""


def test_async_is_compared_with_its_own_options() -> None:
    found = of_kong(answer(), **ASYNC)
    assert (found.name, found.found) == ("plugin", "mode is 'sync' instead of 'async'")
