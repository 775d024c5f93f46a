"""Types of single values, and the small objects that several parts of the config have in common."""

import re
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

DNS_LABEL = r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"
"""Names of namespaces and releases (https://kubernetes.io/docs/concepts/overview/working-with-objects/names/)."""

DNS_SUBDOMAIN = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
"""Names of Secrets, Deployments and ingress classes; at most 253 characters."""

SECRET_KEY = r"^\.?[-_a-zA-Z0-9][-._a-zA-Z0-9]*$"
"""Keys of a Secret, which become file names (https://kubernetes.io/docs/concepts/configuration/secret/).
"""

LONGEST_NAME = 253

NOT_EMPTY = r"\S"


def boolean(value: object) -> object:
    """`pulumi config set` writes text."""
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


def _fixed_boolean(value: object) -> object:
    """As `boolean`; a number stays different from the boolean that Python takes it for."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else boolean(value)


def _whole_number(value: object) -> object:
    """`pulumi config set` writes text; a number in JSON may come as 403.0."""
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,18}", value):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _text(value: object) -> object:
    """A version or a message can look like a number or a boolean in YAML."""
    return str(value) if isinstance(value, float) else _word(value)


def _word(value: object) -> object:
    """`pulumi config set --path` writes a word like 123 or true as a number or a boolean."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int) else value


Switch = Annotated[bool, Field(strict=True), BeforeValidator(boolean)]
AlwaysTrue = Annotated[Literal[True], BeforeValidator(_fixed_boolean)]
AlwaysFalse = Annotated[Literal[False], BeforeValidator(_fixed_boolean)]
WholeNumber = BeforeValidator(_whole_number)
Number = Annotated[int, Field(strict=True), WholeNumber]
Text = Annotated[str, BeforeValidator(_text)]
Word = BeforeValidator(_word)
FilledText = Annotated[str, Field(pattern=NOT_EMPTY), BeforeValidator(_text)]
Filled = Annotated[str, Field(pattern=NOT_EMPTY), Word]
Name = Annotated[str, Field(pattern=DNS_LABEL), Word]
ObjectName = Annotated[str, Field(pattern=DNS_SUBDOMAIN, max_length=LONGEST_NAME), Word]
SecretKeyName = Annotated[str, Field(pattern=SECRET_KEY, max_length=LONGEST_NAME), Word]
Seconds = Annotated[int, Field(strict=True, ge=1, le=86_400), WholeNumber]
Values = dict[str, Any]


@dataclass(frozen=True)
class Variant:
    """One of the kinds that a part of the config can be, as messages and pages name it.

    `setting` is what selects it. `switch` is a command that selects it, if it is a useful fix for a stack file that has
    a key of this variant.
    """

    name: str
    setting: str
    switch: str = ""

    def __str__(self) -> str:
        return f"{self.name} ({self.setting})"


class Part(BaseModel):
    """An object of the config. Keys that it does not have are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=True)

    variants: ClassVar[dict[str, Variant]] = {}
    """Which variant the class is, by the key that selects it; empty where there is only one."""


class SecretReference(Part):
    """A key of a Secret that exists."""

    name: ObjectName = Field(description="Name of the Secret.")
    key: SecretKeyName = Field(description="Key in the Secret.")


class ChartConfig(Part):
    """A Helm chart: by name and version from a repository, or in a local folder or archive."""

    repository: Filled | None = Field(default=None, description="URL of the chart repository.")
    name: Filled | None = Field(default=None, description="Name of the chart, or its whole `oci://` address.")
    version: Text | None = Field(default=None, description="Version of the chart.")
    path: Filled | None = Field(default=None, description="A folder or archive, instead of the other three.")


def chart_of(repository: str, name: str) -> BeforeValidator:
    """Fills in repository and name where only another version of the same chart is given."""

    def filled(value: object) -> object:
        if isinstance(value, dict) and not value.keys() & {"repository", "name", "path"}:
            return {**value, "repository": repository, "name": name}
        return value

    return BeforeValidator(filled)


def is_set(value: object, key: str) -> bool:
    """Whether an object of the stack file has this key with a value."""
    return isinstance(value, dict) and value.get(key) is not None


def is_switched(value: object, key: str, to: bool) -> bool:
    """Whether an object of the stack file has this switch, in this position."""
    return isinstance(value, dict) and boolean(value.get(key)) is to
