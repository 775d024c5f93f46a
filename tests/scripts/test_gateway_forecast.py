"""What steps of a component mean for its gateway, with small examples; tests/program/test_forecast.py has programs."""

from typing import Any

import pytest

from scripts.gateway_forecast import Forecast, forecasts
from scripts.preview_reading import COMPONENT, UNKNOWN_VALUE
from tests.scripts.preview_steps import AGENT, BINDING, FILES, PATCH, RECORD, RELEASE, component, preview, step

Resource = tuple[str, tuple[str, str], Any, Any]

WANTED = {"spec": {"template": {"metadata": {"annotations": {"a": "1"}}}}}
OTHER = {"spec": {"template": {"metadata": {"annotations": {"a": "2"}}}}}
FOLLOWING = {"spec": {"template": {"metadata": {"annotations": UNKNOWN_VALUE}}}}
"""The annotations while another component changes the agent."""

SYNC = {"data": {"enabled": "true", "mode": "sync"}}
ASYNC = {"data": {"enabled": "true", "mode": "async"}}
ALONE = {"data": {"gateway": "false"}}


def forecast(*resources: Resource, op: str = "same", installed: bool = True) -> Forecast:
    (found,) = forecasts(preview(*component(*resources, op=op, installed=installed)))
    return found


def values(**items: Any) -> dict[str, Any]:
    return {"values": items}


@pytest.mark.parametrize(
    ("resource", "rollouts"),
    [
        (("create", RELEASE, None, values()), [True]),
        (("replace", RELEASE, {"name": "a"}, {"name": "b"}), [True]),
        (("update", RELEASE, values(a=1), values(a=2)), [False]),
        (("update", RELEASE, {"version": "1"}, {"version": "2"}), [False]),
        (("update", RELEASE, {"values": "[secret]"}, {"values": "[secret]"}), [False]),
        (
            ("update", RELEASE, values(plugins={"configMaps": [{"name": "a"}]}), values(plugins={})),
            [True],
        ),
        (("update", RELEASE, {"timeout": 1}, {"timeout": 2}), []),
        (("import", RELEASE, None, values(a=1)), []),
        (("delete", RELEASE, values(), None), []),
        (("update", AGENT, values(a=1), values(a=2)), []),
        (("create", PATCH, None, WANTED), [True]),
        (("create", PATCH, None, {}), []),
        (("update", PATCH, WANTED, {}), [True]),
        (("update", PATCH, {}, WANTED), [True]),
        (("update", PATCH, WANTED, OTHER), [True]),
        (("update", PATCH, WANTED, FOLLOWING), [False]),
        (("update", PATCH, {}, FOLLOWING), [True]),
        (("create", PATCH, None, FOLLOWING), [True]),
        (("update", PATCH, {"a": 1, **WANTED}, {"a": 2, **WANTED}), []),
        (("replace", PATCH, WANTED, WANTED), [True]),
        (("delete", PATCH, WANTED, None), [True]),
        (("same", PATCH, WANTED, WANTED), []),
        (("create", FILES, None, {"files": {"/opt": "a"}, "timeoutSeconds": 60}), [True]),
        (("update", FILES, {"files": {"/opt": "a"}}, {"files": {"/opt": "b"}}), [True]),
        (("update", FILES, {"plugins": ["a"]}, {"plugins": ["a", "b"]}), [True]),
        (("update", FILES, {"timeoutSeconds": 60}, {"timeoutSeconds": 90}), []),
        (("delete", FILES, {"files": {"/opt": "a"}}, None), [True]),
    ],
)
def test_what_replaces_the_pods_and_what_may(resource: Resource, rollouts: list[bool]) -> None:
    assert [rollout.certain for rollout in forecast(resource).rollouts] == rollouts


def test_an_adopted_release_is_imported_and_then_updated() -> None:
    found = forecast(("import", RELEASE, None, values(a=1)), ("update", RELEASE, values(a=1), values(a=2)))
    assert [rollout.certain for rollout in found.rollouts] == [False]


def test_the_tme_goes_with_the_release_or_out_of_pods_that_stay() -> None:
    patch: Resource = ("delete", PATCH, WANTED, None)
    assert forecast(patch, ("delete", RELEASE, values(), None)).rollouts == ()
    both = forecast(patch, ("delete", FILES, {"files": {"/opt": "a"}}, None)).rollouts
    assert [rollout.certain for rollout in both] == [True, False], "the second may begin before the first has ended"


@pytest.mark.parametrize(
    ("op", "old", "new", "guard"),
    [
        ("create", None, ["Deny"], ("off", "deny")),
        ("update", ["Deny"], ["Warn", "Audit"], ("deny", "warn")),
        ("delete", ["Warn", "Audit"], None, ("warn", "off")),
        ("update", ["Deny"], ["Deny"], None),
        ("same", ["Deny"], ["Deny"], None),
        ("delete-replaced", ["Deny"], None, None),
    ],
)
def test_the_action_of_the_admission_policy(op: str, old: Any, new: Any, guard: tuple[str, str] | None) -> None:
    before, after = (actions and {"spec": {"validationActions": actions}} for actions in (old, new))
    assert forecast((op, BINDING, before, after)).guard == guard


def test_the_entries_are_those_of_the_record() -> None:
    same = forecast(("same", RECORD, SYNC, SYNC))
    assert same.now == same.then == SYNC["data"]
    switched = forecast(("update", RECORD, SYNC, ASYNC))
    assert (switched.now, switched.then) == (SYNC["data"], ASYNC["data"])
    gone = forecast(("delete", RECORD, SYNC, None))
    assert (gone.now, gone.then) == (SYNC["data"], {})
    assert forecast(op="create").now == {}


def test_a_record_that_is_no_longer_in_the_cluster_still_says_what_is_installed() -> None:
    found = forecast(("refresh", RECORD, SYNC, SYNC), ("create", RECORD, None, ASYNC))
    assert (found.now, found.then) == (SYNC["data"], ASYNC["data"])


def test_before_the_first_record_a_plugin_that_exists_may_protect() -> None:
    plugin = ("TraceablePlugin", "kubernetes:configuration.konghq.com/v1:KongClusterPlugin")
    assert forecast(("same", plugin, {}, {}), ("create", RECORD, None, SYNC)).now is None
    assert forecast(("create", RECORD, None, SYNC)).now == {}


KONG_GONE = "This uninstalls Kong, so this gateway is gone"
UNPROTECTED = "This uninstalls Traceable, and the gateway is then unprotected"
AGENT_GONE = "This uninstalls the agent, and a gateway that uses it is then unprotected"
DATA_GONE = "This deletes Kong's managed database with its data"
DATABASE = ("ManagedPostgres", "kubernetes:apps/v1:StatefulSet")


@pytest.mark.parametrize(
    ("op", "resources", "losses"),
    [
        ("same", [("delete", RECORD, SYNC, None)], [UNPROTECTED]),
        ("same", [("update", RECORD, SYNC, ALONE)], [UNPROTECTED]),
        ("same", [("update", RECORD, SYNC, ASYNC)], []),
        ("same", [("delete", RELEASE, values(), None)], [KONG_GONE]),
        ("same", [("replace", DATABASE, {}, {})], [DATA_GONE]),
        ("same", [("update", DATABASE, {"a": 1}, {"a": 2})], []),
        ("delete", [("delete", FILES, {}, None), ("delete", RECORD, SYNC, None)], [UNPROTECTED]),
        ("delete", [("delete", RELEASE, values(), None), ("delete", RECORD, SYNC, None)], [KONG_GONE]),
        ("delete", [("delete", AGENT, values(), None), ("delete", RECORD, ALONE, None)], [AGENT_GONE]),
        ("delete", [], []),
    ],
)
def test_what_is_lost(op: str, resources: list[Resource], losses: list[str]) -> None:
    found = forecast(*resources, op=op)
    assert (list(found.losses), found.removed) == (losses, op == "delete")


def test_what_is_retained_is_not_lost() -> None:
    steps = [*component(("delete", FILES, {}, None), ("delete", RECORD, SYNC, None), op="delete")]
    for item in steps:
        item["oldState"]["retainOnDelete"] = True
    (found,) = forecasts(preview(*steps))
    assert (found.removed, found.then, found.rollouts) == (True, None, ())
    assert found.losses == (
        "This gives up what this component has installed: it stays in the cluster, and no stack manages it",
    )


@pytest.mark.parametrize("op", ["create", "same"])
def test_a_component_without_parts_shows_nothing(op: str) -> None:
    found = forecast(op=op, installed=False)
    assert (found.hidden, found.then) == (True, None)
    assert forecast(op=op).hidden is False


def test_a_resource_of_the_program_below_a_component_is_no_part_of_it() -> None:
    steps = [*component(op="create", installed=False)]
    dns = step("create", new={}, types=(COMPONENT, "team:index:Dns"), parent=steps[0]["urn"])
    (found,) = forecasts(preview(*steps, dns))
    assert found.hidden


def test_gateways_of_one_name_are_told_apart_by_their_parents() -> None:
    steps = [*component(below=("team:index:A",)), *component(below=("team:index:B",)), *component(name="inner")]
    assert [found.name for found in forecasts(preview(*steps))] == ["inner", "team:index:A/edge", "team:index:B/edge"]


def test_a_failed_preview_forecasts_nothing() -> None:
    steps = component(("delete", RELEASE, values(), None))
    assert forecasts(preview(*steps, diagnostics=[{"severity": "error", "message": "no"}])) == ()
