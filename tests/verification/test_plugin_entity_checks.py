"""A gateway with a database: the row as it is written, and as each Kong lists it."""

import copy
import dataclasses
from typing import Any

import pytest

from tests.verification.gateway import (
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
from traceable_kong.kong_admin.entity_changes import Found
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
) -> Found:
    return Found(bound=bound, row=row, others=others)


def judged(row: Found | str | None, *listed: dict[str, Any], **changes: Any) -> Report:
    expected = desired(**{**IN_DATABASE, **changes})
    said = answer()
    said.plugins[:] = listed or [ROW]
    return evaluate(expected, observed(observed_pod(pod(), kong=said), entity=row, plugin=None))


def failures(report: Report) -> list[tuple[str, str]]:
    return [(check.name, check.found) for check in report.failed]


def test_as_configured() -> None:
    report = judged(found())
    assert report.ok, report.text()
    assert any(
        check.expected
        == "plugin entity of traceable for all routes in Kong's database (workspace default) as this stack "
        "writes it"
        for check in report.checks
    )


@pytest.mark.parametrize(
    ("row", "said"),
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
def test_a_row_that_is_not_as_it_was_written(row: Any, said: str) -> None:
    report = judged(row)
    assert failures(report) == [("object", said)]
    assert report.failed[0].permanent is isinstance(row, Found), "Kong may answer in a moment"


def test_a_service_without_a_route_has_nothing_to_protect() -> None:
    said = answer(OF_ROUTE, routed=False)
    looked = observed_pod(pod(), kong=said)
    report = evaluate(
        desired(**{**IN_DATABASE, **selected()}),
        observed(looked, entity=found(OF_ROUTE, bound=ResolvedScope(route="r-1")), plugin=None),
    )
    assert report.ok and report.verdict == "no route selected"


def test_each_kong_is_asked_by_itself() -> None:
    other = {**ROW, "config": {**CONFIG, "mode": "async"}}
    assert failures(judged(found(), other)) == [("plugin", "mode is 'async' instead of 'sync'")]
    assert failures(judged(found(), {"name": "cors"})) == [("plugin", "Kong lists no traceable for all routes")]
    assert "kubectl describe kongclusterplugin" not in judged(found(), other).text()


def test_a_narrower_row_that_says_something_else() -> None:
    narrower = instance(id="n", route={"id": "r-1"}, config={**CONFIG, "mode": "async"})
    report = judged(found(), ROW, narrower)
    assert failures(report) == [("override", "route r-1 (plugin entity n): mode is 'async' instead of 'sync'")]
    assert "delete that plugin entity" in report.text()
    assert judged(found(), ROW, instance(id="n", route={"id": "r-1"})).ok


def test_disabled_it_stands_and_says_so() -> None:
    row = {**ROW, "enabled": False}
    report = judged(found(row), row, enabled=False, injection=None)
    assert report.ok and any("nothing is protected" in warning for warning in report.warnings)
    assert report.text().startswith("gw/edge-kong: disabled in workspace default. ")


def test_for_one_route_other_rows_are_their_owners_business() -> None:
    others = instance(id="o", config={}), instance(id="p", service={"id": "s"}, config={})
    there = found(OF_ROUTE, bound=ResolvedScope(route="r-1"), others=others)
    report = judged(there, OF_ROUTE, *others, **selected())
    assert report.ok, report.text()
    assert "this workspace has other entities of traceable, not managed by this stack: o, p" in report.notes
    assert report.warnings == ()
    missing = judged(found(None, bound=ResolvedScope(route="r-1")), *others, **selected())
    assert failures(missing) == [("object", "it does not exist"), ("plugin", "Kong lists no traceable of this stack")]
    nothing = judged(found(None, bound=ResolvedScope(route="r-1")), {"name": "cors"}, **selected())
    assert nothing.warnings == (), "a route is named, so it is no matter of annotations"
    gone = judged(found(None, bound=None), OF_ROUTE, **selected())
    assert failures(gone) == [("object", "it does not exist, and neither does route orders")]
    changed = {**OF_ROUTE, "enabled": False}
    assert failures(judged(there, changed, **selected())) == [("plugin", "it is disabled")]


def test_where_traceable_has_left() -> None:
    left = {"installed": False, "enabled": False, "injection": None, "files": {}}
    document = copy.deepcopy(pod(tme=False))
    document["spec"]["volumes"] = []
    for item in document["spec"]["containers"]:
        item.pop("volumeMounts", None)
    said = answer()
    said.plugins[:] = [{"name": "cors"}]
    expected = desired(**{**IN_DATABASE, **left})
    looked = observed_pod(document, kong=said)
    assert evaluate(expected, observed(looked, entity=found(None), plugin=None)).ok
    report = evaluate(expected, observed(looked, entity=found(), plugin=None))
    assert failures(report) == [("object", "it exists")]
