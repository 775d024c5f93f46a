"""What is wrong with single values, in words for people."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, get_args, get_origin

from pydantic import SecretStr
from pydantic_core import ErrorDetails

from traceable_kong.common.commands import config_remove, config_set
from traceable_kong.config.config_layout import (
    FAMILIES,
    FLAT_KEYS,
    KNOWN_KEYS,
    InvalidValue,
    field_of,
    keys_of,
    stack_file_path,
)
from traceable_kong.config.config_problem import Problem, path_of, shown
from traceable_kong.config.config_types import DNS_LABEL, DNS_SUBDOMAIN, NOT_EMPTY, SECRET_KEY
from traceable_kong.config.kong_config import WORKSPACE
from traceable_kong.config.plugin_source import ROCK_FORM
from traceable_kong.config.secret_values import is_secret_place
from traceable_kong.config.variant_problems import fixed_by_variant, key_of_another_variant, required_key

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
    DNS_SUBDOMAIN: "lowercase letters, digits and hyphens, in parts with a dot between them; Kubernetes accepts no "
    "other name here",
    ROCK_FORM: "a rock's version, such as 2.1.2-1 (version of the plugin, revision of the rock)",
    WORKSPACE: "letters, digits, dots, hyphens, underscores and tildes; Kong accepts no other workspace name",
    SECRET_KEY: "letters, digits, dots, hyphens and underscores, without two dots at the beginning; a Secret has no "
    "other keys",
    NOT_EMPTY: "text; an empty one names nothing",
}


_MEANS_FALSE = ("0", "disabled", "f", "false", "n", "no", "off")


def problem_of(item: InvalidValue, raw: Mapping[str, Any]) -> Problem:
    """What is wrong with a value, in words for people. `raw` is the whole stack file."""
    key, value = item.key, item.detail["input"]
    rule = _RULE_OF.get(item.detail["type"], "structure")
    if rule == "unknown_key":
        return key_of_another_variant(item) or unknown_key(key, _meant(item))
    if rule == "missing":
        return required_key(item, raw)
    if rule == "choice" and (fixed := fixed_by_variant(item)):
        return fixed
    if rule == "not_empty":
        return Problem(
            key,
            "is an empty list, which reads as no cluster but would allow every cluster",
            f"{config_set(f'{key}[0]', 'https://HOST:6443')}, or {config_remove(key)}",
            rule,
        )
    choices = _choices(item) if rule == "choice" else ()
    if True in choices:
        rule = "switch"
    hidden = isinstance(value, SecretStr | dict | list) or is_secret_place(stack_file_path(item.path))
    given = "" if hidden else f"is {shown(value)}, but "
    if rule == "structure":
        what = "a list" if item.detail["type"] == "tuple_type" else "an object"
        fix = f"write {what} in Pulumi.<stack>.yaml, indented; or {config_remove(key)}"
        return Problem(key, f"{given}must be {what}", fix, rule)
    return Problem(key, f"{given}{_requirement(item, choices)}", config_set(key, _example(item.detail, choices)), rule)


def unknown_key(key: str, hint: str) -> Problem:
    """The problem that a key is none of this program's."""
    problem = f"is not a key of this program, and would be ignored{hint and '; '}{hint}"
    return Problem(key, problem, config_remove(key), "unknown_key")


def _meant(item: InvalidValue) -> str:
    """What an unknown key probably means: a similar key of its object, or the same key of another object."""
    above = item.path[:-1]
    known = [*(keys_of(item.owner) if item.owner else ()), *(() if above else FLAT_KEYS)]
    name = item.name[:100].lower()
    lowered = {key.lower(): key for key in known}
    close = difflib.get_close_matches(name.replace("_", "").replace("-", ""), lowered, n=1)
    if close:
        return f"did you mean {path_of(*above, lowered[close[0]])}?"
    elsewhere = [path_of(*path) for path in KNOWN_KEYS if str(path[-1]).lower() == name]
    if elsewhere:
        return f"did you mean {' or '.join(elsewhere)}?"
    return f"known keys: {', '.join(sorted(known))}" if known else ""


def _choices(item: InvalidValue) -> tuple[object, ...]:
    """The values that a key with listed values takes, in any variant of its object."""
    fields = [field_of(variant, item.name) for variant in FAMILIES.get(item.owner, ())] if item.owner else []
    return tuple(dict.fromkeys(value for field in fields if field for value in _listed_in(field.annotation)))


def _listed_in(annotation: Any) -> Iterator[object]:
    """The values of a Literal, also of one that may be unset."""
    if get_origin(annotation) is Literal:
        yield from get_args(annotation)
    else:
        for option in get_args(annotation):
            yield from _listed_in(option)


def _requirement(item: InvalidValue, choices: Sequence[object]) -> str:
    kind, context = item.detail["type"], item.detail.get("ctx") or {}
    if item.key == "blockingStatusCode" and kind in ("greater_than_equal", "less_than_equal"):
        return "must be 400 to 499; Traceable would silently return 403 instead"
    words = [shown(value) for value in choices]
    listed = " or ".join([", ".join(words[:-1]), *words[-1:]] if len(words) > 1 else words)
    requirements = {
        "literal_error": "must be true or false" if True in choices else f"must be one of {listed}",
        "bool_type": "must be true or false",
        "int_type": "must be a whole number",
        "greater_than_equal": f"must be {context.get('ge')} or more",
        "less_than_equal": f"must be {context.get('le')} or less",
        "string_pattern_mismatch": f"must be {_FORMS.get(str(context.get('pattern')), 'of another form')}",
        "string_too_long": f"must have at most {context.get('max_length')} characters",
        "string_type": "must be text",
    }
    return requirements.get(kind, item.detail["msg"])


def _example(detail: ErrorDetails, choices: Sequence[object]) -> str:
    context = detail.get("ctx") or {}
    if detail["type"] == "bool_type" or True in choices:
        return "false" if str(detail["input"]).strip().lower() in _MEANS_FALSE else "true"
    return str(next(iter(choices), None) or context.get("ge") or context.get("le") or "VALUE")
