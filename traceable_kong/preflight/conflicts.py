"""Objects that this stack is about to make, and somebody else has made: it would overwrite, and later delete them.

What carries this stack's label is taken over.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from traceable_kong.cluster.ownership import STACK_LABEL, handover_label, is_owned
from traceable_kong.plugin.kong_cluster_plugin import INGRESS_CLASS
from traceable_kong.preflight.cached_reader import (
    CLUSTER_PLUGINS,
    NAMESPACES,
    POLICIES,
    POLICY_BINDINGS,
    CachedReader,
    annotations_of,
    config_maps,
    labels_of,
    name_of,
    plugins_of,
    secrets,
    services,
    stateful_set,
)
from traceable_kong.preflight.finding import Finding
from traceable_kong.preflight.helm_releases import another_stack
from traceable_kong.preflight.intent import AgentIntent, AloneIntent, Intent


@dataclass(frozen=True, kw_only=True)
class OwnedObject:
    """An object that the stack makes; `subject` names it as kubectl does, `instead` is a way around it."""

    subject: str
    path: str
    namespace: str | None
    instead: str

    @property
    def where(self) -> str:
        return f" --namespace {self.namespace}" if self.namespace else ""


def things(intent: Intent) -> Iterator[OwnedObject]:
    """What the stack makes, Helm's objects aside."""
    kong, agent = intent.gateway.namespace, intent.agent
    for name in intent.config_maps:
        path = f"{config_maps(kong)}/{name}"
        yield OwnedObject(subject=f"configmap {name}", path=path, namespace=kong, instead="another kong.namespace")
    yield OwnedObject(
        subject=f"configmap {intent.record}",
        path=f"{config_maps(kong)}/{intent.record}",
        namespace=kong,
        instead="a kong.namespace without another installation",
    )
    if database := intent.gateway.made_database:
        for kind, path in (
            ("secret", f"{secrets(kong)}/{database}"),
            ("service", f"{services(kong)}/{database}"),
            ("statefulset", stateful_set(kong, database)),
        ):
            yield OwnedObject(
                subject=f"{kind} {database}",
                path=path,
                namespace=kong,
                instead="another kong.release; or a database that exists, in kong.postgres.host",
            )
    if agent:
        yield from things_of_the_agent(agent)
    if intent.plugin.object_name:
        name = intent.plugin.object_name
        yield OwnedObject(
            subject=f"kongclusterplugin {name}",
            path=f"{CLUSTER_PLUGINS}/{name}",
            namespace=None,
            instead="`pulumi config set --path traceable-kong:plugin.name ANOTHER`",
        )
    if intent.policy:
        for kind, path in (
            ("validatingadmissionpolicy", POLICIES),
            ("validatingadmissionpolicybinding", POLICY_BINDINGS),
        ):
            yield OwnedObject(
                subject=f"{kind} {intent.policy}",
                path=f"{path}/{intent.policy}",
                namespace=None,
                instead="`pulumi config set traceable-kong:tmeGuard off`",
            )


def things_of_the_agent(agent: AgentIntent) -> Iterator[OwnedObject]:
    """What the stack makes beside its agent."""
    if agent.own_secret:
        yield OwnedObject(
            subject=f"secret {agent.own_secret}",
            path=f"{secrets(agent.namespace)}/{agent.own_secret}",
            namespace=agent.namespace,
            instead=f"if it holds the platform token: `pulumi config rm traceable-kong:agentToken` and `pulumi config "
            f"set --path traceable-kong:agentTokenSecret.name {agent.own_secret}` (and .key)",
        )


def thing_is_ours(thing: OwnedObject, looks: CachedReader, intent: Intent | AloneIntent) -> Iterator[Finding]:
    """An object that is there carries this stack's label."""
    found = looks.get(thing.path)
    if found is None:
        return
    if is_owned(labels_of(found), intent.owner):
        return
    owner = labels_of(found).get(STACK_LABEL)
    place = f" in namespace {thing.namespace}" if thing.namespace else ""
    if owner:
        yield Finding(
            subject=thing.subject + place,
            wrong=f"belongs to another stack, {owner} (this one is {intent.owner}): both would write it, and whichever "
            "is destroyed first would delete it",
            mend=another_stack(owner, intent.owner, instead=thing.instead),
        )
    else:
        yield Finding(
            subject=thing.subject + place,
            wrong="is there, and this stack did not make it: it would be overwritten now, and deleted with the stack",
            mend=f"{thing.instead}; or, if nobody needs it, `kubectl delete {thing.subject}{thing.where}`; or, if this "
            f"stack shall have it, `kubectl label {thing.subject}{thing.where} "
            f"{STACK_LABEL}={handover_label(intent.owner)}` "
            "(docs/adopting-a-release.md)",
        )


def namespaces_are_as_said(looks: CachedReader, intent: Intent) -> Iterator[Finding]:
    """A namespace that the stack makes is not there yet, or its own; any other is there."""
    wanted = [("kong", intent.gateway.namespace, intent.gateway.create_namespace)]
    if intent.agent and intent.agent.release:
        wanted.append(("agent", intent.agent.namespace, intent.agent.create_namespace))
    made = {name for _, name, create in wanted if create}
    for key, name, create in wanted:
        # Of a Kong that is not ours the Deployment is looked for.
        asked_for = name not in made and (key != "kong" or intent.gateway.ours)
        yield from _namespace_is_as_said(looks, intent.owner, key=key, name=name, create=create, asked_for=asked_for)


def agents_namespace_is_as_said(looks: CachedReader, intent: AloneIntent) -> Iterator[Finding]:
    """The same of an agent that is alone."""
    name, create = intent.agent.namespace, intent.agent.create_namespace
    yield from _namespace_is_as_said(looks, intent.owner, key="agent", name=name, create=create, asked_for=not create)


def _namespace_is_as_said(
    looks: CachedReader, owner: str, *, key: str, name: str, create: bool, asked_for: bool
) -> Iterator[Finding]:
    found = looks.get(f"{NAMESPACES}/{name}")
    setting = f"pulumi config set --path traceable-kong:{key}.createNamespace"
    if found is None:
        if asked_for:
            yield Finding(
                subject=f"namespace {name}",
                wrong=f"is missing, and {key}.createNamespace is false: there is nothing to install into",
                mend=f"`kubectl create namespace {name}`, or `{setting} true`",
            )
        return
    if (found.get("metadata") or {}).get("deletionTimestamp"):
        yield Finding(
            subject=f"namespace {name}",
            wrong="is being deleted: nothing can be made in it",
            mend=f"`kubectl wait --for=delete namespace/{name} --timeout=300s`, then again",
        )
        return
    if create and not is_owned(labels_of(found), owner):
        theirs = labels_of(found).get(STACK_LABEL)
        whose = (
            f"belongs to another stack, {theirs} (this one is {owner})"
            if theirs
            else "is there, and this stack did not make it"
        )
        instead = f"`{setting} false`, and it stays; or another {key}.namespace"
        yield Finding(
            subject=f"namespace {name}",
            wrong=f"{whose}: with {key}.createNamespace it would be deleted with this stack, and all that is in it",
            mend=another_stack(theirs, owner, instead=instead)
            if theirs
            else f"{instead}; or, if it shall go with this stack, `kubectl label namespace {name} "
            f"{STACK_LABEL}={handover_label(owner)}`",
        )


def their_secret_is_there(looks: CachedReader, intent: Intent | AloneIntent) -> Iterator[Finding]:
    """The Secret that somebody else keeps the platform token in is there, with its key."""
    agent = intent.agent
    if agent is None or agent.their_secret is None:
        return
    name, key = agent.their_secret.name, agent.their_secret.key
    found = looks.get(f"{secrets(agent.namespace)}/{name}")
    subject = f"secret {name} in namespace {agent.namespace}"
    make = (
        f"`kubectl create secret generic {name} --namespace {agent.namespace} --from-file={key}=/dev/stdin` (it reads "
        "the token from its input)"
    )
    if found is None:
        first = ""
        if agent.create_namespace:
            first = (
                f"`kubectl create namespace {agent.namespace}`, `pulumi config set --path "
                "traceable-kong:agent.createNamespace false`, "
            )
        yield Finding(
            subject=subject,
            wrong="is missing, and agentTokenSecret names it: the agent would wait for it until the time is up",
            mend=first + make,
        )
    elif key not in (found.get("data") or {}):
        keys = ", ".join(sorted(found.get("data") or {})) or "none"
        yield Finding(
            subject=subject,
            wrong=f"has no key {key} (its keys: {keys}): the agent would start without a token",
            mend="`pulumi config set --path traceable-kong:agentTokenSecret.key KEY`",
        )


def no_plugin_of_ours_is_left(looks: CachedReader, intent: Intent) -> Iterator[Finding]:
    """No plugin of this stack stands but the one that it names, and the one that its record does.

    That one the stack's state knows: under a new name, the engine deletes it first. Another was left by a rename that
    was killed and taken back, and no run would ever delete it.
    """
    if intent.plugin.object_name is None or not intent.installed:
        return  # Who leaves takes all of them along.
    for item in plugins_of(looks, intent.owner):
        name = name_of(item)
        if name == intent.plugin.object_name:
            continue
        record = looks.get(f"{config_maps(intent.gateway.namespace)}/{intent.record}") or {}
        if name != (record.get("data") or {}).get("pluginObject"):
            yield Finding(
                subject=f"kongclusterplugin {name}",
                wrong="was left by a run of this stack that did not end: no run would ever take it away, and of two "
                "global ones the ingress controller drops both",
                mend=f"`kubectl delete kongclusterplugin {name}`; or, if that shall be its name, `pulumi config set "
                f"--path traceable-kong:plugin.name {name}`",
            )


def no_second_global_plugin(looks: CachedReader, intent: Intent) -> Iterator[Finding]:
    """Nobody else has a global plugin of this name and class: the controller would drop both, and only log it."""
    if not intent.plugin.everywhere or intent.plugin.object_name is None:
        return
    for item in looks.list(CLUSTER_PLUGINS):
        if (
            item.get("plugin") == intent.plugin.name
            and name_of(item) != intent.plugin.object_name
            and not is_owned(labels_of(item), intent.owner)
            and labels_of(item).get("global") == "true"
            and annotations_of(item).get(INGRESS_CLASS) == intent.gateway.ingress_class
        ):
            yield Finding(
                subject=f"kongclusterplugin {name_of(item)}",
                wrong=f"is another global {intent.plugin.name} of the ingress class {intent.gateway.ingress_class}: "
                "the ingress controller drops both, and no request would be protected",
                mend=f"`kubectl delete kongclusterplugin {name_of(item)}`; or `pulumi config set traceable-kong:scope "
                "selected`; or, if this stack shall have it, `pulumi config set --path traceable-kong:plugin.name "
                f"{name_of(item)}` and `kubectl label kongclusterplugin {name_of(item)} "
                f"{STACK_LABEL}={handover_label(intent.owner)}` "
                "(docs/adopting-a-release.md)",
            )
