"""Reads the ConfigMap in which the last update of this stack recorded what it deployed.

A user who may write ConfigMaps in the namespace can have written it: its data proves nothing by itself.
"""

from typing import Any

from traceable_kong.cluster.api_objects import config_maps
from traceable_kong.cluster.kubernetes_client import Document
from traceable_kong.plan.model import Plan
from traceable_kong.preflight.cached_reader import CachedReader


def record(reader: CachedReader, plan: Plan) -> Document | None:
    return reader.get(f"{config_maps(plan.record_namespace)}/{plan.record_name}")


def recorded(reader: CachedReader, plan: Plan) -> dict[str, Any]:
    """The data of the record, {} if there is none."""
    return (record(reader, plan) or {}).get("data") or {}
