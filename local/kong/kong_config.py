"""The configuration of a Kong node: properties from its environment, and the files that are mounted.

Based on https://developer.konghq.com/gateway/configuration/ (3.9): a property `x` is the variable KONG_X. Defaults are
those of `kong/templates/kong_defaults.lua`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_ADMIN_LISTEN = "127.0.0.1:8001 reuseport backlog=16384, 127.0.0.1:8444 http2 ssl reuseport backlog=16384"
_PROXY_LISTEN = "0.0.0.0:8000 reuseport backlog=16384, 0.0.0.0:8443 http2 ssl reuseport backlog=16384"
_STATUS_LISTEN = "127.0.0.1:8007 reuseport backlog=16384"
_SECRET = re.compile(r"password|secret|_key$|private|token|portal_auth")
_HIDDEN = "******"

_DATABASE_DEFAULTS: dict[str, object] = {
    "pg_host": "127.0.0.1",
    "pg_port": 5432,
    "pg_database": "kong",
    "pg_user": "kong",
    "pg_timeout": 5000,
    "pg_ssl": False,
    "pg_ssl_verify": False,
    "db_update_frequency": 5,
    "db_update_propagation": 0,
    "db_cache_ttl": 0,
    "worker_consistency": "eventual",
    "worker_state_update_frequency": 5,
}
"""The properties of a node with a database. Each has the type of its default."""


@dataclass(frozen=True, kw_only=True)
class Listener:
    """An address that Kong listens on. `reachable` is False if only the pod itself can reach it."""

    port: int
    tls: bool
    reachable: bool


@dataclass(frozen=True)
class KongConfig:
    """`environment` holds the container's variables, `files` the text of each mounted file by path.

    `enterprise` is True for Kong Gateway Enterprise, which has workspaces and tokens.
    """

    environment: Mapping[str, str]
    files: Mapping[str, str]
    enterprise: bool = False

    def get(self, name: str, default: str = "") -> str:
        return self.environment.get(f"KONG_{name.upper()}", default)

    @property
    def database(self) -> str:
        return self.get("database", "postgres")

    def number(self, name: str) -> float:
        """Returns a numeric property that has a default."""
        return float(self.get(name, str(_DATABASE_DEFAULTS[name])))

    def on(self, name: str) -> bool:
        """Returns a property that is `on` or `off`, by default off."""
        return self.get(name, "off").lower() in ("on", "true", "1", "yes")

    @property
    def plugins(self) -> list[str]:
        """The names in the property `plugins`, in order. `bundled` is not expanded.

        A comma at the end leaves an empty name, which Kong takes for a plugin (`kong/conf_loader/parse.lua`, 3.9).
        """
        names = [name.strip() for name in (self.get("plugins") or "bundled").split(",")]
        return [] if names[:1] == ["off"] else [name for name in names if name != "off"]

    @property
    def admin(self) -> list[Listener]:
        return _listeners(self.get("admin_listen", _ADMIN_LISTEN))

    @property
    def proxy(self) -> list[Listener]:
        return _listeners(self.get("proxy_listen", _PROXY_LISTEN))

    @property
    def status(self) -> list[Listener]:
        return _listeners(self.get("status_listen", _STATUS_LISTEN))

    def module(self, name: str) -> str | None:
        """Returns the source of a Lua module by its dotted name, from the property `lua_package_path`."""
        path = name.replace(".", "/")
        for template in self.get("lua_package_path", "./?.lua;./?/init.lua;").split(";"):
            if template.replace("?", path) in self.files:
                return self.files[template.replace("?", path)]
        return None

    def shown(self) -> dict[str, object]:
        """Returns the properties as in the Admin API's `/`, without secrets."""
        result: dict[str, object] = {
            name.removeprefix("KONG_").lower(): _HIDDEN if _SECRET.search(name.lower()) else value
            for name, value in self.environment.items()
            if name.startswith("KONG_")
        }
        return {
            "router_flavor": "traditional_compatible",
            "role": "traditional",
            **self._shown_database(),
            **{name: value for name, value in result.items() if name not in _DATABASE_DEFAULTS},
            "database": self.database,
            "plugins": self.plugins,
            "admin_listen": [item.strip() for item in self.get("admin_listen", _ADMIN_LISTEN).split(",")],
        }

    def _shown_database(self) -> dict[str, object]:
        if self.database == "off":
            return {}
        return {
            name: self.on(name)
            if isinstance(default, bool)
            else _plain(self.number(name))
            if isinstance(default, int)
            else self.get(name, str(default))
            for name, default in _DATABASE_DEFAULTS.items()
        }


def _plain(number: float) -> float | int:
    return int(number) if number == int(number) else number


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
