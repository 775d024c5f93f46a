"""Other writers of an existing Kong's Deployment: what this stack adds to its pod template may not stay.

Argo CD's marks: https://argo-cd.readthedocs.io/en/stable/user-guide/resource_tracking/. Its label
`app.kubernetes.io/instance` says nothing by itself, because charts set it as well. Flux labels what it applies with
the Kustomization or HelmRelease (https://fluxcd.io/flux/components/).
"""

from collections.abc import Iterator

from traceable_kong.cluster.kubernetes_client import Document
from traceable_kong.preflight.cached_reader import CachedReader, annotations_of, deployment, labels_of
from traceable_kong.preflight.finding import Finding
from traceable_kong.preflight.intent import Intent

FILES_MOUNTED_BY_OWNER = "`pulumi config set --path traceable-kong:kong.filesMountedBy owner`"

ARGO_TRACKING = "argocd.argoproj.io/tracking-id"
ARGO_INSTANCE = "argocd.argoproj.io/instance"
FLUX_NAMES = {"kustomize.toolkit.fluxcd.io/name": "Kustomization", "helm.toolkit.fluxcd.io/name": "HelmRelease"}
MANAGERS = {"argocd": "Argo CD", "kustomize-controller": "Flux", "helm-controller": "Flux"}
"""What the field managers of both begin with."""


def nobody_writes_it_back(looks: CachedReader, intent: Intent) -> Iterator[Finding]:
    """Where this stack writes the pod template, no controller owns the Deployment."""
    gateway = intent.gateway
    asks_for_tme = intent.sync and intent.enabled
    if gateway.ours or not (gateway.part or asks_for_tme):
        return
    live = looks.get(deployment(gateway.namespace, gateway.deployment))
    if live is None:
        return
    where = f"deployment {gateway.deployment} in namespace {gateway.namespace}"
    added = " and ".join([*(["the plugin's files"] if gateway.part else []), *(["the TME"] if asks_for_tme else [])])
    ways = [*(["have the owner's own values mount the files: " + FILES_MOUNTED_BY_OWNER] if gateway.part else [])]
    if asks_for_tme:
        ways.append("use the mode that needs no TME in its pods: `pulumi config set traceable-kong:mode async`")
    way = "; and ".join(ways)
    owner = next((item for item in live["metadata"].get("ownerReferences") or [] if item.get("controller")), None)
    if owner is not None:
        yield Finding(
            subject=where,
            wrong=f"belongs to {owner.get('kind')} {owner.get('name')} ({owner.get('apiVersion')}), whose controller "
            f"writes its pod template: {added} would be taken out again",
            mend=way,
            # The plugin can be switched off on a Deployment of any owner.
            only_warns=not intent.enabled,
        )
        return
    if tool := _tool(live):
        yield Finding(
            subject=where,
            wrong=f"is applied by {tool}, which may write its pod template back: {added} would be taken out again",
            mend=f"tell it what to leave alone (docs/existing-kong.md, Argo CD and Flux); or {way}",
            only_warns=True,
        )


def _tool(live: Document) -> str:
    """What applies a Deployment from a repository, with what names it there; "" for none that is known."""
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
