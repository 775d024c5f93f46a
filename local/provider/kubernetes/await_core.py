"""Readiness of Services, Ingresses, volumes, quotas and token Secrets.

Based on provider/pkg/await/{service,ingress,awaiters}.go of the official plugin, including its error messages.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

from local.provider.kubernetes import object_metadata
from local.provider.kubernetes.api_client import ApiError
from local.provider.kubernetes.await_progress import Progress, get
from local.provider.kubernetes.provider_context import Context

SETTLE_SECONDS = 10.0
"""Endpoints are settled after they have not changed for this long."""

_NO_PODS = (
    "Service does not target any Pods. Selected Pods may not be ready, or field '.spec.selector' may not match labels "
    "on any Pods"
)
_NO_ADDRESS = "Service was not allocated an IP address; does your cloud provider support this?"
_NO_TARGET = "Ingress has at least one rule with an unavailable target endpoint."
_NO_INGRESS_ADDRESS = (
    "Ingress .status.loadBalancer field was not updated with a hostname/IP address. \n"
    "    for more information about this error, see https://pulumi.io/xdv72s"
)


class _Settled:
    """Whether a value has stayed the same for a while."""

    def __init__(self, once: bool) -> None:
        self._last: Any = None
        self._since: float | None = None
        self._once = once

    def __call__(self, seen: Any) -> bool:
        if self._once:
            return True
        if seen is not None and (self._since is None or seen != self._last):
            self._last, self._since = seen, time.monotonic()
        return self._since is not None and time.monotonic() - self._since >= SETTLE_SECONDS


def _path(context: Context, document: Mapping[str, Any]) -> str:
    kind = context.kinds.find(str(document["apiVersion"]), str(document["kind"]))
    return kind.path(object_metadata.namespace(document), object_metadata.name(document))


def service(
    context: Context, applied: Mapping[str, Any], before: Mapping[str, Any] | None, once: bool
) -> Callable[[], Progress]:
    """Ready when its endpoints have settled, none of them is pending, and a load balancer has an address.

    A Service without a selector, a headless Service and an ExternalName are ready at once.
    """
    path = _path(context, applied)
    endpoints = context.kinds.find("v1", "Endpoints").path(
        object_metadata.namespace(applied), object_metadata.name(applied)
    )
    settled = _Settled(once)

    def observe() -> Progress:
        live = context.cluster.request("GET", path)
        balanced = get(live, "spec", "type") == "LoadBalancer"
        ready = bool(get(live, "status", "loadBalancer", "ingress")) if balanced else True
        exempt = (
            get(live, "spec", "type") == "ExternalName"
            or get(live, "spec", "clusterIP") == "None"
            or not get(live, "spec", "selector")
        )
        problems = [_NO_ADDRESS] if balanced and not ready else []
        if exempt:
            return Progress(live, done=ready, problems=problems)
        found = _endpoints(context, endpoints)
        subsets = found.get("subsets") or [] if found else []
        pending = any(each.get("notReadyAddresses") for each in subsets)
        if not any(each.get("addresses") for each in subsets):
            problems.insert(0, _NO_PODS)
        version = object_metadata.metadata(found).get("resourceVersion") if found else None
        done = settled(version) and ready and not pending
        message = "Finding Pods to direct traffic to" if problems[:1] == [_NO_PODS] else "Waiting for the Service"
        return Progress(live, done=done, good_enough=ready and not pending, message=message, problems=problems)

    return observe


def _endpoints(context: Context, path: str) -> dict[str, Any] | None:
    try:
        return context.cluster.request("GET", path)
    except ApiError as problem:
        if problem.not_found:
            return None
        raise


def ingress(
    context: Context, applied: Mapping[str, Any], before: Mapping[str, Any] | None, once: bool
) -> Callable[[], Progress]:
    """Ready when it has an address, and every rule's Service has endpoints or the endpoints have settled."""
    path = _path(context, applied)
    namespace = object_metadata.namespace(applied)
    endpoints = context.kinds.find("v1", "Endpoints").path(namespace)
    services = context.kinds.find("v1", "Service").path(namespace)
    settled = _Settled(once)

    def observe() -> Progress:
        live = context.cluster.request("GET", path)
        found = context.cluster.request("GET", endpoints).get("items") or []
        quiet = settled(
            [(object_metadata.name(each), object_metadata.metadata(each).get("resourceVersion")) for each in found]
        )
        names = {object_metadata.name(each) for each in found}
        for each in context.cluster.request("GET", services).get("items") or []:
            if get(each, "spec", "type") == "ExternalName":
                names.add(object_metadata.name(each))
        has_targets = quiet or all(name in names for name in _backends(live))
        has_address = bool(get(live, "status", "loadBalancer", "ingress"))
        problems = [] if has_targets else [_NO_TARGET]
        if not has_address:
            problems.append(_NO_INGRESS_ADDRESS)
        return Progress(live, done=has_targets and has_address, message="Waiting for the Ingress", problems=problems)

    return observe


def _backends(live: Mapping[str, Any]) -> list[str]:
    paths = [path for rule in get(live, "spec", "rules") or [] for path in get(rule, "http", "paths") or []]
    return [name for path in paths if (name := get(path, "backend", "service", "name"))]


def _until(context: Context, applied: Mapping[str, Any], done: Callable[[Mapping[str, Any]], bool]) -> Any:
    path = _path(context, applied)

    def observe() -> Progress:
        live = context.cluster.request("GET", path)
        return Progress(live, done=done(live), generic_timeout=True)

    return observe


def persistent_volume(
    context: Context, applied: Mapping[str, Any], before: Mapping[str, Any] | None, once: bool
) -> Callable[[], Progress]:
    """Ready when it is available or bound."""
    observe: Callable[[], Progress] = _until(
        context, applied, lambda live: get(live, "status", "phase") in ("Available", "Bound")
    )
    return observe


def persistent_volume_claim(
    context: Context, applied: Mapping[str, Any], before: Mapping[str, Any] | None, once: bool
) -> Callable[[], Progress]:
    """Ready when it is bound. After a create it may stay pending if its class binds with the first consumer."""
    name = get(applied, "spec", "storageClassName")
    late = False
    if name:
        classes = context.kinds.find("storage.k8s.io/v1", "StorageClass")
        try:
            found = context.cluster.request("GET", classes.path("", str(name)))
            late = found.get("volumeBindingMode") == "WaitForFirstConsumer"
        except ApiError as problem:
            if not problem.not_found:
                raise

    def done(live: Mapping[str, Any]) -> bool:
        phase = get(live, "status", "phase")
        if before is not None and phase == "Bound":
            return True
        return bool(phase == ("Pending" if late else "Bound"))

    observe: Callable[[], Progress] = _until(context, applied, done)
    return observe


def replication_controller(
    context: Context, applied: Mapping[str, Any], before: Mapping[str, Any] | None, once: bool
) -> Callable[[], Progress]:
    """Ready when all replicas are available."""
    observe: Callable[[], Progress] = _until(
        context, applied, lambda live: get(live, "spec", "replicas") == get(live, "status", "availableReplicas")
    )
    return observe


def resource_quota(
    context: Context, applied: Mapping[str, Any], before: Mapping[str, Any] | None, once: bool
) -> Callable[[], Progress]:
    """Ready when its limits are in force."""
    observe: Callable[[], Progress] = _until(
        context,
        applied,
        lambda live: get(live, "spec", "hard") is not None and get(live, "spec", "hard") == get(live, "status", "hard"),
    )
    return observe


def secret(
    context: Context, applied: Mapping[str, Any], before: Mapping[str, Any] | None, once: bool
) -> Callable[[], Progress]:
    """A service account token is ready when it has data. Other Secrets are ready at once."""
    if applied.get("type") != "kubernetes.io/service-account-token":
        return lambda: Progress(applied, done=True)
    observe: Callable[[], Progress] = _until(context, applied, lambda live: bool(live.get("data")))
    return observe
