"""The arguments of TraceableOnKong as texts, like those of a stack file."""

import inspect
import json
import math
from collections.abc import Collection, Mapping
from typing import Any

import pulumi

from traceable_kong.common.safe_text import PlainError
from traceable_kong.config import loader
from traceable_kong.config.config_problem import path_of
from traceable_kong.config.given_config import GivenConfig
from traceable_kong.config.provider_options import PROVIDER
from traceable_kong.config.python_spelling import PYTHON_NAMES
from traceable_kong.config.secret_values import SecretPath, narrowed
from traceable_kong.config.stack_config import FREE_FORM

_AS_GIVEN: tuple[SecretPath, ...] = (
    *((key,) for key in sorted(FREE_FORM)),
    ("pluginConfig",),
    ("plugin", "headers"),
    (PROVIDER, "kubeconfig"),
)
"""Objects whose keys are not this program's."""


class UnknownArguments(PlainError):
    """Arguments that a preview does not know."""

    def __init__(self, paths: list[SecretPath]) -> None:
        self.keys = [path_of(*path) or "args" for path in paths]
        super().__init__(f"unknown: {', '.join(self.keys)}")


class UnusableArgument(PlainError):
    """An argument that no stack file could have."""


class _Arguments:
    """The values of arguments, and the paths of those that are secret or unknown."""

    def __init__(self) -> None:
        self.secret: list[SecretPath] = []
        self.unknown: list[SecretPath] = []

    async def value(self, given: Any, path: SecretPath = ()) -> Any:
        """`given` without Outputs; with keys as in a stack file, and without keys that have no value."""
        if isinstance(given, pulumi.Output):
            if not await given.is_known():
                self.unknown.append(path)
                return None
            if await given.is_secret():
                self.secret.append(path)
            return await self.value(await given.future(), path)
        if inspect.isawaitable(given):
            return await self.value(await given, path)
        if not path and not isinstance(given, Mapping):
            raise UnusableArgument(
                f"The arguments are a {type(given).__name__}, not an object with names and values. Nothing was "
                "changed. Pass an object, such as {'mode': 'sync'}; options of the resource go into `opts`."
            )
        if isinstance(given, Mapping):
            own = not any(path[: len(free)] == free for free in _AS_GIVEN)
            items = {_STACK_FILE_NAMES.get(key, str(key)) if own else str(key): item for key, item in given.items()}
            if len(items) < len(given):
                raise _given_twice(path, given)
            found = {key: await self.value(item, (*path, key)) for key, item in items.items()}
            return {key: item for key, item in found.items() if item is not None} if own else found
        if isinstance(given, list | tuple):
            return [await self.value(item, (*path, index)) for index, item in enumerate(given)]
        if isinstance(given, float) and given.is_integer():
            return int(given)  # Engine and plugins exchange every number as a floating-point one.
        if given is None or isinstance(given, str | bool | int) or _is_number(given):
            return given
        kind = str(given) if isinstance(given, float) else f"a {type(given).__name__}"
        raise UnusableArgument(
            f"The argument {path_of(*path)} is {kind}, which is neither text, a number, a boolean, a "
            "list nor an object. Nothing was changed. Pass a plain value, or an Output of one."
        )


async def given_by_arguments(args: Mapping[str, Any]) -> GivenConfig:
    """The config that arguments give; without `kubernetes`, the provider's options are those of the stack's config.

    Raises UnknownArguments in a preview that does not know all of them, and UnusableArgument.
    """
    found = _Arguments()
    values = await found.value(args)
    if found.unknown:
        raise UnknownArguments(found.unknown)
    given = PROVIDER in values
    options = values.pop(PROVIDER, {})
    if not isinstance(options, Mapping):
        raise UnusableArgument(
            f"The argument {PROVIDER} must be an object with the options of the kubernetes provider, such as "
            "kubeconfig. Nothing was changed."
        )
    secret = [path for path in found.secret if path[0] != PROVIDER]
    stack = None if given else loader.stack_config()
    return GivenConfig(
        texts={key: _text(value) for key, value in values.items()},
        secret_paths=tuple(place for path in secret for place in narrowed(path, values)),
        provider=stack.provider if stack else {key: _text(value) for key, value in options.items()},
        secret_kubeconfig=stack.secret_kubeconfig if stack else len(secret) < len(found.secret),
    )


def _given_twice(path: SecretPath, names: Collection[str]) -> UnusableArgument:
    (name, *_) = sorted(name for name in names if _STACK_FILE_NAMES.get(name) in names)
    return UnusableArgument(
        f"The argument {path_of(*path, name)} is given twice, in snake_case and in camelCase: it cannot be determined "
        "which of the two applies. Nothing was changed. Remove one of them."
    )


_STACK_FILE_NAMES = {name: key for key, name in PYTHON_NAMES.items()}


def _is_number(value: Any) -> bool:
    """JSON has neither NaN nor infinity."""
    return isinstance(value, float) and math.isfinite(value)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
