"""What `pulumi config set` and `rm` do with a command that was pasted into a shell, by Pulumi's own rules.

Source: https://github.com/pulumi/pulumi/tree/v3.259.0, pkg/cmd/pulumi/config/config.go and
sdk/go/common/resource/properties_path.go (`parsePropertyPath`, strict).
"""

import json
import os
import re
import subprocess
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

_PULUMI = """#!/bin/sh
exec python3 -c 'import json, sys
piped = None if sys.stdin.isatty() else sys.stdin.buffer.read().decode("utf-8", "surrogateescape")
json.dump([sys.argv[1:], piped], sys.stdout)' "$@"
"""


class Given(NamedTuple):
    """`value` None: Pulumi asks for it."""

    verb: str
    path: tuple[str | int, ...]
    value: str | None
    secret: bool


def given(command: str, folder: Path) -> Given:
    """What the command does where it is pasted into a POSIX shell."""
    pulumi = folder / "pulumi"
    pulumi.write_text(_PULUMI)
    pulumi.chmod(0o755)
    ran = subprocess.run(
        ["sh", "-c", command],
        env={"PATH": f"{folder}:{os.environ['PATH']}"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    (config, verb, *words), piped = json.loads(ran.stdout)
    assert config == "config" and verb in ("set", "rm")
    options = [word for word in words[: words.index("--") if "--" in words else None] if word.startswith("-")]
    arguments = [word for word in words if word not in options and word != "--"]
    if "--" in words:
        arguments = words[words.index("--") + 1 :]
    assert set(options) <= {"--path", "--secret", "--plaintext", "--raw"}
    key = arguments[0]
    name = key.removeprefix("traceable-kong:")
    assert name != key and not ({"--secret", "--plaintext"} <= set(options))
    value = arguments[1] if len(arguments) > 1 else piped or None
    if verb == "set" and value is not None and re.search(r"(?i)passwd|pass|password|pwd|secret|token", name):
        assert "--plaintext" in options, "Pulumi refuses it"
    if value == piped and value is not None and "--raw" not in options:
        value = value.removesuffix("\n")
    return Given(verb, parse_path(name) if "--path" in options else (name,), value, "--secret" in options)


def parse_path(text: str) -> tuple[str | int, ...]:
    """`a.b["c.d"][0]` -> ("a", "b", "c.d", 0). Raises ValueError."""
    found: list[str | int] = []
    rest = text
    while rest:
        if rest.startswith('["'):
            name, at = "", 2
            while rest[at : at + 1] != '"':
                if at >= len(rest):
                    raise ValueError("missing closing quote in property name")
                if rest[at : at + 2] == '\\"':
                    at += 1
                name, at = name + rest[at], at + 1
            if rest[at + 1 : at + 2] != "]":
                raise ValueError("missing closing bracket in property access")
            found.append(name)
            rest = rest[at + 2 :]
        elif rest.startswith("["):
            index, _, rest = rest[1:].partition("]")
            found.append(int(index))
        else:
            bare = re.match(r"\.?([^.[]+)", rest)
            if not bare or bare[0].startswith(".") is not bool(found):
                raise ValueError("expected a property name")
            found.append(bare[1])
            rest = rest[len(bare[0]) :]
    return tuple(found)


def commands(text: str) -> list[str]:
    """The commands of this kind in a message."""
    word = r"""(?:'[^']*'|"[^"]*"|[^\s'",;()`])+"""
    return re.findall(rf"pulumi config (?:set|rm)(?: --[a-z]+)*(?: --)? {word}(?: {word}(?=[,;)\s]|$))?", text)


def apply(config: dict[str, Any], command: Given) -> None:
    """Changes the config of a stack file as the command does (sdk/go/common/resource/config/map.go)."""
    keys: list[Any] = [f"traceable-kong:{command.path[0]}", *command.path[1:]]
    node: Any = config
    for key, following in pairwise(keys):
        if isinstance(node, dict) and node.get(key) is None:
            if command.verb == "rm":
                return
            node[key] = [] if isinstance(following, int) else {}
        node = node[key]
    if command.verb == "rm":
        if isinstance(node, list) or keys[-1] in node:
            del node[keys[-1]]
    elif isinstance(node, list) and keys[-1] == len(node):
        node.append(_value(command, nested=True))
    else:
        node[keys[-1]] = _value(command, nested=len(keys) > 1)


def _value(command: Given, *, nested: bool) -> Any:
    text = command.value
    if text is None:
        return {"secure": "typed"}
    if nested and text in ("true", "false"):
        return text == "true"
    return int(text) if nested and re.fullmatch(r"-?(0|[1-9][0-9]*)", text) else text
