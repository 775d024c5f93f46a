"""Checks of an agent-only stack: the update removes no gateway and no other agent of this stack."""

from collections.abc import Iterator

from traceable_kong.cluster.agent_objects import injector_webhook
from traceable_kong.cluster.api_objects import MUTATING_WEBHOOKS, NAMESPACES, name_of
from traceable_kong.cluster.ownership import STACK_LABEL
from traceable_kong.common.commands import config_remove, config_set
from traceable_kong.plan.model import Plan
from traceable_kong.preflight.cached_reader import CachedReader
from traceable_kong.preflight.finding import Finding
from traceable_kong.preflight.gateway_identity import gateway_namespaces

EVERY_CONFIG_MAP = "/api/v1/configmaps"


def nothing_else_of_this_stack_exists(reader: CachedReader, plan: Plan) -> Iterator[Finding]:
    """This stack has no gateway, which this update would remove, and no agent in another namespace.

    A gateway is in a namespace with the gateway's label, or, after Traceable was uninstalled, in the namespace that the
    stack created for it. An agent is where its record is, if this stack created the namespace or the injector's webhook
    for that namespace exists. A user with permissions in one namespace can create neither; a record alone proves
    nothing.
    """
    here, selector = plan.record_namespace, f"{STACK_LABEL}={plan.owner}"
    created = {name_of(item) for item in reader.list(NAMESPACES, metadata_only=True, labelSelector=selector)}
    records = reader.list(
        EVERY_CONFIG_MAP, metadata_only=True, labelSelector=selector, fieldSelector=f"metadata.name={plan.record_name}"
    )
    recorded = {str(item["metadata"]["namespace"]) for item in records} - {here}
    agents = {namespace for namespace in recorded if namespace in created or _has_injector(reader, namespace)}
    for namespace in sorted(gateway_namespaces(reader, plan.owner) | (created - agents - {here})):
        yield Finding(
            subject="traceable-kong:gateway",
            problem=f"is false, but this stack has a gateway in namespace {namespace}. Traceable would be removed "
            "from it, and so would a Kong that this stack installed",
            fix=f"Keep the gateway: `{config_remove('gateway')}`, and create another stack for the agent: `pulumi "
            "stack init agent`. Or run `pulumi destroy` first, with the old config",
        )
    for namespace in sorted(agents):
        yield Finding(
            subject="traceable-kong:agent.namespace",
            problem=f"is {here}, but this stack's agent is in namespace {namespace}. It would be removed there, and "
            "the gateways that use it would get no TME",
            fix=f"Keep the namespace: `{config_set('agent.namespace', namespace)}`. Or create a second stack for the "
            "new agent, and destroy this one when agent.namespace of every gateway names the new one",
        )
    for namespace in sorted(recorded - agents):
        yield Finding(
            subject=f"configmap {plan.record_name} in namespace {namespace}",
            problem="has this stack's ownership label, but nothing else shows that its agent is there. Either someone "
            "created it by hand, or the agent's injector is disabled",
            fix=f"If this stack's agent was in that namespace, set agent.namespace back to {namespace}. Otherwise "
            f"delete the ConfigMap: `kubectl delete configmap {plan.record_name} --namespace {namespace}`",
            severity="warning",
        )


def _has_injector(reader: CachedReader, namespace: str) -> bool:
    return reader.get(f"{MUTATING_WEBHOOKS}/{injector_webhook(namespace)}") is not None
