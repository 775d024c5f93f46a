"""Which leaves of the config are secret, and whether a secret is allowed there.

The engine hands over all values as text, and names the keys that hold a secret, but not where in an object
(`PULUMI_CONFIG_SECRET_KEYS`; sdk/go/common/resource/config/map.go, SecureKeys). Only the stack file shows that. With
`--config-file` and with an ESC environment the values come from elsewhere, so everything in such a key is hidden.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from traceable_kong.common.commands import config_set, config_set_secret
from traceable_kong.common.nested_data import hidden, secret_leaves
from traceable_kong.config.config_problem import Problem, path_of
from traceable_kong.config.stack_config import FREE_FORM

SecretPath = tuple[str | int, ...]
"""`("agentToken",)` or `("kongValues", "env", "password")`; a path to an object means everything in it."""

SECRET_RULES = {
    "secret_in_plain_view": "A secret is where it stays secret.",
    "credentials_in_plain_text": "The token, and the headers for a mirror, are secret in the stack file.",
}
"""The rules about secrets, by name."""

_PLACES: tuple[SecretPath, ...] = (("agentToken",), ("plugin", "headers"), *((key,) for key in sorted(FREE_FORM)))
"""Where a secret is allowed: everything else is shown in names and outputs."""

_SHOWN: frozenset[SecretPath] = frozenset(
    {
        ("kongValues", "nameOverride"),
        ("kongValues", "fullnameOverride"),
        ("agentValues", "imageCredentials", "registry"),
        ("agentValues", "imageCredentials", "registrySuffix"),
        ("agentValues", "injector", "tme", "imageName"),
        ("agentValues", "injector", "tme", "imageVersion"),
        ("agentValues", "injectorWebhookDomain"),
    }
)
"""Chart values that are shown all the same: in the names of objects, in outputs and in the record.

None of them may be secret itself. Where it is only known that its key holds a secret, it counts as plain.
"""


def is_secret_place(path: Sequence[str | int]) -> bool:
    """Whether the value at this path is a secret by its meaning, whatever the stack file says."""
    return any(tuple(path[: len(place)]) == place for place in (("agentToken",), ("plugin", "headers")))


def secret_paths(secrets: Mapping[str, str], stack_file: Path, namespace: str) -> list[SecretPath]:
    """The paths of the secrets in these keys; `secrets` is `{key: text}` of the keys that hold one.

    The stack file is trusted if everything that it does not encrypt is what the engine handed over: with
    `pulumi --config-file` the engine reads another file. Otherwise every leaf of the key that can be secret is.
    """
    try:
        document = yaml.safe_load(stack_file.read_text(encoding="utf-8"))
        written = document["config"]
        if not isinstance(written, dict):
            written = {}
    except (OSError, ValueError, KeyError, TypeError, RecursionError, yaml.YAMLError):
        written = {}
    found: list[SecretPath] = []
    for key, text in secrets.items():
        given = _decoded(text)
        node = written.get(f"{namespace}:{key}")
        paths = list(_encrypted(node, (key,))) if _same(node, given, text) else []
        found += paths or narrowed((key,), {key: given})
    return found


def narrowed(path: SecretPath, raw: Mapping[str, Any]) -> list[SecretPath]:
    """The secret places in the value at `path`, of which it is only known that it holds a secret; else `path`."""
    inside = [place for place in _PLACES if place[: len(path)] == path and _reaches(raw, place)]
    return inside or [path]


def _decoded(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _is_encrypted(node: object) -> bool:
    return isinstance(node, dict) and set(node) == {"secure"} and isinstance(node["secure"], str)


def _same(node: object, given: object, text: object) -> bool:
    """Whether the file says the same, as far as it can be read."""
    if _is_encrypted(node):
        return True
    if isinstance(node, dict) and isinstance(given, dict):
        return set(node) == set(given) and all(_same(node[key], given[key], given[key]) for key in node)
    if isinstance(node, list) and isinstance(given, list):
        return len(node) == len(given) and all(_same(a, b, b) for a, b in zip(node, given, strict=True))
    return node in (given, text)


def _encrypted(node: Any, path: SecretPath) -> Iterator[SecretPath]:
    if _is_encrypted(node):
        yield path
    elif isinstance(node, dict):
        for key, item in node.items():
            yield from _encrypted(item, (*path, key))
    elif isinstance(node, list):
        for index, item in enumerate(node):
            yield from _encrypted(item, (*path, index))


def _reaches(value: Any, path: SecretPath) -> bool:
    for part in path:
        if not isinstance(value, dict) or part not in value:
            return False
        value = value[part]
    return True


def hide(raw: Mapping[str, Any], paths: Collection[SecretPath]) -> dict[str, Any]:
    """The values of the stack file with their secret leaves as SecretStr."""

    def is_secret(path: SecretPath) -> bool:
        if any(path[: len(shown)] == shown for shown in _SHOWN):
            return path in paths
        return any(path[: len(secret)] == secret for secret in paths)

    return {key: hidden(value, is_secret, (key,)) for key, value in raw.items()}


def take_misplaced(raw: dict[str, Any], paths: Collection[SecretPath]) -> dict[SecretPath, Problem]:
    """The secrets that are where they would be shown; each is taken out of `raw`, so that no other error shows it.

    Where it is only known that an object holds one, the whole object is taken out.
    """
    problems = {}
    for leaf in sorted(secret_leaves(raw), key=str):
        if leaf not in _SHOWN and any(leaf[: len(place)] == place for place in _PLACES):
            continue
        path = leaf if leaf in paths else min((path for path in paths if leaf[: len(path)] == path), key=len)
        key = path_of(*path)
        problem = "is secret, but appears in names or outputs, where it would be shown"
        fix = f"{config_set(key, 'VALUE')} (without --secret)"
        if path != leaf:
            problem = "holds a secret, but appears in names or outputs, where it would be shown"
            fix = f"set the secret value in it without --secret, such as {config_set(path_of(*leaf), 'VALUE')}"
        problems[path] = Problem(key, problem, fix, "secret_in_plain_view")
    for path in sorted(problems, key=len, reverse=True):
        _take(raw, path)
    return problems


def _take(raw: Any, path: SecretPath) -> None:
    parent = raw
    for part in path[:-1]:
        parent = parent[part]
    if isinstance(parent, dict):
        del parent[path[-1]]
    else:
        parent[path[-1]] = ""


def plain_credentials(raw: Mapping[str, Any]) -> Iterator[Problem]:
    """Credentials that are plain text in the stack file."""
    plugin = raw.get("plugin")
    headers = plugin.get("headers") if isinstance(plugin, dict) else None
    keys = [path_of("plugin", "headers", name) for name, value in _items(headers) if isinstance(value, str)]
    if isinstance(raw.get("agentToken"), str):
        keys.append("agentToken")
    for key in keys:
        yield Problem(
            key,
            "is plain text in the stack file, and everyone who can read the file can use it",
            f"{config_set_secret(key)} (it asks for the value). Replace the credential: it has been exposed",
            "credentials_in_plain_text",
        )


def _items(value: object) -> Collection[tuple[str, Any]]:
    return value.items() if isinstance(value, dict) else ()
