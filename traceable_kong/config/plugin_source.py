"""The plugin's LuaRocks package (rock) in the config: from LuaRocks, from a mirror, or a local file."""

from typing import Annotated, ClassVar

from pydantic import BeforeValidator, Discriminator, Field, SecretStr, Tag

from traceable_kong.common.commands import config_set
from traceable_kong.config.config_types import Filled, ObjectName, Part, Text, Variant
from traceable_kong.plugin.plugin_options import LUAROCKS

ROCK_FORM = r"^[0-9]{1,9}\.[0-9]{1,9}\.[0-9]{1,9}-[0-9]{1,9}$"


def _lower(value: object) -> object:
    """Some tools print digests in capitals."""
    return value.strip().lower() if isinstance(value, str) else value


class PluginConfig(Part):
    """The plugin: its rock, and its names."""

    version: Text = Field(default="2.1.2-1", pattern=ROCK_FORM, description="Version of the rock.")
    sha256: Annotated[str | None, BeforeValidator(_lower)] = Field(
        default=None,
        description="SHA-256 digest of the rock, 64 hexadecimal digits. Required unless the rock is a local file.",
    )
    name: ObjectName = Field(
        default="traceable-plugin",
        description="Name of the KongClusterPlugin. Each stack in a cluster needs its own.",
    )
    service_name: Filled = Field(default="kong", description="Name of the service on the Traceable platform.")

    @property
    def source(self) -> str:
        """Where the rock is: a URL, or the path of a file."""
        raise NotImplementedError

    @property
    def request_headers(self) -> dict[str, SecretStr]:
        """HTTP headers for the download."""
        return {}


class LuaRocksPluginConfig(PluginConfig):
    """The program downloads the version from LuaRocks."""

    variants: ClassVar[dict[str, Variant]] = {"rock": Variant("a rock from LuaRocks", "plugin.rock is not set")}

    @property
    def source(self) -> str:
        return LUAROCKS.format(version=self.version)


class _NamedRock(PluginConfig):
    rock: str

    @property
    def source(self) -> str:
        return self.rock


class MirrorPluginConfig(_NamedRock):
    """The program downloads an https URL."""

    variants: ClassVar[dict[str, Variant]] = {
        "rock": Variant("a rock from a mirror", "plugin.rock: URL", config_set("plugin.rock", "https://HOST/PATH"))
    }

    rock: str = Field(
        description="https URL or path of the rock. Unset: LuaRocks.", json_schema_extra={"pattern": "://"}
    )
    headers: dict[str, SecretStr] = Field(default={}, description="HTTP headers for the mirror; secret.")

    @property
    def request_headers(self) -> dict[str, SecretStr]:
        return self.headers


class LocalPluginConfig(_NamedRock):
    """A file on the machine that runs Pulumi. It needs no digest."""

    variants: ClassVar[dict[str, Variant]] = {"rock": Variant("a rock in a local file", "plugin.rock: PATH")}

    rock: str = Field(description="Path of the rock.", json_schema_extra={"not": {"pattern": "://"}})


def plugin_variant(value: object) -> str:
    """The class that a `plugin` object of the stack file belongs to."""
    rock = value.get("rock") if isinstance(value, dict) else None
    if rock is None:
        return LuaRocksPluginConfig.__name__
    return (MirrorPluginConfig if "://" in str(rock) else LocalPluginConfig).__name__


AnyPluginConfig = Annotated[
    Annotated[LuaRocksPluginConfig, Tag("LuaRocksPluginConfig")]
    | Annotated[MirrorPluginConfig, Tag("MirrorPluginConfig")]
    | Annotated[LocalPluginConfig, Tag("LocalPluginConfig")],
    Discriminator(plugin_variant),
]
