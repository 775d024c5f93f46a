"""Checks of the agent: a managed one has its token, an existing one runs and can inject the TME into gateway pods.

An existing agent is found by what its chart always creates: the Service `agent`, and the injector's webhook, whose name
has the namespace in it (traceable-agent 1.58.0). Nothing of it is changed.
"""

from collections.abc import Iterator

from traceable_kong.cluster.agent_objects import AGENT_SERVICE, CONFIG_MAP, injector_webhook
from traceable_kong.cluster.api_objects import MUTATING_WEBHOOKS, config_maps, labels_of, secrets, services
from traceable_kong.cluster.kubernetes_client import ApiError
from traceable_kong.cluster.ownership import AGENT_RECORD, STACK_LABEL, is_owned
from traceable_kong.cluster.pods import is_ready, is_terminating, pods_behind
from traceable_kong.cluster.tme import AGENT_CONFIG, tme_image_in
from traceable_kong.common.commands import config_set
from traceable_kong.common.image_references import without_version
from traceable_kong.plan.agent_model import ExistingAgent, ManagedAgent
from traceable_kong.plan.model import Gateway, Plan
from traceable_kong.plan.siblings import Siblings
from traceable_kong.preflight.cached_reader import CachedReader
from traceable_kong.preflight.finding import Finding
from traceable_kong.preflight.installation_record import record


def token_secret_exists(reader: CachedReader, plan: Plan) -> Iterator[Finding]:
    """The Secret that agentTokenSecret names exists and has the key."""
    agent = plan.agent
    if not isinstance(agent, ManagedAgent) or agent.token is not None:
        return
    name, key = agent.token_secret.name, agent.token_secret.key
    found = reader.get(f"{secrets(agent.namespace)}/{name}")
    subject = f"secret {name} in namespace {agent.namespace}"
    if found is None:
        first = ""
        if agent.create_namespace:
            first = (
                f"Create the namespace first: `kubectl create namespace {agent.namespace}` and "
                f"`{config_set('agent.createNamespace', 'false')}`. "
            )
        yield Finding(
            subject=subject,
            problem="is missing, and agentTokenSecret names it. The agent's pods would not start",
            fix=f"{first}Create the Secret: `kubectl create secret generic {name} --namespace {agent.namespace} "
            f"--from-file={key}=/dev/stdin` (type the token without a line break, then press Ctrl-D twice)",
        )
    elif key not in (found.get("data") or {}):
        keys = ", ".join(sorted(found.get("data") or {})) or "none"
        yield Finding(
            subject=subject,
            problem=f"has no key {key} (its keys: {keys}). The agent would start without a token",
            fix=f"Name the key that holds the token: `{config_set('agentTokenSecret.key', 'KEY')}`",
        )


def existing_agent_is_usable(reader: CachedReader, plan: Plan, gateway: Gateway) -> Iterator[Finding]:
    """An existing agent has its Service, a ready pod and, in sync, its injector's webhook."""
    agent = plan.agent
    if not isinstance(agent, ExistingAgent) or not gateway.plugin.enabled:
        return
    yield from _it_is_not_this_stacks(reader, plan, agent.namespace)
    yield from _its_component_installs_it(reader, plan, agent.namespace)
    service = reader.get(f"{services(agent.namespace)}/{AGENT_SERVICE}")
    shared = plan.siblings.shared_agent if plan.siblings else None
    if gateway.wants_tme and shared and shared.agent.injector_webhook is None:
        yield _no_injector(
            f"component {shared.installer}",
            "installs the agent without its injector, which",
            instead=f"Remove injectorEnabled from the chart values of {shared.installer}",
        )
        return
    if service is None:
        yield _missing(plan.siblings, agent.namespace)
        return
    if gateway.wants_tme:
        yield from _it_can_inject(reader, agent.namespace, coming=shared is not None)
    behind = pods_behind(reader, agent.namespace, service)
    if not any(is_ready(pod) and not is_terminating(pod) for pod in behind):
        yield Finding(
            subject=f"the agent in namespace {agent.namespace}",
            problem=f"has no ready pod ({len(behind)} behind its Service). Nothing would be protected",
            fix=f"Look at its pods: `kubectl --namespace {agent.namespace} get pods`. Ask its owner to repair it",
            severity="error_in_up",
        )


def agent_injects_the_trusted_image(reader: CachedReader, plan: Plan, gateway: Gateway) -> Iterator[Finding]:
    """An existing agent injects the image of the registry and repository that the config or the record names."""
    agent, trusted = plan.agent, without_version(gateway.injection.image)
    if not isinstance(agent, ExistingAgent) or agent.tme_image_configured:
        return
    try:
        found = reader.get(f"{config_maps(agent.namespace)}/{CONFIG_MAP}") or {}
    except ApiError as problem:
        if problem.status != 403:
            raise
        return  # `existing_agent_is_usable` reports that it may not be read, where that matters.
    image = tme_image_in(str((found.get("data") or {}).get(AGENT_CONFIG, "")))
    if image in (None, trusted):
        return
    yield Finding(
        subject=f"configmap {CONFIG_MAP} in namespace {agent.namespace}",
        problem=f"makes the agent inject {image}, but this stack's record has {trusted}. Anyone who may change that "
        "ConfigMap could choose what runs in the gateway's pods. The admission policy and the verification keep the "
        "recorded image",
        fix=f"If the new image is right, confirm it: `{config_set('agent.tmeImage', str(image))}`, then `pulumi up`. "
        "Otherwise ask the agent's owner",
        # Without the TME, the agent runs nothing in the gateway's pods.
        severity="error_in_up" if gateway.wants_tme else "warning",
    )


def _it_is_not_this_stacks(reader: CachedReader, plan: Plan, namespace: str) -> Iterator[Finding]:
    """No record says that this stack installed the agent: it would be found now, and uninstalled at the end."""
    for found in (record(reader, plan), reader.get(f"{config_maps(namespace)}/{AGENT_RECORD}")):
        data = (found or {}).get("data") or {}
        if found is None or not is_owned(labels_of(found), plan.owner):
            continue
        if data.get("agentNamespace") != namespace or "agentValuesDigest" not in data:
            continue
        yield Finding(
            subject=f"the agent in namespace {namespace}",
            problem="was installed by this stack, and agent.install is false now. It would be uninstalled at the end "
            "of the update, while the gateway still needs it",
            fix=f"Keep it: `{config_set('agent.install', 'true')}`. Or install another agent first, and name its "
            "namespace in agent.namespace",
        )


def _its_component_installs_it(reader: CachedReader, plan: Plan, namespace: str) -> Iterator[Finding]:
    """If the record of an agent alone says that another component of this stack installed it, that one has started."""
    siblings = plan.siblings
    if siblings is None or siblings.shared_agent or siblings.undetermined:
        return
    owner = labels_of(reader.get(f"{config_maps(namespace)}/{AGENT_RECORD}") or {}).get(STACK_LABEL, "")
    component = siblings.component_of(owner)
    if component is not None and owner not in siblings.ids:
        yield Finding(
            subject=f"the agent in namespace {namespace}",
            problem=f"was installed by component {component} of this stack, which does not install it before "
            f"{siblings.component}. If it is not in the program any more, the agent would be uninstalled at the end of "
            "the update, while the gateway still needs it",
            fix=f"If {component} is in the program, let {siblings.component} depend on it (the resource option "
            "depends_on). Otherwise add it again, or install another agent first and name its namespace: "
            f"`{config_set('agent.namespace', 'NAMESPACE')}`",
        )


def _missing(siblings: Siblings | None, namespace: str) -> Finding:
    """There is no Service of the agent."""
    if siblings and (siblings.shared_agent or siblings.undetermined):
        if siblings.shared_agent:
            problem = f"does not exist yet. Component {siblings.shared_agent.installer} installs it first"
        else:
            others = ", ".join(siblings.undetermined)
            problem = f"does not exist. This preview does not know whether {others} will install it"
        return Finding(
            subject=f"the agent in namespace {namespace}",
            problem=problem,
            fix=f"`pulumi up` checks it before it changes anything of {siblings.component}",
            severity="error_in_up",
        )
    installer = ""
    if siblings:
        installer = (
            f". If another component of this program installs it, let {siblings.component} depend on that one (the "
            "resource option depends_on), and give both the same kubeconfig"
        )
    return Finding(
        subject=f"service {AGENT_SERVICE} in namespace {namespace}",
        problem="is missing, and agent.install is false. There is no agent for this gateway",
        fix="Find the agent: `kubectl get services --all-namespaces --field-selector "
        f"metadata.name={AGENT_SERVICE}`. Then name its namespace: "
        f"`{config_set('agent.namespace', 'NAMESPACE')}`. If there is none, install one first{installer}",
    )


def _it_can_inject(reader: CachedReader, namespace: str, *, coming: bool) -> Iterator[Finding]:
    """The injector's webhook exists, unless the agent's component creates it first."""
    name = injector_webhook(namespace)
    if reader.get(f"{MUTATING_WEBHOOKS}/{name}") is None and not coming:
        yield _no_injector(
            f"mutatingwebhookconfiguration {name}",
            f"is missing. The agent in namespace {namespace}",
            instead="Ask the agent's owner to enable the injector (chart value injectorEnabled)",
        )
    # Without permission to read it, an update would roll the gateway for nothing, or miss a change of the settings.
    reader.get(f"{config_maps(namespace)}/{CONFIG_MAP}")


def _no_injector(subject: str, problem: str, *, instead: str) -> Finding:
    return Finding(
        subject=subject,
        problem=f"{problem} would inject no TME",
        fix=f"{instead}. Or use the mode that needs no TME: `{config_set('mode', 'async')}`",
    )
