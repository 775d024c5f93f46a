"""Kong's two variables that list what it loads: our words in them, and without them again. Pure.

Facts of Kong's configuration: KONG_PLUGINS is separated by commas, KONG_LUA_PACKAGE_PATH by semicolons
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
class Variable:
    """A variable that we wrote: its text `before` (None: it was not there) and `after`, and the `words` we added."""

    before: str | None
    after: str
    words: tuple[str, ...]


def variable_in(container: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    """A container's variable, as it stands in its env; of two of one name the last one counts."""
    return next((item for item in reversed(container.get("env") or []) if item["name"] == name), None)


def words_in(variable: Mapping[str, Any] | None, name: str) -> list[str]:
    """The words in what `variable_in()` gave."""
    return [word.strip() for word in str((variable or {}).get("value") or "").split(SEPARATORS[name])]


def with_files_first(value: str) -> str | None:
    """A package path in which the plugin's files come first; None where they do, or are not in it."""
    words = [word.strip() for word in value.split(SEPARATORS[PACKAGE_PATH])]
    if LUA_PATH not in words or words[0] == LUA_PATH:
        return None
    return SEPARATORS[PACKAGE_PATH].join([LUA_PATH, *(word for word in words if word != LUA_PATH)])


def write(container: dict[str, Any], name: str, words: tuple[str, ...]) -> Variable | None:
    """Adds words to a variable; None where they all are there."""
    found = variable_in(container, name)
    before = None if found is None else str(found.get("value") or "")
    have = [word for word in words_in(found, name) if word]
    missing = tuple(word for word in words if word not in have)
    if not missing:
        return None
    if name == PLUGINS:
        # `off` is no plugin, but the word for none.
        after = ",".join([*([before] if have not in ([], ["off"]) and before else []), *missing])
        after = f"bundled,{after}" if not have else after
    else:
        # The empty entry at the end stands for Lua's own path.
        after = f"{LUA_PATH};{before or ';'}"
    if found is None:
        container["env"] = [*(container.get("env") or []), {"name": name, "value": after}]
    else:
        found["value"] = after
    return Variable(before=before, after=after, words=missing)


def restore(container: dict[str, Any], name: str, ours: Variable) -> None:
    """Takes our words out of a variable: it is as it was, or as its owner has it since, without them."""
    found = variable_in(container, name)
    if found is None or found.get("valueFrom"):
        return
    now = str(found.get("value") or "")
    left = ours.before
    if now != ours.after:
        separator = SEPARATORS[name]
        words = now.split(separator)
        for word in ours.words:
            at = next((index for index, item in enumerate(words) if item.strip() == word), None)
            if at is not None:
                del words[at]
        left = separator.join(words) if any(item.strip() for item in words) else None
    if left is None:
        keep(container, "env", lambda item: item is not found)
    elif left:
        found["value"] = left
    else:
        # As the API server writes a variable of nothing.
        found.pop("value", None)


def keep(holder: dict[str, Any], key: str, wanted: Callable[[dict[str, Any]], bool]) -> None:
    """Filters a list; one that is empty then goes, as the API server has it."""
    kept = [item for item in holder.get(key) or [] if wanted(item)]
    if kept:
        holder[key] = kept
    else:
        holder.pop(key, None)
