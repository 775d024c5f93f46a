"""Whatever a person writes into a stack file: settings, or one message for people. Never a traceback.

The number of examples: TRACEABLE_KONG_FUZZ_EXAMPLES, 300 where it is not set.
"""

import contextlib
import json
import os
from typing import Any

from hypothesis import HealthCheck, given, strategies
from hypothesis import settings as hypothesis_settings
from pydantic import BaseModel

from traceable_kong.config import parser
from traceable_kong.config.stack_config import StackConfig
from traceable_kong.config.value_rules import model_in

EXAMPLES = int(os.environ.get("TRACEABLE_KONG_FUZZ_EXAMPLES", "300"))

fuzz = hypothesis_settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
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
SCALARS = strategies.one_of(
    strategies.none(), strategies.booleans(), strategies.integers(), strategies.floats(), TEXT, HINTS
)
ANYTHING = strategies.recursive(
    SCALARS,
    lambda inner: strategies.lists(inner, max_size=3) | strategies.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


def objects(model: type[BaseModel]) -> strategies.SearchStrategy[dict[str, Any]]:
    """Objects with the keys that the model knows, a few that it does not, and anything for values."""
    known: dict[str, strategies.SearchStrategy[Any]] = {}
    for name, field in model.model_fields.items():
        inner = model_in(field.annotation)
        known[field.alias or name] = (objects(inner) | ANYTHING) if inner else ANYTHING
    return strategies.builds(
        lambda real, wrong: {**wrong, **real},
        strategies.fixed_dictionaries({}, optional=known),
        strategies.dictionaries(TEXT, ANYTHING, max_size=1),
    )


def as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def leaves(value: Any, path: tuple[str | int, ...]) -> list[tuple[str | int, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(leaf for key, item in items for leaf in leaves(item, (*path, key)))]


@fuzz
@given(document=objects(StackConfig), data=strategies.data())
def test_settings_or_one_message(document: dict[str, Any], data: strategies.DataObject) -> None:
    places = [leaf for key, value in document.items() for leaf in leaves(value, (key,))]
    secret = data.draw(strategies.lists(strategies.sampled_from(places), max_size=3)) if places else []
    given_text = {key: as_text(value) for key, value in document.items()}
    try:
        found = parser.parse(given_text, secret_paths=secret)
    except parser.ConfigError as error:
        message = str(error)
        message.encode("utf-8")
        assert all(problem.rule in parser.ALL_RULES for problem in error.problems)
        assert all(problem.wrong and problem.mend for problem in error.problems)
        assert not any(ord(letter) < 32 and letter != "\n" for letter in message)
    else:
        assert isinstance(found, StackConfig)


@fuzz
@given(
    given_text=strategies.dictionaries(
        strategies.sampled_from([f.alias or "" for f in StackConfig.model_fields.values()]) | TEXT, TEXT | HINTS
    )
)
def test_raw_text(given_text: dict[str, str]) -> None:
    with contextlib.suppress(parser.ConfigError):
        parser.parse(given_text)


def test_no_depth_is_too_deep() -> None:
    for depth in (10, 41, 500, 100_000):
        with contextlib.suppress(parser.ConfigError):
            parser.parse({"kongValues": '{"a":' * depth + "1" + "}" * depth, "agent": "[" * depth + "]" * depth})
