"""The `config` of the plugin."""

from collections.abc import Mapping
from typing import Any

from traceable_kong.common.nested_data import Values
from traceable_kong.plugin.plugin_options import MODE_SINCE, plugin_version

PLUGIN = "traceable"
"""The plugin's name in Kong, which is its directory in the rock."""


def plugin_config(
    user_config: Mapping[str, Any],
    *,
    endpoint: str,
    mode: str,
    buffer_request_body: bool,
    fail_open: bool,
    timeout_ms: int,
    service_name: str,
    rock_version: str,
) -> Values:
    """The options of this stack and the user's further options.

    A rock before 2.1.0 does not know `mode` and `buffer_request_body`, and Kong rejects unknown options, so they are
    omitted for it.
    """
    config: Values = {
        "ext_cap_endpoint": endpoint,
        "allow_on_failure": fail_open,
        "timeout": timeout_ms,
        "service_name": service_name,
    }
    if plugin_version(rock_version) >= MODE_SINCE:
        config |= {"mode": mode, "buffer_request_body": buffer_request_body}
    return {**user_config, **config}
