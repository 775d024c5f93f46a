"""What is looked at before anything is changed, in previews and in every `up`. Read-only, but for `mend()`.

`examine()` runs all rules side by side, so that it costs about as much as its slowest look. Each rule is a function
whose docstring says what must hold. Where a kind, a namespace or an object is not there, a rule passes: a first install
has none of them. Where a rule may not look, that is said. Knows no Pulumi. Leaves out what a person is shown.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from kube import ApiError, Kube, Unreachable
from preflight import (
    adoption,
    agent,
    alone,
    controller,
    database,
    existing,
    foreign,
    gateway,
    guard,
    moved,
    network,
    permissions,
    protected,
    releases,
    rights,
    rows,
    versions,
    webhooks,
    writers,
)
from preflight.finding import DeadRelease, Finding, Found, Severity
from preflight.intent import (
    Adoption,
    AgentIntent,
    AloneIntent,
    GatewayIntent,
    Intent,
    NamedSecret,
    PluginIntent,
    RowIntent,
    SecretKey,
)
from preflight.looks import Looks, Reader
from preflight.mending import mend

__all__ = [
    "Adoption",
    "AgentIntent",
    "AloneIntent",
    "DeadRelease",
    "Examination",
    "Finding",
    "GatewayIntent",
    "Intent",
    "NamedSecret",
    "PluginIntent",
    "RowIntent",
    "SecretKey",
    "examine",
    "mend",
]

THREADS = 16


@dataclass(frozen=True, kw_only=True)
class Examination:
    """What was found: `refusals` stop everything, `warnings` are said, `dead` is to be repaired first (in an `up`).

    `seen` is the cluster as it was read for that: asked again, it makes no request a second time.
    """

    refusals: list[Finding]
    warnings: list[Finding]
    dead: list[DeadRelease]
    seen: Reader | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, kw_only=True)
class Rule:
    """`subject` is what it looks at, for an intent of its kind; `severity` says what it means that it cannot look."""

    subject: str
    look: Callable[[Looks, Any], Iterator[Found]]
    severity: Severity = "needed"


def examine(api: Kube, intent: Intent | AloneIntent) -> Examination:
    """Everything that stands in the way of `intent`, and what is to be said of it. Changes nothing, raises nothing."""
    looks = Looks(api)
    try:
        administrator = rights.may_do_anything(looks)
        wanted = _rules(intent) if isinstance(intent, Intent) else _rules_of_the_agent(intent)
        rules = [*wanted, *([] if administrator else _rights(intent))]
        with ThreadPoolExecutor(max_workers=THREADS) as pool:
            results = list(pool.map(lambda rule: _apply(rule, looks, intent), rules))
    except (ApiError, Unreachable) as problem:
        # Not even whether we may look can be asked.
        return Examination(refusals=[_no_answer(problem)], warnings=[], dead=[])
    findings: list[Finding] = []
    dead: list[DeadRelease] = []
    blind: dict[str, list[Rule]] = {}
    for rule, (found, unseen) in zip(rules, results, strict=True):
        findings += [item for item in found if isinstance(item, Finding)]
        dead += [item for item in found if isinstance(item, DeadRelease)]
        if unseen is not None:
            blind.setdefault(str(unseen), []).append(rule)
    findings += [_not_seen(message, of, intent) for message, of in blind.items()]
    if not intent.live_change:
        findings += [_will_be_mended(item) for item in dead]
    return Examination(
        refusals=[item for item in findings if not item.only_warns],
        warnings=[item for item in findings if item.only_warns],
        dead=dead if intent.live_change else [],
        seen=looks,
    )


def _rules(intent: Intent) -> Iterator[Rule]:
    yield Rule(subject="namespaces", look=foreign.namespaces_are_as_said)
    for thing in foreign.things(intent):
        yield Rule(subject=thing.subject, look=partial(foreign.thing_is_ours, thing))
    yield Rule(subject="the Secret with the platform token", look=foreign.their_secret_is_there)
    if intent.gateway.ours:
        yield from _release("kong", intent.gateway)
    if intent.agent:
        yield from _release("agent", intent.agent)
    yield Rule(subject="Kong's cluster-wide roles", look=releases.roles_are_free, severity="advice")
    yield Rule(subject="somebody else's agent", look=agent.agent_is_there)
    yield Rule(subject="the image that the agent injects", look=agent.it_injects_the_recorded_image, severity="advice")
    yield Rule(subject="Kong's Deployment", look=existing.it_is_a_deployment)
    yield Rule(subject="the replicas of Kong's Deployment", look=existing.its_pods_can_roll)
    yield Rule(subject="Kong's container", look=existing.its_kong_is_one_container)
    yield Rule(subject="Kong's settings", look=existing.its_kong_can_be_asked)
    yield Rule(subject="Kong's ingress controller", look=controller.it_reads_the_plugin, severity="advice")
    yield Rule(
        subject="the rights of Kong's ingress controller", look=controller.it_may_read_the_plugin, severity="advice"
    )
    yield Rule(subject="the pod template of Kong's Deployment", look=existing.our_part_can_be_had)
    yield Rule(subject="who else writes Kong's Deployment", look=writers.nobody_writes_it_back)
    yield Rule(subject="the files in the pods of Kong's Deployment", look=existing.its_owner_mounts_the_files)
    yield Rule(subject="Kong's Admin API", look=gateway.kong_can_be_asked)
    yield Rule(subject="where Kong looks for files", look=gateway.plugin_files_are_found_first)
    yield Rule(subject="the TME's port", look=gateway.tme_port_is_free)
    yield Rule(subject="the way to the agent", look=network.paths_to_the_agent_are_open, severity="advice")
    yield Rule(subject="other global plugins", look=foreign.no_second_global_plugin)
    yield Rule(subject="plugins of this stack under other names", look=foreign.no_plugin_of_ours_is_left)
    yield Rule(subject="a gateway of this stack here", look=moved.gateway_here_is_the_one_that_stands)
    yield Rule(subject="a gateway of this stack elsewhere", look=moved.gateway_stands_nowhere_else, severity="advice")
    yield Rule(subject="the ingress class", look=moved.class_changes_while_disabled)
    yield Rule(subject="an agent that is protected against deletion", look=protected.protected_agent_stays)
    yield Rule(subject="what the cluster knows of policies", look=guard.cluster_knows_policies)
    yield Rule(subject="options of the plugin that stands", look=versions.standing_options_are_known)
    yield Rule(subject="plugins whose files go", look=versions.plugins_that_go_are_not_in_use)
    yield Rule(subject="the plugin that stands", look=versions.switched_off_before_it_leaves)
    yield Rule(subject="Kong's database", look=database.database_is_the_one_that_stands)
    yield Rule(subject="another database of Kong's", look=database.database_moves, severity="advice")
    yield Rule(subject="Secrets that are named for Kong", look=database.named_secrets_are_there)
    yield Rule(subject="a volume for Kong's database", look=database.volume_can_be_had, severity="advice")
    yield Rule(subject="plugins beside the row", look=database.no_object_beside_the_row, severity="advice")
    yield Rule(subject="who may write rows", look=rows.kong_can_be_told)
    yield Rule(subject="the place of the plugin's row", look=rows.place_is_free)
    yield Rule(subject="options of the row that stands", look=rows.standing_row_is_known)
    yield Rule(subject="rows of plugins whose files go", look=rows.rows_of_plugins_that_go_are_ours)
    yield Rule(subject="the row that stands", look=rows.row_is_switched_off_before_it_leaves)
    yield Rule(subject="other gateways' webhooks", look=webhooks.webhooks_let_the_plugin_through, severity="advice")


def _rules_of_the_agent(intent: AloneIntent) -> Iterator[Rule]:
    yield Rule(subject="namespaces", look=foreign.agents_namespace_is_as_said)
    for thing in alone.things(intent):
        yield Rule(subject=thing.subject, look=partial(foreign.thing_is_ours, thing))
    yield Rule(subject="the Secret with the platform token", look=foreign.their_secret_is_there)
    yield from _release("agent", intent.agent)
    yield Rule(subject="a gateway or another agent of this stack", look=alone.nothing_else_of_this_stack_stands)


def _release(key: str, part: GatewayIntent | AgentIntent) -> Iterator[Rule]:
    if part.release is None:
        return
    look = partial(
        releases.release_is_ours_and_alive,
        namespace=part.namespace,
        name=part.release,
        key=key,
        timeout_seconds=part.timeout_seconds,
        # With a database Helm runs Jobs before and after it waits for the pods, each as long as the wait.
        may_run_seconds=part.timeout_seconds * (3 if isinstance(part, GatewayIntent) and part.database != "off" else 1),
        adopt=part.adoption is not None,
    )
    yield Rule(subject=f"Helm release {part.release}", look=look)
    if part.adoption:
        can_be = partial(
            adoption.it_can_be_taken_over,
            namespace=part.namespace,
            name=part.release,
            key=key,
            adoption=part.adoption,
        )
        yield Rule(subject=f"Helm release {part.release}, to be taken over", look=can_be)


def _rights(intent: Intent | AloneIntent) -> Iterator[Rule]:
    needed = permissions.purposes(intent) if isinstance(intent, Intent) else permissions.purposes_of_the_agent(intent)
    for purpose in needed:
        yield Rule(subject=f"rights for {purpose.subject}", look=partial(rights.rights_for, purpose=purpose))


def _apply(rule: Rule, looks: Looks, intent: Intent | AloneIntent) -> tuple[list[Found], ApiError | None]:
    """What a rule found before it could look no further, and why it could not."""
    found: list[Found] = []
    try:
        for item in rule.look(looks, intent):
            found.append(item)
    except ApiError as problem:
        return found, problem
    return found, None


def _not_seen(message: str, rules: list[Rule], intent: Intent | AloneIntent) -> Finding:
    return Finding(
        subject=", ".join(rule.subject for rule in rules),
        wrong=f"could not be looked at, so what is wrong there shows only later: {message}",
        mend="have the right to look granted (`kubectl auth can-i --list` says what there is), then again",
        only_warns=not intent.live_change or all(rule.severity == "advice" for rule in rules),
    )


def _will_be_mended(dead: DeadRelease) -> Finding:
    return Finding(
        subject=dead.subject,
        wrong=f"was left {dead.status} by an operation that was interrupted, and Helm refuses every further one",
        mend=f"`pulumi up` runs `{dead.command}` before anything else",
        only_warns=True,
    )


def _no_answer(problem: Exception) -> Finding:
    return Finding(
        subject="the cluster",
        wrong=f"does not answer our questions: {problem}",
        mend="`kubectl get namespaces` shows the same; choose another with `pulumi config set kubernetes:context NAME`",
    )
