"""Resolves the name of a Service to a ready pod, because Services have no network here.

Based on https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/: `x`, `x.ns`, `x.ns.svc` and
`x.ns.svc.cluster.local`. Other hosts are resolved by the machine. Names of single pods are not supported.
"""

import ipaddress
import random
from typing import Any

from local.kong.database import REFUSED, DatabaseError, resolve_host
from local.kubelet.container_processes import FindEndpoint
from local.kubelet.kube_client import ApiError, KubeClient, Object
from local.kubelet.webhook_router import SLICES

TIMEOUT = "timeout"
_SUFFIXES: tuple[list[str], ...] = ([], ["svc"], ["svc", "cluster", "local"])


def resolve(api: KubeClient, find_endpoint: FindEndpoint, namespace: str, host: str, port: int) -> tuple[str, int]:
    """Returns address and port for a client in this namespace. Raises DatabaseError in the words of Kong's client."""
    try:
        service = _service(api, namespace, host)
        if service is None:
            return resolve_host(host, port)
        if service["spec"].get("type") == "ExternalName":
            return resolve_host(str(service["spec"]["externalName"]), port)
        found = _endpoints(api, find_endpoint, service, port)
    except ApiError as problem:
        raise DatabaseError(TIMEOUT) from problem
    if not found:
        raise DatabaseError(REFUSED)
    return random.choice(found)


def _service(api: KubeClient, namespace: str, host: str) -> Object | None:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        pass
    else:
        return None
    name, *rest = host.rstrip(".").split(".")
    where = rest[0] if rest else namespace
    if rest[1:] not in _SUFFIXES:
        return None
    try:
        return api.request("GET", f"/api/v1/namespaces/{where}/services/{name}")
    except ApiError as problem:
        if problem.code != 404:
            raise
        return None


def _endpoints(api: KubeClient, find_endpoint: FindEndpoint, service: Object, port: int) -> list[tuple[str, int]]:
    metadata, spec = service["metadata"], service["spec"]
    names = {item.get("name", "") for item in spec.get("ports", []) if item["port"] == port}
    headless = spec.get("clusterIP") == "None"
    if not names and not headless:
        raise DatabaseError(TIMEOUT)
    found = []
    for piece in api.request("GET", SLICES.format(metadata["namespace"], metadata["name"]))["items"]:
        ports = [port] if headless else [item["port"] for item in piece["ports"] if item.get("name", "") in names]
        for endpoint in piece.get("endpoints") or []:
            if endpoint["conditions"].get("ready"):
                found += [_pod_address(find_endpoint, metadata["namespace"], endpoint, number) for number in ports]
    return [place for place in found if place]


def _pod_address(
    find_endpoint: FindEndpoint, namespace: str, endpoint: dict[str, Any], port: int
) -> tuple[str, int] | None:
    target = endpoint.get("targetRef")
    if not target:
        return str(endpoint["addresses"][0]), port
    place = find_endpoint(namespace, str(target["name"]), port)
    return (place.address, place.port) if place else None
