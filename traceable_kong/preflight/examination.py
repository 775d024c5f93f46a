"""What is looked at before anything is changed, in previews and in every `up`. Read-only, but for `mend()`.

`examine()` runs all rules side by side, so that it costs about as much as its slowest look. Each rule is a function
whose docstring says what must hold. Where a kind, a namespace or an object is not there, a rule passes: a first install
has none of them. Where a rule may not look, that is said. Knows no Pulumi.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from traceable_kong.cluster.kubernetes_client import ApiError, KubernetesClient, Unreachable
from traceable_kong.preflight import (
    admission_webhooks,
    agent_checks,
    agent_only_checks,
    agent_protection,
    conflicts,
    controller_checks,
    database_checks,
    deployment_writers,
    existing_kong_checks,
    gateway_checks,
    gateway_identity,
    helm_releases,
    network_checks,
    option_versions,
    permission_table,
    plugin_entity_conflicts,
    policy_support,
    release_adoption,
)
from traceable_kong.preflight.cached_reader import CachedReader, Reader
from traceable_kong.preflight.finding import Finding, Found, Severity, StuckRelease
from traceable_kong.preflight.intent import (
    AgentIntent,
    AloneIntent,
    GatewayIntent,
    Intent,
)
from traceable_kong.preflight.permissions import may_do_anything, rights_for

THREADS = 16


@dataclass(frozen=True, kw_only=True)
class Examination:
    """What was found: `refusals` stop everything, `warnings` are said, `dead` is to be repaired first (in an `up`).

    `seen` is the cluster as it was read for that: asked again, it makes no request a second time.
    """

    refusals: list[Finding]
    warnings: list[Finding]
    dead: list[StuckRelease]
    seen: Reader | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, kw_only=True)
class Rule:
    """`subject` is what it looks at, for an intent of its kind; `severity` says what it means that it cannot look."""

    subject: str
    look: Callable[[CachedReader, Any], Iterator[Found]]
    severity: Severity = "needed"


def examine(api: KubernetesClient, intent: Intent | AloneIntent) -> Examination:
    """Everything that stands in the way of `intent`, and what is to be said of it. Changes nothing, raises nothing."""
    looks = CachedReader(api)
    try:
        administrator = may_do_anything(looks)
        wanted = _rules(intent) if isinstance(intent, Intent) else _rules_of_the_agent(intent)
        rules = [*wanted, *([] if administrator else _rights(intent))]
        with ThreadPoolExecutor(max_workers=THREADS) as pool:
            results = list(pool.map(lambda rule: _apply(rule, looks, intent), rules))
    except (ApiError, Unreachable) as problem:
        # Not even whether we may look can be asked.
        return Examination(refusals=[_no_answer(problem)], warnings=[], dead=[])
    findings: list[Finding] = []
    dead: list[StuckRelease] = []
    blind: dict[str, list[Rule]] = {}
    for rule, (found, unseen) in zip(rules, results, strict=True):
        findings += [item for item in found if isinstance(item, Finding)]
        dead += [item for item in found if isinstance(item, StuckRelease)]
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
    yield Rule(subject="namespaces", look=conflicts.namespaces_are_as_said)
    for thing in conflicts.things(intent):
        yield Rule(subject=thing.subject, look=partial(conflicts.thing_is_ours, thing))
    yield Rule(subject="the Secret with the platform token", look=conflicts.their_secret_is_there)
    if intent.gateway.ours:
        yield from _release("kong", intent.gateway)
    if intent.agent:
        yield from _release("agent", intent.agent)
    yield Rule(subject="Kong's cluster-wide roles", look=helm_releases.roles_are_free, severity="advice")
    yield Rule(subject="somebody else's agent", look=agent_checks.agent_is_there)
    yield Rule(
        subject="the image that the agent injects", look=agent_checks.it_injects_the_recorded_image, severity="advice"
    )
    yield Rule(subject="Kong's Deployment", look=existing_kong_checks.it_is_a_deployment)
    yield Rule(subject="the replicas of Kong's Deployment", look=existing_kong_checks.its_pods_can_roll)
    yield Rule(subject="Kong's container", look=existing_kong_checks.its_kong_is_one_container)
    yield Rule(subject="Kong's settings", look=existing_kong_checks.its_kong_can_be_asked)
    yield Rule(subject="Kong's ingress controller", look=controller_checks.it_reads_the_plugin, severity="advice")
    yield Rule(
        subject="the rights of Kong's ingress controller",
        look=controller_checks.it_may_read_the_plugin,
        severity="advice",
    )
    yield Rule(subject="the pod template of Kong's Deployment", look=existing_kong_checks.our_part_can_be_had)
    yield Rule(subject="who else writes Kong's Deployment", look=deployment_writers.nobody_writes_it_back)
    yield Rule(
        subject="the files in the pods of Kong's Deployment", look=existing_kong_checks.its_owner_mounts_the_files
    )
    yield Rule(subject="Kong's Admin API", look=gateway_checks.kong_can_be_asked)
    yield Rule(subject="where Kong looks for files", look=gateway_checks.plugin_files_are_found_first)
    yield Rule(subject="the TME's port", look=gateway_checks.tme_port_is_free)
    yield Rule(subject="the way to the agent", look=network_checks.paths_to_the_agent_are_open, severity="advice")
    yield Rule(subject="other global plugins", look=conflicts.no_second_global_plugin)
    yield Rule(subject="plugins of this stack under other names", look=conflicts.no_plugin_of_ours_is_left)
    yield Rule(subject="a gateway of this stack here", look=gateway_identity.gateway_here_is_the_one_that_stands)
    yield Rule(
        subject="a gateway of this stack elsewhere",
        look=gateway_identity.gateway_stands_nowhere_else,
        severity="advice",
    )
    yield Rule(subject="the ingress class", look=gateway_identity.class_changes_while_disabled)
    yield Rule(subject="an agent that is protected against deletion", look=agent_protection.protected_agent_stays)
    yield Rule(subject="what the cluster knows of policies", look=policy_support.cluster_knows_policies)
    yield Rule(subject="options of the plugin that stands", look=option_versions.standing_options_are_known)
    yield Rule(subject="plugins whose files go", look=option_versions.plugins_that_go_are_not_in_use)
    yield Rule(subject="the plugin that stands", look=option_versions.switched_off_before_it_leaves)
    yield Rule(subject="Kong's database", look=database_checks.database_is_the_one_that_stands)
    yield Rule(subject="another database of Kong's", look=database_checks.database_moves, severity="advice")
    yield Rule(subject="Secrets that are named for Kong", look=database_checks.named_secrets_are_there)
    yield Rule(subject="a volume for Kong's database", look=database_checks.volume_can_be_had, severity="advice")
    yield Rule(subject="plugins beside the row", look=database_checks.no_object_beside_the_row, severity="advice")
    yield Rule(subject="who may write rows", look=plugin_entity_conflicts.kong_can_be_told)
    yield Rule(subject="the place of the plugin's row", look=plugin_entity_conflicts.place_is_free)
    yield Rule(subject="options of the row that stands", look=plugin_entity_conflicts.standing_row_is_known)
    yield Rule(subject="rows of plugins whose files go", look=plugin_entity_conflicts.rows_of_plugins_that_go_are_ours)
    yield Rule(subject="the row that stands", look=plugin_entity_conflicts.row_is_switched_off_before_it_leaves)
    yield Rule(
        subject="other gateways' webhooks", look=admission_webhooks.webhooks_let_the_plugin_through, severity="advice"
    )


def _rules_of_the_agent(intent: AloneIntent) -> Iterator[Rule]:
    yield Rule(subject="namespaces", look=conflicts.agents_namespace_is_as_said)
    for thing in agent_only_checks.things(intent):
        yield Rule(subject=thing.subject, look=partial(conflicts.thing_is_ours, thing))
    yield Rule(subject="the Secret with the platform token", look=conflicts.their_secret_is_there)
    yield from _release("agent", intent.agent)
    yield Rule(
        subject="a gateway or another agent of this stack", look=agent_only_checks.nothing_else_of_this_stack_stands
    )


def _release(key: str, part: GatewayIntent | AgentIntent) -> Iterator[Rule]:
    if part.release is None:
        return
    look = partial(
        helm_releases.release_is_ours_and_alive,
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
            release_adoption.it_can_be_taken_over,
            namespace=part.namespace,
            name=part.release,
            key=key,
            adoption=part.adoption,
        )
        yield Rule(subject=f"Helm release {part.release}, to be taken over", look=can_be)


def _rights(intent: Intent | AloneIntent) -> Iterator[Rule]:
    needed = (
        permission_table.purposes(intent)
        if isinstance(intent, Intent)
        else permission_table.purposes_of_the_agent(intent)
    )
    for purpose in needed:
        yield Rule(subject=f"rights for {purpose.subject}", look=partial(rights_for, purpose=purpose))


def _apply(rule: Rule, looks: CachedReader, intent: Intent | AloneIntent) -> tuple[list[Found], ApiError | None]:
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


def _will_be_mended(dead: StuckRelease) -> Finding:
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
