"""A Kong with a database: the plugin entity as it is written, and as each Kong lists it."""

import copy
import dataclasses
from typing import Any

import pytest

from tests.fakes.protected_gateway import (
    CONFIG,
    ENTITY,
    IN_DATABASE,
    TARGET,
    answer,
    desired,
    instance,
    observed,
    observed_pod,
    pod,
)
from traceable_kong.kong_admin.entity_changes import EntityState
from traceable_kong.kong_admin.plugin_target import PluginTarget, ResolvedScope
from traceable_kong.verification.evaluation import evaluate
from traceable_kong.verification.report import Report

EVERYWHERE = ResolvedScope()
ROW = instance(id=TARGET.id, tags=[TARGET.tag])
SELECTED = PluginTarget(workspace="default", plugin="traceable", route="orders", owner=TARGET.owner)
OF_ROUTE = instance(id=SELECTED.id, tags=[SELECTED.tag], route={"id": "r-1"})


def selected() -> dict[str, Any]:
    return {"backend": dataclasses.replace(ENTITY, target=SELECTED), "everywhere": False}


def found(
    row: dict[str, Any] | None = ROW, *, bound: ResolvedScope | None = EVERYWHERE, others: tuple[Any, ...] = ()
) -> EntityState:
    return EntityState(scope=bound, entity=row, others=others)


def evaluated(row: EntityState | str | None, *listed: dict[str, Any], **changes: Any) -> Report:
    expected = desired(**{**IN_DATABASE, **changes})
    kong = answer()
    kong.plugins[:] = listed or [ROW]
    return evaluate(expected, observed(observed_pod(pod(), kong=kong), entity=row, plugin=None))


def failures(report: Report) -> list[tuple[str, str]]:
    return [(check.name, check.found) for check in report.failed]


def test_as_configured() -> None:
    report = evaluated(found())
    assert report.ok, report.text()
    assert any(
        check.expected
        == "plugin entity of traceable for all routes in Kong's database (workspace default) as this stack "
        "writes it"
        for check in report.checks
    )


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ("Kong was not asked for it", "Kong was not asked for it"),
        ("HTTP 401: Unauthorized", "HTTP 401: Unauthorized"),
        (found(None), "it does not exist"),
        (found({**ROW, "tags": []}), f"it lacks the tag {TARGET.tag}"),
        (found({**ROW, "route": {"id": "r"}}), "it is bound to route r"),
        (found({**ROW, "enabled": False}), "it is disabled"),
        (found({**ROW, "protocols": ["tcp"]}), "protocols is ['tcp'] instead of ['grpc', 'grpcs', 'http', 'https']"),
        (
            found({**ROW, "protocols": ["http", "https"]}),
            "protocols is ['http', 'https'] instead of ['grpc', 'grpcs', 'http', 'https']",
        ),
        (
            found({**ROW, "config": {**CONFIG, "timeout": 500.0, "more": 1}}),
            "more is set, and this stack leaves it at None",
        ),
        (found({**ROW, "config": {**CONFIG, "timeout": 9}}), "timeout is 9 instead of 500"),
    ],
)
def test_an_entity_that_is_not_as_written(row: Any, text: str) -> None:
    report = evaluated(row)
    assert failures(report) == [("object", text)]
    assert report.failed[0].permanent is isinstance(row, EntityState), "Kong may answer in a moment"


def test_a_service_without_a_route() -> None:
    kong = answer(OF_ROUTE, routed=False)
    serving = observed_pod(pod(), kong=kong)
    report = evaluate(
        desired(**{**IN_DATABASE, **selected()}),
        observed(serving, entity=found(OF_ROUTE, bound=ResolvedScope(route="r-1")), plugin=None),
    )
    assert report.ok and report.verdict == "no route selected"


def test_each_kong_is_compared() -> None:
    other = {**ROW, "config": {**CONFIG, "mode": "async"}}
    assert failures(evaluated(found(), other)) == [("plugin", "mode is 'async' instead of 'sync'")]
    assert failures(evaluated(found(), {"name": "cors"})) == [("plugin", "Kong lists no traceable for all routes")]
    assert "kubectl describe kongclusterplugin" not in evaluated(found(), other).text()


def test_an_entity_with_a_narrower_scope_and_other_options() -> None:
    narrower = instance(id="n", route={"id": "r-1"}, config={**CONFIG, "mode": "async"})
    report = evaluated(found(), ROW, narrower)
    assert failures(report) == [("override", "route r-1 (plugin entity n): mode is 'async' instead of 'sync'")]
    assert "delete that plugin entity" in report.text()
    assert evaluated(found(), ROW, instance(id="n", route={"id": "r-1"})).ok


def test_a_disabled_entity() -> None:
    row = {**ROW, "enabled": False}
    report = evaluated(found(row), row, enabled=False, injection=None)
    assert report.ok and any("nothing is protected" in warning for warning in report.warnings)
    assert report.text().startswith("gw/edge-kong: disabled in workspace default. ")


def test_for_one_route_entities_of_other_owners_are_ignored() -> None:
    others = instance(id="o", config={}), instance(id="p", service={"id": "s"}, config={})
    there = found(OF_ROUTE, bound=ResolvedScope(route="r-1"), others=others)
    report = evaluated(there, OF_ROUTE, *others, **selected())
    assert report.ok, report.text()
    assert "this workspace has other entities of traceable, not managed by this stack: o, p" in report.notes
    assert report.warnings == ()
    missing = evaluated(found(None, bound=ResolvedScope(route="r-1")), *others, **selected())
    assert failures(missing) == [("object", "it does not exist"), ("plugin", "Kong lists no traceable of this stack")]
    nothing = evaluated(found(None, bound=ResolvedScope(route="r-1")), {"name": "cors"}, **selected())
    assert nothing.warnings == (), "a route is named, so it is no matter of annotations"
    gone = evaluated(found(None, bound=None), OF_ROUTE, **selected())
    assert failures(gone) == [("object", "it does not exist, and neither does route orders")]
    changed = {**OF_ROUTE, "enabled": False}
    assert failures(evaluated(there, changed, **selected())) == [("plugin", "it is disabled")]


def test_after_uninstalling_the_entity_must_not_exist() -> None:
    left: dict[str, Any] = {"installed": False, "enabled": False, "injection": None, "files": {}}
    document = copy.deepcopy(pod(tme=False))
    document["spec"]["volumes"] = []
    for item in document["spec"]["containers"]:
        item.pop("volumeMounts", None)
    kong = answer()
    kong.plugins[:] = [{"name": "cors"}]
    expected = desired(**{**IN_DATABASE, **left})
    serving = observed_pod(document, kong=kong)
    assert evaluate(expected, observed(serving, entity=found(None), plugin=None)).ok
    report = evaluate(expected, observed(serving, entity=found(), plugin=None))
    assert failures(report) == [("object", "it exists")]
