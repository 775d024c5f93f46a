"""Promises 2 and 3 for Kong nodes that load plugin entities from a database."""

from typing import Any

import pytest

from tests.recorder.plugin_entity_promises import violations
from tests.recorder.timeline import GATEWAY, START, Timeline, pod

NOW = START.timestamp()


def plugin_entity(mode: str = "sync", *, enabled: bool = True) -> dict[str, Any]:
    return {"name": "traceable", "enabled": enabled, "config": {"mode": mode}}


def broken(pods: list[dict[str, Any]], nodes: dict[str, Any]) -> list[tuple[int, str]]:
    timeline = Timeline()
    timeline.add("pod", *pods)
    timeline.start_recording()
    found = violations(timeline.history, GATEWAY, nodes, since=NOW)
    return [(item.promise, item.text) for item in found]


def test_a_node_with_tme_and_files_may_load_the_plugin() -> None:
    assert broken([pod("a")], {"a": [(NOW - 1, [plugin_entity()])]}) == []


@pytest.mark.parametrize("moment", [NOW - 60, NOW + 60])
def test_a_node_without_the_tme_must_not_load_the_plugin_in_sync_mode(moment: float) -> None:
    """Neither before the recording nor while no object in the cluster changes."""
    ((promise, text),) = broken(
        [pod("a"), pod("b", tme=False)], {"a": [(NOW, [plugin_entity()])], "b": [(moment, [plugin_entity()])]}
    )
    assert (promise, "serving pod b" in text) == (2, True)


@pytest.mark.parametrize("entities", [[plugin_entity("async")], [plugin_entity(enabled=False)], []])
def test_async_disabled_or_missing_plugins_need_no_tme(entities: list[dict[str, Any]]) -> None:
    assert broken([pod("a", tme=False)], {"a": [(NOW, entities)]}) == []


def test_only_what_a_node_has_loaded_last_counts() -> None:
    assert (
        broken([pod("a", tme=False)], {"a": [(NOW - 60, [plugin_entity()]), (NOW - 1, [plugin_entity("async")])]}) == []
    )


def test_a_node_without_the_files_must_not_load_the_plugin() -> None:
    ((promise, _),) = broken([pod("a", files=None)], {"a": [(NOW, [plugin_entity()])]})
    assert promise == 3


def test_a_pod_that_does_not_serve_breaks_nothing() -> None:
    assert broken([pod("a", tme=False, ready=False)], {"a": [(NOW, [plugin_entity()])]}) == []
