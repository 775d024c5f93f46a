"""The rules about the plugin: what its version knows, where the rock comes from, and what is sent to get it."""

import difflib
import re
import shlex
from collections.abc import Iterator

from pydantic import SecretStr

from traceable_kong.common.urls import unsafe_address
from traceable_kong.config.config_problem import (
    Problem,
    config_remove,
    config_set,
    config_set_secret,
    path_of,
    rule,
    shown,
)
from traceable_kong.config.stack_config import StackConfig
from traceable_kong.plugin.plugin_options import (
    FURTHER_OPTIONS,
    LUAROCKS,
    MODE_SINCE,
    NEWEST_KNOWN,
    OWN_SETTINGS,
    plugin_version,
    text,
)


@rule
def async_needs_a_rock_that_knows_it(settings: StackConfig) -> Iterator[Problem]:
    """async came with 2.1.0."""
    if settings.mode == "async" and plugin_version(settings.plugin.version) < MODE_SINCE:
        yield Problem(
            "mode",
            f"is async, which the plugin knows since {text(MODE_SINCE)}; {settings.plugin.version} would go on asking "
            "for every request",
            f"{config_set('mode', 'sync')}, or a newer plugin.version",
        )


@rule
def further_options_are_known(settings: StackConfig) -> Iterator[Problem]:
    """Every option of pluginConfig against the version that brought it, and its range."""
    version = plugin_version(settings.plugin.version)
    for name, value in settings.plugin_config.items():
        key = path_of("pluginConfig", name)
        option = FURTHER_OPTIONS.get(name)
        if name in OWN_SETTINGS:
            own = OWN_SETTINGS[name]
            yield Problem(key, f"follows from {own}, so this would be ignored", f"set traceable-kong:{own} instead")
        elif _holds_a_secret(value):
            yield Problem(
                key,
                "is secret, and everybody sees it who may read the KongClusterPlugin and the record",
                f"{config_set(key, 'VALUE')} (without --secret), or {config_remove(key)}",
            )
        elif option is None:
            if version <= NEWEST_KNOWN:
                close = difflib.get_close_matches(name[:100], [*FURTHER_OPTIONS, *OWN_SETTINGS], n=1)
                meant = f"; did you mean {close[0]}?" if close else ""
                yield Problem(
                    key,
                    f"is no option of the plugin {settings.plugin.version}: Kong would refuse the whole configuration"
                    f"{meant}",
                    config_remove(key),
                )
        elif version < option.since:
            yield Problem(
                key,
                f"is known to the plugin since {text(option.since)}; with {settings.plugin.version} Kong would refuse "
                "the whole configuration",
                f"{config_remove(key)}, or a newer plugin.version",
            )
        elif isinstance(value, bool) or not isinstance(value, int) or not _within(value, option.lowest, option.highest):
            most = f" to {option.highest}" if option.highest is not None else " or more"
            yield Problem(
                key,
                f"is {shown(value)}, and must be a whole number, {option.lowest}{most}: Kong would refuse the whole "
                "configuration",
                config_set(key, str(option.lowest)),
            )


def _holds_a_secret(value: object) -> bool:
    if isinstance(value, dict):
        return any(map(_holds_a_secret, value.values()))
    if isinstance(value, list):
        return any(map(_holds_a_secret, value))
    return isinstance(value, SecretStr)


def _within(value: int, lowest: int, highest: int | None) -> bool:
    return value >= lowest and (highest is None or value <= highest)


def rock_is_local(settings: StackConfig) -> bool:
    """True where the rock is a file, which nobody on the way could have changed."""
    return settings.plugin.rock is not None and "://" not in settings.plugin.rock


@rule
def rock_has_a_digest(settings: StackConfig) -> Iterator[Problem]:
    """A rock from the network needs its digest."""
    if settings.plugin.sha256 is None and not rock_is_local(settings):
        address = settings.plugin.rock or LUAROCKS.format(version=settings.plugin.version)
        yield Problem(
            "plugin.sha256",
            "is missing: whatever the network gave would run inside Kong",
            f"curl -fsSL {shlex.quote(address)} | sha256sum, then {config_set('plugin.sha256', 'DIGEST')}",
        )


@rule
def digest_is_one(settings: StackConfig) -> Iterator[Problem]:
    """A digest is 64 hexadecimal digits; a placeholder is none."""
    given = settings.plugin.sha256
    if given is not None and not re.fullmatch(r"[0-9a-f]{64}", given):
        address = settings.plugin.rock or LUAROCKS.format(version=settings.plugin.version)
        address = shlex.quote(address)
        command = f"sha256sum {address}" if rock_is_local(settings) else f"curl -fsSL {address} | sha256sum"
        yield Problem(
            "plugin.sha256",
            f"is {shown(given)}, which is not a SHA-256 digest (64 digits 0-9 a-f): no rock could be told from another",
            f"{command}, then {config_set('plugin.sha256', 'DIGEST')}",
        )


@rule
def rock_address(settings: StackConfig) -> Iterator[Problem]:
    """Only https from the network, and without a password in the address."""
    rock = settings.plugin.rock
    if rock is None:
        return
    mend = config_set("plugin.rock", "https://HOST/PATH")
    if not rock.strip():
        yield Problem("plugin.rock", "is empty: there is no rock", config_remove("plugin.rock"))
    elif "://" in rock and (wrong := unsafe_address(rock, what="change the plugin")):
        header = f", and {config_set_secret('plugin.headers.Authorization')}"
        yield Problem("plugin.rock", wrong, mend + (header if "password" in wrong else ""))


@rule
def headers_can_be_sent(settings: StackConfig) -> Iterator[Problem]:
    """A header has a token for a name and printable ASCII for a value (RFC 9110, section 5), and belongs to a URL."""
    for name, value in settings.plugin.headers.items():
        key = path_of("plugin", "headers", name)
        if settings.plugin.rock is None or rock_is_local(settings):
            yield Problem(
                key,
                "is for a mirror, and plugin.rock is not an https URL: it would be ignored",
                config_remove(key),
            )
        elif not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name) or not re.fullmatch(
            r"[!-~]([ -~]*[!-~])?", value.get_secret_value()
        ):
            yield Problem(
                key,
                "cannot be sent as an HTTP header (a line break, a space at an end, or a letter beyond ASCII)",
                f"{config_set_secret(key)} (it asks for the value)",
            )
