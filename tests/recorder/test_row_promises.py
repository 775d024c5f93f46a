"""What the Kong nodes with a database had loaded breaks promises 2 and 3, or does not, in histories made by hand."""

from typing import Any

import pytest

from tests.live.rows import violations
from tests.recorder.timeline import GATEWAY, START, Timeline, pod

NOW = START.timestamp()


def row(mode: str = "sync", *, enabled: bool = True) -> dict[str, Any]:
    return {"name": "traceable", "enabled": enabled, "config": {"mode": mode}}


def broken(pods: list[dict[str, Any]], nodes: dict[str, Any]) -> list[tuple[int, str]]:
    timeline = Timeline()
    timeline.add("pod", *pods)
    timeline.begins()
    found = violations(timeline.history, GATEWAY, nodes, since=NOW)
    return [(item.promise, item.text) for item in found]


def test_a_row_that_a_node_with_its_tme_and_files_goes_by() -> None:
    assert broken([pod("a")], {"a": [(NOW - 1, [row()])]}) == []


@pytest.mark.parametrize("moment", [NOW - 60, NOW + 60])
def test_a_node_that_says_sync_without_the_tme(moment: float) -> None:
    """Before the recording, or in the middle of it, while nothing happens in the cluster."""
    ((promise, text),) = broken([pod("a"), pod("b", tme=False)], {"a": [(NOW, [row()])], "b": [(moment, [row()])]})
    assert (promise, "serving pod b" in text) == (2, True)


@pytest.mark.parametrize("rows", [[row("async")], [row(enabled=False)], []])
def test_what_does_not_ask_for_the_tme(rows: list[dict[str, Any]]) -> None:
    assert broken([pod("a", tme=False)], {"a": [(NOW, rows)]}) == []


def test_what_was_loaded_before_it_was_changed_counts_no_more() -> None:
    assert broken([pod("a", tme=False)], {"a": [(NOW - 60, [row()]), (NOW - 1, [row("async")])]}) == []


def test_a_node_with_a_row_and_without_its_files() -> None:
    ((promise, _),) = broken([pod("a", files=None)], {"a": [(NOW, [row()])]})
    assert promise == 3


def test_a_pod_that_does_not_serve_breaks_nothing() -> None:
    assert broken([pod("a", tme=False, ready=False)], {"a": [(NOW, [row()])]}) == []
