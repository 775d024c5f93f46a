"""A stack that is the agent alone: what it makes beside the agent, and what it would take down.

Leaves out what is asked of every agent of ours (foreign.py, releases.py, adoption.py).
"""

from collections.abc import Iterator

from kube import Document
from ownership import STACK_LABEL
from preflight.finding import Finding
from preflight.foreign import Thing, things_of_the_agent
from preflight.intent import AloneIntent
from preflight.looks import NAMESPACES, Looks, config_maps, name_of
from preflight.moved import EVERY_CONFIG_MAP


def things(intent: AloneIntent) -> Iterator[Thing]:
    """What the stack makes, Helm's objects aside."""
    namespace = intent.agent.namespace
    yield Thing(
        subject=f"configmap {intent.record}",
        path=f"{config_maps(namespace)}/{intent.record}",
        namespace=namespace,
        instead="another agent.namespace",
    )
    yield from things_of_the_agent(intent.agent)


def nothing_else_of_this_stack_stands(looks: Looks, intent: AloneIntent) -> Iterator[Finding]:
    """This stack has no gateway, which would go with this run, and its agent is nowhere else.

    A gateway that Traceable has left has no record; then it is the namespace that was made for it.
    """
    here, selector = intent.agent.namespace, f"{STACK_LABEL}={intent.owner}"
    records = looks.list(EVERY_CONFIG_MAP, metadata_only=True, labelSelector=selector)
    gateways = {_namespace_of(item) for item in records if name_of(item) == intent.gateways_record}
    agents = {_namespace_of(item) for item in records if name_of(item) == intent.record} - {here}
    made = {name_of(item) for item in looks.list(NAMESPACES, metadata_only=True, labelSelector=selector)}
    for namespace in sorted(gateways | (made - agents - {here})):
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
            mend=f"`pulumi config set --path traceable-kong:agent.namespace {namespace}`; or a second stack for the "
            "other one, and this one goes when every gateway's agent.namespace names that",
        )


def _namespace_of(item: Document) -> str:
    return str(item["metadata"]["namespace"])
