"""Other writers of an existing Kong's Deployment, which could remove what this stack adds to its pod template.

Argo CD's tracking labels: https://argo-cd.readthedocs.io/en/stable/user-guide/resource_tracking/. Its label
`app.kubernetes.io/instance` alone means nothing, because charts set it as well. Flux labels what it applies with
the Kustomization or HelmRelease (https://fluxcd.io/flux/components/).
"""

from collections.abc import Iterator

from traceable_kong.cluster.api_objects import annotations_of, labels_of
from traceable_kong.cluster.kubernetes_client import Document
from traceable_kong.common.commands import config_set
from traceable_kong.plan.kong_model import ManagedKong
from traceable_kong.plan.model import Gateway, Plan
from traceable_kong.preflight.cached_reader import CachedReader
from traceable_kong.preflight.finding import Finding, deployment_subject

FILES_MOUNTED_BY_OWNER = f"`{config_set('kong.filesMountedBy', 'owner')}`"

ARGO_TRACKING = "argocd.argoproj.io/tracking-id"
ARGO_INSTANCE = "argocd.argoproj.io/instance"
FLUX_NAMES = {"kustomize.toolkit.fluxcd.io/name": "Kustomization", "helm.toolkit.fluxcd.io/name": "HelmRelease"}
MANAGERS = {"argocd": "Argo CD", "kustomize-controller": "Flux", "helm-controller": "Flux"}
"""Prefixes of their field managers' names."""


def no_other_writer(reader: CachedReader, plan: Plan, gateway: Gateway) -> Iterator[Finding]:
    """If this stack writes the pod template, no other controller owns the Deployment."""
    kong = gateway.kong
    if isinstance(kong, ManagedKong) or not (kong.patch or gateway.wants_tme):
        return
    live = reader.get(kong.deployment.path)
    if live is None:
        return
    where = deployment_subject(kong.deployment)
    added = " and ".join([*(["the plugin's files"] if kong.patch else []), *(["the TME"] if gateway.wants_tme else [])])
    ways = [*(["let the owner's chart values mount the files: " + FILES_MOUNTED_BY_OWNER] if kong.patch else [])]
    if gateway.wants_tme:
        ways.append(f"use the mode that needs no TME: `{config_set('mode', 'async')}`")
    way = ", and ".join(ways)
    owner = next((item for item in live["metadata"].get("ownerReferences") or [] if item.get("controller")), None)
    if owner is not None:
        yield Finding(
            subject=where,
            problem=f"belongs to {owner.get('kind')} {owner.get('name')} ({owner.get('apiVersion')}), whose "
            f"controller writes its pod template. It would remove {added} again",
            fix=way[0].upper() + way[1:],
            # The plugin can be switched off on a Deployment of any owner.
            severity="error" if gateway.plugin.enabled else "warning",
        )
        return
    if tool := _tool(live):
        yield Finding(
            subject=where,
            problem=f"is applied by {tool}, which may restore its own pod template. It would remove {added} again",
            fix=f"Configure it to ignore these fields (docs/existing-kong.md, Argo CD and Flux). Or {way}",
            severity="warning",
        )


def _tool(live: Document) -> str:
    """The GitOps tool that applies a Deployment, with the application's name; "" if none is known."""
    labels, annotations = labels_of(live), annotations_of(live)
    if tracked := annotations.get(ARGO_TRACKING) or labels.get(ARGO_INSTANCE):
        return f"Argo CD ({tracked})"
    for label, kind in FLUX_NAMES.items():
        if name := labels.get(label):
            return f"Flux ({kind} {name})"
    for item in live["metadata"].get("managedFields") or []:
        for prefix, tool in MANAGERS.items():
            if str(item.get("manager", "")).startswith(prefix):
                return f"{tool} (field manager {item['manager']})"
    return ""
