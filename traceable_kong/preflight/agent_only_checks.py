"""A stack that is the agent alone: what it makes beside the agent, and what it would take down."""

from collections.abc import Iterator

from traceable_kong.cluster.agent_objects import injector_webhook
from traceable_kong.cluster.ownership import STACK_LABEL
from traceable_kong.common.commands import config_set
from traceable_kong.preflight.cached_reader import MUTATING_WEBHOOKS, NAMESPACES, CachedReader, config_maps, name_of
from traceable_kong.preflight.conflicts import OwnedObject, things_of_the_agent
from traceable_kong.preflight.finding import Finding
from traceable_kong.preflight.gateway_identity import gateway_namespaces
from traceable_kong.preflight.intent import AloneIntent

EVERY_CONFIG_MAP = "/api/v1/configmaps"


def things(intent: AloneIntent) -> Iterator[OwnedObject]:
    """What the stack makes, Helm's objects aside."""
    namespace = intent.agent.namespace
    yield OwnedObject(
        subject=f"configmap {intent.record}",
        path=f"{config_maps(namespace)}/{intent.record}",
        namespace=namespace,
        instead="another agent.namespace",
    )
    yield from things_of_the_agent(intent.agent)


def nothing_else_of_this_stack_stands(looks: CachedReader, intent: AloneIntent) -> Iterator[Finding]:
    """This stack has no gateway, which would go with this run, and its agent is nowhere else.

    A gateway is where a namespace's label says so; one that Traceable has left has no such label, and then it is the
    namespace that was made for it. An agent is where its record is: in a namespace that this stack made, or beside the
    injector's webhook that is called after it. Nobody who only has rights in a namespace can make either; a record
    alone can be anybody's.
    """
    here, selector = intent.agent.namespace, f"{STACK_LABEL}={intent.owner}"
    made = {name_of(item) for item in looks.list(NAMESPACES, metadata_only=True, labelSelector=selector)}
    records = looks.list(
        EVERY_CONFIG_MAP, metadata_only=True, labelSelector=selector, fieldSelector=f"metadata.name={intent.record}"
    )
    recorded = {str(item["metadata"]["namespace"]) for item in records} - {here}
    agents = {namespace for namespace in recorded if namespace in made or _has_injector(looks, namespace)}
    for namespace in sorted(gateway_namespaces(looks, intent.owner) | (made - agents - {here})):
        yield Finding(
            subject="traceable-kong:gateway",
            wrong=f"is false, and this stack has a gateway in namespace {namespace}: Traceable would be taken off it, "
            "and a Kong that this stack installed would be removed",
            mend="`pulumi config rm traceable-kong:gateway`, and a stack of its own for the agent (`pulumi stack init "
            "agent`); or `pulumi destroy` first, with the config as it was",
        )
    for namespace in sorted(agents):
        yield Finding(
            subject="traceable-kong:agent.namespace",
            wrong=f"is {here}, and this stack's agent stands in namespace {namespace}: it would be removed there, and "
            "the gateways that use it would get no TME",
            mend=f"`{config_set('agent.namespace', namespace)}`; or a second stack for the other one, and this "
            "one goes when every gateway's agent.namespace names that",
        )
    for namespace in sorted(recorded - agents):
        yield Finding(
            subject=f"configmap {intent.record} in namespace {namespace}",
            wrong="carries this stack's label, and nothing else says that its agent is there: somebody made it by "
            "hand, or the injector of an agent that is there is off",
            mend=f"If this stack's agent was moved from there, set agent.namespace back to {namespace}; else delete "
            f"the ConfigMap: `kubectl delete configmap {intent.record} --namespace {namespace}`",
            only_warns=True,
        )


def _has_injector(looks: CachedReader, namespace: str) -> bool:
    return looks.get(f"{MUTATING_WEBHOOKS}/{injector_webhook(namespace)}") is not None
