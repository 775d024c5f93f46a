"""Loads a plugin's `handler.lua` and `schema.lua` in a sandbox and converts their tables to Python values.

Lua is real (LuaJIT, embedded by the library lupa). sandbox.lua defines what the files can access. Only the main chunk
of the files and the validators of the schema are executed.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lupa import luajit21

SANDBOX = Path(__file__).with_name("sandbox.lua")
MAX_INSTRUCTIONS = 5_000_000
MAX_DEPTH = 40


class PluginFileError(Exception):
    """A file of a plugin cannot be loaded. The message is Lua's."""


@dataclass(frozen=True, kw_only=True)
class LoadedPlugin:
    """A loaded plugin. `fields` is `{name: definition}` of its schema, `config` the definition of its options."""

    name: str
    version: str
    priority: int
    fields: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Any] | None = None
    """None for the plugins that are bundled with Kong, whose options are not known: any option is accepted."""


NULL = object()
"""`ngx.null` in a schema: with `eq = ngx.null`, a field must be empty."""


def load_plugin(name: str, read_module: Callable[[str], str | None]) -> LoadedPlugin:
    """Loads `kong.plugins.<name>`. Raises PluginFileError with Kong's message.

    `read_module` returns the source of a Lua module by its dotted name, or None. Checks and messages are those of
    Kong's `kong/db/dao/plugins.lua` and `kong/db/schema/plugin_loader.lua` (3.9).
    """
    modules = _Modules(read_module)
    handler_module = f"kong.plugins.{name}.handler"
    if read_module(handler_module) is None:
        missing = f"module '{handler_module}' not found"
        raise PluginFileError(f"{name} plugin is enabled but not installed;\n{missing}")
    handler = modules.load(handler_module)
    if not isinstance(handler, dict):
        raise PluginFileError(f"the handler of plugin '{name}' is not a table")
    priority, version = handler.get("PRIORITY"), handler.get("VERSION")
    if isinstance(priority, bool) or not isinstance(priority, int | float) or priority != int(priority):
        raise PluginFileError(
            f'Plugin "{name}" cannot be loaded because its PRIORITY field is not a valid integer number, '
            f'got: "{_lua_text(priority)}".\n'
        )
    if not isinstance(version, str) or not _is_version(version):
        raise PluginFileError(
            f'Plugin "{name}" cannot be loaded because its VERSION field does not follow the "x.y.z" format, '
            f'got: "{_lua_text(version)}".\n'
        )
    if read_module(f"kong.plugins.{name}.schema") is None:
        raise PluginFileError(f"no configuration schema found for plugin: {name}")
    schema = modules.load(f"kong.plugins.{name}.schema")
    if not isinstance(schema, dict) or not isinstance(schema.get("fields"), list):
        raise PluginFileError("schema violation (fields: required field missing)")
    fields = {name: _with_required_records(definition) for name, definition in named(schema["fields"]).items()}
    config = fields.get("config", {})
    return LoadedPlugin(name=name, version=version, priority=int(priority), fields=fields, config=config)


def _with_required_records(field: Any) -> Any:
    """Makes records in records required if their schema does not say otherwise (`kong/db/schema/entity.lua`)."""
    if not isinstance(field, dict) or field.get("type") != "record":
        return field
    inner = [
        {name: _with_required_records(definition) for name, definition in entry.items()}
        for entry in field.get("fields") or []
    ]
    return {"required": True, **field, "fields": inner}


def named(fields: Any) -> dict[str, Any]:
    """Returns `{name: definition}` of a schema's list of one-entry tables."""
    return {str(key): value for entry in fields or [] if isinstance(entry, dict) for key, value in entry.items()}


class _Modules:
    """The Lua state in which the files of one plugin are loaded."""

    def __init__(self, read_module: Callable[[str], str | None]) -> None:
        self._lua: Any = luajit21.LuaRuntime(
            unpack_returned_tuples=True,
            register_eval=False,
            register_builtins=False,
            attribute_filter=_no_attributes,
        )
        self._lua.execute("jit.off()")  # The instruction limit has no effect on compiled code.
        start = self._lua.execute("return function(text, ...) return assert(loadstring(text, '@sandbox'))(...) end")
        try:
            self._limited, self._require, self._null = start(SANDBOX.read_text(), read_module, MAX_INSTRUCTIONS)
        except luajit21.LuaError as problem:
            raise PluginFileError(_first_line(problem)) from problem

    def load(self, module: str) -> Any:
        """Returns the module's value in Python. Functions become callables on Python values."""
        try:
            return self._to_python(self._limited(self._require, module))
        except luajit21.LuaError as problem:
            raise PluginFileError(_first_line(problem)) from problem

    def _to_python(self, value: Any, depth: int = 0) -> Any:
        kind = luajit21.lua_type(value)
        if kind == "function":
            return self._callable(value)
        if kind != "table":
            return value
        if self._lua.globals().rawequal(value, self._null):
            return NULL
        if depth > MAX_DEPTH:
            raise PluginFileError("a table is nested too deeply")
        entries = {key: self._to_python(item, depth + 1) for key, item in value.items()}
        if entries and all(isinstance(key, int) for key in entries):
            return [entries[key] for key in sorted(entries)]
        return entries

    def _callable(self, function: Any) -> Callable[[Any], tuple[bool, str | None]]:
        def call(value: Any) -> tuple[bool, str | None]:
            try:
                answer = self._limited(function, self._to_lua(value))
            except luajit21.LuaError as problem:
                return False, _first_line(problem)
            first, message = answer if isinstance(answer, tuple) else (answer, None)
            return bool(first), None if message is None else str(message)

        return call

    def _to_lua(self, value: Any) -> Any:
        if value is None:
            return self._null
        if isinstance(value, dict):
            return self._lua.table_from({key: self._to_lua(item) for key, item in value.items()})
        if isinstance(value, list):
            return self._lua.table_from([self._to_lua(item) for item in value])
        return value


def _no_attributes(target: object, name: object, setting: bool) -> object:
    raise AttributeError("a plugin's file cannot access the platform")


def _first_line(problem: Exception) -> str:
    return str(problem).split("\nstack traceback:")[0]


def _is_version(text: str) -> bool:
    parts = text.split(".")
    return len(parts) == 3 and all(part.isdigit() for part in parts)


def _lua_text(value: Any) -> str:
    return "nil" if value is None else str(value) if isinstance(value, str) else json.dumps(value, default=str)
