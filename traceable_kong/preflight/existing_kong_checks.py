"""Checks of an existing Kong: this stack's files and variables fit into its pod template, or its owner has them."""

import json
from collections.abc import Iterator

from traceable_kong.cluster.kubernetes_client import Document
from traceable_kong.cluster.pods import container_of, variables
from traceable_kong.common.commands import config_set
from traceable_kong.deployment_patch import pod_template
from traceable_kong.deployment_patch.kong_variables import SEPARATORS
from traceable_kong.deployment_patch.patching import PatchFailed, recorded_patch
from traceable_kong.deployment_patch.pod_template import Conflict, PatchSpec, conflicts, unpatched
from traceable_kong.plan.kong_model import ExistingKong
from traceable_kong.plan.model import Gateway, Plan
from traceable_kong.preflight.cached_reader import CachedReader
from traceable_kong.preflight.controller_checks import given_variables
from traceable_kong.preflight.finding import Finding, deployment_subject
from traceable_kong.preflight.other_owners import creator, ways_out

Existing = tuple[ExistingKong, Document]
"""An existing Kong, and its Deployment in the cluster."""


def _existing(reader: CachedReader, gateway: Gateway) -> Existing | None:
    kong = gateway.kong
    live = reader.get(kong.deployment.path) if isinstance(kong, ExistingKong) else None
    return (kong, live) if isinstance(kong, ExistingKong) and live else None


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
            problem=f"is patched by {creator(plan, noted[0])}. Both would write it",
            fix=ways_out(plan, noted[0], instead="Name another kong.deployment"),
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
