"""An agent in the cluster that this stack did not install: is it there, and can it give a gateway's pods the TME.

Found by what its chart always makes: the Service `agent`, and the injector's webhook, which is called after its
namespace (traceable-agent 1.58.0). Only read, never changed.
"""

from collections.abc import Iterator

from traceable_kong.cluster.agent_objects import AGENT_RECORD, CONFIG_MAP, SERVICE, injector_webhook
from traceable_kong.cluster.kubernetes_client import ApiError, Document
from traceable_kong.cluster.ownership import is_owned
from traceable_kong.cluster.tme import AGENT_CONFIG, tme_image_in
from traceable_kong.common.commands import config_set
from traceable_kong.common.image_references import without_version
from traceable_kong.preflight.cached_reader import (
    MUTATING_WEBHOOKS,
    NAMESPACES,
    CachedReader,
    config_maps,
    labels_of,
    pods,
)
from traceable_kong.preflight.finding import Finding
from traceable_kong.preflight.intent import Intent


def agent_is_there(looks: CachedReader, intent: Intent) -> Iterator[Finding]:
    """Somebody else's agent has its Service, in sync its webhook, and a pod that is ready."""
    agent = intent.agent
    if agent is None or agent.release is not None or not intent.enabled:
        return
    yield from _it_is_not_this_stacks(looks, intent, agent.namespace)
    service = looks.get(f"{NAMESPACES}/{agent.namespace}/services/{SERVICE}")
    if service is None:
        yield Finding(
            subject=f"service {SERVICE} in namespace {agent.namespace}",
            wrong="is missing, and agent.install is false: there is no agent for this gateway",
            mend=f"`kubectl get services --all-namespaces --field-selector metadata.name={SERVICE}` shows where one "
            "is, then `pulumi config set --path traceable-kong:agent.namespace NAMESPACE`; or have it installed first",
        )
        return
    if intent.sync:
        yield from _it_can_inject(looks, agent.namespace)
    selector = ",".join(f"{key}={value}" for key, value in sorted((service["spec"].get("selector") or {}).items()))
    behind = looks.list(pods(agent.namespace), labelSelector=selector)
    if not any(_is_ready(pod) for pod in behind):
        yield Finding(
            subject=f"the agent in namespace {agent.namespace}",
            wrong=f"has no ready pod ({len(behind)} behind its Service): nothing would be protected",
            mend=f"`kubectl --namespace {agent.namespace} get pods`, and ask its owner",
            only_warns=not intent.live_change,
        )


def it_injects_the_recorded_image(looks: CachedReader, intent: Intent) -> Iterator[Finding]:
    """An agent that exists says the registry and repository that this stack trusts: the config's, or the record's."""
    agent, trusted = intent.agent, without_version(intent.tme_image)
    if agent is None or agent.release is not None or agent.tme_image_named:
        return
    try:
        found = looks.get(f"{config_maps(agent.namespace)}/{CONFIG_MAP}") or {}
    except ApiError as problem:
        if problem.status != 403:
            raise
        return  # Where it matters, `agent_is_there` says that it may not be read.
    says = tme_image_in(str((found.get("data") or {}).get(AGENT_CONFIG, "")))
    if says in (None, trusted):
        return
    yield Finding(
        subject=f"configmap {CONFIG_MAP} in namespace {agent.namespace}",
        wrong=f"has the agent inject {says}, and the record of this stack has {trusted}: who may change that ConfigMap "
        "would choose what runs in the gateway's pods. The policy and the verification keep the recorded image",
        mend=f"`{config_set('agent.tmeImage', str(says))}` where that image is right, then `pulumi up`; otherwise ask "
        "the agent's owner",
        # Without a TME nothing of the agent's runs in a gateway pod.
        only_warns=not (intent.live_change and intent.sync),
    )


def _it_is_not_this_stacks(looks: CachedReader, intent: Intent, namespace: str) -> Iterator[Finding]:
    """Not the one that a record says this stack installed: it would be found now, and be gone after the run."""
    for path in (
        f"{config_maps(intent.gateway.namespace)}/{intent.record}",
        f"{config_maps(namespace)}/{AGENT_RECORD}",
    ):
        record = looks.get(path)
        data = (record or {}).get("data") or {}
        ours = record is not None and is_owned(labels_of(record), intent.owner)
        if not ours or data.get("agentNamespace") != namespace or "agentValuesDigest" not in data:
            continue
        yield Finding(
            subject=f"the agent in namespace {namespace}",
            wrong="was installed by this stack, and agent.install is false now: it would be uninstalled at the end of "
            "the run, under a gateway that relies on it",
            mend="`pulumi config set --path traceable-kong:agent.install true`; or have another agent installed first, "
            "and name its namespace in agent.namespace",
        )


def _it_can_inject(looks: CachedReader, namespace: str) -> Iterator[Finding]:
    name = injector_webhook(namespace)
    if looks.get(f"{MUTATING_WEBHOOKS}/{name}") is None:
        yield Finding(
            subject=f"mutatingwebhookconfiguration {name}",
            wrong=f"is missing, so the agent in namespace {namespace} gives nobody the TME",
            mend="have its owner enable the injector (injectorEnabled in the chart's values); or `pulumi config set "
            "traceable-kong:mode async`, which needs none",
        )
    # Whoever may not read it would roll the gateway for nothing, or not roll it when the agent's settings change.
    looks.get(f"{config_maps(namespace)}/{CONFIG_MAP}")


def _is_ready(pod: Document) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or []
    ready = any(item["type"] == "Ready" and item["status"] == "True" for item in conditions)
    return ready and "deletionTimestamp" not in pod["metadata"]
