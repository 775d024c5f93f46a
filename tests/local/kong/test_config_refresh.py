"""What a node with a database has loaded, by a clock of the test's own."""

from typing import Any

import pytest

from local.kong.traditional_node import TraditionalNode
from tests.local.kong.databases import PrivateDatabase, ask, made


def levels(kong: TraditionalNode) -> list[Any]:
    return [row["config"]["level"] for row in kong.loaded.plugins]


def loads(kong: TraditionalNode, start: int, end: int) -> bool:
    """True where the node loads something else between these two seconds."""
    return any(kong.follow(half / 2) for half in range(2 * start, 2 * end))


def test_it_begins_with_what_the_database_has(database: PrivateDatabase) -> None:
    made(database.node(), "/plugins", name="foo", config={"level": "high"})
    assert levels(database.node()) == ["high"]


def test_a_change_of_another_node_takes_both_timers(database: PrivateDatabase) -> None:
    one, other = database.node(), database.node()
    other.follow(0)
    made(one, "/plugins", name="foo")
    assert not other.follow(4.9) and levels(other) == []
    assert not other.follow(5.1), "it has heard of it, and no more"
    assert not other.follow(10.0) and levels(other) == []
    assert other.follow(10.2) and levels(other) == ["low"]


def test_the_own_change_takes_one_timer(database: PrivateDatabase) -> None:
    kong = database.node()
    kong.follow(0)
    made(kong, "/plugins", name="foo")
    assert not kong.follow(4.9)
    assert kong.follow(5.1) and levels(kong) == ["low"]


def test_the_timers_are_the_nodes_own(database: PrivateDatabase) -> None:
    fast = {"KONG_DB_UPDATE_FREQUENCY": "0.5", "KONG_WORKER_STATE_UPDATE_FREQUENCY": "1"}
    one, other, strict = database.node(), database.node(**fast), database.node(KONG_WORKER_CONSISTENCY="strict")
    for kong in (other, strict):
        kong.follow(0)
    made(one, "/plugins", name="foo")
    assert not other.follow(0.6)
    assert other.follow(1.1)
    assert not strict.follow(5.1)
    assert strict.follow(5.2)


@pytest.mark.parametrize("operation", ["PATCH", "DELETE"])
def test_changes_and_removals_are_loaded_too(database: PrivateDatabase, operation: str) -> None:
    one = database.node()
    row = made(one, "/plugins", name="foo")
    other = database.node()
    assert ask(one, operation, f"/plugins/{row['id']}", {"config": {"level": "high"}})[0] < 300
    assert loads(other, 1, 12)
    assert levels(other) == (["high"] if operation == "PATCH" else [])


def test_what_was_refused_is_no_change(database: PrivateDatabase) -> None:
    one, other = database.node(), database.node()
    assert ask(one, "POST", "/plugins", {"name": "nope"})[0] == 400
    assert not loads(other, 1, 20)


def test_a_delay_is_kept(database: PrivateDatabase) -> None:
    one, other = database.node(), database.node(KONG_DB_UPDATE_PROPAGATION="3600")
    made(one, "/plugins", name="foo")
    assert not loads(other, 1, 30)


def test_it_goes_on_with_what_it_has_where_it_cannot_load_what_it_finds(database: PrivateDatabase) -> None:
    gone = [False]
    other = database.interrupted(gone, plugins="foo")
    one = database.node()
    row = made(one, "/plugins", name="foo", config={"level": "high"})
    assert loads(other, 1, 20)
    lacking = made(one, "/plugins", name="cors")
    assert ask(one, "PATCH", f"/plugins/{row['id']}", {"config": {"level": "low"}})[0] == 200
    assert not loads(other, 20, 40) and levels(other) == ["high"]
    assert ask(one, "DELETE", f"/plugins/{lacking['id']}")[0] == 204
    gone[0] = True
    assert not loads(other, 40, 60) and levels(other) == ["high"]
    gone[0] = False
    assert loads(other, 60, 80) and levels(other) == ["low"]
