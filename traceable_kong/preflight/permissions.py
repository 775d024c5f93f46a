"""A Kubernetes permission, and what an update needs a set of them for."""

from collections.abc import Iterable
from dataclasses import dataclass

EVERYWHERE = ""
READ = ("get", "list", "watch")
CHANGE = (*READ, "create", "patch", "delete")
"""The provider and Helm apply an object (which needs create and patch), wait for it, and delete it."""

ADMISSION = "admissionregistration.k8s.io"
KONG = "configuration.konghq.com"
RBAC = "rbac.authorization.k8s.io"


@dataclass(frozen=True, kw_only=True)
class Permission:
    """A permission in a namespace, or in the whole cluster (EVERYWHERE)."""

    verb: str
    resource: str
    namespace: str
    group: str = ""
    subresource: str = ""

    @property
    def command(self) -> str:
        """The kubectl command that checks it."""
        resource = f"{self.resource}.{self.group}" if self.group else self.resource
        subresource = f" --subresource={self.subresource}" if self.subresource else ""
        where = f" --namespace {self.namespace}" if self.namespace else ""
        return f"kubectl auth can-i {self.verb} {resource}{subresource}{where}"

    @property
    def object(self) -> str:
        """What the verb applies to, as messages name it."""
        if self.resource == "namespaces" and self.namespace:
            return f"namespace {self.namespace}"
        resource = f"{self.resource}/{self.subresource}" if self.subresource else self.resource
        return resource + (f" in namespace {self.namespace}" if self.namespace else "")


@dataclass(frozen=True, kw_only=True)
class Purpose:
    """Permissions that are needed together. `meant` is what happens without them, `instead` a way to do without them.

    They are not needed if the user has all of `unless`. `installs` is the namespace and the name of the Helm release
    that they install: once it exists, Helm needs them only if the chart's part of it changes. `to_disable` are those
    that `enabled: false` or `installed: false` needs. `if_pods_request_tme` limits them to gateways whose pods request
    the TME now or after the update.
    """

    subject: str
    meant: str
    permissions: tuple[Permission, ...]
    instead: str = ""
    unless: tuple[Permission, ...] = ()
    installs: tuple[str, str] | None = None
    to_disable: tuple[Permission, ...] = ()
    if_pods_request_tme: bool = False


def rollout(namespace: str) -> tuple[Permission, ...]:
    """What the provider and Helm read while they wait for a Deployment."""
    return (
        *allow(READ, namespace, "pods", "persistentvolumeclaims"),
        *allow(READ, namespace, "replicasets", group="apps"),
    )


def port_forward(namespace: str) -> tuple[Permission, ...]:
    """A port-forward over a WebSocket is a GET, which Kubernetes authorizes as `get`, and since 1.35 also as `create`.

    Source: https://github.com/kubernetes/kubernetes/pull/134577.
    """
    return tuple(
        Permission(verb=verb, resource="pods", subresource="portforward", namespace=namespace)
        for verb in ("get", "create")
    )


def allow(verbs: Iterable[str], namespace: str, *resources: str, group: str = "") -> tuple[Permission, ...]:
    return tuple(
        Permission(verb=verb, resource=resource, namespace=namespace, group=group)
        for resource in resources
        for verb in verbs
    )
