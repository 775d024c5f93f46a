"""The rights that an `up` needs, asked for by SelfSubjectAccessReview, so that none is missing half-way.

One question first: whoever may do anything is asked no further. Leaves out the rights to read what preflight reads:
that shows when it looks.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from kube import ApiError
from preflight.finding import Finding
from preflight.intent import AgentIntent, AloneIntent, Intent, RowIntent
from preflight.looks import Looks

EVERYWHERE = ""


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
    """Rights that are needed together; `meant` is what happens without them, `instead` a way without them."""

    subject: str
    meant: str
    rights: tuple[Right, ...]
    instead: str = ""


def purposes(intent: Intent) -> Iterator[Purpose]:
    """What an `up` of this intent needs."""
    made = ["kong"] if intent.gateway.create_namespace else []
    yield from _namespaces([*made, *(["agent"] if intent.agent and intent.agent.create_namespace else [])])
    kong = intent.gateway.namespace
    yield _purpose("the plugin's files and the record", "nothing could be mounted into Kong", kong, "configmaps")
    if intent.gateway.ours:
        roles = ("clusterroles", "clusterrolebindings", "roles", "rolebindings")
        yield _helm("Kong", kong, *roles, jobs=intent.gateway.database != "off")
    if intent.gateway.made_database:
        yield Purpose(
            subject="Kong's database",
            meant="there would be none for Kong",
            rights=(
                *_write("statefulsets", kong, "apps"),
                *_write("services", kong),
                *_write("secrets", kong),
            ),
            instead="; or name a database that exists in kong.postgres.host",
        )
    if intent.agent and intent.agent.release:
        yield from _agent(intent.agent)
    if intent.installed:
        # The two patches are there in async too, and hold nothing then; only in sync a pod is tried before.
        tried = [Right(verb="create", resource="pods", namespace=kong)] if intent.sync else []
        yield Purpose(
            subject="the TME",
            meant="the gateway's pods could not ask for it, or only the rollout would show that they do not get it",
            rights=(
                Right(verb="patch", resource="namespaces", namespace=kong),
                Right(verb="patch", resource="deployments", group="apps", namespace=kong),
                *tried,
            ),
        )
    if intent.policy:
        group = "admissionregistration.k8s.io"
        yield Purpose(
            subject="the guard",
            meant="a gateway pod without its TME could not be kept from starting",
            rights=(
                *_write("validatingadmissionpolicies", EVERYWHERE, group),
                *_write("validatingadmissionpolicybindings", EVERYWHERE, group),
            ),
            instead="; or `pulumi config set traceable-kong:tmeGuard off`",
        )
    if intent.plugin.object_name:
        yield Purpose(
            subject="the plugin",
            meant="Kong could not be told to use it",
            rights=_write("kongclusterplugins", EVERYWHERE, "configuration.konghq.com"),
        )
    if intent.row:
        yield _row(intent.row, kong)
    yield _proof(intent)


def purposes_of_the_agent(intent: AloneIntent) -> Iterator[Purpose]:
    """What an `up` of the agent alone needs."""
    there = intent.agent.namespace
    yield from _namespaces(["agent"] if intent.agent.create_namespace else [])
    yield _purpose("the record", "nobody could see what stands", there, "configmaps")
    yield from _agent(intent.agent)
    yield Purpose(
        subject="the proof",
        meant="whether the agent answers could not be looked up, and no `up` would succeed",
        rights=(
            Right(verb="get", resource="services", namespace=there),
            Right(verb="list", resource="pods", namespace=there),
            *_port_forward(there),
        ),
    )


def _agent(agent: AgentIntent) -> Iterator[Purpose]:
    yield _helm("the agent", agent.namespace, "clusterroles", "clusterrolebindings")
    yield Purpose(
        subject="the agent's injector",
        meant="no gateway pod would ever get a TME",
        rights=_write("mutatingwebhookconfigurations", EVERYWHERE, "admissionregistration.k8s.io"),
    )


def _row(row: RowIntent, kong: str) -> Purpose:
    """Kong is asked in its pod or at its address, with what stands in Secrets beside it."""
    access = row.access
    shown = access.shows_secrets
    into_a_pod = (
        Right(verb="get", resource="deployments", group="apps", namespace=kong),
        Right(verb="list", resource="pods", namespace=kong),
        *_port_forward(kong),
    )
    return Purpose(
        subject="the plugin's row",
        meant="Kong could not be told to use the plugin, and at the end not be rid of it",
        rights=(
            *([Right(verb="get", resource="secrets", namespace=kong)] if shown else []),
            *(() if access.url else into_a_pod),
        ),
    )


def _namespaces(made: list[str]) -> Iterator[Purpose]:
    """`made` are the keys of the parts whose namespaces are made here."""
    if made:
        keys = " and ".join(f"`pulumi config set --path traceable-kong:{key}.createNamespace false`" for key in made)
        yield Purpose(
            subject="namespaces",
            meant="there would be nothing to install into",
            rights=_write("namespaces", EVERYWHERE),
            instead=f"; or let somebody else make them, and {keys}",
        )


def _write(resource: str, namespace: str, group: str = "") -> tuple[Right, ...]:
    """Made on the server by apply, which is both of them."""
    return tuple(
        Right(verb=verb, resource=resource, namespace=namespace, group=group) for verb in ("create", "patch", "delete")
    )


def _purpose(subject: str, meant: str, namespace: str, resource: str) -> Purpose:
    return Purpose(subject=subject, meant=meant, rights=_write(resource, namespace))


def _proof(intent: Intent) -> Purpose:
    """What is looked at in the gateway's pods, and of the agent's; in async the agent itself is asked."""
    kong = intent.gateway.namespace
    rights = [
        Right(verb="list", resource="pods", namespace=kong),
        *_port_forward(kong),
        Right(verb="list", resource="replicasets", group="apps", namespace=kong),
    ]
    if intent.plugin.object_name:
        rights.append(
            Right(verb="get", resource="kongclusterplugins", group="configuration.konghq.com", namespace=EVERYWHERE)
        )
    if intent.agent:
        there = intent.agent.namespace
        rights += [
            Right(verb="get", resource="services", namespace=there),
            Right(verb="list", resource="pods", namespace=there),
            *(_port_forward(there) if intent.enabled and not intent.sync else ()),
        ]
    return Purpose(
        subject="the proof",
        meant="whether the gateway is protected could not be looked up in its pods, and no `up` would succeed",
        rights=tuple(dict.fromkeys(rights)),
    )


def _port_forward(namespace: str) -> tuple[Right, ...]:
    """Over a WebSocket it is a GET, which Kubernetes authorises as `get`, and from 1.35 on as `create` besides.

    Source: https://github.com/kubernetes/kubernetes/pull/134577.
    """
    return tuple(
        Right(verb=verb, resource="pods", subresource="portforward", namespace=namespace) for verb in ("get", "create")
    )


def _helm(what: str, namespace: str, *roles: str, jobs: bool = False) -> Purpose:
    """What a chart's usual objects take, and Helm's own history, which it keeps in Secrets and writes by `update`.

    `jobs` is whether the chart has Jobs: those that prepare Kong's database, which Helm watches.
    """
    objects = [("", "secrets", namespace), ("", "services", namespace), ("", "serviceaccounts", namespace)]
    objects += [("apps", "deployments", namespace)]
    objects += [
        ("rbac.authorization.k8s.io", role, EVERYWHERE if role.startswith("cluster") else namespace) for role in roles
    ]
    rights = [
        Right(verb=verb, resource=resource, group=group, namespace=where)
        for group, resource, where in objects
        for verb in ("get", "create", "patch", "delete")
    ]
    rights += [Right(verb=verb, resource="secrets", namespace=namespace) for verb in ("list", "update")]
    if jobs:
        rights += [
            Right(verb=verb, resource="jobs", group="batch", namespace=namespace)
            for verb in ("get", "list", "watch", "create", "patch", "delete")
        ]
    return Purpose(
        subject=f"the Helm release of {what}", meant=f"{what} could not be installed or changed", rights=tuple(rights)
    )


def rights_for(looks: Looks, intent: Intent | AloneIntent, *, purpose: Purpose) -> Iterator[Finding]:
    """We may do what a purpose needs. A preview only says what is missing: it changes nothing itself."""
    missing = [right for right in purpose.rights if not _may(looks, right)]
    if missing:
        yield Finding(
            subject=purpose.subject,
            wrong=f"needs rights that are missing ({_text(missing)}): {purpose.meant}",
            mend=f"have them granted to whoever runs this (`{missing[0].command}` says whether it is so)"
            + purpose.instead,
            only_warns=not intent.live_change,
        )


def _text(rights: Iterable[Right]) -> str:
    verbs: dict[str, list[str]] = {}
    for right in rights:
        verbs.setdefault(right.object, []).append(right.verb)
    return "; ".join(f"{', '.join(of)} {what}" for what, of in verbs.items())


def _may(looks: Looks, right: Right) -> bool:
    return looks.allowed(
        right.verb, right.resource, group=right.group, namespace=right.namespace, subresource=right.subresource
    )


def may_do_anything(looks: Looks) -> bool:
    """Whether every right is there, as a cluster's administrator has it; False where that may not be asked."""
    try:
        return looks.allowed("*", "*", group="*", namespace=EVERYWHERE, subresource="")
    except ApiError as problem:
        if problem.status == 403:
            return False
        raise
