"""The stack's configuration, read and checked: all problems at once, in one message, before anything is touched.

The door to the settings: keys and types are in settings_model.py, rules between keys in settings_rules.py. Leaves out
what the settings come to (plan.py).
"""

import difflib
import json
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import pulumi
import yaml
from pulumi.runtime import config as runtime_config
from pydantic import BaseModel, SecretStr, ValidationError
from pydantic_core import ErrorDetails

from settings_model import FREE_FORM, Settings
from settings_rules import RULES, Problem, config_remove, config_set

__all__ = ["Settings", "SettingsError", "load", "parse"]

NAMESPACE = "traceable-kong"

SecretPath = tuple[str | int, ...]

NOT_YET = {
    "agent.install": True,
    "agent.url": None,
    "installed": True,
    "kong.database": "off",
    "kong.install": True,
    "tmeGuard": None,
}
"""What the program cannot do yet, with the only value that it takes so far."""


class SettingsError(pulumi.RunError):
    """The configuration cannot be used; the text is the whole message for the person at the terminal."""

    def __init__(self, problems: Collection[Problem]) -> None:
        self.problems = list(problems)
        count = "one problem" if len(self.problems) == 1 else f"{len(self.problems)} problems"
        lines = [f"The stack's configuration has {count}. Nothing was touched."]
        for problem in self.problems:
            lines += [
                "",
                f"  {NAMESPACE}:{problem.key}",
                f"    {problem.wrong}{'' if problem.wrong.endswith('?') else '.'}",
                f"    -> {problem.mend}",
            ]
        super().__init__("\n".join(lines))


def load() -> Settings:
    """The settings of the stack that runs. Raises SettingsError."""
    config = pulumi.Config(NAMESPACE)
    prefix = f"{NAMESPACE}:"
    # Config gives values by name only; unknown names are found in what the engine handed over.
    everything = {**runtime_config.get_config_env(), **runtime_config.CONFIG.get()}
    given = {key.removeprefix(prefix): str(value) for key, value in everything.items() if key.startswith(prefix)}
    hidden = {name for name in given if pulumi.runtime.is_config_secret(config.full_key(name))}
    return parse(given, secret_paths=_secret_paths(hidden))


def parse(
    given: Mapping[str, str],
    *,
    secret_paths: Collection[SecretPath] = (),
    without_rules: Collection[str] = (),
    not_yet: Mapping[str, object] = NOT_YET,
) -> Settings:
    """Settings of what the engine hands over: `{key: text}`, objects as JSON. Pure.

    `secret_paths` says which leaves are secret, `("agentToken",)` or `("kongValues", "env", "password")`; a path to an
    object means all that is in it. `without_rules` leaves rules out, for the tests. Raises SettingsError.
    """
    problems: list[Problem] = []
    raw = {}
    for key, text in given.items():
        try:
            raw[key] = _decoded(key, text)
        except ValueError:
            problems.append(
                Problem(
                    key, "is text, and must be an object or a list", f"write it in Pulumi.<stack>.yaml: {key}: ..."
                )
            )
    raw = {key: _hidden(value, (key,), secret_paths) for key, value in raw.items()}
    problems += _misplaced_secrets(raw)

    settings, wrong = _validated(raw)
    problems += wrong
    broken = {problem.key.split(".")[0] for problem in problems}
    found = [problem for name, rule in RULES.items() if name not in without_rules for problem in rule(settings)]
    found += _not_yet(settings, not_yet)
    if settings.agent_token is not None and ("agentToken",) not in secret_paths:
        found.append(
            Problem(
                "agentToken",
                "stands in plain text in the stack file, for everybody who can read it",
                "pulumi config set --secret traceable-kong:agentToken (it asks for the value); then make a new token, "
                "because this one has been seen",
            )
        )
    problems += [problem for problem in found if problem.key.split(".")[0] not in broken]
    if problems:
        raise SettingsError(problems)
    guard = settings.tme_guard or ("deny" if settings.fail_mode == "closed" else "warn")
    return settings.model_copy(update={"tme_guard": guard})


def _decoded(key: str, text: str) -> Any:
    """Objects and lists come as JSON, everything else as text."""
    fields = {field.alias: field for field in Settings.model_fields.values()}
    field = fields.get(key)
    if field is None or not _is_structured(field.annotation):
        return text
    value = json.loads(text)
    if not isinstance(value, dict | list):
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


def _hidden(value: Any, path: SecretPath, secret_paths: Collection[SecretPath]) -> Any:
    """`value` with its secret leaves as SecretStr."""
    if isinstance(value, dict):
        return {key: _hidden(item, (*path, key), secret_paths) for key, item in value.items()}
    if isinstance(value, list):
        return [_hidden(item, (*path, index), secret_paths) for index, item in enumerate(value)]
    if value is not None and any(path[: len(secret)] == secret for secret in secret_paths):
        return SecretStr(value if isinstance(value, str) else json.dumps(value))
    return value


_SECRET_PLACES = (("agentToken",), ("plugin", "headers"))


def _misplaced_secrets(raw: Mapping[str, Any]) -> Iterator[Problem]:
    """A secret where a name or a switch is wanted would have to be shown all the same; it is taken out of `raw`."""
    for path, parent in _secret_leaves(raw, ()):
        if path[0] in FREE_FORM or any(path[: len(place)] == place for place in _SECRET_PLACES):
            continue
        key = ".".join(str(part) for part in path)
        yield Problem(
            key,
            "is secret, and stands in names and outputs that everybody sees",
            f"{config_set(key, 'VALUE')} (without --secret)",
        )
        parent[path[-1]] = parent[path[-1]].get_secret_value()


def _secret_leaves(value: Any, path: SecretPath) -> Iterator[tuple[SecretPath, Any]]:
    items = (
        list(value.items())
        if isinstance(value, Mapping)
        else list(enumerate(value))
        if isinstance(value, list)
        else []
    )
    for key, item in items:
        if isinstance(item, SecretStr):
            yield (*path, key), value
        else:
            yield from _secret_leaves(item, (*path, key))


def _validated(raw: Mapping[str, Any]) -> tuple[Settings, list[Problem]]:
    """The settings, and what was wrong with single values; what was wrong is left at its default."""
    try:
        return Settings.model_validate(raw, by_name=False, by_alias=True), []
    except ValidationError as error:
        problems = [_problem(item) for item in error.errors(include_url=False)]
        wrong = {str(item["loc"][0]) for item in error.errors(include_url=False)}
    kept = {key: value for key, value in raw.items() if key not in wrong}
    return Settings.model_validate(kept, by_name=False, by_alias=True), problems


def _problem(error: ErrorDetails) -> Problem:
    path = [str(part) for part in error["loc"]]
    key = ".".join(path)
    if error["type"] == "extra_forbidden":
        known = _keys_at(path[:-1])
        close = difflib.get_close_matches(path[-1], known, n=1)
        if not close:
            close = [name for name in known if name.lower() == path[-1].lower().replace("_", "").replace("-", "")]
        meant = (
            f"; did you mean {'.'.join([*path[:-1], close[0]])}?"
            if close
            else f" (known: {', '.join(sorted(known))})"
        )
        return Problem(key, f"is not a key of this program, and would have been ignored{meant}", config_remove(key))
    shown = "" if isinstance(error["input"], SecretStr | dict | list) else f"is {error['input']!r}: "
    return Problem(key, f"{shown}{_said(error)}", config_set(key, _example(error)))


def _said(error: ErrorDetails) -> str:
    context = error.get("ctx") or {}
    said = {
        "literal_error": f"it must be one of {context.get('expected')}",
        "bool_type": "it must be true or false",
        "int_type": "it must be a whole number",
        "greater_than_equal": f"it must be {context.get('ge')} or more",
        "less_than_equal": f"it must be {context.get('le')} or less",
        "string_pattern_mismatch": f"it does not have the form that is wanted here ({context.get('pattern')})",
        "missing": "is missing",
    }.get(error["type"], error["msg"])
    if error["loc"][0] == "blockingStatusCode" and error["type"] in ("greater_than_equal", "less_than_equal"):
        said = "it must be 400 to 499; Traceable would silently show 403 instead"
    return said


def _example(error: ErrorDetails) -> str:
    context = error.get("ctx") or {}
    if error["type"] == "literal_error":
        return str(context["expected"]).split(" or ")[0].split(",")[0].strip("'")
    if error["type"] == "bool_type":
        return "true"
    return str(context.get("ge") or context.get("le") or "VALUE")


def _keys_at(path: list[str]) -> list[str]:
    """The keys that are known below `path`."""
    model: Any = Settings
    for part in path:
        annotation = next((f.annotation for f in model.model_fields.values() if f.alias == part), None)
        options = [annotation, *getattr(annotation, "__args__", ())]
        model = next((o for o in options if isinstance(o, type) and issubclass(o, BaseModel)), None)
        if model is None:
            return []
    return [field.alias or name for name, field in model.model_fields.items()]


def _not_yet(settings: Settings, not_yet: Mapping[str, object]) -> Iterator[Problem]:
    document = settings.model_dump(by_alias=True)
    for key, only in not_yet.items():
        value: Any = document
        for part in key.split("."):
            value = value[part]
        if value != only:
            mend = config_remove(key) if only is None else config_set(key, json.dumps(only).strip('"'))
            yield Problem(key, f"is {value!r}, which this version of the program cannot do yet", mend)


def _secret_paths(hidden: Collection[str]) -> list[SecretPath]:
    """Where the secrets of these keys stand, which only the stack file tells; the whole key where it does not."""
    if not hidden:
        return []
    try:
        with Path(f"Pulumi.{pulumi.get_stack()}.yaml").open() as file:
            written = (yaml.safe_load(file) or {}).get("config") or {}
    except (OSError, yaml.YAMLError):
        written = {}
    found: list[SecretPath] = []
    for key in hidden:
        below = list(_secure_nodes(written.get(f"{NAMESPACE}:{key}"), (key,)))
        found += below or [(key,)]
    return found


def _secure_nodes(value: Any, path: SecretPath) -> Iterator[SecretPath]:
    if isinstance(value, dict):
        if set(value) == {"secure"}:
            yield path
        else:
            for key, item in value.items():
                yield from _secure_nodes(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _secure_nodes(item, (*path, index))
