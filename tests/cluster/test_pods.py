"""Pods: which are terminating, and how a selector is written in a request."""

import pytest

from traceable_kong.cluster.pods import is_terminating, selector_text


@pytest.mark.parametrize(
    ("status", "leaving"), [("Running", False), ("Pending", False), ("Succeeded", True), ("Failed", True)]
)
def test_a_pod_that_has_ended_is_leaving(status: str, leaving: bool) -> None:
    assert is_terminating({"metadata": {}, "status": {"phase": status}}) is leaving
    assert is_terminating({"metadata": {"deletionTimestamp": "now"}, "status": {"phase": status}})


def test_a_selector_as_the_api_server_reads_it() -> None:
    selector = {
        "matchLabels": {"a": "b", "c": "d"},
        "matchExpressions": [
            {"key": "e", "operator": "In", "values": ["f", "g"]},
            {"key": "h", "operator": "NotIn", "values": ["i"]},
            {"key": "j", "operator": "Exists"},
            {"key": "k", "operator": "DoesNotExist"},
        ],
    }
    assert selector_text(selector) == "a=b,c=d,e in (f,g),h notin (i),j,!k"
    assert selector_text({}) == ""
