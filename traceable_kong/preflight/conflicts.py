"""Objects and namespaces that this stack would overwrite or delete although it does not manage them.

An object that carries this stack's ownership label passes: an interrupted update may have left it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from traceable_kong.cluster.api_objects import (
    CLUSTER_PLUGINS,
    NAMESPACES,
    POLICIES,
    POLICY_BINDINGS,
    config_maps,
    labels_of,
    secrets,
    services,
    stateful_set,
)
from traceable_kong.cluster.ownership import STACK_LABEL, handover_label, is_owned
from traceable_kong.common.commands import config_set
from traceable_kong.plan.agent_model import ManagedAgent
from traceable_kong.plan.kong_model import ExistingKong
from traceable_kong.plan.model import Gateway, Plan
from traceable_kong.plan.release_model import ReleaseKey
from traceable_kong.preflight.cached_reader import CachedReader
from traceable_kong.preflight.finding import Finding
from traceable_kong.preflight.other_owners import belongs_to, removal, ways_out

GUIDE = "docs/adopting-a-release.md"


@dataclass(frozen=True, kw_only=True)
class OwnedObject:
    """An object that the stack creates; `subject` names it as kubectl does, `instead` is a way to avoid its name."""

    subject: str
    path: str
    namespace: str | None
    instead: str

    @property
    def option(self) -> str:
        """The option of kubectl for its namespace."""
        return f" --namespace {self.namespace}" if self.namespace else ""


def owned_objects(plan: Plan) -> Iterator[OwnedObject]:
    """What the stack creates, without the objects of its Helm releases."""
    yield OwnedObject(
        subject=f"configmap {plan.record_name}",
        path=f"{config_maps(plan.record_namespace)}/{plan.record_name}",
        namespace=plan.record_namespace,
        instead="Use a kong.namespace without another installation" if plan.gateway else "Use another agent.namespace",
    )
    if plan.gateway:
        yield from _gateway_objects(plan.gateway)
    agent = plan.agent
    if isinstance(agent, ManagedAgent) and agent.token is not None:
        name = agent.token_secret.name
        yield OwnedObject(
            subject=f"secret {name}",
            path=f"{secrets(agent.namespace)}/{name}",
            namespace=agent.namespace,
            instead="If it holds the platform token, let the stack read it: `pulumi config rm "
            f"traceable-kong:agentToken` and `{config_set('agentTokenSecret.name', name)}` (and .key)",
        )


def _gateway_objects(gateway: Gateway) -> Iterator[OwnedObject]:
    namespace = gateway.kong.deployment.namespace
    for config_map in gateway.config_maps:
        yield OwnedObject(
            subject=f"configmap {config_map.name}",
            path=f"{config_maps(namespace)}/{config_map.name}",
            namespace=namespace,
            instead="Use another kong.namespace",
        )
    if postgres := gateway.kong.managed_postgres:
        for kind, path in (
            ("secret", f"{secrets(namespace)}/{postgres.name}"),
            ("service", f"{services(namespace)}/{postgres.name}"),
            ("statefulset", stateful_set(namespace, postgres.name)),
        ):
            yield OwnedObject(
                subject=f"{kind} {postgres.name}",
                path=path,
                namespace=namespace,
                instead="Use another kong.release, or an existing database (kong.postgres.host)",
            )
    if resource := gateway.plugin.custom_resource:
        yield OwnedObject(
            subject=f"kongclusterplugin {resource.name}",
            path=f"{CLUSTER_PLUGINS}/{resource.name}",
            namespace=None,
            instead=f"Use another name: `{config_set('plugin.name', 'NAME')}`",
        )
    if policy := gateway.policy:
        for kind, collection in (
            ("validatingadmissionpolicy", POLICIES),
            ("validatingadmissionpolicybinding", POLICY_BINDINGS),
        ):
            yield OwnedObject(
                subject=f"{kind} {policy.name}",
                path=f"{collection}/{policy.name}",
                namespace=None,
                instead=f"Do without the admission policy: `{config_set('tmeGuard', 'off')}`",
            )


def object_is_owned(reader: CachedReader, plan: Plan, item: OwnedObject) -> Iterator[Finding]:
    """An object that exists carries this stack's ownership label."""
    found = reader.get(item.path)
    if found is None or is_owned(labels_of(found), plan.owner):
        return
    owner = labels_of(found).get(STACK_LABEL)
    subject = item.subject + (f" in namespace {item.namespace}" if item.namespace else "")
    if owner:
        yield Finding(
            subject=subject,
            problem=f"{belongs_to(plan, owner)}. Both would write it, and {removal(plan, owner)} would delete it",
            fix=ways_out(plan, owner, instead=item.instead),
        )
    else:
        yield Finding(
            subject=subject,
            problem="exists and is not managed by this stack. This update would overwrite it, and `pulumi destroy` "
            "would delete it",
            fix=f"{item.instead}. If the object is not needed, delete it: `kubectl delete "
            f"{item.subject}{item.option}`. If this stack is to manage it, label it: `kubectl label "
            f"{item.subject}{item.option} {STACK_LABEL}={handover_label(plan.owner)}` ({GUIDE})",
        )


def namespaces_are_as_configured(reader: CachedReader, plan: Plan) -> Iterator[Finding]:
    """A namespace that the stack creates is new or owned by it; every other namespace exists."""
    wanted: list[tuple[ReleaseKey, str, bool]] = []
    if plan.gateway:
        wanted.append(("kong", plan.gateway.kong.deployment.namespace, plan.gateway.kong.create_namespace))
    if isinstance(plan.agent, ManagedAgent):
        wanted.append(("agent", plan.agent.namespace, plan.agent.create_namespace))
    created = {name for _, name, create in wanted if create}
    for key, name, create in wanted:
        # For an existing Kong, another check looks for the Deployment itself.
        existing = key == "kong" and plan.gateway is not None and isinstance(plan.gateway.kong, ExistingKong)
        yield from _namespace_is_as_configured(
            reader, plan, key=key, name=name, create=create, required=name not in created and not existing
        )


def _namespace_is_as_configured(
    reader: CachedReader, plan: Plan, *, key: str, name: str, create: bool, required: bool
) -> Iterator[Finding]:
    found = reader.get(f"{NAMESPACES}/{name}")
    subject = f"namespace {name}"
    dont_create = config_set(f"{key}.createNamespace", "false")
    if found is None:
        if required:
            yield Finding(
                subject=subject,
                problem=f"is missing, and {key}.createNamespace is false. There is no namespace to install into",
                fix=f"Create it: `kubectl create namespace {name}`. Or let the stack create it: "
                f"`{config_set(f'{key}.createNamespace', 'true')}`",
            )
        return
    if (found.get("metadata") or {}).get("deletionTimestamp"):
        yield Finding(
            subject=subject,
            problem="is being deleted. Nothing can be created in it",
            fix=f"Wait until it is gone (`kubectl wait --for=delete namespace/{name} --timeout=300s`), then run the "
            "command again",
        )
        return
    if not create or is_owned(labels_of(found), plan.owner):
        return
    other = labels_of(found).get(STACK_LABEL, "")
    whose = belongs_to(plan, other) if other else "exists and is not managed by this stack"
    instead = f"Keep the namespace when this stack is destroyed: `{dont_create}`. Or use another {key}.namespace"
    yield Finding(
        subject=subject,
        problem=f"{whose}. With {key}.createNamespace, {removal(plan, other)} would delete it and everything in it",
        fix=ways_out(plan, other, instead=instead)
        if other
        else f"{instead}. If it is to be deleted with this stack, label it: `kubectl label namespace {name} "
        f"{STACK_LABEL}={handover_label(plan.owner)}`",
    )
