"""A reference to a value in a Kubernetes Secret."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class SecretKey:
    """The key `key` of the Secret `name`; the namespace follows from who uses it."""

    name: str
    key: str
