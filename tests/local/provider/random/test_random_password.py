"""What the stand-in makes of a RandomPassword's inputs keeps to the public source of the official plugin."""

import string
from typing import Any

import bcrypt
import pytest

from local.provider.property_values import UNKNOWN, Secret
from local.provider.random import random_password


def made(**inputs: Any) -> str:
    state = random_password.created(inputs, preview=False)
    assert isinstance(state["result"], Secret)
    return str(state["result"].value)


def test_a_password_has_the_length_and_only_the_characters_that_are_asked_for() -> None:
    alphanumeric = set(string.ascii_letters + string.digits)
    assert len(made(length=300)) == 300
    assert set(made(length=2000)) == alphanumeric | set(random_password.SPECIAL)
    assert set(made(length=2000, special=False)) == alphanumeric
    assert set(made(length=500, upper=False, lower=False, special=False)) == set(string.digits)
    assert set(made(length=500, numeric=False, lower=False, special=False)) == set(string.ascii_uppercase)
    assert set(made(length=500, number=False, upper=False, overrideSpecial="_")) == set(string.ascii_lowercase + "_")
    assert set(made(length=2000, special=False, overrideSpecial="_")) == alphanumeric


def test_at_least_so_many_of_each_group() -> None:
    for _ in range(8):
        password = made(length=8, minUpper=2, minLower=2, minNumeric=2, minSpecial=2, overrideSpecial="_")
        for group in (string.ascii_uppercase, string.ascii_lowercase, string.digits, "_"):
            assert sum(character in group for character in password) == 2


def test_no_two_are_the_same() -> None:
    assert len({made(length=16) for _ in range(8)}) == 8


def test_the_hash_is_one_of_the_password() -> None:
    state = random_password.created({"length": 100}, preview=False)
    password, hashed = state["result"].value, state["bcryptHash"].value
    assert hashed.startswith("$2a$10$") and bcrypt.checkpw(password.encode()[:72], hashed.encode())


def test_outputs_have_the_defaults_and_the_password_is_never_in_plain_view() -> None:
    state = random_password.created({"length": 16, "numeric": False}, preview=False)
    assert (state["id"], state["special"], state["minUpper"]) == ("none", True, 0)
    assert (state["number"], state["numeric"]) == (False, False)
    assert state["result"].value not in repr(state)
    preview = random_password.created({"length": 16}, preview=True)
    assert preview["result"].value is UNKNOWN and preview["bcryptHash"].value is UNKNOWN and "id" not in preview


@pytest.mark.parametrize(
    ("inputs", "wrong"),
    [
        ({}, {"length"}),
        ({"length": 0}, {"length"}),
        ({"length": 3, "minUpper": 2, "minSpecial": 2}, {"length"}),
        ({"length": 4, "minUpper": 2, "minSpecial": 2}, set()),
        ({"length": 3, "minUpper": 2, "minSpecial": UNKNOWN}, set()),
        ({"length": UNKNOWN}, set()),
        ({"length": 8, "special": False, "upper": False, "lower": False, "numeric": False}, {"numeric"}),
        ({"length": 8, "special": False, "upper": False, "lower": False}, set()),
        ({"length": 8, "number": True, "numeric": False}, {"number"}),
    ],
)
def test_what_cannot_be_made_is_found_in_the_check(inputs: dict[str, Any], wrong: set[str]) -> None:
    assert set(random_password.failures(inputs)) == wrong


def test_an_empty_character_set_is_an_error() -> None:
    with pytest.raises(ValueError, match="character set"):
        made(length=8, special=False, upper=False, lower=False, number=False)


@pytest.mark.parametrize(
    ("change", "again"),
    [
        ({}, {}),
        ({"special": True, "minUpper": 0, "number": True}, {}),
        ({"length": 17}, {"length": True}),
        ({"length": UNKNOWN}, {"length": True}),
        ({"special": False}, {"special": True}),
        ({"minLower": 1}, {"minLower": True}),
        ({"numeric": False}, {"number": True, "numeric": True}),
        ({"overrideSpecial": "_"}, {"overrideSpecial": True}),
        ({"keepers": {"a": "1"}}, {"keepers": True}),
        ({"keepers": {}}, {"keepers": False}),
    ],
)
def test_what_makes_a_new_password(change: dict[str, Any], again: dict[str, bool]) -> None:
    state = random_password.created({"length": 16}, preview=False)
    assert random_password.changed(state, {"length": 16, **change}) == again


def test_keepers_that_change_or_go_make_a_new_password() -> None:
    state = random_password.created({"length": 16, "keepers": {"a": "1"}}, preview=False)
    assert random_password.changed(state, {"length": 16, "keepers": {"a": "1"}}) == {}
    assert random_password.changed(state, {"length": 16, "keepers": {"a": "2"}}) == {"keepers": True}
    assert random_password.changed(state, {"length": 16}) == {"keepers": True}


def test_a_change_that_makes_no_new_password_keeps_the_old() -> None:
    state = random_password.created({"length": 16, "overrideSpecial": ""}, preview=False)
    assert random_password.changed(state, {"length": 16}) == {"overrideSpecial": False}
    updated = random_password.updated(state, {"length": 16})
    assert updated["result"] == state["result"] and "overrideSpecial" not in updated


def test_a_password_that_exists_is_imported_by_its_text() -> None:
    state, inputs = random_password.imported("supersecret")
    assert (state["result"], state["id"], inputs["length"]) == (Secret("supersecret"), "none", 11)
    assert bcrypt.checkpw(b"supersecret", state["bcryptHash"].value.encode())
    assert random_password.changed(state, inputs) == {}
