"""Any stack file gives a config or one error message, and never a traceback.

TRACEABLE_KONG_FUZZ_EXAMPLES is the number of examples, 300 by default.
"""

import contextlib
import json
import os
from collections.abc import Iterable, Mapping
from typing import Any

from hypothesis import HealthCheck, given, strategies
from hypothesis import settings as hypothesis_settings
from pydantic.fields import FieldInfo

from traceable_kong.config import parser
from traceable_kong.config.config_layout import SELECTORS, models_in, stack_file_fields
from traceable_kong.config.config_types import Part
from traceable_kong.config.stack_config import StackConfig

EXAMPLES = int(os.environ.get("TRACEABLE_KONG_FUZZ_EXAMPLES", "300"))

fuzz = hypothesis_settings(
    max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)

TEXT = strategies.text(max_size=12)
HINTS = strategies.sampled_from(
    [
        "true",
        "no",
        "403",
        "-1",
        "9" * 30,
        "4e2",
        " 403 ",
        "2.4.0-1",
        "9.9.9-9",
        "https://a/b",
        "https://[::1",
        "http://a",
        *["", "\0", "a\nb", "sync", "async", "postgres", "closed", "deny", "ab" * 32, "<sha256>", "oci://a/b", "1.2.3"],
    ]
)
SELECTING = {path[-1] for path in SELECTORS}
SELECTIONS = strategies.sampled_from([True, False, "true", "false", "off", "postgres", "a.rock", "https://a/b"])
SCALARS = strategies.one_of(
    strategies.none(), strategies.booleans(), strategies.integers(), strategies.floats(), TEXT, HINTS
)
ANYTHING = strategies.recursive(
    SCALARS,
    lambda inner: strategies.lists(inner, max_size=3) | strategies.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


def objects(fields: Mapping[str, Iterable[FieldInfo]]) -> strategies.SearchStrategy[dict[str, Any]]:
    """Objects with the keys of every variant, a few that none has, and anything for values."""
    known: dict[str, strategies.SearchStrategy[Any]] = {}
    for key, variants in fields.items():
        models = [model for field in variants for model in models_in(field.annotation)]
        known[key] = (objects(fields_of(models)) | ANYTHING) if models else ANYTHING
        if key in SELECTING:
            known[key] |= SELECTIONS
    return strategies.builds(
        lambda real, wrong: {**wrong, **real},
        strategies.fixed_dictionaries({}, optional=known),
        strategies.dictionaries(TEXT, ANYTHING, max_size=1),
    )


def fields_of(models: Iterable[type[Part]]) -> dict[str, list[FieldInfo]]:
    found: dict[str, list[FieldInfo]] = {}
    for model in models:
        for field in model.model_fields.values():
            found.setdefault(str(field.alias), []).append(field)
    return found


def as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def leaves(value: Any, path: tuple[str | int, ...]) -> list[tuple[str | int, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(leaf for key, item in items for leaf in leaves(item, (*path, key)))]


@fuzz
@given(document=objects(stack_file_fields()), data=strategies.data())
def test_a_config_or_one_message(document: dict[str, Any], data: strategies.DataObject) -> None:
    places = [leaf for key, value in document.items() for leaf in leaves(value, (key,))]
    secret = data.draw(strategies.lists(strategies.sampled_from(places), max_size=3)) if places else []
    given_text = {key: as_text(value) for key, value in document.items()}
    try:
        found = parser.parse(given_text, secret_paths=secret)
    except parser.ConfigError as error:
        message = str(error)
        message.encode("utf-8")
        assert all(problem.rule in parser.ALL_RULES for problem in error.problems)
        assert all(problem.problem and problem.fix for problem in error.problems)
        assert not any(ord(letter) < 32 and letter != "\n" for letter in message)
    else:
        assert isinstance(found, StackConfig)


@fuzz
@given(given_text=strategies.dictionaries(strategies.sampled_from(list(stack_file_fields())) | TEXT, TEXT | HINTS))
def test_raw_text(given_text: dict[str, str]) -> None:
    with contextlib.suppress(parser.ConfigError):
        parser.parse(given_text)


def test_no_depth_is_too_deep() -> None:
    for depth in (10, 41, 500, 100_000):
        with contextlib.suppress(parser.ConfigError):
            parser.parse({"kongValues": '{"a":' * depth + "1" + "}" * depth, "agent": "[" * depth + "]" * depth})
