"""What a pod's document says of it, and how a workload's pods are asked for. Pure."""

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


def selected(selector: Mapping[str, Any], have: Mapping[str, str]) -> bool:
    """Whether a label selector selects an object with these labels; an empty one selects all.

    Source: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#resources-that-support-set-based-requirements.
    """
    if any(have.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    for expression in selector.get("matchExpressions") or []:
        value, values = have.get(expression["key"]), expression.get("values") or []
        holds = {
            "In": value in values,
            "NotIn": value not in values,
            "Exists": value is not None,
            "DoesNotExist": value is None,
        }
        if not holds.get(expression["operator"], True):
            return False
    return True


def variables(container: Mapping[str, Any]) -> dict[str, str | None]:
    """The variables of a container's `env`, None for a value from elsewhere (valueFrom)."""
    return {
        item["name"]: None if item.get("valueFrom") else str(item.get("value", ""))
        for item in container.get("env") or []
    }
