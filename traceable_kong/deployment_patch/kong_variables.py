"""The two Kong variables that list what Kong loads, and this stack's entries in them.

KONG_PLUGINS is separated by commas, KONG_LUA_PACKAGE_PATH by semicolons
(https://developer.konghq.com/gateway/configuration/).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from traceable_kong.plugin.config_maps import LUA_PATH

PLUGINS = "KONG_PLUGINS"
PACKAGE_PATH = "KONG_LUA_PACKAGE_PATH"
SEPARATORS = {PLUGINS: ",", PACKAGE_PATH: ";"}


@dataclass(frozen=True, kw_only=True)
class PatchedVariable:
    """A variable to which this stack added `entries`; `before` is None where it did not exist."""

    before: str | None
    after: str
    entries: tuple[str, ...]


def variable_in(container: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    """The item of a container's `env` that sets the variable: the last one of that name."""
    return next((item for item in reversed(container.get("env") or []) if item["name"] == name), None)


def entries_of(variable: Mapping[str, Any] | None, name: str) -> list[str]:
    """The entries in what `variable_in()` returned."""
    return split_entries(str((variable or {}).get("value") or ""), name)


def split_entries(value: str, name: str) -> list[str]:
    """The entries in the value of a variable."""
    return [entry.strip() for entry in value.split(SEPARATORS[name])]


def with_files_first(value: str) -> str | None:
    """A package path in which the plugin's files come first; None where they already do, or are not in it."""
    entries = split_entries(value, PACKAGE_PATH)
    if LUA_PATH not in entries or entries[0] == LUA_PATH:
        return None
    return SEPARATORS[PACKAGE_PATH].join([LUA_PATH, *(entry for entry in entries if entry != LUA_PATH)])


def add_entries(container: dict[str, Any], name: str, entries: tuple[str, ...]) -> PatchedVariable | None:
    """Adds entries to a variable, in place; returns None where it has them all."""
    found = variable_in(container, name)
    before = None if found is None else str(found.get("value") or "")
    existing = [entry for entry in entries_of(found, name) if entry]
    missing = tuple(entry for entry in entries if entry not in existing)
    if not missing:
        return None
    if name == PLUGINS:
        # `off` is not a plugin: it means that there are none.
        after = ",".join([*([before] if existing not in ([], ["off"]) and before else []), *missing])
        after = f"bundled,{after}" if not existing else after
    else:
        # The empty entry at the end is Lua's default path.
        after = f"{LUA_PATH};{before or ';'}"
    if found is None:
        container["env"] = [*(container.get("env") or []), {"name": name, "value": after}]
    else:
        found["value"] = after
    return PatchedVariable(before=before, after=after, entries=missing)


def remove_entries(container: dict[str, Any], name: str, patched: PatchedVariable) -> None:
    """Removes this stack's entries from a variable, in place; later changes of its owner stay."""
    found = variable_in(container, name)
    if found is None or found.get("valueFrom"):
        return
    now = str(found.get("value") or "")
    left = patched.before
    if now != patched.after:
        separator = SEPARATORS[name]
        entries = now.split(separator)
        for entry in patched.entries:
            at = next((index for index, item in enumerate(entries) if item.strip() == entry), None)
            if at is not None:
                del entries[at]
        left = separator.join(entries) if any(item.strip() for item in entries) else None
    if left is None:
        filter_list(container, "env", lambda item: item is not found)
    elif left:
        found["value"] = left
    else:
        # The API server stores a variable without a value like this.
        found.pop("value", None)


def filter_list(holder: dict[str, Any], key: str, wanted: Callable[[dict[str, Any]], bool]) -> None:
    """Filters a list in place; an empty one is removed, as the API server stores it."""
    kept = [item for item in holder.get(key) or [] if wanted(item)]
    if kept:
        holder[key] = kept
    else:
        holder.pop(key, None)
