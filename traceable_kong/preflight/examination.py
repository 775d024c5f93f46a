"""Preflight: the read-only checks that run before anything changes, in previews and in every `up`.

`examine()` runs all checks in parallel, so it takes about as long as the slowest one. The docstring of a check says
what must hold. A check passes where the object, the namespace or the kind does not exist, because a first install has
none of them. What a check was not permitted to read is reported.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

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
from traceable_kong.preflight.finding import Finding, Found, StuckRelease
from traceable_kong.preflight.intent import (
    AgentIntent,
    AloneIntent,
    GatewayIntent,
    Intent,
)
from traceable_kong.preflight.permission_checks import is_administrator, permissions_are_granted

THREADS = 16


@dataclass(frozen=True, kw_only=True)
class Examination:
    """What preflight found: `errors` stop the run, `warnings` are printed, `stuck` is repaired first (in an `up`).

    `reader` answers what preflight has read without another request.
    """

    errors: list[Finding]
    warnings: list[Finding]
    stuck: list[StuckRelease]
    reader: Reader | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A check of `subject`. `severity` is how bad it is that the check was not permitted to read what it needs."""

    subject: str
    check: Callable[[CachedReader, Any], Iterator[Found]]
    severity: Literal["error", "warning"] = "error"


def examine(client: KubernetesClient, intent: Intent | AloneIntent) -> Examination:
    """Runs every check. Changes nothing and raises nothing."""
    reader = CachedReader(client)
    try:
        administrator = is_administrator(reader)
        wanted = _rules(intent) if isinstance(intent, Intent) else _rules_of_the_agent(intent)
        rules = [*wanted, *([] if administrator else _permissions(intent))]
        with ThreadPoolExecutor(max_workers=THREADS) as pool:
            results = list(pool.map(lambda rule: _apply(rule, reader, intent), rules))
    except (ApiError, Unreachable) as problem:
        # Every check would fail in the same way.
        return Examination(errors=[_no_answer(problem)], warnings=[], stuck=[])
    findings: list[Finding] = []
    stuck: list[StuckRelease] = []
    unreadable: dict[str, list[Rule]] = {}
    for rule, (found, error) in zip(rules, results, strict=True):
        findings += [item for item in found if isinstance(item, Finding)]
        stuck += [item for item in found if isinstance(item, StuckRelease)]
        if error is not None:
            unreadable.setdefault(str(error), []).append(rule)
    findings += [_not_readable(message, of) for message, of in unreadable.items()]
    if not intent.live_change:
        findings += [_will_be_repaired(item) for item in stuck]
    stops = ("error", "error_in_up") if intent.live_change else ("error",)
    return Examination(
        errors=[item for item in findings if item.severity in stops],
        warnings=[item for item in findings if item.severity not in stops],
        stuck=stuck if intent.live_change else [],
        reader=reader,
    )


def _rules(intent: Intent) -> Iterator[Rule]:
    yield Rule(subject="namespaces", check=conflicts.namespaces_are_as_configured)
    for item in conflicts.owned_objects(intent):
        yield Rule(subject=item.subject, check=partial(conflicts.object_is_owned, item))
    yield Rule(subject="the Secret with the platform token", check=conflicts.token_secret_exists)
    if intent.gateway.ours:
        yield from _release("kong", intent.gateway)
    if intent.agent:
        yield from _release("agent", intent.agent)
    yield Rule(subject="Kong's cluster-wide roles", check=helm_releases.cluster_roles_are_free, severity="warning")
    yield Rule(subject="the existing agent", check=agent_checks.existing_agent_is_usable)
    yield Rule(
        subject="the image that the agent injects",
        check=agent_checks.agent_injects_the_trusted_image,
        severity="warning",
    )
    yield Rule(subject="Kong's Deployment", check=existing_kong_checks.kong_runs_in_a_deployment)
    yield Rule(subject="the replicas of Kong's Deployment", check=existing_kong_checks.deployment_can_roll)
    yield Rule(subject="Kong's container", check=existing_kong_checks.one_container_runs_kong)
    yield Rule(subject="Kong's settings", check=existing_kong_checks.admin_api_needs_no_unknown_certificate)
    yield Rule(
        subject="Kong's ingress controller", check=controller_checks.controller_reads_the_plugin, severity="warning"
    )
    yield Rule(
        subject="the permissions of Kong's ingress controller",
        check=controller_checks.controller_may_read_the_plugin,
        severity="warning",
    )
    yield Rule(subject="the pod template of Kong's Deployment", check=existing_kong_checks.patch_can_be_applied)
    yield Rule(subject="other writers of Kong's Deployment", check=deployment_writers.no_other_writer)
    yield Rule(subject="the files in the pods of Kong's Deployment", check=existing_kong_checks.owner_mounts_the_files)
    yield Rule(subject="Kong's Admin API", check=gateway_checks.admin_api_is_reachable)
    yield Rule(subject="Kong's Lua package path", check=gateway_checks.plugin_files_are_found_first)
    yield Rule(subject="the TME's port", check=gateway_checks.tme_port_is_free)
    yield Rule(
        subject="network policies on the way to the agent",
        check=network_checks.paths_to_the_agent_are_open,
        severity="warning",
    )
    yield Rule(subject="other global plugins", check=conflicts.no_second_global_plugin)
    yield Rule(subject="plugins of this stack under other names", check=conflicts.no_plugin_is_left_over)
    yield Rule(subject="a gateway of this stack here", check=gateway_identity.gateway_in_this_namespace_is_the_same)
    yield Rule(
        subject="a gateway of this stack elsewhere",
        check=gateway_identity.no_gateway_in_another_namespace,
        severity="warning",
    )
    yield Rule(subject="the ingress class", check=gateway_identity.ingress_class_changes_only_while_disabled)
    yield Rule(subject="the deletion protection of the agent", check=agent_protection.protected_agent_stays)
    yield Rule(subject="the cluster's support for admission policies", check=policy_support.cluster_supports_policies)
    yield Rule(subject="options of the current plugin", check=option_versions.current_options_are_known)
    yield Rule(subject="plugins whose files are removed", check=option_versions.removed_plugins_are_unused)
    yield Rule(subject="the current plugin", check=option_versions.plugin_is_disabled_before_uninstall)
    yield Rule(subject="Kong's database", check=database_checks.database_mode_is_unchanged)
    yield Rule(
        subject="the address of Kong's database",
        check=database_checks.database_address_is_unchanged,
        severity="warning",
    )
    yield Rule(subject="Secrets that the config names for Kong", check=database_checks.named_secrets_exist)
    yield Rule(
        subject="the volume of Kong's database", check=database_checks.database_volume_is_available, severity="warning"
    )
    yield Rule(
        subject="KongClusterPlugins beside the plugin entity",
        check=database_checks.no_object_beside_the_entity,
        severity="warning",
    )
    yield Rule(subject="access to Kong's Admin API", check=plugin_entity_conflicts.admin_api_accepts_changes)
    yield Rule(subject="the target of the plugin entity", check=plugin_entity_conflicts.target_is_free)
    yield Rule(
        subject="options of the current plugin entity", check=plugin_entity_conflicts.current_entity_options_are_known
    )
    yield Rule(
        subject="plugin entities whose files are removed",
        check=plugin_entity_conflicts.removed_plugins_have_no_other_entities,
    )
    yield Rule(subject="the current plugin entity", check=plugin_entity_conflicts.entity_is_disabled_before_uninstall)
    yield Rule(
        subject="admission webhooks of other gateways",
        check=admission_webhooks.webhooks_accept_the_plugin,
        severity="warning",
    )


def _rules_of_the_agent(intent: AloneIntent) -> Iterator[Rule]:
    yield Rule(subject="namespaces", check=conflicts.agent_namespace_is_as_configured)
    for item in agent_only_checks.owned_objects(intent):
        yield Rule(subject=item.subject, check=partial(conflicts.object_is_owned, item))
    yield Rule(subject="the Secret with the platform token", check=conflicts.token_secret_exists)
    yield from _release("agent", intent.agent)
    yield Rule(
        subject="a gateway or another agent of this stack", check=agent_only_checks.nothing_else_of_this_stack_exists
    )


def _release(key: str, part: GatewayIntent | AgentIntent) -> Iterator[Rule]:
    if part.release is None:
        return
    check = partial(
        helm_releases.release_is_owned_and_usable,
        namespace=part.namespace,
        name=part.release,
        key=key,
        timeout_seconds=part.timeout_seconds,
        # With a database Helm runs Jobs before and after it waits for the pods, each as long as the wait.
        may_run_seconds=part.timeout_seconds * (3 if isinstance(part, GatewayIntent) and part.database != "off" else 1),
        adopt=part.adoption is not None,
    )
    yield Rule(subject=f"Helm release {part.release}", check=check)
    if part.adoption:
        adoptable = partial(
            release_adoption.release_can_be_adopted,
            namespace=part.namespace,
            name=part.release,
            key=key,
            adoption=part.adoption,
        )
        yield Rule(subject=f"Helm release {part.release} to adopt", check=adoptable)


def _permissions(intent: Intent | AloneIntent) -> Iterator[Rule]:
    needed = (
        permission_table.purposes(intent)
        if isinstance(intent, Intent)
        else permission_table.purposes_of_the_agent(intent)
    )
    for purpose in needed:
        yield Rule(
            subject=f"permissions for {purpose.subject}", check=partial(permissions_are_granted, purpose=purpose)
        )


def _apply(rule: Rule, reader: CachedReader, intent: Intent | AloneIntent) -> tuple[list[Found], ApiError | None]:
    """What a check found before an error stopped it, and that error."""
    found: list[Found] = []
    try:
        for item in rule.check(reader, intent):
            found.append(item)
    except ApiError as problem:
        return found, problem
    return found, None


def _not_readable(message: str, rules: list[Rule]) -> Finding:
    return Finding(
        subject=", ".join(rule.subject for rule in rules),
        problem=f"could not be checked, so a problem there would only show later: {message}",
        fix="Grant the missing permission (`kubectl auth can-i --list` shows those that you have), then run again",
        severity="warning" if all(rule.severity == "warning" for rule in rules) else "error_in_up",
    )


def _will_be_repaired(stuck: StuckRelease) -> Finding:
    return Finding(
        subject=stuck.subject,
        problem=f"was left {stuck.status} by an interrupted operation, and Helm refuses every further one",
        fix=f"`pulumi up` runs `{stuck.command}` before anything else",
        severity="warning",
    )


def _no_answer(problem: Exception) -> Finding:
    return Finding(
        subject="the cluster",
        problem=f"does not answer: {problem}",
        fix="`kubectl get namespaces` shows the same error. Choose another cluster: `pulumi config set "
        "kubernetes:context NAME`",
    )
