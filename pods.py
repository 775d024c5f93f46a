"""What a pod's document says of it, and how a workload's pods are asked for. Pure.

Leaves out the asking (kube.py).
"""

from collections.abc import Mapping
from typing import Any


def is_leaving(pod: Mapping[str, Any]) -> bool:
    """True for a pod that is being deleted, or has ended."""
    return "deletionTimestamp" in pod["metadata"] or pod.get("status", {}).get("phase") in ("Succeeded", "Failed")


def is_ready(pod: Mapping[str, Any]) -> bool:
    """True for a pod whose condition Ready is True."""
    conditions = pod.get("status", {}).get("conditions") or []
    return any(item["type"] == "Ready" and item["status"] == "True" for item in conditions)


def selector_text(selector: Mapping[str, Any]) -> str:
    """A LabelSelector as a query parameter."""
    parts = [f"{key}={value}" for key, value in (selector.get("matchLabels") or {}).items()]
    for item in selector.get("matchExpressions") or []:
        values = ",".join(item.get("values") or [])
        said = {"In": f"{item['key']} in ({values})", "NotIn": f"{item['key']} notin ({values})"}
        said |= {"Exists": item["key"], "DoesNotExist": f"!{item['key']}"}
        parts.append(said[item["operator"]])
    return ",".join(parts)
