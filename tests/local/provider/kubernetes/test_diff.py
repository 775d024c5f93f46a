"""Changes between a live object and new inputs."""

from local.provider.kubernetes.diff import (
    Change,
    PropertyChange,
    compare,
    compare_three_ways,
    parse,
    prune,
    render,
    without,
)
from local.provider.property_values import UNKNOWN


def test_prune_keeps_the_shape_of_the_inputs() -> None:
    live = {"a": {"b": 1, "c": 2}, "list": [{"x": 1, "y": 2}, {"x": 3}], "d": 4}

    assert prune(live, {"a": {"b": 9}, "list": [{"x": 9}]}) == {"a": {"b": 1}, "list": [{"x": 1}]}


def test_changes_by_path() -> None:
    old = {"a": 1, "b": {"c": [1, {"d": 2}]}, "gone": {"x": 1}}
    new = {"a": 2, "b": {"c": [1, {"d": 3}, 4]}, "new": {"y": 1}}

    assert {path: change.change for path, change in compare(old, new).items()} == {
        "a": Change.UPDATE,
        "b.c[1].d": Change.UPDATE,
        "b.c[2]": Change.ADD,
        "new": Change.ADD,
        "gone": Change.DELETE,
    }


def test_equal_numbers_are_equal_and_booleans_are_not_numbers() -> None:
    assert compare({"a": 1, "b": 1}, {"a": 1.0, "b": True}) == {"b": PropertyChange(Change.UPDATE, False)}


def test_replacement_below_and_above_a_path() -> None:
    force_new = ("data", "spec.selector", "spec.containers[*].image")

    assert compare({"data": {"a": 1}}, {"data": {"a": 2}}, force_new)["data.a"].replace
    assert compare({}, {"spec": {"selector": {"x": 1}}}, force_new)["spec"].replace
    assert not compare({}, {"spec": {"replicas": 1}}, force_new)["spec"].replace
    old, new = {"spec": {"containers": [{"image": "a"}]}}, {"spec": {"containers": [{"image": "b"}]}}
    assert compare(old, new, force_new)["spec.containers[0].image"].replace


def test_unknown_is_a_change() -> None:
    assert compare({"a": 1}, {"a": UNKNOWN, "b": UNKNOWN}) == {
        "a": PropertyChange(Change.UPDATE, False),
        "b": PropertyChange(Change.ADD, False),
    }


def test_a_three_way_diff_ignores_values_that_only_the_state_has() -> None:
    state = {"values": {"a": 1, "filled": 2, "dropped": 3}, "status": "deployed"}
    inputs = {"values": {"a": 2}}

    changes = compare_three_ways(state, inputs, {"values": {"a": 1, "dropped": 3}})
    assert {path: change.change for path, change in changes.items()} == {
        "values.a": Change.UPDATE,
        "values.dropped": Change.DELETE,
    }


def test_path_parsing_is_reversible() -> None:
    for path in ('metadata.labels["a.b/c"]', "spec.list[0].x", "plain"):
        assert render(parse(path)) == path


def test_ignored_paths_hide_what_is_below() -> None:
    changes = compare({"a": {"b": 1}, "c": 1}, {"a": {"b": 2}, "c": 2})

    assert set(without(changes, ["a"])) == {"c"}
