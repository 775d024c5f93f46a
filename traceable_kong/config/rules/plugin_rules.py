"""The rules about the plugin: what its version supports, and that its rock is downloaded safely."""

import difflib
import hashlib
import re
import shlex
from collections.abc import Iterator
from typing import Any

from traceable_kong.common.commands import config_remove, config_set, config_set_secret
from traceable_kong.common.urls import unsafe_address
from traceable_kong.config.config_problem import Problem, path_of, shown
from traceable_kong.config.plugin_source import LocalPluginConfig, MirrorPluginConfig, PluginConfig
from traceable_kong.config.rule_registry import rule
from traceable_kong.plugin.plugin_options import (
    FURTHER_OPTIONS,
    MODE_SINCE,
    NEWEST_KNOWN,
    OWN_SETTINGS,
    plugin_version,
    text,
)

EMPTY_FILE = hashlib.sha256().hexdigest()


@rule
def async_needs_a_newer_plugin(plugin: PluginConfig, mode: str) -> Iterator[Problem]:
    """async needs plugin 2.1.0 or newer."""
    if mode == "async" and plugin_version(plugin.version) < MODE_SINCE:
        yield Problem(
            "mode",
            f"is async, which the plugin supports since {text(MODE_SINCE)}; with {plugin.version}, Kong "
            "would still ask Traceable about every request",
            f"{config_set('mode', 'sync')}, or set a newer plugin.version",
        )


@rule
def plugin_options_are_known(plugin: PluginConfig, plugin_config: dict[str, Any]) -> Iterator[Problem]:
    """Every option in pluginConfig is one that the plugin's version supports, within its range."""
    version = plugin_version(plugin.version)
    for name, value in plugin_config.items():
        key = path_of("pluginConfig", name)
        option = FURTHER_OPTIONS.get(name)
        if name in OWN_SETTINGS:
            own = OWN_SETTINGS[name]
            yield Problem(
                key, f"is set by {own}, and would be ignored", f"{config_remove(key)}, and set traceable-kong:{own}"
            )
        elif option is None:
            if version <= NEWEST_KNOWN:
                close = difflib.get_close_matches(name[:100], [*FURTHER_OPTIONS, *OWN_SETTINGS], n=1)
                meant = f"; did you mean {close[0]}?" if close else ""
                yield Problem(
                    key,
                    f"is not an option of plugin {plugin.version}: Kong would refuse the whole configuration{meant}",
                    config_remove(key),
                )
        elif version < option.since:
            yield Problem(
                key,
                f"is an option of the plugin since {text(option.since)}: with {plugin.version}, Kong would refuse the "
                "whole configuration",
                f"{config_remove(key)}, or set a newer plugin.version",
            )
        elif isinstance(value, bool) or not isinstance(value, int) or not _within(value, option.lowest, option.highest):
            most = f" to {option.highest}" if option.highest is not None else " or more"
            yield Problem(
                key,
                f"is {shown(value)}, and must be a whole number, {option.lowest}{most}: Kong would refuse the whole "
                "configuration",
                config_set(key, str(option.lowest)),
            )


def _within(value: int, lowest: int, highest: int | None) -> bool:
    return value >= lowest and (highest is None or value <= highest)


@rule
def rock_has_a_digest(plugin: PluginConfig) -> Iterator[Problem]:
    """A rock from the network has a digest."""
    if plugin.sha256 is None and not isinstance(plugin, LocalPluginConfig):
        yield Problem(
            "plugin.sha256",
            "is missing: Kong would run whatever the download returns",
            _set_digest(plugin),
        )


@rule
def digest_is_valid(plugin: PluginConfig) -> Iterator[Problem]:
    """A digest is 64 hexadecimal digits."""
    if plugin.sha256 is not None and not re.fullmatch(r"[0-9a-f]{64}", plugin.sha256):
        yield Problem(
            "plugin.sha256",
            f"is {shown(plugin.sha256)}, which is not a SHA-256 digest (64 digits 0-9 a-f): no rock would match it",
            _set_digest(plugin),
        )
    elif plugin.sha256 == EMPTY_FILE:
        yield Problem(
            "plugin.sha256",
            "is the digest of an empty file, which `curl ... | sha256sum` prints if the download fails: no rock would "
            "match it",
            _set_digest(plugin),
        )


def _set_digest(plugin: PluginConfig) -> str:
    source = shlex.quote(plugin.source)
    command = f"sha256sum {source}" if isinstance(plugin, LocalPluginConfig) else f"curl -fsSL {source} | sha256sum"
    return f"{command}, then {config_set('plugin.sha256', 'DIGEST')}"


@rule
def rock_path_is_not_empty(plugin: LocalPluginConfig) -> Iterator[Problem]:
    """The path of a rock is not empty."""
    if not plugin.rock.strip():
        yield Problem("plugin.rock", "is empty: there would be no rock", config_remove("plugin.rock"))


@rule
def rock_address(plugin: MirrorPluginConfig) -> Iterator[Problem]:
    """A mirror is used over https, and without credentials in the URL."""
    if problem := unsafe_address(plugin.rock, what="change the plugin"):
        header = f", and {config_set_secret('plugin.headers.Authorization')}" if "password" in problem else ""
        yield Problem("plugin.rock", problem, config_set("plugin.rock", "https://HOST/PATH") + header)


@rule
def headers_can_be_sent(plugin: MirrorPluginConfig) -> Iterator[Problem]:
    """A header has a token as its name and printable ASCII as its value (RFC 9110, section 5)."""
    for name, value in plugin.headers.items():
        key = path_of("plugin", "headers", name)
        if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name) or not re.fullmatch(
            r"[!-~]([ -~]*[!-~])?", value.get_secret_value()
        ):
            yield Problem(
                key,
                "cannot be sent as an HTTP header (a line break, a space at an end, or a character outside ASCII)",
                f"{config_set_secret(key)} (it asks for the value)",
            )
