"""The gateway as it stands: can its Kong be asked, and is the TME's port free."""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from traceable_kong.cluster.kubernetes_client import Document
from traceable_kong.cluster.ownership import STACK_LABEL
from traceable_kong.cluster.pods import variables
from traceable_kong.cluster.tme import TME_PORT, tme_containers
from traceable_kong.common.image_references import ImageReference, ImageReferenceError, parse_image
from traceable_kong.deployment_patch.kong_variables import PACKAGE_PATH, with_files_first
from traceable_kong.preflight.cached_reader import CachedReader, config_maps, deployment, labels_of, name_of, pods
from traceable_kong.preflight.finding import Finding
from traceable_kong.preflight.intent import GatewayIntent, Intent

TRADITIONAL = "traditional"
"""KONG_ROLE where one Kong serves and is configured itself, with or without a database; Kong's own default.

Source: https://developer.konghq.com/gateway/deployment-topologies/.
"""


def kong_can_be_asked(looks: CachedReader, intent: Intent) -> Iterator[Finding]:
    """Kong has an Admin API that a port-forward reaches, so that it can say itself whether the plugin is on."""
    gateway = intent.gateway
    environment = _environment(looks, gateway)
    if environment is None:
        return
    subject = f"Kong in deployment {gateway.deployment}, namespace {gateway.namespace}"
    listen = environment.get("KONG_ADMIN_LISTEN", "")
    role = environment.get("KONG_ROLE") or TRADITIONAL
    if role != TRADITIONAL:
        yield Finding(
            subject=subject,
            wrong=f"is half of a hybrid gateway (KONG_ROLE={role}): the data planes serve, and get their configuration "
            "from a control plane elsewhere, which alone has an Admin API. Neither has what the other needs: files and "
            "TME in the one, the plugin and the proof in the other",
            mend="name the Deployment of a Kong that has no such role, with or without a database",
        )
    elif listen is None:
        yield Finding(
            subject=subject,
            wrong="takes KONG_ADMIN_LISTEN from elsewhere (valueFrom): whether Kong can be asked shows only at the end",
            mend="write it as a plain value, if the proof fails",
            only_warns=True,
        )
    elif listen and not any(_is_on_a_port(part) for part in listen.split(",")):
        value = "kongValues.env.admin_listen" if gateway.ours else "KONG_ADMIN_LISTEN"
        yield Finding(
            subject=subject,
            wrong=f"has an Admin API that cannot be reached through a port ({value} is {listen!r}): whether the plugin "
            "is on could never be proven, and an ingress controller in the pod could not configure it",
            mend=f"{value} `127.0.0.1:8444 http2 ssl`; it stays closed to everybody outside the pod",
        )


def plugin_files_are_found_first(looks: CachedReader, intent: Intent) -> Iterator[Finding]:
    """No other folder comes before the plugin's files where Kong looks for Lua files."""
    gateway = intent.gateway
    value = (_environment(looks, gateway) or {}).get(PACKAGE_PATH) if intent.installed else None
    if value and (first := with_files_first(value)):
        name = "kongValues.env.lua_package_path" if gateway.ours else PACKAGE_PATH
        yield Finding(
            subject=f"Kong in deployment {gateway.deployment}, namespace {gateway.namespace}",
            wrong=f"looks for Lua files elsewhere before the plugin's ({name} is {value!r}): it would load "
            "files of the same names from there, and the verification cannot tell",
            mend=f"set {name} to {first!r}",
            only_warns=True,
        )


def tme_port_is_free(looks: CachedReader, intent: Intent) -> Iterator[Finding]:
    """In sync nothing but the TME has its port in a gateway pod."""
    if not (intent.sync and intent.enabled):
        return
    gateway = intent.gateway
    mend = (
        "give it another port; where it is part of the chart values, first with `pulumi config set traceable-kong:mode "
        "async` and `pulumi up`, then in sync again"
    )
    meant = f"the plugin would send every request to whatever answers on {TME_PORT}, where the TME has to be"
    for name, value in sorted((_environment(looks, gateway) or {}).items()):
        if re.fullmatch(r"KONG_.*_LISTEN", name) and value and _has_port(value):
            yield Finding(
                subject=f"Kong in deployment {gateway.deployment}, namespace {gateway.namespace}",
                wrong=f"listens on the TME's port itself ({name} is {value!r}): {meant}",
                mend=mend,
            )
    live = looks.get(deployment(gateway.namespace, gateway.deployment))
    if live is None:
        return
    templates = [(f"deployment {gateway.deployment}", live["spec"]["template"]["spec"])]
    selector = (live["spec"].get("selector") or {}).get("matchLabels") or {}
    labels = ",".join(f"{key}={value}" for key, value in sorted(selector.items()))
    templates += [
        (f"pod {name_of(pod)}", pod["spec"])
        for pod in looks.list(pods(gateway.namespace), labelSelector=labels)
        if _stays(pod)
    ]
    told: set[str] = set()
    images = [intent.tme_image, *_recorded_image(looks, intent)]
    for where, spec in templates:
        tmes = [item["name"] for image in images for item in tme_containers(spec, image)]
        for container in [*(spec.get("initContainers") or []), *spec["containers"]]:
            ports = {port.get("containerPort") for port in container.get("ports") or []}
            if TME_PORT in ports and container["name"] not in [*told, *tmes]:
                told.add(container["name"])
                yield Finding(
                    subject=f"container {container['name']} of {where}, namespace {gateway.namespace}",
                    wrong=f"has the TME's port: {meant}",
                    mend=mend,
                )


def _recorded_image(looks: CachedReader, intent: Intent) -> Iterator[ImageReference]:
    """The TME's image that this stack recorded: pods of before the next rollout run it, where it is another."""
    record = looks.get(f"{config_maps(intent.gateway.namespace)}/{intent.record}")
    if record is None or labels_of(record).get(STACK_LABEL) != intent.owner:
        return
    with suppress(ImageReferenceError):
        yield parse_image((record.get("data") or {}).get("tmeImage", ""))


def _environment(looks: CachedReader, gateway: GatewayIntent) -> Mapping[str, str | None] | None:
    """Kong's variables as its next pods have them, None for a value from elsewhere; None where there is no Kong."""
    if gateway.ours:
        return gateway.environment
    live = looks.get(deployment(gateway.namespace, gateway.deployment))
    kong = _container(live, gateway.container) if live else None
    return variables(kong) if kong is not None else None


def _containers(live: Document) -> list[dict[str, Any]]:
    return list(live["spec"]["template"]["spec"]["containers"])


def _container(live: Document, name: str) -> dict[str, Any] | None:
    return next((item for item in _containers(live) if item["name"] == name), None)


def _is_on_a_port(listen: str) -> bool:
    """One part of a listen directive: `127.0.0.1:8444 http2 ssl`, `off`, `unix:/path`."""
    return listen.strip() not in ("", "off") and not listen.strip().startswith("unix:")


def _stays(pod: Document) -> bool:
    """Whether a pod serves or will; an evicted one lies about for long."""
    leaving = (pod.get("metadata") or {}).get("deletionTimestamp")
    return not leaving and (pod.get("status") or {}).get("phase") not in ("Succeeded", "Failed")


def _has_port(listen: str) -> bool:
    return any(part.split()[0].endswith(f":{TME_PORT}") for part in listen.split(",") if part.split())
