"""Checks of an existing Kong Deployment: it exists, one container runs Kong, and our mounts and variables fit."""

import json
from collections.abc import Iterator

from traceable_kong.cluster.api_objects import NAMESPACES
from traceable_kong.cluster.kubernetes_client import Document
from traceable_kong.cluster.pods import container_of, variables
from traceable_kong.common.commands import config_set
from traceable_kong.common.image_references import image_name
from traceable_kong.deployment_patch import pod_template
from traceable_kong.deployment_patch.kong_variables import SEPARATORS
from traceable_kong.deployment_patch.patching import PatchFailed, recorded_patch
from traceable_kong.deployment_patch.pod_template import Conflict, PatchSpec, conflicts, unpatched
from traceable_kong.plan.kong_model import ExistingKong, ManagedKong
from traceable_kong.plan.model import Gateway, Plan
from traceable_kong.preflight.cached_reader import CachedReader
from traceable_kong.preflight.controller_checks import given_variables
from traceable_kong.preflight.finding import Finding, deployment_subject

OTHER_KINDS = {"daemonsets": "DaemonSet", "statefulsets": "StatefulSet"}

CLIENT_CERTIFICATE = "KONG_NGINX_ADMIN_SSL_VERIFY_CLIENT"
"""Set by the kong chart where `admin.tls.client` names who signed the controller's certificate (3.4.1).

The kong/ingress chart, whose controller runs in a Deployment of its own, takes that below `gateway` (0.24).
"""

Existing = tuple[ExistingKong, Document]
"""An existing Kong, and its Deployment in the cluster."""


def _existing(reader: CachedReader, gateway: Gateway) -> Existing | None:
    kong = gateway.kong
    live = reader.get(kong.deployment.path) if isinstance(kong, ExistingKong) else None
    return (kong, live) if isinstance(kong, ExistingKong) and live else None


def kong_runs_in_a_deployment(reader: CachedReader, plan: Plan, gateway: Gateway) -> Iterator[Finding]:
    """The Deployment that the config names exists."""
    deployment = gateway.kong.deployment
    if isinstance(gateway.kong, ManagedKong) or reader.get(deployment.path) is not None:
        return
    where = deployment_subject(deployment)
    for plural, kind in OTHER_KINDS.items():
        path = f"/apis/apps/v1/namespaces/{deployment.namespace}/{plural}/{deployment.name}"
        if reader.get(path) is not None:
            yield Finding(
                subject=where,
                problem=f"is a {kind}. This program can only roll and verify a Deployment, so its pods would be "
                "unprotected",
                fix="Run this Kong as a Deployment (chart value deployment.daemonset false)",
            )
            return
    missing = reader.get(f"{NAMESPACES}/{deployment.namespace}") is None
    yield Finding(
        subject=where,
        problem=f"is missing{', and so is the namespace' if missing else ''}, and kong.install is false. There is no "
        "Kong to configure",
        fix="Find it: `kubectl get deployments --all-namespaces`. Then name it: "
        f"`{config_set('kong.deployment', 'NAME')}` (and kong.namespace)",
    )


def deployment_can_roll(reader: CachedReader, plan: Plan, gateway: Gateway) -> Iterator[Finding]:
    """The Deployment has pods, and a change of its template creates new ones."""
    found = _existing(reader, gateway)
    if found is None:
        return
    kong, live = found
    where = deployment_subject(kong.deployment)
    at = f"--namespace {kong.deployment.namespace}"
    if live["spec"].get("replicas", 1) == 0:
        yield Finding(
            subject=where,
            problem="has zero replicas. Without a pod, the verification cannot check the plugin",
            fix=f"Scale it: `kubectl scale deployment {kong.deployment.name} {at} --replicas 1`",
        )
    if live["spec"].get("paused"):
        yield Finding(
            subject=where,
            problem="is paused. Its pods would not change",
            fix=f"Resume it: `kubectl rollout resume deployment {kong.deployment.name} {at}`",
        )


def one_container_runs_kong(reader: CachedReader, plan: Plan, gateway: Gateway) -> Iterator[Finding]:
    """Exactly one container of the Deployment runs Kong, and it is the configured one."""
    found = _existing(reader, gateway)
    if found is None:
        return
    kong, live = found
    where = deployment_subject(kong.deployment)
    containers = live["spec"]["template"]["spec"]["containers"]
    names = [item["name"] for item in containers]
    setting = f"Name the container: `{config_set('kong.container', 'NAME')}`"
    if kong.deployment.container not in names:
        yield Finding(
            subject=where,
            problem=f"has no container {kong.deployment.container} (it has {', '.join(names)}). Which "
            "container runs Kong cannot be determined",
            fix=setting,
        )
        return
    meant = [item["name"] for item in containers if _is_kong(item)]
    if len(meant) > 1 and not kong.container_configured:
        yield Finding(
            subject=where,
            problem=f"runs Kong in {len(meant)} containers ({', '.join(meant)}). Which one serves cannot be determined",
            fix=setting,
        )
    elif meant and kong.deployment.container not in meant:
        # An image can have any name, so a container that the config names is accepted with a warning.
        yield Finding(
            subject=where,
            problem=f"does not run Kong's image in container {kong.deployment.container}, but in "
            f"{', '.join(meant)}. The files and variables would go to the wrong container",
            fix=f"Name Kong's container: `{config_set('kong.container', meant[0])}`. If "
            f"{kong.deployment.container} does run Kong, name it there: then this is only a warning",
            severity="warning" if kong.container_configured else "error",
        )


def admin_api_needs_no_unknown_certificate(reader: CachedReader, plan: Plan, gateway: Gateway) -> Iterator[Finding]:
    """Kong's Admin API asks for no client certificate, or the config names one."""
    found = _existing(reader, gateway)
    if found is None:
        return
    kong, live = found
    where = deployment_subject(kong.deployment)
    environment = plain_environment(live, kong.deployment.container)
    entity = gateway.plugin.entity
    shown = entity is not None and entity.endpoint.client_certificate_secret
    if environment.get(CLIENT_CERTIFICATE, "off") not in ("off", "") and not shown:
        yield Finding(
            subject=where,
            problem=f"has an Admin API that asks for a client certificate ({CLIENT_CERTIFICATE}). The verification "
            "could never check the plugin",
            fix="Remove it from that release's values (admin.tls.client; in the kong/ingress chart "
            "gateway.admin.tls.client and controller.ingressController.adminApi.tls.client), and restrict the port to "
            "the controller with a NetworkPolicy. Or run Kong and its controller in one pod, as the kong chart does"
            + (". Or name the certificate in kong.admin.clientCertificateSecret" if entity else ""),
        )


def patch_can_be_applied(reader: CachedReader, plan: Plan, gateway: Gateway) -> Iterator[Finding]:
    """Nothing conflicts with our volumes, mounts and variables, and no other stack has patched the Deployment."""
    found = _existing(reader, gateway)
    if found is None:
        return
    kong, live = found
    where = deployment_subject(kong.deployment)
    try:
        noted = recorded_patch(live)
    except PatchFailed as problem:
        yield Finding(subject=where, problem=str(problem).rstrip("."), fix="Run the command again")
        return
    if noted is not None and noted[0] != plan.owner:
        yield Finding(
            subject=where,
            problem=f"is patched by the stack {noted[0]}. Both stacks would write it",
            fix="Destroy that stack first, or name another kong.deployment",
        )
        return
    patch = kong.patch
    if patch is None:
        if noted is not None:
            yield Finding(
                subject=where,
                problem="has the files from this stack, and kong.filesMountedBy is owner now. The files would be "
                "removed while the plugin needs them",
                fix=f"Undo the patch first: `{config_set('kong.filesMountedBy', 'stack')}` and `pulumi destroy`. Then "
                f"`{config_set('kong.filesMountedBy', 'owner')}` and `pulumi up`",
            )
        return
    template = live["spec"]["template"]
    if patch.container not in [item["name"] for item in template["spec"]["containers"]]:
        return
    for conflict in _problems(reader, kong, unpatched(template, noted[1]) if noted else template, patch):
        yield Finding(subject=where, problem=conflict.problem, fix=conflict.fix)


def owner_mounts_the_files(reader: CachedReader, plan: Plan, gateway: Gateway) -> Iterator[Finding]:
    """Once the ConfigMaps with the files exist, the owner's chart values mount them.

    The update that creates the ConfigMaps stops by itself (hooks/mounted_files.py).
    """
    found = _existing(reader, gateway)
    if found is None or not gateway.mounted_by_owner:
        return
    kong, live = found
    where = deployment_subject(kong.deployment)
    if any(reader.get(f"{kong.deployment.config_maps_path}/{name}") is None for name in gateway.files.values()):
        return
    wanted = PatchSpec(container=kong.deployment.container, files=gateway.files, plugins=())
    mounted = pod_template.current(live["spec"]["template"], wanted)
    if mounted is None:
        return  # `one_container_runs_kong` reports that the container is missing.
    missing = [f"{path} from {name}" for path, name in wanted.files.items() if mounted.files.get(path) != name]
    if missing:
        yield Finding(
            subject=where,
            problem=f"does not mount {', '.join(missing)}. With kong.filesMountedBy owner, its owner's Helm release "
            "has to mount them. Kong would refuse the plugin",
            fix="Upgrade that release with these values in addition to its own (keep its own entries in "
            f"plugins.configMaps): {json.dumps(gateway.owner_values)}. Then run the command again",
        )


def _problems(reader: CachedReader, kong: ExistingKong, template: Document, patch: PatchSpec) -> Iterator[Conflict]:
    yield from conflicts(template, patch)
    container = container_of(template["spec"], patch.container) or {}
    named = {item["name"] for item in container.get("env") or []}
    for source in container.get("envFrom") or []:
        given = given_variables(reader, kong.deployment.namespace, {"envFrom": [source]})
        for name in sorted(given.keys() & (SEPARATORS.keys() - named)):
            kind = "ConfigMap" if "configMapRef" in source else "Secret"
            held = (source.get("configMapRef") or source.get("secretRef") or {}).get("name")
            yield Conflict(
                f"takes {name} from the {kind} {held} (envFrom). This stack's value would replace it",
                f"Write {name} as a plain value in the container's env. Or let the owner's chart values mount the "
                f"files: `{config_set('kong.filesMountedBy', 'owner')}`",
            )


def plain_environment(live: Document, container: str) -> dict[str, str]:
    """The environment variables of a container that have a plain value."""
    found = container_of(live["spec"]["template"]["spec"], container) or {}
    return {name: value for name, value in variables(found).items() if value is not None}


def _is_kong(container: Document) -> bool:
    """By the name of its image in any registry: mirrors keep it. Nothing is trusted because of it."""
    return image_name(str(container.get("image", ""))) in ("kong", "kong-gateway")
