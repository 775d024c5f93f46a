"""The plugin as it is written in the cluster: missing, or changed by hand, it is found before Kong has followed."""

import copy
from typing import Any

import pytest

from tests.proof.gateway import expectation, failure, judge, seen, written


def test_a_plugin_that_is_gone() -> None:
    found = failure(seen(plugin=None))
    assert (found.name, found.found, found.lasting) == ("object", "there is none", True)
    assert "pulumi refresh" in found.mend


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("metadata", "annotations", "kubernetes.io/ingress.class"), "other", "its ingress class is 'other'"),
        (("metadata", "labels", "global"), "false", "it is not for all routes"),
        (("disabled",), True, "it is disabled"),
        (("config", "mode"), "async", "mode is 'async' instead of 'sync'"),
    ],
)
def test_a_plugin_that_was_changed_by_hand(path: tuple[str, ...], value: Any, said: str) -> None:
    document: Any = copy.deepcopy(written(expectation()))
    place = document
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    found = failure(seen(plugin=document))
    assert found.name == "object"
    assert said in found.found


def test_where_traceable_has_left_it_may_not_stand() -> None:
    report = judge(expectation(installed=False), seen(plugin=written(expectation())))
    assert [check.found for check in report.checks if check.name == "object"] == ["it is there"]
