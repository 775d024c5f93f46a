"""The permissions that each operation needs. Preflight checks those of an `up`; docs/security.md has all as Roles."""

from collections.abc import Iterator
from typing import Literal

from traceable_kong.common.commands import config_set
from traceable_kong.preflight.chart_permissions import agent_chart, kong_chart
from traceable_kong.preflight.intent import AloneIntent, Intent, RowIntent
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


def purposes(intent: Intent) -> Iterator[Purpose]:
    """What an `up` changes, step by step."""
    created = ["kong"] if intent.gateway.create_namespace else []
    yield from _namespaces([*created, *(["agent"] if intent.agent and intent.agent.create_namespace else [])])
    kong = intent.gateway.namespace
    # `enabled: false` changes the objects, `installed: false` deletes them.
    off = (*READ, "patch") if intent.installed else (*READ, "patch", "delete")
    yield Purpose(
        subject="the plugin's files and the record",
        meant="Kong would have no plugin files",
        permissions=allow(CHANGE, kong, "configmaps"),
        to_disable=allow(off, kong, "configmaps"),
    )
    if intent.gateway.ours:
        yield from kong_chart(intent.gateway, installed=intent.installed)
    if intent.gateway.made_database:
        yield Purpose(
            subject="Kong's database",
            meant="Kong would have no database",
            permissions=(
                *allow(CHANGE, kong, "statefulsets", group="apps"),
                *allow(CHANGE, kong, "services", "secrets"),
                *allow(READ, kong, "pods", "endpoints", "persistentvolumeclaims"),
            ),
            instead=". Or name an existing database in kong.postgres.host",
        )
    if intent.agent and intent.agent.release:
        yield from agent_chart(intent.agent)
    if intent.installed:
        # The two patches exist in async too, but are empty.
        patches = (
            *allow(("get", "patch"), kong, "namespaces"),
            *allow((*READ, "patch"), kong, "deployments", group="apps"),
            *rollout(kong),
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
            permissions=allow(("create",), kong, "pods"),
            if_pods_request_tme=True,
        )
    if intent.policy:
        yield Purpose(
            subject="the admission policy",
            meant="A gateway pod without the TME could start",
            permissions=allow(
                CHANGE, EVERYWHERE, "validatingadmissionpolicies", "validatingadmissionpolicybindings", group=ADMISSION
            ),
            instead=f". Or do without the policy: `{config_set('tmeGuard', 'off')}`",
        )
    if intent.plugin.object_name:
        yield Purpose(
            subject="the plugin",
            meant="Kong would not use the plugin",
            permissions=allow(CHANGE, EVERYWHERE, "kongclusterplugins", group=KONG),
            to_disable=allow(off, EVERYWHERE, "kongclusterplugins", group=KONG),
        )
    if intent.row:
        yield _entity(intent.row, kong)
    yield _verification(intent)


def purposes_of_the_agent(intent: AloneIntent) -> Iterator[Purpose]:
    """What an `up` of an agent-only stack changes."""
    there = intent.agent.namespace
    yield from _namespaces(["agent"] if intent.agent.create_namespace else [])
    yield Purpose(
        subject="the record",
        meant="The stack could not record what it installed",
        permissions=allow(CHANGE, there, "configmaps"),
    )
    yield from agent_chart(intent.agent)
    yield Purpose(
        subject="the verification",
        meant="The agent could not be checked, and no `up` would succeed",
        permissions=(
            *allow(("get",), there, "services"),
            *allow(("list",), there, "pods"),
            *port_forward(there),
        ),
    )


def needed(intent: Intent | AloneIntent, operation: Operation, *, first: bool = True) -> tuple[Permission, ...]:
    """Every permission that an operation needs, each once. `first` is False for an `up` of an installed stack.

    `destroy` reads, deletes, and returns the fields of its patches. Helm updates its Secrets when it uninstalls.
    """
    wanted = purposes(intent) if isinstance(intent, Intent) else purposes_of_the_agent(intent)
    changes = [permission for purpose in wanted if first or not purpose.installs for permission in purpose.permissions]
    if isinstance(intent, AloneIntent):
        seen = tuple(_preflight_of_the_agent(intent))
        permissions = {"preview": seen, "up": (*seen, *changes), "destroy": filter(_in_a_destroy, changes)}
        return tuple(dict.fromkeys(permissions[operation]))
    if operation == "verify":
        return tuple(dict.fromkeys([*_verification(intent).permissions, *_around_the_gateway(intent)]))
    if operation == "preview":
        return tuple(dict.fromkeys(_preflight(intent)))
    if operation == "up":
        return tuple(dict.fromkeys([*_preflight(intent), *changes]))
    through_kong = _entity(intent.row, intent.gateway.namespace).permissions if intent.row else ()
    return tuple(dict.fromkeys([*through_kong, *filter(_in_a_destroy, changes)]))


def _in_a_destroy(permission: Permission) -> bool:
    if permission.subresource:
        return False
    given_back = (permission.verb, permission.resource) in (
        ("patch", "namespaces"),
        ("patch", "deployments"),
        ("update", "secrets"),
    )
    return given_back or permission.verb in (*READ, "delete")


def _preflight(intent: Intent) -> Iterator[Permission]:
    """What preflight reads, without the reads that only lead to warnings (docs/security.md names them)."""
    gateway, agent = intent.gateway, intent.agent
    kong = gateway.namespace
    yield from _around_the_gateway(intent)
    # A namespace's label shows where this stack's gateway is.
    yield from allow(("list",), EVERYWHERE, "namespaces")
    yield from allow(("get",), kong, "services")
    yield from allow(("get", "list"), kong, "configmaps", "secrets", "pods")
    yield from allow(("get", "list"), kong, "deployments", group="apps")
    if not gateway.ours or gateway.made_database:
        yield from allow(("get",), kong, "statefulsets", "daemonsets", group="apps")
    if gateway.made_database:
        yield from allow(("get",), kong, "persistentvolumeclaims")
    if agent:
        yield from allow(("get",), agent.namespace, "services", "configmaps")
        yield from allow(("get", "list"), agent.namespace, "secrets", "pods")
        yield from allow(("list",), agent.namespace, "deployments", group="apps")
    if gateway.ours:
        yield from allow(("get",), EVERYWHERE, "clusterroles", group=RBAC)
    yield from allow(("get", "list"), EVERYWHERE, "kongclusterplugins", group=KONG)
    yield from allow(("list",), EVERYWHERE, "kongplugins", group=KONG)
    yield from allow(("list",), EVERYWHERE, "validatingwebhookconfigurations", group=ADMISSION)
    if intent.row:
        yield from _entity(intent.row, kong).permissions


def _preflight_of_the_agent(intent: AloneIntent) -> Iterator[Permission]:
    """The same for an agent-only stack, which looks for its other agent and its gateway in the whole cluster."""
    there = intent.agent.namespace
    yield from allow(("get",), there, "namespaces", "configmaps")
    yield from allow(("get", "list"), there, "secrets")
    yield from allow(("list",), there, "deployments", group="apps")
    yield from allow(("list",), EVERYWHERE, "namespaces", "configmaps")
    yield from allow(("get",), EVERYWHERE, "mutatingwebhookconfigurations", group=ADMISSION)


def _entity(row: RowIntent, kong: str) -> Purpose:
    """Access to Kong's Admin API in its pod or at its URL, with the Secrets that the config names."""
    access = row.access
    shown = access.needs_secrets
    into_a_pod = (
        *allow(("get",), kong, "deployments", group="apps"),
        *allow(("list",), kong, "pods"),
        *port_forward(kong),
    )
    permissions = (*(allow(("get",), kong, "secrets") if shown else ()), *(() if access.url else into_a_pod))
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
            instead=f". Or have them created beforehand, and set {keys}",
        )


def _verification(intent: Intent) -> Purpose:
    """What the verification needs in the gateway's and the agent's namespace. In async it connects to the agent too."""
    kong = intent.gateway.namespace
    permissions = [
        *allow(("get",), kong, "configmaps"),
        *allow(("list",), kong, "pods"),
        *port_forward(kong),
        *allow(("get",), kong, "deployments", group="apps"),
        *allow(("list",), kong, "replicasets", group="apps"),
    ]
    if intent.plugin.object_name:
        permissions += allow(("get",), EVERYWHERE, "kongclusterplugins", group=KONG)
    if intent.row:
        permissions += _entity(intent.row, kong).permissions
    if intent.agent:
        there = intent.agent.namespace
        permissions += [
            *allow(("get",), there, "services"),
            *allow(("list",), there, "pods"),
            *(port_forward(there) if intent.enabled and not intent.sync else ()),
        ]
    return Purpose(
        subject="the verification",
        meant="The gateway's pods could not be checked, and no `up` would succeed",
        permissions=tuple(dict.fromkeys(permissions)),
        to_disable=tuple(permissions),
    )


def _around_the_gateway(intent: Intent) -> Iterator[Permission]:
    """What the verification also reads. Without these it reports `not checked`, and no `up` fails."""
    namespaces = [intent.gateway.namespace, *([intent.agent.namespace] if intent.agent else [])]
    for namespace in namespaces:
        yield from allow(("get",), namespace, "namespaces")
        yield from allow(("list",), namespace, "networkpolicies", group="networking.k8s.io")
    if intent.policy:
        yield from allow(
            ("get",), EVERYWHERE, "validatingadmissionpolicies", "validatingadmissionpolicybindings", group=ADMISSION
        )
    if intent.agent:
        yield from allow(("get",), EVERYWHERE, "mutatingwebhookconfigurations", group=ADMISSION)
