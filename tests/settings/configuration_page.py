"""docs/configuration.md, made from the code: `python -m tests.settings.configuration_page` writes it.

Keys, types, ranges and defaults are the models', the messages are those of the refused stack files.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel

import settings
from plugin_options import FURTHER_OPTIONS, LUAROCKS, MODE_SINCE, text
from settings.model import Settings
from settings.schema import schema
from settings.values import VALUE_RULES, model_in
from tests.settings.cases import REFUSED, header, refusal

PATH = Path(__file__).parents[2] / "docs" / "configuration.md"

_INTRODUCTION = """# Configuration

<!-- Made from the code by `python -m tests.settings.configuration_page`; a test holds it current. -->

Every key of a stack, as it stands in `Pulumi.<stack>.yaml` below `config:` with `traceable-kong:` before it. A switch
is set with `pulumi config set traceable-kong:KEY VALUE`, a key inside an object with `--path`:
`pulumi config set --path traceable-kong:kong.release gateway`. Editors check a stack file against
`schema/Pulumi.schema.json`.

All problems are reported at once, before anything is touched. What `pulumi config set` writes is text: `"false"` and
`"403"` are taken by type; `"yes"`, `" 403 "` and `"4e2"` are refused. Keys that are not listed here are refused.

Secrets are set with `pulumi config set --secret`, inside an object with `--secret --path`. They may stand in
`agentToken`, in `plugin.headers` and anywhere in `agentValues` and `kongValues`; everywhere else they are refused,
because they would be shown. Which leaf of an object is secret stands in the stack file only: with
`pulumi --config-file`, every leaf of a key that holds a secret is treated as one.
"""


def page() -> str:
    """The page's whole text."""
    parts = [_INTRODUCTION, "## Keys\n", *_keys()]
    parts += [
        "## Options of the plugin\n",
        f"`mode` and `buffer_request_body` are sent to a plugin from {text(MODE_SINCE)} on, and async is refused below "
        "it. What `pluginConfig` can hold:\n",
        _table(
            ("option", "since", "range"),
            [
                (
                    f"`{name}`",
                    text(option.since),
                    f"{option.lowest} to {option.highest}" if option.highest else f"{option.lowest} or more",
                )
                for name, option in FURTHER_OPTIONS.items()
            ],
        ),
        "## The rock\n",
        f"Without `plugin.rock` it comes from `{LUAROCKS.format(version='<version>')}`. A path is relative to the "
        "project's folder. A download is kept by its digest in `$TRACEABLE_KONG_CACHE/rocks` (or "
        "`~/.cache/traceable-kong/rocks`), so that later runs need no network. `HTTPS_PROXY`, `NO_PROXY`, "
        "`REQUESTS_CA_BUNDLE` and `SSL_CERT_FILE` work as usual.\n",
        "## Rules\n",
        "What is refused, with one of the messages. The names are those of the stack files in "
        "`tests/settings/cases/refused`.\n",
        *_rules(),
    ]
    return "\n".join(parts)


def _keys() -> Iterator[str]:
    properties = schema()["properties"]["config"]["properties"]
    rows = []
    parts: list[tuple[str, type[BaseModel]]] = []
    for name, field in Settings.model_fields.items():
        key = field.alias or name
        rows.append(_row(key, properties[f"traceable-kong:{key}"], field.description, field.default))
        inner = model_in(field.annotation)
        if inner is not None:
            parts.append((key, inner))
    yield _table(("key", "takes", "default", "meaning"), rows)
    for path, model in parts:
        yield f"### {path}\n"
        yield f"{(model.__doc__ or '').strip()}\n"
        yield _table(("key", "takes", "default", "meaning"), list(_below(path, model, _default_of(path))))


def _default_of(path: str) -> Any:
    return next(field.default for field in Settings.model_fields.values() if field.alias == path)


def _below(path: str, model: type[BaseModel], default: Any) -> Iterator[tuple[str, ...]]:
    properties = schema()["$defs"][model.__name__]["properties"]
    for name, field in model.model_fields.items():
        key = f"{path}.{field.alias or name}"
        value = getattr(default, name) if isinstance(default, BaseModel) else field.default
        inner = model_in(field.annotation)
        yield _row(key, properties[field.alias or name], field.description, value)
        if inner is not None:
            yield from _below(key, inner, value)


def _row(key: str, described: dict[str, Any], meaning: str | None, default: Any) -> tuple[str, ...]:
    if isinstance(default, BaseModel) or default is None or repr(default) in ("PydanticUndefined", "()", "{}"):
        shown = "required" if repr(default) == "PydanticUndefined" else ""
    else:
        shown = f"`{_shown(default)}`"
    return f"`{key}`", _takes(described), shown, meaning or ""


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _takes(described: dict[str, Any]) -> str:
    for option in described.get("anyOf", ()):
        if option.get("type") != "null":
            return _takes(option)
    if "secure" in described.get("properties", {}):
        return "a secret"
    if "enum" in described:
        return "true, false" if True in described["enum"] else ", ".join(f"`{word}`" for word in described["enum"])
    kind = described.get("type", "object")
    if kind == ["integer", "string"]:
        return f"{described.get('minimum', '')} to {described.get('maximum', '')}"
    if kind == "array":
        return "a list"
    return "an object" if kind == "object" else "text"


def _rules() -> Iterator[str]:
    for rule, asks in settings.ALL_RULES.items():
        example = next(path for path in REFUSED if header(path)["rule"] == rule)
        (problem,) = refusal(example).problems
        kind = " (single values)" if rule in VALUE_RULES else ""
        yield f"**{rule}**{kind}: {asks}\n"
        yield f"```\ntraceable-kong:{problem.key}\n  {problem.wrong}\n  -> {problem.mend}\n```\n"


def _table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [heads, tuple("---" for _ in heads), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


if __name__ == "__main__":
    PATH.write_text(page(), encoding="utf-8")
