"""Checks of the gateway's pods: Kong's Admin API can be reached, its Lua path is right, the TME's port is free."""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress

from traceable_kong.cluster.api_objects import labels_of, name_of
from traceable_kong.cluster.kong_listen import ADMIN_LISTEN, listeners, listens_on
from traceable_kong.cluster.ownership import STACK_LABEL
from traceable_kong.cluster.pods import container_of, is_terminating, selector_text, variables
from traceable_kong.cluster.tme import TME_PORT, tme_containers
from traceable_kong.common.commands import config_set
from traceable_kong.common.image_references import ImageReference, ImageReferenceError, parse_image
from traceable_kong.deployment_patch.kong_variables import PACKAGE_PATH, with_files_first
from traceable_kong.plan.kong_model import ManagedKong
from traceable_kong.plan.model import Gateway, Plan
from traceable_kong.preflight.cached_reader import CachedReader
from traceable_kong.preflight.finding import Finding

TRADITIONAL = "traditional"
"""KONG_ROLE of a Kong that is no part of a hybrid gateway, with or without a database; Kong's default.

Source: https://developer.konghq.com/gateway/deployment-topologies/.
"""


def admin_api_is_reachable(reader: CachedReader, plan: Plan, gateway: Gateway) -> Iterator[Finding]:
    """A port-forward can reach Kong's Admin API, which tells the verification whether the plugin is on."""
    environment = _environment(reader, gateway)
    if environment is None:
        return
    subject = f"Kong in deployment {gateway.kong.deployment.name}, namespace {gateway.kong.deployment.namespace}"
    listen = environment.get(ADMIN_LISTEN, "")
    role = environment.get("KONG_ROLE") or TRADITIONAL
    if role != TRADITIONAL:
        yield Finding(
            subject=subject,
            problem=f"is part of a hybrid gateway (KONG_ROLE={role}). Its data planes need the files and the TME, but "
            "only its control plane has an Admin API for the plugin and the verification. One Deployment cannot have "
            "both",
            fix="Name the Deployment of a Kong without that role, with or without a database",
        )
    elif listen is None:
        yield Finding(
            subject=subject,
            problem=f"takes {ADMIN_LISTEN} from another object (valueFrom). Only the verification will show "
            "whether Kong's Admin API can be reached",
            fix="If the verification fails, write it as a plain value",
            severity="warning",
        )
    elif listen and not listeners(listen):
        yield Finding(
            subject=subject,
            problem=f"has an Admin API that listens on no port (KONG_ADMIN_LISTEN is {listen!r}). The verification "
            "could never check the plugin, and an ingress controller in the pod could not configure Kong",
            fix="Set KONG_ADMIN_LISTEN to `127.0.0.1:8444 http2 ssl`. It is not reachable from outside the pod",
        )


def plugin_files_are_found_first(reader: CachedReader, plan: Plan, gateway: Gateway) -> Iterator[Finding]:
    """The plugin's files come first in Kong's Lua package path."""
    value = (_environment(reader, gateway) or {}).get(PACKAGE_PATH) if gateway.installed else None
    if value and (first := with_files_first(value)):
        name = "kongValues.env.lua_package_path" if isinstance(gateway.kong, ManagedKong) else PACKAGE_PATH
        yield Finding(
            subject=f"Kong in deployment {gateway.kong.deployment.name}, namespace {gateway.kong.deployment.namespace}",
            problem=f"searches another folder before the plugin's files ({name} is {value!r}). It would load files of "
            "the same names from there, and the verification would not notice",
            fix=f"Set {name} to {first!r}",
            severity="warning",
        )


def tme_port_is_free(reader: CachedReader, plan: Plan, gateway: Gateway) -> Iterator[Finding]:
    """In sync, only the TME uses its port in a gateway pod."""
    if not gateway.wants_tme:
        return
    fix = (
        "Use another port. If the port is in the chart values, change it in async first: "
        f"`{config_set('mode', 'async')}` and `pulumi up`. Then switch back to sync"
    )
    risk = "The plugin would send every request to it instead of to the TME"
    for name, value in sorted((_environment(reader, gateway) or {}).items()):
        if re.fullmatch(r"KONG_.*_LISTEN", name) and value and listens_on(value, TME_PORT):
            yield Finding(
                subject=f"Kong in deployment {gateway.kong.deployment.name}, namespace "
                f"{gateway.kong.deployment.namespace}",
                problem=f"listens on the TME's port itself ({name} is {value!r}). {risk}",
                fix=fix,
            )
    live = reader.get(gateway.kong.deployment.path)
    if live is None:
        return
    templates = [(f"deployment {gateway.kong.deployment.name}", live["spec"]["template"]["spec"])]
    labels = selector_text(live["spec"].get("selector") or {})
    templates += [
        (f"pod {name_of(pod)}", pod["spec"])
        for pod in reader.list(gateway.kong.deployment.pods_path, labelSelector=labels)
        if not is_terminating(pod)
    ]
    reported: set[str] = set()
    images = [gateway.injection.image, *_recorded_image(reader, plan, gateway)]
    for where, spec in templates:
        tmes = [item["name"] for image in images for item in tme_containers(spec, image)]
        for container in [*(spec.get("initContainers") or []), *spec["containers"]]:
            ports = {port.get("containerPort") for port in container.get("ports") or []}
            if TME_PORT in ports and container["name"] not in [*reported, *tmes]:
                reported.add(container["name"])
                yield Finding(
                    subject=f"container {container['name']} of {where}, namespace {gateway.kong.deployment.namespace}",
                    problem=f"uses the TME's port. {risk}",
                    fix=fix,
                )


def _recorded_image(reader: CachedReader, plan: Plan, gateway: Gateway) -> Iterator[ImageReference]:
    """The TME's image in this stack's record: pods from before the next rollout run it."""
    record = reader.get(f"{gateway.kong.deployment.config_maps_path}/{plan.record_name}")
    if record is None or labels_of(record).get(STACK_LABEL) != plan.owner:
        return
    with suppress(ImageReferenceError):
        yield parse_image((record.get("data") or {}).get("tmeImage", ""))


def _environment(reader: CachedReader, gateway: Gateway) -> Mapping[str, str | None] | None:
    """The environment variables of Kong's next pods, None for a value from elsewhere; None if there is no Kong."""
    if isinstance(gateway.kong, ManagedKong):
        return gateway.kong.environment
    live = reader.get(gateway.kong.deployment.path)
    kong = container_of(live["spec"]["template"]["spec"], gateway.kong.deployment.container) if live else None
    return variables(kong) if kong is not None else None
