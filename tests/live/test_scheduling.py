"""The order in which workers get the live tests."""

from tests.live.scheduling import FILE_SECONDS, expected, next_unit, unit_of

OPERATIONS = "tests/live/test_operations.py::test_every_operation_keeps_every_promise"
DATABASE = "tests/live/test_database.py::test_install"


def test_a_file_is_split_only_where_its_tests_share_nothing() -> None:
    assert unit_of(f"{OPERATIONS}[1]") == f"{OPERATIONS}[1]"
    assert unit_of(DATABASE) == "tests/live/test_database.py"


def test_a_test_takes_what_it_took_and_without_that_its_part_of_the_file() -> None:
    seconds = expected([f"{OPERATIONS}[1]", f"{OPERATIONS}[4]", DATABASE], {f"{OPERATIONS}[4]": 7.0})
    assert seconds[f"{OPERATIONS}[1]"] == FILE_SECONDS["test_operations"] / 2
    assert (seconds[f"{OPERATIONS}[4]"], seconds[DATABASE]) == (7.0, FILE_SECONDS["test_database"])


def test_the_longest_unit_is_next_and_the_shortest_for_a_worker_that_is_busy() -> None:
    seconds = {"short": 1.0, "long": 300.0, "other": 20.0}
    assert next_unit(seconds, busy_seconds=0) == "long"
    assert next_unit(seconds, busy_seconds=200) == "short"
