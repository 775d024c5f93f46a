"""A Kong that somebody else installed, before our part is put into it: is it there, is it one, and can it be had."""

import json
from collections.abc import Iterator

from traceable_kong.cluster.kubernetes_client import Document
from traceable_kong.cluster.pods import variables
from traceable_kong.common.commands import config_set
from traceable_kong.common.image_references import image_name
from traceable_kong.deployment_patch.kong_variables import SEPARATORS
from traceable_kong.deployment_patch.patching import EditFailed, note_in
from traceable_kong.deployment_patch.pod_template import Conflict, PatchSpec, conflicts, removed, standing
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
"""How kubectl calls it, and what stands."""


def _standing(looks: CachedReader, gateway: GatewayIntent) -> Where | None:
    if gateway.ours:
        return None
    live = looks.get(deployment(gateway.namespace, gateway.deployment))
    return (f"deployment {gateway.deployment} in namespace {gateway.namespace}", live) if live else None


def it_is_a_deployment(looks: CachedReader, intent: Intent) -> Iterator[Finding]:
    """Kong is in the Deployment that the stack names."""
    gateway = intent.gateway
    if gateway.ours or looks.get(deployment(gateway.namespace, gateway.deployment)) is not None:
        return
    where = f"deployment {gateway.deployment} in namespace {gateway.namespace}"
    for plural, kind in OTHER_KINDS.items():
        if looks.get(f"/apis/apps/v1/namespaces/{gateway.namespace}/{plural}/{gateway.deployment}") is not None:
            yield Finding(
                subject=where,
                wrong=f"is a {kind}: the program rolls and proves a Deployment, and its pods would go unprotected",
                mend="run this Kong as a Deployment (chart value deployment.daemonset false)",
            )
            return
    nowhere = looks.get(f"{NAMESPACES}/{gateway.namespace}") is None
    yield Finding(
        subject=where,
        wrong=f"is missing{', and so is that namespace' if nowhere else ''}, and kong.install is false: there is no "
        "Kong to put the plugin into",
        mend="`kubectl get deployments --all-namespaces`, then `pulumi config set --path "
        "traceable-kong:kong.deployment NAME` (and kong.namespace)",
    )


def its_pods_can_roll(looks: CachedReader, intent: Intent) -> Iterator[Finding]:
    """The Deployment has pods, and a change of its template makes new ones."""
    found = _standing(looks, intent.gateway)
    if found is None:
        return
    where, live = found
    at = f"--namespace {intent.gateway.namespace}"
    if live["spec"].get("replicas", 1) == 0:
        yield Finding(
            subject=where,
            wrong="has zero replicas: no pod of it could show that the plugin is on",
            mend=f"`kubectl scale deployment {intent.gateway.deployment} {at} --replicas 1`",
        )
    if live["spec"].get("paused"):
        yield Finding(
            subject=where,
            wrong="is paused: its pods would stay as they are, whatever is changed",
            mend=f"`kubectl rollout resume deployment {intent.gateway.deployment} {at}`",
        )


def its_kong_is_one_container(looks: CachedReader, intent: Intent) -> Iterator[Finding]:
    """One container of the Deployment is Kong."""
    gateway = intent.gateway
    found = _standing(looks, gateway)
    if found is None:
        return
    where, live = found
    containers = live["spec"]["template"]["spec"]["containers"]
    names = [item["name"] for item in containers]
    setting = "`pulumi config set --path traceable-kong:kong.container NAME`"
    if gateway.container not in names:
        yield Finding(
            subject=where,
            wrong=f"has no container {gateway.container} (it has {', '.join(names)}): it cannot be told where Kong "
            "runs",
            mend=setting,
        )
        return
    meant = [item["name"] for item in containers if _is_kong(item)]
    if len(meant) > 1 and not gateway.container_named:
        yield Finding(
            subject=where,
            wrong=f"runs Kong in {len(meant)} containers ({', '.join(meant)}): it cannot be told which of them serves",
            mend=setting,
        )
    elif meant and gateway.container not in meant:
        # An image may be called anything, so a container that the stack names is believed.
        yield Finding(
            subject=where,
            wrong=f"has another image in container {gateway.container} than Kong's, which is in {', '.join(meant)}: "
            "the files and variables would go where nobody reads them",
            mend=f"`{config_set('kong.container', meant[0])}`; or, if {gateway.container} is Kong by another name, "
            "name that there: then this only warns",
            only_warns=gateway.container_named,
        )


def its_kong_can_be_asked(looks: CachedReader, intent: Intent) -> Iterator[Finding]:
    """Whoever reaches its Admin API may ask."""
    gateway = intent.gateway
    found = _standing(looks, gateway)
    if found is None:
        return
    where, live = found
    kong = plain_environment(live, gateway.container)
    shown = intent.row is not None and intent.row.access.client_certificate_secret
    if kong.get(CLIENT_CERTIFICATE, "off") not in ("off", "") and not shown:
        yield Finding(
            subject=where,
            wrong=f"has an Admin API that asks for a client certificate ({CLIENT_CERTIFICATE}): whether the plugin is "
            "on could never be proven",
            mend="take it out of that release's values (admin.tls.client; of the kong/ingress chart "
            "gateway.admin.tls.client, and controller.ingressController.adminApi.tls.client), and let a NetworkPolicy "
            "keep everybody but the controller from that port; or run Kong and its controller in one pod, as the kong "
            "chart does" + ("; or name the certificate in kong.admin.clientCertificateSecret" if intent.row else ""),
        )


def our_part_can_be_had(looks: CachedReader, intent: Intent) -> Iterator[Finding]:
    """Nothing stands where our volumes, mounts and variables go, and no other stack's part is there."""
    found = _standing(looks, intent.gateway)
    if found is None:
        return
    where, live = found
    try:
        noted = note_in(live)
    except EditFailed as problem:
        yield Finding(subject=where, wrong=str(problem).rstrip("."), mend="then again")
        return
    if noted is not None and noted[0] != intent.owner:
        yield Finding(
            subject=where,
            wrong=f"has the part of the stack {noted[0]} in it: both would write it",
            mend="destroy that stack first; or name another kong.deployment",
        )
        return
    part = intent.gateway.part
    if part is None:
        if noted is not None:
            yield Finding(
                subject=where,
                wrong="has the files from this stack, and kong.filesMountedBy is owner now: they would be taken out "
                "under the plugin",
                mend="`pulumi config set --path traceable-kong:kong.filesMountedBy stack` and `pulumi destroy`; then "
                "owner, and `pulumi up`",
            )
        return
    template = live["spec"]["template"]
    if part.container not in [item["name"] for item in template["spec"]["containers"]]:
        return
    for conflict in _problems(looks, intent, removed(template, noted[1]) if noted else template, part):
        yield Finding(subject=where, wrong=conflict.wrong, mend=conflict.mend)


def its_owner_mounts_the_files(looks: CachedReader, intent: Intent) -> Iterator[Finding]:
    """Once the files are in the cluster, the owner's values have them mounted: the plugin would be refused until then.

    The run that makes the ConfigMaps stops there by itself (hooks/mounted_files.py).
    """
    gateway = intent.gateway
    found = _standing(looks, gateway)
    if found is None or not gateway.owners_files:
        return
    where, live = found
    if any(looks.get(f"{config_maps(gateway.namespace)}/{name}") is None for name in gateway.owners_files.values()):
        return
    wanted = PatchSpec(container=gateway.container, files=gateway.owners_files, plugins=())
    mounted = standing(live["spec"]["template"], wanted)
    if mounted is None:
        return  # No such container, which is said elsewhere.
    missing = [f"{path} from {name}" for path, name in wanted.files.items() if mounted.files.get(path) != name]
    if missing:
        yield Finding(
            subject=where,
            wrong=f"does not mount {', '.join(missing)}, and with kong.filesMountedBy owner its owner's release does "
            "that",
            mend="upgrade that release with these values, beside its own (also its own entries in plugins.configMaps): "
            f"{json.dumps(gateway.owners_values)}; then again",
        )


def _problems(looks: CachedReader, intent: Intent, template: Document, part: PatchSpec) -> Iterator[Conflict]:
    yield from conflicts(template, part)
    container = next(item for item in template["spec"]["containers"] if item["name"] == part.container)
    named = {item["name"] for item in container.get("env") or []}
    for source in container.get("envFrom") or []:
        given = given_variables(looks, intent.gateway.namespace, {"envFrom": [source]})
        for name in sorted(given.keys() & (SEPARATORS.keys() - named)):
            kind = "ConfigMap" if "configMapRef" in source else "Secret"
            held = (source.get("configMapRef") or source.get("secretRef") or {}).get("name")
            yield Conflict(
                f"takes {name} from the {kind} {held} (envFrom): a value of ours would hide it",
                f"write {name} as a plain value in the container's env, or have the owner's values mount the files "
                "(`pulumi config set --path traceable-kong:kong.filesMountedBy owner`)",
            )


def plain_environment(live: Document, container: str) -> dict[str, str]:
    """What a container of a Deployment's pods is given of variables, without what stands elsewhere."""
    containers = live["spec"]["template"]["spec"]["containers"]
    return next((_plain(item) for item in containers if item["name"] == container), {})


def _plain(container: Document) -> dict[str, str]:
    return {name: value for name, value in variables(container).items() if value is not None}


def _is_kong(container: Document) -> bool:
    """By its image's name, wherever it comes from: mirrors keep it, and nothing is trusted because of it."""
    return image_name(str(container.get("image", ""))) in ("kong", "kong-gateway")
