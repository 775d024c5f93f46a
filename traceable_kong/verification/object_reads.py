"""Reads an object for the verification: the object, or which permission is missing to read it."""

from dataclasses import dataclass
from typing import Any

from traceable_kong.cluster.kubernetes_client import ApiError, KubernetesClient

Document = dict[str, Any]


@dataclass(frozen=True)
class Unreadable:
    """An object that may not be read; `reason` names it and the missing permission."""

    reason: str


ObservedObject = Document | Unreadable | None
"""An object, None if it does not exist."""


def read(api: KubernetesClient, kind: str, path: str) -> ObservedObject:
    """The object of a `kind` at a path. Raises ApiError or Unreachable."""
    try:
        return api.get(path)
    except ApiError as problem:
        if problem.status != 403:
            raise
    parts = path.strip("/").split("/")
    resource, name = parts[-2:]
    group = f".{parts[1]}" if parts[0] == "apis" else ""
    where = f" in namespace {parts[3]}" if parts[2] == "namespaces" and len(parts) > 4 else ""
    return Unreadable(f"{kind} {name}: the permission to get {resource}{group}{where} is missing")
