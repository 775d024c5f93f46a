"""Reads the stack file's values into the config's classes, and says what is wrong with single values."""

import difflib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Literal, get_args, get_origin

from pydantic import SecretStr, ValidationError
from pydantic_core import ErrorDetails

from traceable_kong.common.commands import config_remove, config_set
from traceable_kong.config.config_layout import (
    FAMILIES,
    FLAT_KEYS,
    KNOWN_KEYS,
    SELECTORS,
    Path,
    defaulted,
    field_of,
    flat_keys_inside,
    keys_of,
    located,
    models_in,
    nested,
    nested_path,
    set_to_default,
    stack_file_fields,
    stack_file_path,
)
from traceable_kong.config.config_problem import Problem, path_of, shown
from traceable_kong.config.config_types import DNS_LABEL, DNS_SUBDOMAIN, SECRET_KEY, Part
from traceable_kong.config.kong_config import WORKSPACE
from traceable_kong.config.plugin_source import ROCK_FORM
from traceable_kong.config.secret_values import is_secret_place
from traceable_kong.config.stack_config import StackConfig, stack_variant
from traceable_kong.config.variant_problems import fixed_by_variant, key_of_another_variant, required_key

MAX_DEPTH = 40

VALUE_RULES = {
    "unknown_key": "Every key is one that this program knows, at every level.",
    "other_variant": "Every key applies to the variant that the stack file selects.",
    "choice": "One of the listed words.",
    "switch": "true or false.",
    "whole_number": "A whole number.",
    "range": "A number within its range.",
    "form": "Text of the form that Kubernetes, Kong or the rock requires.",
    "missing": "A key that its object requires.",
    "not_empty": "A list with at least one entry.",
    "text": "Text.",
    "structure": "An object or a list, where one is required.",
}
"""The rules for single values, by name."""

_RULE_OF = {
    "extra_forbidden": "unknown_key",
    "literal_error": "choice",
    "bool_type": "switch",
    "int_type": "whole_number",
    "greater_than_equal": "range",
    "less_than_equal": "range",
    "string_pattern_mismatch": "form",
    "string_too_long": "form",
    "missing": "missing",
    "string_type": "text",
    "too_short": "not_empty",
}

_FORMS = {
    DNS_LABEL: "lowercase letters, digits and hyphens, at most 63; Kubernetes accepts no other name here",
    DNS_SUBDOMAIN: "lowercase letters, digits, hyphens and dots; Kubernetes accepts no other name here",
    ROCK_FORM: "a rock's version, such as 2.1.2-1 (version of the plugin, revision of the rock)",
    WORKSPACE: "letters, digits, dots, hyphens, underscores and tildes; Kong accepts no other workspace name",
    SECRET_KEY: "letters, digits, dots, hyphens and underscores; a Secret has no other keys",
}


def read(given: Mapping[str, str]) -> tuple[dict[str, Any], list[Problem], set[Path]]:
    """`{key: value}` of `{key: text}`, where objects and lists come as JSON; what could not be read, and its paths."""
    structured = {
        key for key, fields in stack_file_fields().items() if any(_is_structured(field.annotation) for field in fields)
    }
    raw: dict[str, Any] = {}
    problems = []
    for key, text in given.items():
        try:
            raw[key] = _structure(text) if key in structured else text
        except (ValueError, RecursionError):
            problems.append(
                Problem(
                    path_of(key),
                    f"must be an object or a list, nested at most {MAX_DEPTH} deep",
                    f"write it in Pulumi.<stack>.yaml, indented below traceable-kong:{key}:",
                    "structure",
                )
            )
    return raw, problems, {nested_path((key,)) for key in given if key not in raw}


def _structure(text: str) -> Any:
    value = json.loads(text)
    if not isinstance(value, dict | list):
        raise ValueError
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        level = [
            child
            for item in level
            if isinstance(item, dict | list)
            for child in (item.values() if isinstance(item, dict) else item)
        ]
    if level:
        raise ValueError
    return value


def _is_structured(annotation: Any) -> bool:
    """True for objects, free-form maps and lists."""
    options = [annotation, *get_args(annotation)]
    return bool(models_in(annotation)) or any(getattr(o, "__origin__", None) in (dict, tuple) for o in options)


def validated(raw: Mapping[str, Any], broken: Collection[Path]) -> tuple[StackConfig, dict[Path, Problem], set[Path]]:
    """The config, what is wrong with single values by their path in the config, and the paths that have their default.

    `broken` are the paths of values that were found to be invalid before, and are not in `raw`.
    """
    stack = stack_variant(raw)
    values = nested(raw, stack)
    problems: dict[Path, Problem] = {path: _unknown(path, path[1:]) for path in flat_keys_inside(raw)}
    try:
        return stack.model_validate(values, by_name=False, by_alias=True), problems, set()
    except ValidationError as error:
        found = [(detail, *located(stack, detail["loc"])) for detail in error.errors(include_url=False)]
    # Where an object could be of either variant, none of its keys belong to another one.
    selecting = [
        (detail, path) for detail, path, _ in found if path in SELECTORS and detail["type"] != "extra_forbidden"
    ]
    undecided = {path[:-1] for path in broken if path in SELECTORS}
    undecided |= {path[:-1] for detail, path in selecting if detail["input"] is not False}
    unusable = undecided | {path[:-1] for _, path in selecting}
    defaults = {path or ("gateway",) for path in unusable}
    for path in defaults:
        set_to_default(values, path)
    for detail, path, owner in found:
        depends = detail["type"] in ("extra_forbidden", "missing") and stack_file_path(path) in KNOWN_KEYS
        if not (depends and path[:-1] in undecided):
            # Two places in an annotation can find the same.
            problems.setdefault(path, _problem(stack, detail, path, owner, raw))
        if detail["type"] == "extra_forbidden":
            set_to_default(values, path, known=False)
        else:
            defaults.add(defaulted(path))
            set_to_default(values, defaulted(path))
    return stack.model_validate(values, by_name=False, by_alias=True), problems, defaults | unusable


def _problem(
    stack: type[Part], detail: ErrorDetails, path: Path, owner: type[Part] | None, raw: Mapping[str, Any]
) -> Problem:
    key = path_of(*stack_file_path(path))
    rule = _RULE_OF.get(detail["type"], "structure")
    if rule == "unknown_key":
        return key_of_another_variant(stack, owner, path) or _unknown(path, _meant(path, owner))
    if rule == "missing":
        return required_key(path, raw)
    if rule == "choice" and (fixed := fixed_by_variant(stack, owner, path, detail["input"])):
        return fixed
    if rule == "not_empty":
        return Problem(
            key,
            "is an empty list, which reads as no cluster but would allow every cluster",
            f"{config_set(f'{key}[0]', 'https://HOST:6443')}, or {config_remove(key)}",
            rule,
        )
    choices = _choices(owner, path) if rule == "choice" else ()
    if True in choices:
        rule = "switch"
    hidden = isinstance(detail["input"], SecretStr | dict | list) or is_secret_place(stack_file_path(path))
    value = "" if hidden else f"is {shown(detail['input'])}, but "
    if rule == "structure":
        fix = f"write it in Pulumi.<stack>.yaml, indented; or {config_remove(key)}"
        return Problem(key, f"{value}must be an object or a list", fix, rule)
    return Problem(key, f"{value}{_said(detail, key, choices)}", config_set(key, _example(detail, choices)), rule)


def _unknown(path: Path, meant: Path | str) -> Problem:
    key = path_of(*path)
    hint = f"; did you mean {path_of(*meant)}?" if isinstance(meant, tuple) else meant
    return Problem(key, f"is not a key of this program, and would be ignored{hint}", config_remove(key), "unknown_key")


def _meant(path: Path, owner: type[Part] | None) -> str:
    """What an unknown key probably means: a similar key of its object, or the same key of another object."""
    known = keys_of(owner) if owner else []
    if len(path) == 1:
        known += FLAT_KEYS
    name = str(path[-1])[:100]
    lowered = {item.lower(): item for item in known}
    close = difflib.get_close_matches(name.lower().replace("_", "").replace("-", ""), lowered, n=1)
    if close:
        return f"; did you mean {path_of(*path[:-1], lowered[close[0]])}?"
    elsewhere = dict.fromkeys(path_of(*item) for item in KNOWN_KEYS if str(item[-1]).lower() == name.lower())
    if elsewhere:
        return f"; did you mean {' or '.join(elsewhere)}?"
    return f" (known: {', '.join(sorted(known))})" if known else ""


def _choices(owner: type[Part] | None, path: Path) -> tuple[object, ...]:
    """The values that a key with listed values takes, in any variant of its object."""
    fields = [field_of(variant, path[-1]) for variant in FAMILIES.get(owner, ())] if owner else []
    return tuple(dict.fromkeys(value for field in fields if field for value in _listed_in(field.annotation)))


def _listed_in(annotation: Any) -> Iterator[object]:
    """The values of a Literal, also of one that may be unset."""
    if get_origin(annotation) is Literal:
        yield from get_args(annotation)
    else:
        for option in get_args(annotation):
            yield from _listed_in(option)


def _said(detail: ErrorDetails, key: str, choices: Sequence[object]) -> str:
    context = detail.get("ctx") or {}
    if key == "blockingStatusCode" and detail["type"] in ("greater_than_equal", "less_than_equal"):
        return "must be 400 to 499; Traceable would silently return 403 instead"
    words = [shown(value) for value in choices]
    said = {
        "literal_error": "must be true or false" if True in choices else f"must be one of {_listed(words)}",
        "bool_type": "must be true or false",
        "int_type": "must be a whole number",
        "greater_than_equal": f"must be {context.get('ge')} or more",
        "less_than_equal": f"must be {context.get('le')} or less",
        "string_pattern_mismatch": f"must be {_FORMS.get(str(context.get('pattern')), 'of another form')}",
        "string_too_long": f"must have at most {context.get('max_length')} characters",
        "string_type": "must be text",
    }
    return said.get(detail["type"], detail["msg"])


def _listed(words: Sequence[str]) -> str:
    return " or ".join([", ".join(words[:-1]), *words[-1:]] if len(words) > 1 else words)


def _example(detail: ErrorDetails, choices: Sequence[object]) -> str:
    context = detail.get("ctx") or {}
    if detail["type"] == "bool_type" or True in choices:
        return "true"
    return str(next(iter(choices), None) or context.get("ge") or context.get("le") or "VALUE")
