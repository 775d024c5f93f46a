"""A plugin entity: its owner, its scope, and how it differs from what this stack wrote."""

from typing import Any

import pytest

from traceable_kong.kong_admin.plugin_target import (
    PluginTarget,
    ResolvedScope,
    current,
    entity_body,
    has_scope,
    identity_differences,
    owner_of,
    owns,
    with_integers,
)

OWNER = "traceable-kong.dev"


def target(**changes: Any) -> PluginTarget:
    return PluginTarget(**{"workspace": "default", "plugin": "traceable", "owner": OWNER, **changes})


def test_the_id_is_derived_from_the_target() -> None:
    assert target().id == "ffbcf26d-9bf0-55cb-8273-a55a61f8d5fa", "another id would leave every existing entity behind"
    others = [
        target(workspace="team"),
        target(plugin="other"),
        target(route="a"),
        target(service="a"),
        target(owner="traceable-kong.prod"),
    ]
    assert len({target().id, *(item.id for item in others)}) == 6


def test_a_tag_has_no_character_that_kong_rejects() -> None:
    assert target().tag == "traceable-kong:traceable-kong.dev"
    assert not set("/,") & set(target().tag)


@pytest.mark.parametrize(
    ("entity", "owned"),
    [
        ({"id": "other", "tags": ["a", f"traceable-kong:{OWNER}"]}, True),
        ({"id": target().id, "tags": None}, True),
        ({"id": target().id, "tags": ["traceable-kong:other"]}, False),
        ({"id": "other", "tags": ["traceable-kong:other"]}, False),
        ({"id": "other"}, False),
    ],
)
def test_an_entity_is_owned_by_its_tag_or_its_id(entity: dict[str, Any], owned: bool) -> None:
    assert owns(target(), entity) is owned
    assert (owner_of(entity) == OWNER) is any(OWNER in tag for tag in entity.get("tags") or [])


@pytest.mark.parametrize(
    ("bound", "scope"),
    [
        ({}, ResolvedScope()),
        ({"route": {"id": "r"}}, ResolvedScope(route="r")),
        ({"service": {"id": "s"}}, ResolvedScope(service="s")),
        ({"consumer": {"id": "c"}}, None),
        ({"consumer_group": {"id": "g"}, "route": {"id": "r"}}, None),
    ],
)
def test_an_entity_has_exactly_one_scope(bound: dict[str, Any], scope: ResolvedScope | None) -> None:
    entity = {"name": "traceable", "route": None, "service": None, "consumer": None, **bound}
    scopes = [ResolvedScope(), ResolvedScope(route="r"), ResolvedScope(service="s")]
    assert [item for item in scopes if has_scope(entity, "traceable", item)] == ([scope] if scope else [])
    assert not has_scope(entity, "cors", scope or ResolvedScope())


def test_the_whole_entity_is_written() -> None:
    config = {"timeout": 500.0, "nested": {"list": [1.0, 2.5]}, "flag": True}
    assert entity_body(target(), ResolvedScope(), enabled=False, config=config) == {
        "name": "traceable",
        "enabled": False,
        "tags": [target().tag],
        "config": {"timeout": 500, "nested": {"list": [1, 2.5]}, "flag": True},
    }
    assert entity_body(target(), ResolvedScope(route="r"), enabled=True, config={})["route"] == {"id": "r"}
    assert entity_body(target(), ResolvedScope(service="s"), enabled=True, config={})["service"] == {"id": "s"}
    assert repr(with_integers({"timeout": 500.0})) == "{'timeout': 500}", "Kong recognizes an integer by its text"


def test_kongs_defaults_are_no_change() -> None:
    wanted = {"timeout": 500, "nested": {"a": 1}, "list": [1]}
    live = {"timeout": 500, "nested": {"a": 1, "default": 2}, "list": [1], "default": None}
    assert current(live, wanted) == wanted
    assert current({"timeout": 9, "nested": {}, "list": [2]}, wanted) == {
        "timeout": 9,
        "nested": {"a": None},
        "list": [2],
    }
    assert current({"nested": "text"}, {"nested": {"a": 1}}) == {"nested": "text"}


ENTITY: dict[str, Any] = {"name": "traceable", "tags": [target().tag], "route": None}


@pytest.mark.parametrize(
    ("entity", "scope", "difference"),
    [
        (ENTITY, ResolvedScope(), ""),
        ({**ENTITY, "route": {"id": "r"}}, ResolvedScope(), "it is bound to route r"),
        (ENTITY, ResolvedScope(route="r"), "it is bound to all routes"),
        (ENTITY, None, "it is bound to all routes"),
        ({**ENTITY, "name": "cors"}, ResolvedScope(), "it is the plugin cors"),
        ({**ENTITY, "tags": []}, ResolvedScope(), "it lacks the tag traceable-kong:traceable-kong.dev"),
    ],
)
def test_changes_of_name_scope_and_tags_are_found(
    entity: dict[str, Any], scope: ResolvedScope | None, difference: str
) -> None:
    assert list(identity_differences(target(), scope, entity)) == ([difference] if difference else [])
