"""How the keys of a stack file and the config's classes belong together.

A stack file has a few keys of the agent and of Kong at its top level (`agentToken`, `kongValues`). In the config they
are fields of the agent and of Kong, so that a variant without them refuses them like every other key.
"""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from traceable_kong.config.config_problem import path_of
from traceable_kong.config.config_types import Part, Variant
from traceable_kong.config.stack_config import AgentOnlyStack, GatewayStack

Path = tuple[str | int, ...]
"""`("kong", "admin", "url")`."""

FLAT_KEYS = {
    "agentToken": "agent",
    "agentTokenSecret": "agent",
    "agentValues": "agent",
    "blockingMessage": "agent",
    "blockingStatusCode": "agent",
    "kongValues": "kong",
}
"""Keys at the top level of a stack file, and the part of the config that has them."""

SELECTORS: frozenset[Path] = frozenset(
    {
        ("gateway",),
        ("agent", "install"),
        ("agent", "url"),
        ("kong", "database"),
        ("kong", "install"),
        ("kong", "postgres", "managed"),
        ("plugin", "rock"),
    }
)
"""The keys that select which variant their object is."""


def nested(raw: Mapping[str, Any], stack: type[Part]) -> dict[str, Any]:
    """`raw` with its flat keys inside their part, where the stack has that part."""
    found = deepcopy(dict(raw))
    for part, key in flat_keys_inside(raw):
        del found[part][key]
    for key, part in FLAT_KEYS.items():
        if key not in raw or not field_of(stack, part):
            continue
        value = found.pop(key)
        # A part that is no object is refused itself; its flat keys are known, and wait until it is one.
        if isinstance(found.setdefault(part, {}), dict):
            found[part][key] = value
    return found


def flat_keys_inside(raw: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The flat keys that a stack file has inside their part, where they do not belong."""
    return [(part, key) for key, part in FLAT_KEYS.items() if isinstance(raw.get(part), dict) and key in raw[part]]


def nested_path(path: Path) -> Path:
    """The path in the config of a path in a stack file."""
    return (FLAT_KEYS[str(path[0])], *path) if path[0] in FLAT_KEYS else path


def stack_file_path(path: Path) -> Path:
    """The path in a stack file of a path in the config."""
    return path[1:] if len(path) > 1 and FLAT_KEYS.get(str(path[1])) == path[0] else path


def models_in(annotation: Any) -> tuple[type[Part], ...]:
    """The objects that an annotation such as `AgentConfig` or `AdminApiConfig | None` allows."""
    if isinstance(annotation, type):
        return (annotation,) if issubclass(annotation, Part) else ()
    if get_origin(annotation) in (dict, tuple):
        return ()
    return tuple(dict.fromkeys(model for option in get_args(annotation) for model in models_in(option)))


def field_of(model: type[Part], key: str | int) -> FieldInfo | None:
    """The field with this key in a stack file."""
    return next((field for field in model.model_fields.values() if field.alias == key), None)


def keys_of(model: type[Part]) -> list[str]:
    """The keys that an object of this class may have in a stack file."""
    return [str(field.alias) for field in model.model_fields.values() if field.alias not in FLAT_KEYS]


def _families(model: type[Part] = GatewayStack) -> dict[type[Part], tuple[type[Part], ...]]:
    found: dict[type[Part], tuple[type[Part], ...]] = {}
    if model is GatewayStack:
        found |= dict.fromkeys((GatewayStack, AgentOnlyStack), (GatewayStack, AgentOnlyStack))
    for field in model.model_fields.values():
        variants = models_in(field.annotation)
        found |= dict.fromkeys(variants, variants)
        for variant in variants:
            found |= _families(variant)
    return found


FAMILIES = _families()
"""Every class of the config, with all variants of the part that it is one of."""


def variants_of(model: type[Part]) -> dict[str, Variant]:
    """Which variant the class is, by the key that selects it; its bases may each say one."""
    found: dict[str, Variant] = {}
    for base in reversed(model.__mro__):
        found |= vars(base).get("variants", {})
    return found


def stack_file_fields() -> dict[str, tuple[FieldInfo, ...]]:
    """Every key at the top level of a stack file, with its field in each class that has it."""
    found: dict[str, tuple[FieldInfo, ...]] = {}
    for stack in FAMILIES[GatewayStack]:
        for field in stack.model_fields.values():
            found[str(field.alias)] = (*found.get(str(field.alias), ()), field)
    for key, part in FLAT_KEYS.items():
        above = field_of(GatewayStack, part)
        fields = [field_of(model, key) for model in models_in(above.annotation)] if above else []
        found[key] = tuple(field for field in fields if field)
    return found


def _keys_below(model: type[Part], above: Path = ()) -> Iterator[Path]:
    for field in model.model_fields.values():
        path = (*above, str(field.alias))
        yield stack_file_path(path)
        for inner in models_in(field.annotation):
            yield from _keys_below(inner, path)


KNOWN_KEYS = tuple(dict.fromkeys(_keys_below(GatewayStack)))
"""The path in a stack file of every key, at every level."""


@dataclass(frozen=True)
class InvalidValue:
    """An error that pydantic found in a config.

    `path` is where in the config, `owner` the class of the object that has its last key, None inside a free-form value.
    """

    stack: type[Part]
    owner: type[Part] | None
    path: Path
    detail: ErrorDetails

    @property
    def name(self) -> str:
        return str(self.path[-1])

    @property
    def key(self) -> str:
        """The key as people write it."""
        return path_of(*stack_file_path(self.path))


def invalid_value(stack: type[Part], detail: ErrorDetails) -> InvalidValue:
    """An error of pydantic's with its place in the config."""
    path: list[str | int] = []
    model: type[Part] | None = stack
    owner: type[Part] | None = stack
    parts = iter(detail["loc"])
    for part in parts:
        path.append(part)
        owner = model
        field = field_of(model, part) if model else None
        inner = models_in(field.annotation) if field else ()
        if len(inner) > 1:
            # Behind a part that comes in variants, pydantic names the one that it took.
            tag = next(parts, None)
            inner = tuple(option for option in inner if option.__name__ == tag)
        model = inner[0] if inner else None
    return InvalidValue(stack, owner, tuple(path), detail)
