"""What is wrong with single values, in words for people: pydantic's errors, and what cannot be read at all."""

import difflib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic_core import ErrorDetails

from traceable_kong.config.config_problem import Problem, config_remove, config_set, path_of, shown
from traceable_kong.config.secret_values import is_secret_place
from traceable_kong.config.stack_config import DNS_LABEL, DNS_SUBDOMAIN, ROCK_FORM, SECRET_KEY, WORKSPACE, StackConfig

MAX_DEPTH = 40

VALUE_RULES = {
    "unknown_key": "A key that this program does not know is refused, at every level.",
    "choice": "One of the words that are listed.",
    "switch": "true or false.",
    "whole_number": "A whole number.",
    "range": "A number within its range.",
    "form": "Text of the form that Kubernetes or the rock asks for.",
    "missing": "A key that its object cannot do without.",
    "text": "Text.",
    "structure": "An object or a list, where one is wanted.",
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
}


_FORMS = {
    DNS_LABEL: "small letters, digits and hyphens, at most 63; Kubernetes takes no other name here",
    DNS_SUBDOMAIN: "small letters, digits, hyphens and dots; Kubernetes takes no other name here",
    ROCK_FORM: "a rock's version, such as 2.1.2-1 (that of the plugin, and the revision of the rock)",
    WORKSPACE: "letters, digits, dots, hyphens, underscores and tildes; no workspace is called otherwise",
    SECRET_KEY: "letters, digits, dots, hyphens and underscores; a Secret has no other keys",
}


def read(given: Mapping[str, str]) -> tuple[dict[str, Any], list[Problem]]:
    """`{key: value}` of `{key: text}`, where objects and lists come as JSON, and what could not be read."""
    structured = {f.alias for f in StackConfig.model_fields.values() if _is_structured(f.annotation)}
    raw: dict[str, Any] = {}
    problems = []
    for key, text in given.items():
        try:
            raw[key] = _structure(text) if key in structured else text
        except (ValueError, RecursionError):
            problems.append(
                Problem(
                    path_of(key),
                    f"is text, or nested more than {MAX_DEPTH} deep, and must be an object or a list",
                    f"write it in Pulumi.<stack>.yaml, indented below traceable-kong:{key}:",
                    "structure",
                )
            )
    return raw, problems


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
    options = [annotation, *getattr(annotation, "__args__", ())]
    return any(
        (isinstance(option, type) and issubclass(option, BaseModel))
        or getattr(option, "__origin__", None) in (dict, tuple)
        for option in options
    )


def validated(raw: Mapping[str, Any]) -> tuple[StackConfig, list[Problem]]:
    """The settings, and what was wrong with single values; what was wrong is left at its default."""
    try:
        return StackConfig.model_validate(raw, by_name=False, by_alias=True), []
    except ValidationError as error:
        # Two places in an annotation can find the same; a person needs to hear it once.
        problems = list({item.key: item for item in map(_problem, error.errors(include_url=False))}.values())
        wrong = {str(item["loc"][0]) for item in error.errors(include_url=False)}
    kept = {key: value for key, value in raw.items() if key not in wrong}
    return StackConfig.model_validate(kept, by_name=False, by_alias=True), problems


def _problem(error: ErrorDetails) -> Problem:
    path = list(error["loc"])
    key = path_of(*path)
    rule = _RULE_OF.get(error["type"], "structure")
    if rule == "unknown_key":
        return Problem(
            key,
            f"is not a key of this program, and would have been ignored{_meant(path)}",
            config_remove(key),
            rule,
        )
    if rule == "missing":
        return Problem(key, "is missing, and its object says nothing without it", config_set(key, "VALUE"), rule)
    hidden = isinstance(error["input"], SecretStr | dict | list) or is_secret_place(path)
    value = "" if hidden else f"is {shown(error['input'])}: "
    if rule == "structure":
        mend = f"write it in Pulumi.<stack>.yaml, indented; or {config_remove(key)}"
        return Problem(key, f"{value}an object or a list is wanted here", mend, rule)
    return Problem(key, f"{value}{_said(error)}", config_set(key, _example(error)), rule)


def _meant(path: list[str | int]) -> str:
    known = _keys_at(path[:-1])
    name = str(path[-1])[:100]
    lowered = {item.lower(): item for item in known}
    close = difflib.get_close_matches(name.lower().replace("_", "").replace("-", ""), lowered, n=1)
    if close:
        return f"; did you mean {path_of(*path[:-1], lowered[close[0]])}?"
    elsewhere = [item for item in _leaves(StackConfig) if item.split(".")[-1].lower() == name.lower()]
    if elsewhere:
        return f"; did you mean {' or '.join(elsewhere)}?"
    return f" (known: {', '.join(sorted(known))})" if known else ""


def _leaves(model: type[BaseModel], above: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        path = f"{above}{field.alias or name}"
        yield path
        inner = model_in(field.annotation)
        if inner is not None:
            yield from _leaves(inner, f"{path}.")


def _said(error: ErrorDetails) -> str:
    context = error.get("ctx") or {}
    if error["loc"][0] == "blockingStatusCode" and error["type"] in ("greater_than_equal", "less_than_equal"):
        return "it must be 400 to 499; Traceable would silently show 403 instead"
    said = {
        "literal_error": f"it must be one of {context.get('expected')}",
        "bool_type": "it must be true or false",
        "int_type": "it must be a whole number",
        "greater_than_equal": f"it must be {context.get('ge')} or more",
        "less_than_equal": f"it must be {context.get('le')} or less",
        "string_pattern_mismatch": f"it must be {_FORMS.get(str(context.get('pattern')), 'of another form')}",
        "string_too_long": f"it must have at most {context.get('max_length')} characters",
        "string_type": "it must be text",
    }
    return said.get(error["type"], error["msg"])


def _example(error: ErrorDetails) -> str:
    context = error.get("ctx") or {}
    if error["type"] == "literal_error":
        return str(context["expected"]).split(" or ")[0].split(",")[0].strip("'")
    if error["type"] == "bool_type":
        return "true"
    return str(context.get("ge") or context.get("le") or "VALUE")


def model_in(annotation: Any) -> type[BaseModel] | None:
    """The object that an annotation such as `PostgresSettings | None` allows."""
    options = [annotation, *getattr(annotation, "__args__", ())]
    return next((o for o in options if isinstance(o, type) and issubclass(o, BaseModel)), None)


def _keys_at(path: list[str | int]) -> list[str]:
    """The keys that are known below `path`."""
    model: type[BaseModel] = StackConfig
    for part in path:
        inner = model_in(next((f.annotation for f in model.model_fields.values() if f.alias == part), None))
        if inner is None:
            return []
        model = inner
    return [field.alias or name for name, field in model.model_fields.items()]
