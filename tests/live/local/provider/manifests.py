"""Objects for the conformance tests. They have nothing to do with Kong or Traceable."""

from typing import Any


def config_map(namespace: str, name: str | None = "it", **data: str) -> dict[str, Any]:
    metadata: dict[str, Any] = {"namespace": namespace} if namespace else {}
    if name:
        metadata["name"] = name
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data or {"a": "1"}}


def secret(namespace: str, name: str = "it", **fields: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": namespace}, **fields}


def deployment(
    namespace: str, name: str = "it", *, annotations: dict[str, str] | None = None, **pod: Any
) -> dict[str, Any]:
    """Returns a Deployment of one nginx. `pod` is merged into the pod's spec."""
    metadata: dict[str, Any] = {"name": name, "namespace": namespace}
    if annotations:
        metadata["annotations"] = annotations
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata,
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "web", "image": "nginx:1"}], **pod},
            },
        },
    }


NOWHERE: dict[str, Any] = {"nodeSelector": {"there-is": "no-such-node"}}
"""A pod spec that no node satisfies."""


def deployment_patch(namespace: str, name: str = "it", **annotations: str) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"template": {"metadata": {"annotations": annotations}}},
    }


def service(namespace: str, name: str = "it", **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"ports": [{"port": 80}], **spec},
    }


def definition(group: str, kind: str = "Lamp", *, namespaced: bool = False) -> dict[str, Any]:
    """Returns a CRD whose objects accept any fields."""
    plural = kind.lower() + "s"
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "names": {"kind": kind, "plural": plural, "singular": kind.lower(), "listKind": f"{kind}List"},
            "scope": "Namespaced" if namespaced else "Cluster",
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": {"type": "object", "x_kubernetes_preserve_unknown_fields": True}},
                }
            ],
        },
    }
