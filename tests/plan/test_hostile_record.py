"""A record that any user may have changed: it is read as a whole or refused, without another error."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.protected_gateway import ASYNC, IN_DATABASE, desired, observed, written
from traceable_kong.plan.model import DesiredState
from traceable_kong.plan.state_record import UnreadableRecord, state_data, state_of
from traceable_kong.verification import evaluation

NAMES = ("../x", "a b", "x'; reboot #", "\x1b[2J", "", "name")
ENDPOINTS = ("http://[", "http://x:port", "http://x:99999", "http://x:5442")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(NAMES + ENDPOINTS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
RECORDS = [state_data(desired(**changes)) for changes in ({}, ASYNC, IN_DATABASE, {"agent_namespace": None})]


def paths(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value in a document, its own first."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(path for key, item in inner for path in paths(item, (*at, key)))]


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    items = dict(value) if isinstance(value, dict) else list(value)
    items[path[0]] = replaced(value[path[0]], path[1:], new)
    return items


@st.composite
def records(draw: st.DrawFn) -> dict[str, str]:
    """A record as a stack writes it, with one or two arbitrary values."""
    data = dict(draw(st.sampled_from(RECORDS)))
    for _ in range(draw(st.integers(1, 2))):
        key = draw(st.sampled_from(sorted(data)))
        try:
            document = json.loads(data[key])
        except ValueError:
            document = None
        if document is None or draw(st.integers(0, 3)) == 0:
            data[key] = draw(st.text(max_size=12) | st.sampled_from(NAMES) | JSON.map(json.dumps))
        else:
            data[key] = json.dumps(replaced(document, draw(st.sampled_from(paths(document))), draw(JSON)))
    return data


def read(data: dict[str, str]) -> DesiredState | None:
    try:
        return state_of("gw", data)
    except UnreadableRecord as refused:
        assert str(refused).isprintable()
        return None


@given(records())
@settings(max_examples=400)
def test_any_record_is_read_or_refused(data: dict[str, str]) -> None:
    found = read(data)
    if found is None:
        return
    assert state_data(found).keys() <= data.keys()
    report = evaluation.evaluate(found, observed(plugin=written(desired()), entity="not asked"))
    for shown in (report.table(), report.text(), json.dumps(report.document())):
        shown.encode()


@pytest.mark.parametrize(
    ("key", "path", "value"),
    [
        ("injection", ("label",), ["x"]),
        ("injection", ("label", "traceableai-inject-tme"), 1),
        ("injection", ("annotations",), "x"),
        ("injection", ("webhook",), ["x"]),
        ("injection", ("agentRelease",), 5),
        ("injection", ("webhookDomain",), 5),
        ("policy", ("action",), 5),
        ("policy", ("action",), ["deny"]),
        ("policy", ("action",), "off"),
        ("policy", ("spec",), ["x"]),
        ("policy", ("name",), 5),
        ("pluginConfig", ("ext_cap_endpoint",), "http://["),
        ("pluginConfig", ("ext_cap_endpoint",), "http://x:port"),
        ("pluginConfig", ("ext_cap_endpoint",), 5442),
        ("pluginEntity", ("owner",), ["x"]),
        ("pluginEntity", ("plugin",), "../x"),
        ("adminApi", ("tokenSecret",), ["kong-admin/token"]),
        ("adminApi", ("url",), 5),
        ("adminApi", ("insecure",), "false"),
    ],
)
def test_each_value_has_its_type(key: str, path: tuple[str, ...], value: object) -> None:
    data = state_data(desired(**IN_DATABASE))
    with pytest.raises(UnreadableRecord, match="is not what a stack writes"):
        state_of("gw", {**data, key: json.dumps(replaced(json.loads(data[key]), path, value))})


@pytest.mark.parametrize("key", ["enabled", "database", "scope"])
@pytest.mark.parametrize("text", ["", "True", "yes", "on"])
def test_a_boolean_is_one_of_two_words(key: str, text: str) -> None:
    with pytest.raises(UnreadableRecord, match=f"{key} is neither"):
        state_of("gw", {**state_data(desired()), key: text})


@pytest.mark.parametrize("key", ["plugin", "release", "container"])
def test_a_name_is_no_path(key: str) -> None:
    with pytest.raises(UnreadableRecord, match=f"{key} is not a name"):
        state_of("gw", {**state_data(desired()), key: "../x"})


@pytest.mark.parametrize("key", ["pluginConfig", "files", "policy", "injection"])
def test_deeply_nested_json_is_refused(key: str) -> None:
    with pytest.raises(UnreadableRecord):
        state_of("gw", {**state_data(desired()), key: '{"a":' * 100_000})
