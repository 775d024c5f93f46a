"""Reads manifests as the official plugin does: split at `---`, and with the scalars of Go's YAML library.

`decodeYaml` in provider/pkg/provider/invoke_decode_yaml.go uses `YAMLOrJSONDecoder` of k8s.io/apimachinery and
sigs.k8s.io/yaml. A date is text, `1:30` is text, `y` and `on` are true, `1e3` is a number, and every key is text.
"""

import base64
import io
import re
from collections.abc import Mapping
from math import isfinite
from typing import Any

import yaml

_TRUE = ("y", "yes", "true", "on")
_BOOLEANS = ("n", "no", "false", "off", *_TRUE)
_OCTAL = re.compile(r"[-+]?0[0-7]+")
_INTEGER = r"[-+]?(?:0[bB][01_]+|0[oO][0-7_]+|0[xX][0-9a-fA-F_]+|[0-9][0-9_]*)"
_FLOAT = r"[-+]?(?:\.[0-9]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class ManifestError(Exception):
    """The text is not YAML, or cannot be JSON. The message has no content of the text."""


class _GoLoader(_Base):  # type: ignore[misc]
    """A YAML loader that resolves plain scalars as go.yaml.in/yaml/v2 does (resolve.go)."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  (a class attribute of PyYAML)


def _resolve(kind: str, pattern: str, first: str) -> None:
    _GoLoader.add_implicit_resolver(f"tag:yaml.org,2002:{kind}", re.compile(f"^(?:{pattern})$"), list(first))


def _cases(words: tuple[str, ...]) -> str:
    """Returns a pattern for the words in lower case, capitalized and in upper case."""
    return "|".join(case for word in words for case in (word, word.capitalize(), word.upper()))


def _number(loader: Any, node: Any) -> int | float:
    text = str(node.value).replace("_", "")
    if _OCTAL.fullmatch(text):
        return int(text, 8)
    try:
        return int(text, 0)
    except ValueError:
        return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))


_resolve("bool", _cases(_BOOLEANS), "yYnNtTfFoO")
_resolve("int", _INTEGER, "-+0123456789")
_resolve("float", _FLOAT, "-+0123456789.")
_resolve("null", "~|null|Null|NULL|", "~nN\0")
_GoLoader.yaml_implicit_resolvers.setdefault("", []).append(("tag:yaml.org,2002:null", re.compile("^$")))
_resolve("merge", "<<", "<")
_GoLoader.add_constructor("tag:yaml.org,2002:bool", lambda loader, node: node.value.lower() in _TRUE)
_GoLoader.add_constructor("tag:yaml.org,2002:int", _number)
_GoLoader.add_constructor("tag:yaml.org,2002:float", _number)
_GoLoader.add_constructor("tag:yaml.org,2002:timestamp", lambda loader, node: node.value)
_GoLoader.add_constructor(
    "tag:yaml.org,2002:binary", lambda loader, node: base64.b64decode(node.value).decode(errors="replace")
)


def split(text: str) -> list[str]:
    """Returns the documents of a manifest as text. Raises ManifestError."""
    documents: list[str] = [""]
    for line in io.StringIO(text):
        if not line.startswith("---"):
            documents[-1] += line
            continue
        if line[3:].strip() and not line[3:].strip().startswith("#"):
            raise ManifestError("invalid Yaml document separator")
        documents.append("")
    return [document for document in documents if document]


def parse(document: str) -> Any:
    """Returns the first document of the text as JSON values. Raises ManifestError."""
    try:
        return _as_json(next(iter(yaml.load_all(document, _GoLoader)), None))
    except yaml.MarkedYAMLError as problem:
        line = f"line {problem.problem_mark.line + 1}: " if problem.problem_mark else ""
        raise ManifestError(f"error converting YAML to JSON: yaml: {line}{problem.problem}") from None
    except (yaml.YAMLError, ValueError, TypeError) as problem:
        raise ManifestError(f"error converting YAML to JSON: yaml: {type(problem).__name__}") from None


def _as_json(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {_key(key): _as_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_json(item) for item in value]
    if isinstance(value, float) and not isfinite(value):
        raise ManifestError("error converting YAML to JSON: json: unsupported value: it is not finite")
    if value is None or isinstance(value, str | bool | int | float):
        return value
    raise ManifestError(f"error converting YAML to JSON: yaml: unsupported type {type(value).__name__}")


def _key(key: Any) -> str:
    if isinstance(key, str):
        return key
    if isinstance(key, bool):
        return "true" if key else "false"
    if isinstance(key, int | float):
        return f"{key:g}" if isinstance(key, float) else str(key)
    raise ManifestError(f"error converting YAML to JSON: yaml: unsupported map key of type {type(key).__name__}")
