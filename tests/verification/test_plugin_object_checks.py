"""The KongClusterPlugin: missing or changed, it is found before Kong has followed."""

import copy
import json
import shlex
from typing import Any

import pytest

from tests.fakes.protected_gateway import CONFIG, desired, evaluate, failure, observed, written


def test_an_object_that_does_not_exist() -> None:
    found = failure(observed(plugin=None))
    assert (found.name, found.found, found.permanent) == ("object", "it does not exist", True)
    assert "`pulumi up --refresh`" in found.fix


@pytest.mark.parametrize(
    ("path", "value", "text"),
    [
        (("metadata", "annotations", "kubernetes.io/ingress.class"), "other", "its ingress class is 'other'"),
        (("metadata", "labels", "global"), "false", "it is not for all routes"),
        (("disabled",), True, "it is disabled"),
        (("config", "mode"), "async", "mode is 'async' instead of 'sync'"),
        (("config", "more"), "planted", "/config/more is set, and this stack does not set it"),
        (("plugin",), "cors", "it is the plugin cors"),
        (("metadata", "deletionTimestamp"), "now", "it is being deleted"),
        (("protocols",), ["tcp"], "/protocols is set, and this stack does not set it"),
        (("ordering",), {"before": {"access": ["cors"]}}, "ordering is set"),
        (("consumerRef",), "somebody", "consumerRef is set"),
        (("instance_name",), "mine", "instance_name is set"),
        (("run_on",), "first", "run_on is set"),
        (("configFrom",), {"secretKeyRef": {"name": "s"}}, "configFrom is set"),
        (("configPatches",), [{"path": "/mode"}], "configPatches is set"),
    ],
)
def test_an_object_that_was_changed(path: tuple[str, ...], value: Any, text: str) -> None:
    document: Any = copy.deepcopy(written(desired()))
    place = document
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    found = failure(observed(plugin=document))
    assert found.name == "object"
    assert text in found.found


def test_a_command_removes_what_others_added() -> None:
    """Server-side apply leaves the fields of other managers."""
    document: Any = copy.deepcopy(written(desired(everywhere=False)))
    document["protocols"] = ["tcp"]
    document["config"] |= {"more": 1, "a/b~c": True, "none": None}
    document["metadata"]["labels"]["global"] = "true"
    report = evaluate(desired(everywhere=False), observed(plugin=document))
    (found,) = [check for check in report.failed if check.name == "object"]
    command, then = found.fix.strip("`").split("`, then `")
    words = shlex.split(command)
    assert words[:3] == ["kubectl", "patch", "kongclusterplugin"] and then == "pulumi up --refresh"
    assert json.loads(words[-1]) == [
        {"op": "remove", "path": path}
        for path in ("/config/a~1b~0c", "/config/more", "/protocols", "/metadata/labels/global")
    ]


def test_a_nested_option_that_others_added() -> None:
    document: Any = copy.deepcopy(written(desired(config={**CONFIG, "headers": {"a": 1}})))
    document["config"]["headers"] = {"a": 1, "b": 2}
    report = evaluate(desired(config={**CONFIG, "headers": {"a": 1}}), observed(plugin=document))
    (found,) = [check for check in report.failed if check.name == "object"]
    assert "/config/headers/b" in found.fix


def test_after_uninstalling_the_object_must_not_exist() -> None:
    report = evaluate(desired(installed=False), observed(plugin=written(desired())))
    assert [check.found for check in report.checks if check.name == "object"] == ["it exists"]
