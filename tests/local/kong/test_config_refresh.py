"""The plugin entities that a node with a database has loaded, with a fake clock."""

from typing import Any

import pytest

from local.kong.traditional_node import TraditionalNode
from tests.local.kong.databases import PrivateDatabase, ask, create


def levels(kong: TraditionalNode) -> list[Any]:
    return [entity["config"]["level"] for entity in kong.loaded.plugins]


def loads(kong: TraditionalNode, start: int, end: int) -> bool:
    """Returns True if the node loads a change between these two seconds."""
    return any(kong.follow(half / 2) for half in range(2 * start, 2 * end))


def test_a_node_starts_with_the_entities_of_the_database(database: PrivateDatabase) -> None:
    create(database.node(), "/plugins", name="foo", config={"level": "high"})
    assert levels(database.node()) == ["high"]


def test_a_change_by_another_node_takes_both_intervals(database: PrivateDatabase) -> None:
    one, other = database.node(), database.node()
    other.follow(0)
    create(one, "/plugins", name="foo")
    assert not other.follow(4.9) and levels(other) == []
    assert not other.follow(5.1), "it has heard of it, and no more"
    assert not other.follow(10.0) and levels(other) == []
    assert other.follow(10.2) and levels(other) == ["low"]


def test_a_change_by_the_same_node_takes_one_interval(database: PrivateDatabase) -> None:
    kong = database.node()
    kong.follow(0)
    create(kong, "/plugins", name="foo")
    assert not kong.follow(4.9)
    assert kong.follow(5.1) and levels(kong) == ["low"]


def test_intervals_are_configured_by_node(database: PrivateDatabase) -> None:
    fast = {"KONG_DB_UPDATE_FREQUENCY": "0.5", "KONG_WORKER_STATE_UPDATE_FREQUENCY": "1"}
    one, other, strict = database.node(), database.node(**fast), database.node(KONG_WORKER_CONSISTENCY="strict")
    for kong in (other, strict):
        kong.follow(0)
    create(one, "/plugins", name="foo")
    assert not other.follow(0.6)
    assert other.follow(1.1)
    assert not strict.follow(5.1)
    assert strict.follow(5.2)


@pytest.mark.parametrize("operation", ["PATCH", "DELETE"])
def test_updates_and_deletions_are_loaded(database: PrivateDatabase, operation: str) -> None:
    one = database.node()
    entity = create(one, "/plugins", name="foo")
    other = database.node()
    assert ask(one, operation, f"/plugins/{entity['id']}", {"config": {"level": "high"}})[0] < 300
    assert loads(other, 1, 12)
    assert levels(other) == (["high"] if operation == "PATCH" else [])


def test_a_rejected_request_is_not_a_change(database: PrivateDatabase) -> None:
    one, other = database.node(), database.node()
    assert ask(one, "POST", "/plugins", {"name": "nope"})[0] == 400
    assert not loads(other, 1, 20)


def test_the_propagation_delay(database: PrivateDatabase) -> None:
    one, other = database.node(), database.node(KONG_DB_UPDATE_PROPAGATION="3600")
    create(one, "/plugins", name="foo")
    assert not loads(other, 1, 30)


def test_a_node_keeps_its_plugins_if_it_cannot_load_new_ones(database: PrivateDatabase) -> None:
    down = [False]
    other = database.interrupted(down, plugins="foo")
    one = database.node()
    entity = create(one, "/plugins", name="foo", config={"level": "high"})
    assert loads(other, 1, 20)
    lacking = create(one, "/plugins", name="cors")
    assert ask(one, "PATCH", f"/plugins/{entity['id']}", {"config": {"level": "low"}})[0] == 200
    assert not loads(other, 20, 40) and levels(other) == ["high"]
    assert ask(one, "DELETE", f"/plugins/{lacking['id']}")[0] == 204
    down[0] = True
    assert not loads(other, 40, 60) and levels(other) == ["high"]
    down[0] = False
    assert loads(other, 60, 80) and levels(other) == ["low"]
