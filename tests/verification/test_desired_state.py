"""The record: what was expected goes in, and comes out the same."""

import dataclasses
from typing import Any

import pytest

from tests.verification.gateway import ASYNC, GUARD, IN_DATABASE, INJECTION, desired
from traceable_kong.common.image_references import parse_image
from traceable_kong.verification.desired_state import DesiredState, UnreadableRecord, from_record

OTHERS: list[dict[str, Any]] = [
    {},
    ASYNC,
    {"enabled": False},
    {"everywhere": False},
    {"guard": None, "injection": None},
    {"installed": False, "files": {}},
    {"config": {"a": {"b": [1, 2.5, None, True, "é"]}}},
    IN_DATABASE,
]


@pytest.mark.parametrize("changes", OTHERS)
def test_there_and_back(changes: dict[str, Any]) -> None:
    expected = desired(**changes)
    data = expected.record()
    assert all(isinstance(text, str) for text in data.values()), "a ConfigMap holds texts"
    assert from_record(expected.namespace, data) == expected


@pytest.mark.parametrize("name", [item.name for item in dataclasses.fields(DesiredState) if item.name != "namespace"])
def test_every_field_is_recorded(name: str) -> None:
    before = getattr(desired(), name)
    other: Any = not before if isinstance(before, bool) else {"x": "y"} if isinstance(before, dict) else f"{before}-2"
    if name == "database":
        other = IN_DATABASE[name]
    if name == "guard":
        other = dataclasses.replace(GUARD, actions=["Warn", "Audit"])
    if name == "injection":
        other = dataclasses.replace(INJECTION, webhook="")
    if name == "tme_image":
        other = parse_image("registry.example.com:5000/tme:1.58.0")
    changed = desired(**{name: other})
    assert getattr(from_record("gw", changed.record()), name) == other


@pytest.mark.parametrize(
    "data",
    [
        {**desired().record(), "pluginConfig": "{"},
        {**desired().record(), "pluginConfig": "[]"},
        {**desired().record(), "files": "null"},
        {**desired().record(), "tmeImage": "https://docker.io/x"},
    ],
)
def test_a_record_that_is_not_ours_is_refused(data: dict[str, str]) -> None:
    with pytest.raises(UnreadableRecord, match="gw/traceable-installation cannot be read"):
        from_record("gw", data)


@pytest.mark.parametrize(
    "data",
    [
        {},
        *({key: text for key, text in desired().record().items() if key != left} for left in ("guard", "injection")),
        {**desired().record(), "guard": '{"policy": "the-guard"}'},
        {**desired().record(), "injection": '{"webhook": "the-injector"}'},
        {**desired(**IN_DATABASE).record(), "pluginRow": '{"workspace": "default"}'},
        {**desired(**IN_DATABASE).record(), "adminApi": "{}"},
    ],
)
def test_a_record_of_another_version_of_the_program_says_what_writes_it_again(data: dict[str, str]) -> None:
    with pytest.raises(UnreadableRecord) as refused:
        from_record("gw", data)
    said = str(refused.value)
    assert "gw/traceable-installation was not written by this version of the program" in said
    assert "`pulumi up` writes it again" in said and "Error" not in said


def test_what_else_stands_in_the_record_does_not_count() -> None:
    assert from_record("gw", {**desired().record(), "mode": "sync"}) == desired()
