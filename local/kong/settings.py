"""What a Kong node is told: the properties in its environment, and the files that are mounted into it.

After https://developer.konghq.com/gateway/configuration/ (3.9): a property `x` is the variable KONG_X. Leaves out
everything about traffic.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_ADMIN_LISTEN = "127.0.0.1:8001 reuseport backlog=16384, 127.0.0.1:8444 http2 ssl reuseport backlog=16384"
_STATUS_LISTEN = "127.0.0.1:8007 reuseport backlog=16384"
_SECRET = re.compile(r"password|secret|_key$|private|token|portal_auth")
_HIDDEN = "******"


@dataclass(frozen=True, kw_only=True)
class Listener:
    """One address that Kong listens on; `reachable` False where it is the pod's own loopback only."""

    port: int
    tls: bool
    reachable: bool


@dataclass(frozen=True)
class Settings:
    """`environment` holds the container's variables, `files` the text of each mounted file by its path."""

    environment: Mapping[str, str]
    files: Mapping[str, str]

    def get(self, name: str, default: str = "") -> str:
        return self.environment.get(f"KONG_{name.upper()}", default)

    @property
    def database(self) -> str:
        return self.get("database", "postgres")

    @property
    def plugins(self) -> list[str]:
        """The names in the property `plugins`, in order; `bundled` is one of them where it is written there."""
        names = [name.strip() for name in self.get("plugins", "bundled").split(",")]
        return [] if names[:1] == ["off"] else [name for name in names if name and name != "off"]

    @property
    def admin(self) -> list[Listener]:
        return _listeners(self.get("admin_listen", _ADMIN_LISTEN))

    @property
    def status(self) -> list[Listener]:
        return _listeners(self.get("status_listen", _STATUS_LISTEN))

    def module(self, name: str) -> str | None:
        """The source of a Lua module by its dotted name, looked for along the property `lua_package_path`."""
        path = name.replace(".", "/")
        for template in self.get("lua_package_path", "./?.lua;./?/init.lua;").split(";"):
            if template.replace("?", path) in self.files:
                return self.files[template.replace("?", path)]
        return None

    def shown(self) -> dict[str, object]:
        """The properties as the Admin API's `/` shows them, without secrets."""
        result: dict[str, object] = {
            name.removeprefix("KONG_").lower(): _HIDDEN if _SECRET.search(name.lower()) else value
            for name, value in self.environment.items()
            if name.startswith("KONG_")
        }
        return {
            "router_flavor": "traditional_compatible",
            "role": "traditional",
            **result,
            "database": self.database,
            "plugins": self.plugins,
            "admin_listen": [item.strip() for item in self.get("admin_listen", _ADMIN_LISTEN).split(",")],
        }


def _listeners(text: str) -> list[Listener]:
    found: dict[int, Listener] = {}
    for entry in text.split(","):
        words = entry.split()
        if not words or words[0] == "off":
            continue
        host, _, port = words[0].rpartition(":")
        reachable = host.strip("[]") not in ("127.0.0.1", "::1", "localhost")
        known = found.get(int(port))
        found[int(port)] = Listener(
            port=int(port), tls="ssl" in words[1:], reachable=reachable or bool(known and known.reachable)
        )
    return list(found.values())
