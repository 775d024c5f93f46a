"""Where Kong's Admin API listens inside a pod, from the pod's own settings. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from traceable_kong.common.safe_text import PlainError


class AdminError(PlainError):
    """Kong did not say or do what was asked; the text is for the person at the terminal."""


class Unavailable(AdminError):
    """Nobody answers there, which may be so for a moment only; the text says what was tried."""


@dataclass(frozen=True)
class Listener:
    """A port inside a pod."""

    port: int
    tls: bool


def environment(container: Mapping[str, Any]) -> dict[str, str | None]:
    """`{name: value}` of a container's own variables; None where the value stands elsewhere (`valueFrom`)."""
    return {item["name"]: item.get("value") for item in container.get("env") or []}


def admin_listener(container: Mapping[str, Any]) -> Listener:
    """Where the Admin API listens, from KONG_ADMIN_LISTEN. Raises Silent where it does not.

    The form is `address:port [flags], ...`, or `off` (https://developer.konghq.com/gateway/configuration/).
    """
    variables = environment(container)
    # Kong's own default, where the variable is not set.
    listen = variables.get("KONG_ADMIN_LISTEN", "127.0.0.1:8001, 127.0.0.1:8444 http2 ssl")
    if listen is None:
        raise Unavailable("KONG_ADMIN_LISTEN comes from elsewhere (valueFrom), so it cannot be told where to ask")
    for entry in listen.split(","):
        found = re.match(r"\s*(?:\[[^\]]*\]|[^\s:\[]+):(\d+)(.*)$", entry)
        if found:
            return Listener(port=int(found[1]), tls="ssl" in found[2].split())
    raise Unavailable(f"KONG_ADMIN_LISTEN is {listen!r}: the Admin API has no port that could be asked")
