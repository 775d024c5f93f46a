"""The permissions that each operation needs. Preflight asks for those of an `up`; docs/security.md has all as Roles.

What the charts create is from their public templates (kong 3.4.1, https://github.com/Kong/charts; traceable-agent
1.58.0), with the user's values. Helm reads what it waits for, and so does the provider.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from traceable_kong.preflight.intent import AgentIntent, AloneIntent, GatewayIntent, Intent, RowIntent

Operation = Literal["verify", "preview", "up", "destroy"]

EVERYWHERE = ""
READ = ("get", "list", "watch")
CHANGE = (*READ, "create", "patch", "delete")
"""An object of the provider's or of a chart's: made by server-side apply, which needs create and patch, and awaited."""

ADMISSION = "admissionregistration.k8s.io"
KONG = "configuration.konghq.com"
RBAC = "rbac.authorization.k8s.io"


@dataclass(frozen=True, kw_only=True)
class Right:
    """A right in a namespace, or EVERYWHERE."""

    verb: str
    resource: str
    namespace: str
    group: str = ""
    subresource: str = ""

    @property
    def command(self) -> str:
        """Asks for the same with kubectl."""
        resource = f"{self.resource}.{self.group}" if self.group else self.resource
        subresource = f" --subresource={self.subresource}" if self.subresource else ""
        where = f" --namespace {self.namespace}" if self.namespace else ""
        return f"kubectl auth can-i {self.verb} {resource}{subresource}{where}"

    @property
    def object(self) -> str:
        """What the verb is about."""
        if self.resource == "namespaces" and self.namespace:
            return f"namespace {self.namespace}"
        resource = f"{self.resource}/{self.subresource}" if self.subresource else self.resource
        return resource + (f" in namespace {self.namespace}" if self.namespace else "")


@dataclass(frozen=True, kw_only=True)
class Purpose:
    """Rights that are needed together; `meant` is what happens without them, `instead` a way without them.

    `unless` are rights that make them unnecessary, when all of these are held. `installs` is the namespace and the name
    of the Helm release that is installed with them: where it exists, Helm needs them only when the chart's part of it
    changes. `to_switch_off` are those that `enabled: false` or `installed: false` needs on a stack that is installed.
    `where_pods_ask` True are needed where the gateway's pods ask for the TME, or shall ask for it.
    """

    subject: str
    meant: str
    rights: tuple[Right, ...]
    instead: str = ""
    unless: tuple[Right, ...] = ()
    installs: tuple[str, str] | None = None
    to_switch_off: tuple[Right, ...] = ()
    where_pods_ask: bool = False


def purposes(intent: Intent) -> Iterator[Purpose]:
    """What an `up` of this intent changes, step by step."""
    made = ["kong"] if intent.gateway.create_namespace else []
    yield from _namespaces([*made, *(["agent"] if intent.agent and intent.agent.create_namespace else [])])
    kong = intent.gateway.namespace
    # Disabled, the objects of before are changed; uninstalled, they are deleted.
    off = (*READ, "patch") if intent.installed else (*READ, "patch", "delete")
    yield Purpose(
        subject="the plugin's files and the record",
        meant="nothing could be mounted into Kong",
        rights=_rights(CHANGE, kong, "configmaps"),
        to_switch_off=_rights(off, kong, "configmaps"),
    )
    if intent.gateway.ours:
        yield from _kong(intent.gateway, installed=intent.installed)
    if intent.gateway.made_database:
        yield Purpose(
            subject="Kong's database",
            meant="there would be none for Kong",
            rights=(
                *_rights(CHANGE, kong, "statefulsets", group="apps"),
                *_rights(CHANGE, kong, "services", "secrets"),
                *_rights(READ, kong, "pods", "endpoints", "persistentvolumeclaims"),
            ),
            instead="; or name a database that exists in kong.postgres.host",
        )
    if intent.agent and intent.agent.release:
        yield from _agent(intent.agent)
    if intent.installed:
        # The two patches exist in async too, and hold nothing then.
        patches = (
            *_rights(("get", "patch"), kong, "namespaces"),
            *_rights((*READ, "patch"), kong, "deployments", group="apps"),
            *_rollout(kong),
        )
        yield Purpose(
            subject="the TME",
            meant="the gateway's pods could not ask for it",
            rights=patches,
            to_switch_off=patches,
        )
        yield Purpose(
            subject="the dry run of a gateway pod",
            meant="whether new pods get the TME could not be tried, and nothing that rolls them is begun without that",
            rights=_rights(("create",), kong, "pods"),
            where_pods_ask=True,
        )
    if intent.policy:
        yield Purpose(
            subject="the guard",
            meant="a gateway pod without its TME could not be kept from starting",
            rights=_rights(
                CHANGE, EVERYWHERE, "validatingadmissionpolicies", "validatingadmissionpolicybindings", group=ADMISSION
            ),
            instead="; or `pulumi config set traceable-kong:tmeGuard off`",
        )
    if intent.plugin.object_name:
        yield Purpose(
            subject="the plugin",
            meant="Kong could not be told to use it",
            rights=_rights(CHANGE, EVERYWHERE, "kongclusterplugins", group=KONG),
            to_switch_off=_rights(off, EVERYWHERE, "kongclusterplugins", group=KONG),
        )
    if intent.row:
        yield _row(intent.row, kong)
    yield _proof(intent)


def purposes_of_the_agent(intent: AloneIntent) -> Iterator[Purpose]:
    """What an `up` of the agent alone changes."""
    there = intent.agent.namespace
    yield from _namespaces(["agent"] if intent.agent.create_namespace else [])
    yield Purpose(
        subject="the record",
        meant="nobody could see what the stack installed",
        rights=_rights(CHANGE, there, "configmaps"),
    )
    yield from _agent(intent.agent)
    yield Purpose(
        subject="the proof",
        meant="whether the agent answers could not be looked up, and no `up` would succeed",
        rights=(
            *_rights(("get",), there, "services"),
            *_rights(("list",), there, "pods"),
            *_port_forward(there),
        ),
    )


def needed(intent: Intent | AloneIntent, operation: Operation, *, first: bool = True) -> tuple[Right, ...]:
    """Every right that an operation needs, each once; `first` False is an `up` of a stack that is installed already.

    `destroy` follows the state and not the config; it reads, deletes, and gives back the fields of its patches. Helm
    notes in its Secrets that it uninstalls.
    """
    wanted = purposes(intent) if isinstance(intent, Intent) else purposes_of_the_agent(intent)
    changes = [right for purpose in wanted if first or not purpose.installs for right in purpose.rights]
    if isinstance(intent, AloneIntent):
        seen = tuple(_preflight_of_the_agent(intent))
        rights = {"preview": seen, "up": (*seen, *changes), "destroy": filter(_in_a_destroy, changes)}
        return tuple(dict.fromkeys(rights[operation]))
    if operation == "verify":
        return tuple(dict.fromkeys([*_proof(intent).rights, *_around_the_gateway(intent)]))
    if operation == "preview":
        return tuple(dict.fromkeys(_preflight(intent)))
    if operation == "up":
        return tuple(dict.fromkeys([*_preflight(intent), *changes]))
    through_kong = _row(intent.row, intent.gateway.namespace).rights if intent.row else ()
    return tuple(dict.fromkeys([*through_kong, *filter(_in_a_destroy, changes)]))


def _in_a_destroy(right: Right) -> bool:
    if right.subresource:
        return False
    given_back = (right.verb, right.resource) in (
        ("patch", "namespaces"),
        ("patch", "deployments"),
        ("update", "secrets"),
    )
    return given_back or right.verb in (*READ, "delete")


def _preflight(intent: Intent) -> Iterator[Right]:
    """What is looked at in every preview and `up`. What only warns is not among it (docs/security.md names it)."""
    gateway, agent = intent.gateway, intent.agent
    kong = gateway.namespace
    yield from _around_the_gateway(intent)
    # A namespace's label says where this stack's gateway is.
    yield from _rights(("list",), EVERYWHERE, "namespaces")
    yield from _rights(("get",), kong, "services")
    yield from _rights(("get", "list"), kong, "configmaps", "secrets", "pods")
    yield from _rights(("get", "list"), kong, "deployments", group="apps")
    if not gateway.ours or gateway.made_database:
        yield from _rights(("get",), kong, "statefulsets", "daemonsets", group="apps")
    if gateway.made_database:
        yield from _rights(("get",), kong, "persistentvolumeclaims")
    if agent:
        yield from _rights(("get",), agent.namespace, "services", "configmaps")
        yield from _rights(("get", "list"), agent.namespace, "secrets", "pods")
        yield from _rights(("list",), agent.namespace, "deployments", group="apps")
    if gateway.ours:
        yield from _rights(("get",), EVERYWHERE, "clusterroles", group=RBAC)
    yield from _rights(("get", "list"), EVERYWHERE, "kongclusterplugins", group=KONG)
    yield from _rights(("list",), EVERYWHERE, "kongplugins", group=KONG)
    yield from _rights(("list",), EVERYWHERE, "validatingwebhookconfigurations", group=ADMISSION)
    if intent.row:
        yield from _row(intent.row, kong).rights


def _preflight_of_the_agent(intent: AloneIntent) -> Iterator[Right]:
    """The same of an agent alone. Where the stack's gateway or another agent of it is, is looked for everywhere."""
    there = intent.agent.namespace
    yield from _rights(("get",), there, "namespaces", "configmaps")
    yield from _rights(("get", "list"), there, "secrets")
    yield from _rights(("list",), there, "deployments", group="apps")
    yield from _rights(("list",), EVERYWHERE, "namespaces", "configmaps")
    yield from _rights(("get",), EVERYWHERE, "mutatingwebhookconfigurations", group=ADMISSION)


def _kong(gateway: GatewayIntent, *, installed: bool) -> Iterator[Purpose]:
    """The chart's objects: with the ingress controller also what is cluster-wide."""
    kong, values = gateway.namespace, gateway.values
    controller = _is_on(values, "ingressController.enabled", default=True)
    cluster_wide: list[Right] = []
    if controller:
        # Helm's own rule: CRDs are installed once, and never changed or deleted.
        cluster_wide += _rights(
            (*READ, "create"), EVERYWHERE, "customresourcedefinitions", group="apiextensions.k8s.io"
        )
        cluster_wide += _roles(READ, kong)
        cluster_wide += _rights(CHANGE, EVERYWHERE, "ingressclasses", group="networking.k8s.io")
        cluster_wide += _rights(CHANGE, EVERYWHERE, "validatingwebhookconfigurations", group=ADMISSION)
    optional: list[Right] = []
    if _is_on(values, "autoscaling.enabled"):
        optional += _rights(CHANGE, kong, "horizontalpodautoscalers", group="autoscaling")
    if _is_on(values, "podDisruptionBudget.enabled"):
        optional += _rights(CHANGE, kong, "poddisruptionbudgets", group="policy")
    if any(_is_on(values, f"{part}.ingress.enabled") for part in ("admin", "manager", "portal", "portalapi", "proxy")):
        optional += _rights(CHANGE, kong, "ingresses", group="networking.k8s.io")
    if gateway.database != "off":
        optional += _rights(CHANGE, kong, "jobs", group="batch")
    helm = _helm("Kong", kong, [*cluster_wide, *optional])
    # Without Traceable, Kong's pods are other pods: Helm changes what it made, and runs the chart's jobs.
    kept = () if installed else tuple(filter(_on_an_upgrade, helm.rights))
    yield dataclasses.replace(helm, to_switch_off=kept)
    if controller:
        yield from _roles_of(
            "Kong",
            (kong, str(gateway.release)),
            kong,
            # What the ingress controller's own roles grant (kong 3.4.1, kong.kubernetesRBACRules).
            unless=(
                *_rights(("list", "watch"), EVERYWHERE, "configmaps", "secrets", "services", "pods", "nodes"),
                *_rights(("create", "patch"), EVERYWHERE, "events"),
                *_rights(("list", "watch"), EVERYWHERE, "kongclusterplugins", "kongplugins", group=KONG),
                *_rights(("list", "watch"), EVERYWHERE, "ingresses", "ingressclasses", group="networking.k8s.io"),
                *_rights(("list", "watch"), EVERYWHERE, "customresourcedefinitions", group="apiextensions.k8s.io"),
                *_rights(("create", "update", "delete"), kong, "leases", group="coordination.k8s.io"),
            ),
        )


def _agent(agent: AgentIntent) -> Iterator[Purpose]:
    """The chart's objects; each of its switches is on by default, but for the DaemonSet."""
    there, values = agent.namespace, agent.values
    more = [*_rights(CHANGE, there, "configmaps")]
    if _is_on(values, "runAsDaemonSet"):
        more += _rights(CHANGE, there, "daemonsets", group="apps")
    elif _is_on(values, "autoscaling.enabled", default=True):
        more += _rights(CHANGE, there, "horizontalpodautoscalers", group="autoscaling")
    roles = _is_on(values, "clusterRolesEnabled", default=True)
    if roles:
        more += _roles(READ, None)
    yield _helm("the agent", there, more)
    if roles:
        yield from _roles_of(
            "the agent",
            (there, str(agent.release)),
            None,
            unless=(
                *_rights(("get",), EVERYWHERE, "namespaces"),
                *_rights(("get", "update"), EVERYWHERE, "configmaps"),
            ),
        )
    if _is_on(values, "injectorEnabled", default=True):
        yield Purpose(
            subject="the agent's injector",
            meant="no gateway pod would ever get a TME",
            rights=_rights(CHANGE, EVERYWHERE, "mutatingwebhookconfigurations", group=ADMISSION),
        )


def _helm(what: str, namespace: str, more: Iterable[Right]) -> Purpose:
    """What a chart's usual objects take, what Helm waits for, and its own history in Secrets, written by `update`."""
    rights = [
        *_rights(CHANGE, namespace, "secrets", "services", "serviceaccounts"),
        *_rights(("update",), namespace, "secrets"),
        *_rights(CHANGE, namespace, "deployments", group="apps"),
        *_rollout(namespace),
        *more,
    ]
    return Purpose(
        subject=f"the Helm release of {what}",
        meant=f"{what} could not be installed or changed",
        rights=tuple(dict.fromkeys(rights)),
    )


def _on_an_upgrade(right: Right) -> bool:
    return right.verb not in ("create", "delete") or right.resource in ("secrets", "jobs")


def _roles(verbs: Iterable[str], namespace: str | None) -> tuple[Right, ...]:
    """A chart's roles and bindings: cluster-wide ones, and those of a namespace where there is one."""
    inside = _rights(verbs, namespace, "roles", "rolebindings", group=RBAC) if namespace else ()
    return (*_rights(verbs, EVERYWHERE, "clusterroles", "clusterrolebindings", group=RBAC), *inside)


def _roles_of(
    what: str, release: tuple[str, str], namespace: str | None, *, unless: tuple[Right, ...]
) -> Iterator[Purpose]:
    """To create a chart's roles and bind them. Nobody may grant what they may not do themselves.

    Source: https://kubernetes.io/docs/reference/access-authn-authz/rbac/#privilege-escalation-prevention-and-bootstrapping.
    """
    yield Purpose(
        subject=f"the roles in the chart of {what}",
        meant="the chart's roles could not be created",
        rights=_roles(("create", "patch", "delete"), namespace),
        installs=release,
    )
    yield Purpose(
        subject=f"the roles in the chart of {what}",
        meant="Kubernetes lets nobody grant rights that they do not have, so the chart's roles could not be created",
        rights=(
            *_rights(("escalate", "bind"), EVERYWHERE, "clusterroles", group=RBAC),
            *(_rights(("escalate", "bind"), namespace, "roles", group=RBAC) if namespace else ()),
        ),
        instead="; or every right that the chart's roles grant",
        unless=unless,
        installs=release,
    )


def _row(row: RowIntent, kong: str) -> Purpose:
    """Kong is asked in its pod or at its address, with what is in Secrets beside it."""
    access = row.access
    shown = access.shows_secrets
    into_a_pod = (
        *_rights(("get",), kong, "deployments", group="apps"),
        *_rights(("list",), kong, "pods"),
        *_port_forward(kong),
    )
    rights = (*(_rights(("get",), kong, "secrets") if shown else ()), *(() if access.url else into_a_pod))
    return Purpose(
        subject="the plugin's row",
        meant="Kong could not be told to use the plugin, and at the end not be rid of it",
        rights=rights,
        to_switch_off=rights,
    )


def _namespaces(made: list[str]) -> Iterator[Purpose]:
    """`made` are the keys of the parts whose namespaces are made here."""
    if made:
        keys = " and ".join(f"`pulumi config set --path traceable-kong:{key}.createNamespace false`" for key in made)
        yield Purpose(
            subject="namespaces",
            meant="there would be nothing to install into",
            rights=_rights(CHANGE, EVERYWHERE, "namespaces"),
            instead=f"; or have them created beforehand, and {keys}",
        )


def _proof(intent: Intent) -> Purpose:
    """What is looked at in the gateway's pods, and of the agent's; in async the agent itself is asked."""
    kong = intent.gateway.namespace
    rights = [
        *_rights(("get",), kong, "configmaps"),
        *_rights(("list",), kong, "pods"),
        *_port_forward(kong),
        *_rights(("get",), kong, "deployments", group="apps"),
        *_rights(("list",), kong, "replicasets", group="apps"),
    ]
    if intent.plugin.object_name:
        rights += _rights(("get",), EVERYWHERE, "kongclusterplugins", group=KONG)
    if intent.row:
        rights += _row(intent.row, kong).rights
    if intent.agent:
        there = intent.agent.namespace
        rights += [
            *_rights(("get",), there, "services"),
            *_rights(("list",), there, "pods"),
            *(_port_forward(there) if intent.enabled and not intent.sync else ()),
        ]
    return Purpose(
        subject="the proof",
        meant="whether the gateway is protected could not be looked up in its pods, and no `up` would succeed",
        rights=tuple(dict.fromkeys(rights)),
        to_switch_off=tuple(rights),
    )


def _around_the_gateway(intent: Intent) -> Iterator[Right]:
    """What the verification reads besides: without these it reports `not checked`, and no `up` fails for it."""
    namespaces = [intent.gateway.namespace, *([intent.agent.namespace] if intent.agent else [])]
    for namespace in namespaces:
        yield from _rights(("get",), namespace, "namespaces")
        yield from _rights(("list",), namespace, "networkpolicies", group="networking.k8s.io")
    if intent.policy:
        yield from _rights(
            ("get",), EVERYWHERE, "validatingadmissionpolicies", "validatingadmissionpolicybindings", group=ADMISSION
        )
    if intent.agent:
        yield from _rights(("get",), EVERYWHERE, "mutatingwebhookconfigurations", group=ADMISSION)


def _rollout(namespace: str) -> tuple[Right, ...]:
    """What the provider and Helm read while they wait for a Deployment."""
    return (
        *_rights(READ, namespace, "pods", "persistentvolumeclaims"),
        *_rights(READ, namespace, "replicasets", group="apps"),
    )


def _port_forward(namespace: str) -> tuple[Right, ...]:
    """Over a WebSocket it is a GET, which Kubernetes authorizes as `get`, and from 1.35 on as `create` besides.

    Source: https://github.com/kubernetes/kubernetes/pull/134577.
    """
    return tuple(
        Right(verb=verb, resource="pods", subresource="portforward", namespace=namespace) for verb in ("get", "create")
    )


def _rights(verbs: Iterable[str], namespace: str, *resources: str, group: str = "") -> tuple[Right, ...]:
    return tuple(
        Right(verb=verb, resource=resource, namespace=namespace, group=group)
        for resource in resources
        for verb in verbs
    )


def _is_on(values: Mapping[str, Any], path: str, *, default: bool = False) -> bool:
    """Whether a switch of the chart's is on, which has this default."""
    found: Any = values
    for key in path.split("."):
        if not isinstance(found, Mapping) or key not in found:
            return default
        found = found[key]
    return bool(found)
