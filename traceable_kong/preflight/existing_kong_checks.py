"""Checks of an existing Kong Deployment: it exists, one container runs Kong, and our mounts and variables fit."""

import json
from collections.abc import Iterator

from traceable_kong.cluster.kubernetes_client import Document
from traceable_kong.cluster.pods import variables
from traceable_kong.common.commands import config_set
from traceable_kong.common.image_references import image_name
from traceable_kong.deployment_patch.kong_variables import SEPARATORS
from traceable_kong.deployment_patch.patching import PatchFailed, recorded_patch
from traceable_kong.deployment_patch.pod_template import Conflict, PatchSpec, conflicts, current, unpatched
from traceable_kong.preflight.cached_reader import NAMESPACES, CachedReader, config_maps, deployment
from traceable_kong.preflight.controller_checks import given_variables
from traceable_kong.preflight.finding import Finding
from traceable_kong.preflight.intent import GatewayIntent, Intent

OTHER_KINDS = {"daemonsets": "DaemonSet", "statefulsets": "StatefulSet"}

CLIENT_CERTIFICATE = "KONG_NGINX_ADMIN_SSL_VERIFY_CLIENT"
"""Set by the kong chart where `admin.tls.client` names who signed the controller's certificate (3.4.1).

The kong/ingress chart, whose controller runs in a Deployment of its own, takes that below `gateway` (0.24).
"""

Where = tuple[str, Document]
"""The Deployment as messages name it, and its document."""


def _existing(reader: CachedReader, gateway: GatewayIntent) -> Where | None:
    if gateway.ours:
        return None
    live = reader.get(deployment(gateway.namespace, gateway.deployment))
    return (f"deployment {gateway.deployment} in namespace {gateway.namespace}", live) if live else None


def kong_runs_in_a_deployment(reader: CachedReader, intent: Intent) -> Iterator[Finding]:
    """The Deployment that the config names exists."""
    gateway = intent.gateway
    if gateway.ours or reader.get(deployment(gateway.namespace, gateway.deployment)) is not None:
        return
    where = f"deployment {gateway.deployment} in namespace {gateway.namespace}"
    for plural, kind in OTHER_KINDS.items():
        if reader.get(f"/apis/apps/v1/namespaces/{gateway.namespace}/{plural}/{gateway.deployment}") is not None:
            yield Finding(
                subject=where,
                problem=f"is a {kind}. This program can only roll and verify a Deployment, so its pods would be "
                "unprotected",
                fix="Run this Kong as a Deployment (chart value deployment.daemonset false)",
            )
            return
    missing = reader.get(f"{NAMESPACES}/{gateway.namespace}") is None
    yield Finding(
        subject=where,
        problem=f"is missing{', and so is the namespace' if missing else ''}, and kong.install is false. There is no "
        "Kong to configure",
        fix="Find it: `kubectl get deployments --all-namespaces`. Then name it: "
        f"`{config_set('kong.deployment', 'NAME')}` (and kong.namespace)",
    )


def deployment_can_roll(reader: CachedReader, intent: Intent) -> Iterator[Finding]:
    """The Deployment has pods, and a change of its template creates new ones."""
    found = _existing(reader, intent.gateway)
    if found is None:
        return
    where, live = found
    at = f"--namespace {intent.gateway.namespace}"
    if live["spec"].get("replicas", 1) == 0:
        yield Finding(
            subject=where,
            problem="has zero replicas. Without a pod, the verification cannot check the plugin",
            fix=f"Scale it: `kubectl scale deployment {intent.gateway.deployment} {at} --replicas 1`",
        )
    if live["spec"].get("paused"):
        yield Finding(
            subject=where,
            problem="is paused. Its pods would not change",
            fix=f"Resume it: `kubectl rollout resume deployment {intent.gateway.deployment} {at}`",
        )


def one_container_runs_kong(reader: CachedReader, intent: Intent) -> Iterator[Finding]:
    """Exactly one container of the Deployment runs Kong, and it is the configured one."""
    gateway = intent.gateway
    found = _existing(reader, gateway)
    if found is None:
        return
    where, live = found
    containers = live["spec"]["template"]["spec"]["containers"]
    names = [item["name"] for item in containers]
    setting = f"Name the container: `{config_set('kong.container', 'NAME')}`"
    if gateway.container not in names:
        yield Finding(
            subject=where,
            problem=f"has no container {gateway.container} (it has {', '.join(names)}). Which container runs Kong "
            "cannot be determined",
            fix=setting,
        )
        return
    meant = [item["name"] for item in containers if _is_kong(item)]
    if len(meant) > 1 and not gateway.container_named:
        yield Finding(
            subject=where,
            problem=f"runs Kong in {len(meant)} containers ({', '.join(meant)}). Which one serves cannot be determined",
            fix=setting,
        )
    elif meant and gateway.container not in meant:
        # An image can have any name, so a container that the config names is accepted with a warning.
        yield Finding(
            subject=where,
            problem=f"does not run Kong's image in container {gateway.container}, but in {', '.join(meant)}. The files "
            "and variables would go to the wrong container",
            fix=f"Name Kong's container: `{config_set('kong.container', meant[0])}`. If {gateway.container} does run "
            "Kong, name it there: then this is only a warning",
            severity="warning" if gateway.container_named else "error",
        )


def admin_api_needs_no_unknown_certificate(reader: CachedReader, intent: Intent) -> Iterator[Finding]:
    """Kong's Admin API asks for no client certificate, or the config names one."""
    gateway = intent.gateway
    found = _existing(reader, gateway)
    if found is None:
        return
    where, live = found
    kong = plain_environment(live, gateway.container)
    shown = intent.row is not None and intent.row.access.client_certificate_secret
    if kong.get(CLIENT_CERTIFICATE, "off") not in ("off", "") and not shown:
        yield Finding(
            subject=where,
            problem=f"has an Admin API that asks for a client certificate ({CLIENT_CERTIFICATE}). The verification "
            "could never check the plugin",
            fix="Remove it from that release's values (admin.tls.client; in the kong/ingress chart "
            "gateway.admin.tls.client and controller.ingressController.adminApi.tls.client), and restrict the port to "
            "the controller with a NetworkPolicy. Or run Kong and its controller in one pod, as the kong chart does"
            + (". Or name the certificate in kong.admin.clientCertificateSecret" if intent.row else ""),
        )


def patch_can_be_applied(reader: CachedReader, intent: Intent) -> Iterator[Finding]:
    """Nothing conflicts with our volumes, mounts and variables, and no other stack has patched the Deployment."""
    found = _existing(reader, intent.gateway)
    if found is None:
        return
    where, live = found
    try:
        noted = recorded_patch(live)
    except PatchFailed as problem:
        yield Finding(subject=where, problem=str(problem).rstrip("."), fix="Then run again")
        return
    if noted is not None and noted[0] != intent.owner:
        yield Finding(
            subject=where,
            problem=f"is patched by the stack {noted[0]}. Both stacks would write it",
            fix="Destroy that stack first, or name another kong.deployment",
        )
        return
    part = intent.gateway.part
    if part is None:
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
    if part.container not in [item["name"] for item in template["spec"]["containers"]]:
        return
    for conflict in _problems(reader, intent, unpatched(template, noted[1]) if noted else template, part):
        yield Finding(subject=where, problem=conflict.problem, fix=conflict.fix)


def owner_mounts_the_files(reader: CachedReader, intent: Intent) -> Iterator[Finding]:
    """Once the ConfigMaps with the files exist, the owner's chart values mount them.

    The update that creates the ConfigMaps stops by itself (hooks/mounted_files.py).
    """
    gateway = intent.gateway
    found = _existing(reader, gateway)
    if found is None or not gateway.owners_files:
        return
    where, live = found
    if any(reader.get(f"{config_maps(gateway.namespace)}/{name}") is None for name in gateway.owners_files.values()):
        return
    wanted = PatchSpec(container=gateway.container, files=gateway.owners_files, plugins=())
    mounted = current(live["spec"]["template"], wanted)
    if mounted is None:
        return  # `one_container_runs_kong` reports that the container is missing.
    missing = [f"{path} from {name}" for path, name in wanted.files.items() if mounted.files.get(path) != name]
    if missing:
        yield Finding(
            subject=where,
            problem=f"does not mount {', '.join(missing)}. With kong.filesMountedBy owner, its owner's Helm release "
            "has to. Kong would refuse the plugin",
            fix="Upgrade that release with these values in addition to its own (keep its own entries in "
            f"plugins.configMaps): {json.dumps(gateway.owners_values)}. Then run again",
        )


def _problems(reader: CachedReader, intent: Intent, template: Document, part: PatchSpec) -> Iterator[Conflict]:
    yield from conflicts(template, part)
    container = next(item for item in template["spec"]["containers"] if item["name"] == part.container)
    named = {item["name"] for item in container.get("env") or []}
    for source in container.get("envFrom") or []:
        given = given_variables(reader, intent.gateway.namespace, {"envFrom": [source]})
        for name in sorted(given.keys() & (SEPARATORS.keys() - named)):
            kind = "ConfigMap" if "configMapRef" in source else "Secret"
            held = (source.get("configMapRef") or source.get("secretRef") or {}).get("name")
            yield Conflict(
                f"takes {name} from the {kind} {held} (envFrom). Our value would replace it",
                f"Write {name} as a plain value in the container's env. Or let the owner's chart values mount the "
                f"files: `{config_set('kong.filesMountedBy', 'owner')}`",
            )


def plain_environment(live: Document, container: str) -> dict[str, str]:
    """The environment variables of a container that have a plain value."""
    containers = live["spec"]["template"]["spec"]["containers"]
    return next((_plain(item) for item in containers if item["name"] == container), {})


def _plain(container: Document) -> dict[str, str]:
    return {name: value for name, value in variables(container).items() if value is not None}


def _is_kong(container: Document) -> bool:
    """By the name of its image in any registry: mirrors keep it. Nothing is trusted because of it."""
    return image_name(str(container.get("image", ""))) in ("kong", "kong-gateway")
