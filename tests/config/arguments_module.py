"""`python -m tests.config.arguments_module` writes traceable_kong/program/arguments.py from the config's classes."""

import json
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from traceable_kong.config.config_layout import FAMILIES, FLAT_KEYS, models_in, stack_file_fields
from traceable_kong.config.config_types import Part
from traceable_kong.config.provider_options import NUMBERS, OBJECTS, OPTIONS, SWITCHES
from traceable_kong.config.python_spelling import PYTHON_NAMES

PATH = Path(__file__).parents[2] / "traceable_kong" / "program" / "arguments.py"

HEADER = '''"""The arguments of TraceableOnKong: the keys of a stack file, in Python's spelling.

Written by `python -m tests.config.arguments_module` from the config's classes. Which keys go together is checked when
the program runs, with the same messages as for a stack file.
"""

from typing import TYPE_CHECKING, Any, Literal, TypedDict

import pulumi

if TYPE_CHECKING:
{choices}
else:
    # The analyzer of component packages knows no literals (pulumi 3.259, provider/experimental/analyzer.py).
    {names} = str
'''

KUBERNETES_FIELD = '''    kubernetes: pulumi.Input[KubernetesArgs]
    """The cluster. Unset: what the stack's config has below `kubernetes:`."""
'''


def text() -> str:
    """The module's whole text."""
    classes: dict[str, str] = {}
    choices: dict[str, tuple[Any, ...]] = {}
    top = _class("TraceableOnKongArgs", "What one TraceableOnKong deploys.", _top_fields(), classes, choices)
    shown = "\n".join(f"    {name} = Literal[{', '.join(map(json.dumps, values))}]" for name, values in choices.items())
    header = HEADER.format(choices=shown, names=" = ".join(choices))
    return _formatted(header + _kubernetes() + "".join(classes.values()) + top + KUBERNETES_FIELD)


def _kubernetes() -> str:
    """The classes of the provider's options."""
    numbers = {key: kind.__name__ for key, kind in NUMBERS.items()}
    classes = [
        _options(_class_name(name), OPTIONS[name].removesuffix("."), texts, numbers) for name, texts in OBJECTS.items()
    ]
    types = {name: _class_name(name) for name in OBJECTS} | dict.fromkeys(SWITCHES, "bool")
    summary = (
        "The cluster, and options of the kubernetes provider (https://www.pulumi.com/registry/packages/kubernetes/)"
    )
    return "".join([*classes, _options("KubernetesArgs", summary, OPTIONS, types)])


def _class_name(key: str) -> str:
    return f"{key[0].upper()}{key[1:]}Args"


def _options(name: str, summary: str, texts: Mapping[str, str], types: Mapping[str, str]) -> str:
    lines = [f"\n\nclass {name}(TypedDict, total=False):", f'    """{summary}."""', ""]
    for key, said in texts.items():
        lines += [f"    {PYTHON_NAMES.get(key, key)}: pulumi.Input[{types.get(key, 'str')}]", f'    """{said}"""']
    return "\n".join([*lines, ""])


def _formatted(source: str) -> str:
    command = [sys.executable, "-m", "ruff", "format", "--stdin-filename", str(PATH), "-"]
    return subprocess.run(command, input=source, capture_output=True, text=True, check=True, cwd=PATH.parents[2]).stdout


def _top_fields() -> Iterator[tuple[str, tuple[FieldInfo, ...]]]:
    yield from stack_file_fields().items()


def _fields(family: tuple[type[Part], ...]) -> Iterator[tuple[str, tuple[FieldInfo, ...]]]:
    """Every key of any of the variants, with its field in each that has it."""
    found: dict[str, tuple[FieldInfo, ...]] = {}
    for model in family:
        for field in model.model_fields.values():
            key = str(field.alias)
            if key not in FLAT_KEYS:
                found[key] = (*found.get(key, ()), field)
    yield from found.items()


def _class(
    name: str,
    summary: str,
    fields: Iterator[tuple[str, tuple[FieldInfo, ...]]],
    classes: dict[str, str],
    choices: dict[str, tuple[Any, ...]],
) -> str:
    lines = [f"\n\nclass {name}(TypedDict, total=False):", f'    """{summary}"""', ""]
    for key, variants in fields:
        lines += [f"    {PYTHON_NAMES.get(key, key)}: pulumi.Input[{_type(key, variants, classes, choices)}]"]
        lines += _docstring(variants)
    return "\n".join([*lines, ""])


def _type(
    key: str, variants: tuple[FieldInfo, ...], classes: dict[str, str], choices: dict[str, tuple[Any, ...]]
) -> str:
    models = tuple(dict.fromkeys(model for field in variants for model in models_in(field.annotation)))
    if models:
        name = _class_name(key) if len(FAMILIES[models[0]]) > 1 else f"{_without_config(models[0])}Args"
        name = {"AdminApiArgs": "AdminArgs"}.get(name, name)
        if name not in classes:
            summary = next(field.description for field in variants if field.description) or ""
            if len(models) == 1 and models[0].__doc__:
                summary = models[0].__doc__.strip().splitlines()[0]
            classes[name] = ""  # Its own classes come first.
            made = _class(name, summary, _fields(models), classes, choices)
            del classes[name]
            classes[name] = made
        return name
    return _plain(key, variants, choices)


def _without_config(model: type[Part]) -> str:
    return model.__name__.removesuffix("Config")


def _plain(key: str, variants: tuple[FieldInfo, ...], choices: dict[str, tuple[Any, ...]]) -> str:
    kinds = [kind for field in variants for kind in _kinds(field.annotation)]
    literals = tuple(dict.fromkeys(value for kind in kinds if get_origin(kind) is Literal for value in get_args(kind)))
    texts = tuple(value for value in literals if isinstance(value, str))
    plain = {kind for kind in kinds if isinstance(kind, type)}
    if texts and not plain:
        name = f"{key[0].upper()}{key[1:]}"
        choices[name] = texts
        return name
    if bool in plain or (literals and all(isinstance(value, bool) for value in literals)):
        return "bool"
    if int in plain:
        return "int"
    if any(get_origin(kind) is tuple for kind in kinds):
        return "list[pulumi.Input[str]]"
    if any(get_origin(kind) is dict for kind in kinds):
        secret = any(get_args(kind)[1] is SecretStr for kind in kinds if get_origin(kind) is dict)
        return "dict[str, pulumi.Input[str]]" if secret else "dict[str, Any]"
    assert plain <= {str, SecretStr, type(None)} and plain, (key, kinds)
    return "str"


def _kinds(annotation: Any) -> Iterator[Any]:
    if get_origin(annotation) in (None, Literal, dict, tuple):
        if annotation is not type(None):
            yield annotation
    else:
        for option in get_args(annotation):
            if isinstance(option, type) or get_origin(option) is not None:
                yield from _kinds(option)


def _docstring(variants: tuple[FieldInfo, ...]) -> list[str]:
    said = next((field.description for field in variants if field.description), "")
    defaults = {json.dumps(field.default) for field in variants if isinstance(field.default, str | int)}
    if len(defaults) == 1:
        said = f"{said} Default: {defaults.pop()}."
    wrapped = textwrap.wrap(f'"""{said}"""', width=112)
    return [f"    {line}" for line in wrapped] if said else []


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")
