"""Checks that only the TME uses its port in the gateway's pods."""

import re
from collections.abc import Iterator
from contextlib import suppress

from traceable_kong.cluster.api_objects import labels_of, name_of
from traceable_kong.cluster.kong_listen import listens_on
from traceable_kong.cluster.kubernetes_client import Document
from traceable_kong.cluster.ownership import STACK_LABEL
from traceable_kong.cluster.pods import is_terminating, selector_text
from traceable_kong.cluster.tme import TME_PORT, tme_containers
from traceable_kong.common.commands import config_set
from traceable_kong.common.image_references import ImageReference, ImageReferenceError, parse_image
from traceable_kong.plan.kong_model import ManagedKong
from traceable_kong.plan.model import Gateway, Plan
from traceable_kong.preflight.cached_reader import CachedReader
from traceable_kong.preflight.finding import Finding, deployment_subject, kong_subject
from traceable_kong.preflight.installation_record import record
from traceable_kong.preflight.kong_pod import kong_variables, setting_is

RISK = "The plugin would send every request to it instead of to the TME"


def tme_port_is_free(reader: CachedReader, plan: Plan, gateway: Gateway) -> Iterator[Finding]:
    """Only the TME uses its port in a gateway pod: in sync, and in what the chart of a managed Kong will create.

    A chart is judged once, and a switch to sync does not change it.
    """
    if not gateway.wants_tme and not (gateway.installed and isinstance(gateway.kong, ManagedKong)):
        return
    fix = "Use another port"
    if gateway.wants_tme:
        fix += (
            ". If the port is in the chart values of a Kong that runs, change it in async first: "
            f"`{config_set('mode', 'async')}` and `pulumi up`. Then switch back to sync"
        )
    for name, value in sorted((kong_variables(reader, gateway) or {}).items()):
        if re.fullmatch(r"KONG_.*_LISTEN", name) and value and listens_on(value, TME_PORT):
            yield Finding(
                subject=kong_subject(gateway.kong.deployment),
                problem=f"listens on the TME's port itself ({setting_is(gateway, name, value)}). {RISK}",
                fix=fix,
            )
    reported: set[str] = set()
    images = [gateway.injection.image, *_recorded_image(reader, plan)]
    for where, spec in _pods(reader, gateway):
        tmes = [item["name"] for image in images for item in tme_containers(spec, image)]
        for container in [*(spec.get("initContainers") or []), *spec["containers"]]:
            ports = {port.get("containerPort") for port in container.get("ports") or []}
            if TME_PORT in ports and container["name"] not in [*reported, *tmes]:
                reported.add(container["name"])
                yield Finding(
                    subject=f"container {container['name']} of {where}",
                    problem=f"uses the TME's port {TME_PORT}. {RISK}",
                    fix=fix,
                )


def _pods(reader: CachedReader, gateway: Gateway) -> Iterator[tuple[str, Document]]:
    """The next pods of the gateway and, where it runs with the TME, the current ones: their names and specs."""
    where = deployment_subject(gateway.kong.deployment)
    following = reader.next_deployment(gateway.kong)
    if following is not None:
        yield where, following["spec"]["template"]["spec"]
    live = reader.get(gateway.kong.deployment.path) if gateway.wants_tme else None
    if live is None:
        return
    yield where, live["spec"]["template"]["spec"]
    labels = selector_text(live["spec"].get("selector") or {})
    for pod in reader.list(gateway.kong.deployment.pods_path, labelSelector=labels):
        if not is_terminating(pod):
            yield f"pod {name_of(pod)} in namespace {gateway.kong.deployment.namespace}", pod["spec"]


def _recorded_image(reader: CachedReader, plan: Plan) -> Iterator[ImageReference]:
    """The TME's image in this stack's record: pods from before the next rollout run it."""
    found = record(reader, plan)
    if found is None or labels_of(found).get(STACK_LABEL) != plan.owner:
        return
    with suppress(ImageReferenceError):
        yield parse_image((found.get("data") or {}).get("tmeImage", ""))
