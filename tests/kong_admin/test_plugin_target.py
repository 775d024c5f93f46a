"""What a row is: whose, where, and what of it is not as it was written."""

from typing import Any

import pytest

from traceable_kong.kong_admin.plugin_target import (
    PluginTarget,
    ResolvedScope,
    body,
    elsewhere,
    is_at,
    is_ours,
    owner_of,
    standing,
    whole,
)

OWNER = "traceable-kong.dev"


def place(**changes: Any) -> PluginTarget:
    return PluginTarget(**{"workspace": "default", "plugin": "traceable", "owner": OWNER, **changes})


def test_the_id_is_the_same_in_every_run_and_another_for_anything_else() -> None:
    assert place().id == "ffbcf26d-9bf0-55cb-8273-a55a61f8d5fa", "another would leave every row that stands"
    others = [
        place(workspace="team"),
        place(plugin="other"),
        place(route="a"),
        place(service="a"),
        place(owner="traceable-kong.prod"),
    ]
    assert len({place().id, *(item.id for item in others)}) == 6


def test_a_tag_has_no_character_that_kong_refuses() -> None:
    assert place().tag == "traceable-kong:traceable-kong.dev"
    assert not set("/,") & set(place().tag)


@pytest.mark.parametrize(
    ("row", "ours"),
    [
        ({"id": "theirs", "tags": ["a", f"traceable-kong:{OWNER}"]}, True),
        ({"id": place().id, "tags": None}, True),
        ({"id": place().id, "tags": ["traceable-kong:other"]}, False),
        ({"id": "theirs", "tags": ["traceable-kong:other"]}, False),
        ({"id": "theirs"}, False),
    ],
)
def test_whose_it_is(row: dict[str, Any], ours: bool) -> None:
    assert is_ours(place(), row) is ours
    assert (owner_of(row) == OWNER) is any(OWNER in tag for tag in row.get("tags") or [])


@pytest.mark.parametrize(
    ("bound", "at"),
    [
        ({}, ResolvedScope()),
        ({"route": {"id": "r"}}, ResolvedScope(route="r")),
        ({"service": {"id": "s"}}, ResolvedScope(service="s")),
        ({"consumer": {"id": "c"}}, None),
        ({"consumer_group": {"id": "g"}, "route": {"id": "r"}}, None),
    ],
)
def test_where_it_is(bound: dict[str, Any], at: ResolvedScope | None) -> None:
    row = {"name": "traceable", "route": None, "service": None, "consumer": None, **bound}
    places = [ResolvedScope(), ResolvedScope(route="r"), ResolvedScope(service="s")]
    assert [item for item in places if is_at(row, "traceable", item)] == ([at] if at else [])
    assert not is_at(row, "cors", at or ResolvedScope())


def test_what_is_written_is_the_whole_row() -> None:
    config = {"timeout": 500.0, "nested": {"list": [1.0, 2.5]}, "flag": True}
    assert body(place(), ResolvedScope(), enabled=False, config=config) == {
        "name": "traceable",
        "enabled": False,
        "tags": [place().tag],
        "config": {"timeout": 500, "nested": {"list": [1, 2.5]}, "flag": True},
    }
    assert body(place(), ResolvedScope(route="r"), enabled=True, config={})["route"] == {"id": "r"}
    assert body(place(), ResolvedScope(service="s"), enabled=True, config={})["service"] == {"id": "s"}
    assert repr(whole({"timeout": 500.0})) == "{'timeout': 500}", "Kong's schema tells an integer by its text"


def test_kongs_own_defaults_are_no_change() -> None:
    wanted = {"timeout": 500, "nested": {"a": 1}, "list": [1]}
    live = {"timeout": 500, "nested": {"a": 1, "default": 2}, "list": [1], "default": None}
    assert standing(live, wanted) == wanted
    assert standing({"timeout": 9, "nested": {}, "list": [2]}, wanted) == {
        "timeout": 9,
        "nested": {"a": None},
        "list": [2],
    }
    assert standing({"nested": "text"}, {"nested": {"a": 1}}) == {"nested": "text"}


ROW: dict[str, Any] = {"name": "traceable", "tags": [place().tag], "route": None}


@pytest.mark.parametrize(
    ("row", "bound", "said"),
    [
        (ROW, ResolvedScope(), ""),
        ({**ROW, "route": {"id": "r"}}, ResolvedScope(), "it is bound to route r"),
        (ROW, ResolvedScope(route="r"), "it is bound to all routes"),
        (ROW, None, "it is bound to all routes"),
        ({**ROW, "name": "cors"}, ResolvedScope(), "it is the plugin cors"),
        ({**ROW, "tags": []}, ResolvedScope(), "it lacks the tag traceable-kong:traceable-kong.dev"),
    ],
)
def test_what_else_was_changed_by_hand(row: dict[str, Any], bound: ResolvedScope | None, said: str) -> None:
    assert elsewhere(place(), bound, row) == said
