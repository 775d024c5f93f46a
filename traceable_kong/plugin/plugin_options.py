"""The options of the `traceable` plugin by version: Kong rejects an option that a rock does not know.

Sources: the plugin's page in Kong's plugin hub (https://developer.konghq.com/plugins/harness-waap/) and Traceable's
manual (https://docs.traceable.ai/docs/kong).
"""

import re
from dataclasses import dataclass

Version = tuple[int, int, int]

LUAROCKS = "https://luarocks.org/manifests/traceableai/kong-plugin-traceable-{version}.src.rock"
"""The address in Kong's guide (https://developer.konghq.com/plugins/harness-ai-firewall/)."""

TRACEABLE_PLUGINS = frozenset({"traceable", "traceable-ai-extension"})
"""All plugins that a version of the rock contains."""

MODE_SINCE: Version = (2, 1, 0)
"""The version that added `mode` and `buffer_request_body`, and with them async."""

NEWEST_KNOWN: Version = (2, 4, 0)
"""The newest version whose options are listed here; newer ones may have more."""


@dataclass(frozen=True, kw_only=True)
class Option:
    """A further option: a whole number in a range."""

    since: Version
    lowest: int
    highest: int | None


_LARGEST_NUMBER = 2**53 - 1
"""The largest whole number that Kong's Lua and JSON keep exactly."""

FURTHER_OPTIONS = {
    "max_body_size_bytes": Option(since=(2, 2, 2), lowest=1, highest=_LARGEST_NUMBER),
    "export_max_senders": Option(since=(2, 4, 0), lowest=1, highest=1024),
}

OWN_SETTINGS = {
    "ext_cap_endpoint": "mode",
    "mode": "mode",
    "buffer_request_body": "bufferRequestBody",
    "allow_on_failure": "failMode",
    "timeout": "timeoutMs",
    "service_name": "plugin.serviceName",
}
"""`{option: key of the stack config}` for options with a key of their own."""

ROCK_VERSION = re.compile(r"([0-9]{1,9})\.([0-9]{1,9})\.([0-9]{1,9})-([0-9]{1,9})")
"""The version of a rock: the plugin's version and the revision of the rock (LuaRocks, rockspec format)."""


def plugin_version(rock_version: str) -> Version:
    """`2.1.2-1` -> (2, 1, 2). Raises ValueError for a text that is not the version of a rock."""
    found = ROCK_VERSION.fullmatch(rock_version)
    if not found:
        raise ValueError(f"{rock_version!r} is not the version of a rock")
    return int(found[1]), int(found[2]), int(found[3])


def text(version: Version) -> str:
    """(2, 1, 0) -> `2.1.0`."""
    return ".".join(str(part) for part in version)
