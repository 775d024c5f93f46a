"""RandomPassword behaves as the public source of the official plugin."""

import string
from typing import Any

import bcrypt
import pytest

from local.provider.property_values import UNKNOWN, Secret
from local.provider.random import random_password


def generate(**inputs: Any) -> str:
    state = random_password.created(inputs, preview=False)
    assert isinstance(state["result"], Secret)
    return str(state["result"].value)


def test_a_password_has_the_requested_length_and_characters() -> None:
    alphanumeric = set(string.ascii_letters + string.digits)
    assert len(generate(length=300)) == 300
    assert set(generate(length=2000)) == alphanumeric | set(random_password.SPECIAL)
    assert set(generate(length=2000, special=False)) == alphanumeric
    assert set(generate(length=500, upper=False, lower=False, special=False)) == set(string.digits)
    assert set(generate(length=500, numeric=False, lower=False, special=False)) == set(string.ascii_uppercase)
    assert set(generate(length=500, number=False, upper=False, overrideSpecial="_")) == set(
        string.ascii_lowercase + "_"
    )
    assert set(generate(length=2000, special=False, overrideSpecial="_")) == alphanumeric


def test_minimum_of_each_group() -> None:
    for _ in range(8):
        password = generate(length=8, minUpper=2, minLower=2, minNumeric=2, minSpecial=2, overrideSpecial="_")
        for group in (string.ascii_uppercase, string.ascii_lowercase, string.digits, "_"):
            assert sum(character in group for character in password) == 2


def test_passwords_differ() -> None:
    assert len({generate(length=16) for _ in range(8)}) == 8


def test_the_hash_matches_the_password() -> None:
    state = random_password.created({"length": 100}, preview=False)
    password, hashed = state["result"].value, state["bcryptHash"].value
    assert hashed.startswith("$2a$10$") and bcrypt.checkpw(password.encode()[:72], hashed.encode())


def test_outputs_have_defaults_and_the_password_is_secret() -> None:
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
def test_invalid_inputs_fail_the_check(inputs: dict[str, Any], wrong: set[str]) -> None:
    assert set(random_password.failures(inputs)) == wrong


def test_an_empty_character_set_is_an_error() -> None:
    with pytest.raises(ValueError, match="character set"):
        generate(length=8, special=False, upper=False, lower=False, number=False)


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
def test_changes_that_replace_the_password(change: dict[str, Any], again: dict[str, bool]) -> None:
    state = random_password.created({"length": 16}, preview=False)
    assert random_password.changed(state, {"length": 16, **change}) == again


def test_changed_or_removed_keepers_replace_the_password() -> None:
    state = random_password.created({"length": 16, "keepers": {"a": "1"}}, preview=False)
    assert random_password.changed(state, {"length": 16, "keepers": {"a": "1"}}) == {}
    assert random_password.changed(state, {"length": 16, "keepers": {"a": "2"}}) == {"keepers": True}
    assert random_password.changed(state, {"length": 16}) == {"keepers": True}


def test_other_changes_keep_the_password() -> None:
    state = random_password.created({"length": 16, "overrideSpecial": ""}, preview=False)
    assert random_password.changed(state, {"length": 16}) == {"overrideSpecial": False}
    updated = random_password.updated(state, {"length": 16})
    assert updated["result"] == state["result"] and "overrideSpecial" not in updated


def test_an_existing_password_is_imported_by_its_text() -> None:
    state, inputs = random_password.imported("supersecret")
    assert (state["result"], state["id"], inputs["length"]) == (Secret("supersecret"), "none", 11)
    assert bcrypt.checkpw(b"supersecret", state["bcryptHash"].value.encode())
    assert random_password.changed(state, inputs) == {}
