"""The permissions that each operation needs. Preflight checks those of an `up`; docs/security.md has all as Roles."""

from collections.abc import Iterable, Iterator
from typing import Literal

from traceable_kong.common.commands import config_set
from traceable_kong.plan.agent_model import ExistingAgent, ManagedAgent
from traceable_kong.plan.kong_model import ExistingKong, ManagedKong
from traceable_kong.plan.model import Gateway, Plan
from traceable_kong.plan.plugin_model import PluginEntity
from traceable_kong.preflight.chart_permissions import agent_chart, kong_chart
from traceable_kong.preflight.permissions import (
    ADMISSION,
    CHANGE,
    EVERYWHERE,
    KONG,
    RBAC,
    READ,
    Permission,
    Purpose,
    allow,
    port_forward,
    rollout,
)

Operation = Literal["verify", "preview", "up", "destroy"]


def purposes(plan: Plan) -> Iterator[Purpose]:
    """What an `up` changes, step by step."""
    agent, gateway = plan.agent, plan.gateway
    created = [
        *(["kong"] if gateway and gateway.kong.create_namespace else []),
        *(["agent"] if isinstance(agent, ManagedAgent) and agent.create_namespace else []),
    ]
    yield from _namespaces(created)
    if gateway:
        yield from _before_the_agent(gateway)
    else:
        yield Purpose(
            subject="the record",
            meant="The stack could not record what it installed",
            permissions=allow(CHANGE, plan.record_namespace, "configmaps"),
        )
    if isinstance(agent, ManagedAgent):
        yield from agent_chart(agent.release)
    if gateway:
        yield from _after_the_agent(gateway)
    yield _verification(plan)


def _before_the_agent(gateway: Gateway) -> Iterator[Purpose]:
    kong, namespace = gateway.kong, gateway.kong.deployment.namespace
    yield Purpose(
        subject="the plugin's files and the record",
        meant="Kong would have no plugin files",
        permissions=allow(CHANGE, namespace, "configmaps"),
        to_disable=allow(_when_disabled(gateway), namespace, "configmaps"),
    )
    if isinstance(kong, ManagedKong):
        yield from kong_chart(kong.release, database=kong.database is not None, installed=gateway.installed)
    if kong.managed_postgres:
        yield Purpose(
            subject="Kong's database",
            meant="Kong would have no database",
            permissions=(
                *allow(CHANGE, namespace, "statefulsets", group="apps"),
                *allow(CHANGE, namespace, "services", "secrets"),
                *allow(READ, namespace, "pods", "endpoints", "persistentvolumeclaims"),
            ),
            instead=". Or name an existing database in kong.postgres.host",
        )


def _after_the_agent(gateway: Gateway) -> Iterator[Purpose]:
    namespace = gateway.kong.deployment.namespace
    if gateway.installed:
        # The two patches exist in async too, but are empty.
        patches = (
            *allow(("get", "patch"), namespace, "namespaces"),
            *allow((*READ, "patch"), namespace, "deployments", group="apps"),
            *rollout(namespace),
        )
        yield Purpose(
            subject="the TME",
            meant="The gateway's pods could not request it",
            permissions=patches,
            to_disable=patches,
        )
        yield Purpose(
            subject="the dry run of a gateway pod",
            meant="The stack rolls no pods before a dry run shows that new pods get the TME",
            permissions=allow(("create",), namespace, "pods"),
            if_pods_request_tme=True,
        )
    if gateway.policy:
        yield Purpose(
            subject="the admission policy",
            meant="A gateway pod without the TME could start",
            permissions=allow(
                CHANGE, EVERYWHERE, "validatingadmissionpolicies", "validatingadmissionpolicybindings", group=ADMISSION
            ),
            instead=f". Or do without the policy: `{config_set('tmeGuard', 'off')}`",
        )
    if gateway.plugin.custom_resource:
        yield Purpose(
            subject="the plugin",
            meant="Kong would not use the plugin",
            permissions=allow(CHANGE, EVERYWHERE, "kongclusterplugins", group=KONG),
            to_disable=allow(_when_disabled(gateway), EVERYWHERE, "kongclusterplugins", group=KONG),
        )
    if gateway.plugin.entity:
        yield _entity(gateway.plugin.entity)


def _when_disabled(gateway: Gateway) -> tuple[str, ...]:
    """What `enabled: false` does with an object, which it changes, or `installed: false`, which deletes it."""
    return (*READ, "patch") if gateway.installed else (*READ, "patch", "delete")


def needed(plan: Plan, operation: Operation, *, first: bool = True) -> tuple[Permission, ...]:
    """Every permission that an operation needs, each once. `first` is False for an `up` of an installed stack.

    `destroy` reads, deletes, and returns the fields of its patches. Helm updates its Secrets when it uninstalls.
    """
    changes = [
        permission for purpose in purposes(plan) if first or not purpose.installs for permission in purpose.permissions
    ]
    entity = plan.gateway.plugin.entity if plan.gateway else None
    permissions: dict[Operation, Iterable[Permission]] = {
        "verify": (*_verification(plan).permissions, *_around_the_gateway(plan)),
        "preview": _preflight(plan),
        "up": (*_preflight(plan), *changes),
        "destroy": (*(_entity(entity).permissions if entity else ()), *filter(_in_a_destroy, changes)),
    }
    return tuple(dict.fromkeys(permissions[operation]))


def _in_a_destroy(permission: Permission) -> bool:
    if permission.subresource:
        return False
    given_back = (permission.verb, permission.resource) in (
        ("patch", "namespaces"),
        ("patch", "deployments"),
        ("update", "secrets"),
    )
    return given_back or permission.verb in (*READ, "delete")


def _preflight(plan: Plan) -> Iterator[Permission]:
    """What preflight reads, without the reads that only lead to warnings (docs/security.md names them)."""
    gateway, agent = plan.gateway, plan.agent
    if gateway is None:
        yield from _agent_only_preflight(plan.record_namespace)
        return
    kong, namespace = gateway.kong, gateway.kong.deployment.namespace
    for where in _namespaces_around(plan):
        yield from allow(("get",), where, "namespaces")
    yield from _around_the_gateway(plan)
    # A namespace's label shows where this stack's gateway is.
    yield from allow(("list",), EVERYWHERE, "namespaces")
    yield from allow(("get",), namespace, "services")
    yield from allow(("get", "list"), namespace, "configmaps", "secrets", "pods")
    yield from allow(("get", "list"), namespace, "deployments", group="apps")
    if isinstance(kong, ExistingKong) or kong.managed_postgres:
        yield from allow(("get",), namespace, "statefulsets", "daemonsets", group="apps")
    if kong.managed_postgres:
        yield from allow(("get",), namespace, "persistentvolumeclaims")
    if isinstance(agent, ManagedAgent | ExistingAgent):
        yield from allow(("get",), agent.namespace, "services", "configmaps")
        yield from allow(("get", "list"), agent.namespace, "secrets", "pods")
        yield from allow(("list",), agent.namespace, "deployments", group="apps")
    if isinstance(kong, ManagedKong):
        yield from allow(("get",), EVERYWHERE, "clusterroles", group=RBAC)
    yield from allow(("get", "list"), EVERYWHERE, "kongclusterplugins", group=KONG)
    yield from allow(("list",), EVERYWHERE, "kongplugins", group=KONG)
    yield from allow(("list",), EVERYWHERE, "validatingwebhookconfigurations", group=ADMISSION)
    if gateway.plugin.entity:
        yield from _entity(gateway.plugin.entity).permissions


def _agent_only_preflight(namespace: str) -> Iterator[Permission]:
    """An agent-only stack looks for its other agents and its gateways in the whole cluster."""
    yield from allow(("get",), namespace, "namespaces", "configmaps")
    yield from allow(("get", "list"), namespace, "secrets")
    yield from allow(("list",), namespace, "deployments", group="apps")
    yield from allow(("list",), EVERYWHERE, "namespaces", "configmaps")
    yield from allow(("get",), EVERYWHERE, "mutatingwebhookconfigurations", group=ADMISSION)


def _entity(entity: PluginEntity) -> Purpose:
    """Access to Kong's Admin API in its pod or at its URL, with the Secrets that the config names."""
    endpoint, namespace = entity.endpoint, entity.endpoint.deployment.namespace
    into_a_pod = (
        *allow(("get",), namespace, "deployments", group="apps"),
        *allow(("list",), namespace, "pods"),
        *port_forward(namespace),
    )
    secrets = allow(("get",), namespace, "secrets") if endpoint.needs_secrets else ()
    permissions = (*secrets, *(() if endpoint.url else into_a_pod))
    return Purpose(
        subject="the plugin entity",
        meant="The plugin could not be written to Kong, or deleted from it",
        permissions=permissions,
        to_disable=permissions,
    )


def _namespaces(created: list[str]) -> Iterator[Purpose]:
    """`created` are the config sections whose namespaces the stack creates."""
    if created:
        keys = " and ".join(f"`{config_set(f'{key}.createNamespace', 'false')}`" for key in created)
        yield Purpose(
            subject="namespaces",
            meant="There would be no namespace to install into",
            permissions=allow(CHANGE, EVERYWHERE, "namespaces"),
            instead=f". Or have the namespaces created beforehand, and set {keys}",
        )


def _verification(plan: Plan) -> Purpose:
    """What the verification reads. It connects to the agent in async, and in an agent-only stack."""
    gateway = plan.gateway
    permissions: list[Permission] = []
    if gateway:
        namespace = gateway.kong.deployment.namespace
        permissions += [
            *allow(("get",), namespace, "configmaps"),
            *allow(("list",), namespace, "pods"),
            *port_forward(namespace),
            *allow(("get",), namespace, "deployments", group="apps"),
            *allow(("list",), namespace, "replicasets", group="apps"),
        ]
        if gateway.plugin.custom_resource:
            permissions += allow(("get",), EVERYWHERE, "kongclusterplugins", group=KONG)
        if gateway.plugin.entity:
            permissions += _entity(gateway.plugin.entity).permissions
    if isinstance(plan.agent, ManagedAgent | ExistingAgent):
        namespace = plan.agent.namespace
        permissions += [*allow(("get",), namespace, "services"), *allow(("list",), namespace, "pods")]
        if gateway is None or (gateway.plugin.enabled and not gateway.wants_tme):
            permissions += port_forward(namespace)
    pods = "The gateway's pods" if gateway else "The agent"
    return Purpose(
        subject="the verification",
        meant=f"{pods} could not be checked, and no `up` would succeed",
        permissions=tuple(dict.fromkeys(permissions)),
        to_disable=tuple(permissions),
    )


def _around_the_gateway(plan: Plan) -> Iterator[Permission]:
    """What the verification reads in addition. Without these permissions it reports `not checked`."""
    for namespace in _namespaces_around(plan):
        yield from allow(("get",), namespace, "namespaces")
        yield from allow(("list",), namespace, "networkpolicies", group="networking.k8s.io")
    if plan.gateway and plan.gateway.policy:
        yield from allow(
            ("get",), EVERYWHERE, "validatingadmissionpolicies", "validatingadmissionpolicybindings", group=ADMISSION
        )
    if plan.agent_namespace:
        yield from allow(("get",), EVERYWHERE, "mutatingwebhookconfigurations", group=ADMISSION)


def _namespaces_around(plan: Plan) -> list[str]:
    """The namespaces of the record and of an agent in the cluster."""
    return [plan.record_namespace, *([plan.agent_namespace] if plan.agent_namespace else [])]
