"""Reads pods and label selectors."""

from collections.abc import Mapping
from typing import Any

from traceable_kong.cluster.api_objects import Reader, pods
from traceable_kong.cluster.kubernetes_client import Document


def is_terminating(pod: Mapping[str, Any]) -> bool:
    """True for a pod that is being deleted or has ended."""
    return "deletionTimestamp" in pod["metadata"] or pod.get("status", {}).get("phase") in ("Succeeded", "Failed")


def is_ready(pod: Mapping[str, Any]) -> bool:
    """True for a pod with the condition Ready."""
    conditions = pod.get("status", {}).get("conditions") or []
    return any(item["type"] == "Ready" and item["status"] == "True" for item in conditions)


def serves(pod: Mapping[str, Any]) -> bool:
    """True for a pod that is ready and not terminating."""
    return is_ready(pod) and not is_terminating(pod)


def pods_behind(reader: Reader, namespace: str, service: Mapping[str, Any]) -> list[Document]:
    """The pods that a Service selects, terminating ones too; a Service without a selector has none.

    Source: https://kubernetes.io/docs/concepts/services-networking/service/#services-without-selectors.
    """
    labels = (service.get("spec") or {}).get("selector")
    if not labels:
        return []
    return reader.list(pods(namespace), labelSelector=selector_text({"matchLabels": labels}))


def selector_text(selector: Mapping[str, Any]) -> str:
    """A LabelSelector as the query parameter `labelSelector`."""
    parts = [f"{key}={value}" for key, value in (selector.get("matchLabels") or {}).items()]
    for item in selector.get("matchExpressions") or []:
        values = ",".join(item.get("values") or [])
        text = {"In": f"{item['key']} in ({values})", "NotIn": f"{item['key']} notin ({values})"}
        text |= {"Exists": item["key"], "DoesNotExist": f"!{item['key']}"}
        parts.append(text[item["operator"]])
    return ",".join(parts)


def selected(selector: Mapping[str, Any], have: Mapping[str, str]) -> bool:
    """True where a label selector selects an object with these labels; an empty one selects all.

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


def container_of(spec: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    """The container with this name in a pod's spec, None if there is none; not an init container."""
    return next((item for item in spec["containers"] if item["name"] == name), None)


def variables(container: Mapping[str, Any]) -> dict[str, str | None]:
    """The variables in a container's `env`; None for a value from another object (valueFrom)."""
    return {
        item["name"]: None if item.get("valueFrom") else str(item.get("value", ""))
        for item in container.get("env") or []
    }
