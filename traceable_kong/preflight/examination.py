"""Preflight: the read-only checks that run before anything changes, in previews and in every `up`.

`examine()` runs all checks in parallel, so it takes about as long as the slowest one. The docstring of a check says
what must hold. A check passes where the object, the namespace or the kind does not exist, because a first install has
none of them. What a check was not permitted to read is reported.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Literal

from traceable_kong.cluster.kubernetes_client import ApiError, Unreachable
from traceable_kong.plan.model import Gateway, Plan
from traceable_kong.preflight import (
    admin_api_checks,
    admission_webhooks,
    agent_checks,
    agent_only_checks,
    agent_protection,
    chart_checks,
    conflicts,
    controller_checks,
    database_checks,
    deployment_writers,
    existing_kong_checks,
    gateway_identity,
    kong_deployment_checks,
    network_checks,
    option_versions,
    permission_table,
    plugin_entity_conflicts,
    plugin_loading_checks,
    plugin_object_conflicts,
    pod_template_checks,
    policy_support,
    release_adoption,
    release_checks,
    tme_port_checks,
)
from traceable_kong.preflight.cached_reader import CachedReader
from traceable_kong.preflight.finding import Finding, Found, StuckRelease
from traceable_kong.preflight.permission_checks import is_administrator, permissions_are_granted

THREADS = 16

SHAPE_ERRORS = (AttributeError, IndexError, KeyError, TypeError, ValueError)
"""What a check raises for a rendered object that has another form than the API requires."""


@dataclass(frozen=True, kw_only=True)
class Examination:
    """What preflight found: `errors` stop the run, `warnings` are printed, `stuck` is repaired first (in an `up`)."""

    errors: list[Finding]
    warnings: list[Finding]
    stuck: list[StuckRelease]


Check = Callable[[CachedReader, Plan], Iterator[Found]]
GatewayCheck = Callable[[CachedReader, Plan, Gateway], Iterator[Found]]
Unreadable = Literal["error", "warning"]
"""How bad it is that a check was not permitted to read what it needs."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A check of `subject`."""

    subject: str
    check: Check
    unreadable: Unreadable = "error"


STACK_CHECKS: tuple[tuple[str, Check, Unreadable], ...] = (
    ("namespaces", conflicts.namespaces_are_as_configured, "error"),
    ("the charts of this stack", chart_checks.charts_can_be_rendered, "error"),
    ("the values of Kong's chart", chart_checks.chart_uses_its_values, "error"),
    ("the agent's chart", chart_checks.agent_chart_creates_what_gateways_need, "error"),
    ("the names of the charts' objects", chart_checks.objects_have_possible_names, "error"),
    ("the Secret with the platform token", agent_checks.token_secret_exists, "error"),
)

AGENT_ONLY_CHECKS: tuple[tuple[str, Check, Unreadable], ...] = (
    ("a gateway or another agent of this stack", agent_only_checks.nothing_else_of_this_stack_exists, "error"),
)

GATEWAY_CHECKS: tuple[tuple[str, GatewayCheck, Unreadable], ...] = (
    ("Kong's cluster-wide roles", release_checks.cluster_roles_are_free, "warning"),
    ("the existing agent", agent_checks.existing_agent_is_usable, "error"),
    ("the image that the agent injects", agent_checks.agent_injects_the_trusted_image, "warning"),
    ("Kong's Deployment", kong_deployment_checks.kong_runs_in_a_deployment, "error"),
    ("the rollout of Kong's Deployment", kong_deployment_checks.deployment_can_roll, "error"),
    ("Kong's container", kong_deployment_checks.one_container_runs_kong, "error"),
    ("Kong's version", kong_deployment_checks.kong_is_recent_enough, "error"),
    ("the annotation in Kong's chart", pod_template_checks.annotation_is_not_a_chart_value, "error"),
    ("the volumes in Kong's chart", pod_template_checks.volumes_are_mounted_once, "error"),
    ("the plugin's files in Kong's chart", pod_template_checks.plugin_files_are_mounted, "error"),
    ("Kong's working directory", pod_template_checks.prefix_is_writable, "error"),
    ("the probes of Kong's container", pod_template_checks.probes_have_their_ports, "error"),
    ("the token of Kong's ingress controller", pod_template_checks.controller_has_a_token, "error"),
    ("Kong's list of plugins", plugin_loading_checks.kong_accepts_its_list_of_plugins, "error"),
    ("the plugin in Kong's chart", plugin_loading_checks.managed_kong_loads_the_plugin, "error"),
    ("Kong's Lua package path", plugin_loading_checks.plugin_files_are_found_first, "error"),
    ("the certificate for Kong's Admin API", admin_api_checks.admin_api_needs_no_unknown_certificate, "error"),
    ("the token for Kong's Admin API", admin_api_checks.access_control_has_a_token, "error"),
    ("Kong's ingress controller", controller_checks.controller_reads_the_plugin, "warning"),
    ("the permissions of Kong's ingress controller", controller_checks.controller_may_read_the_plugin, "warning"),
    ("the pod template of Kong's Deployment", existing_kong_checks.patch_can_be_applied, "error"),
    ("other writers of Kong's Deployment", deployment_writers.no_other_writer, "error"),
    ("the files in the pods of Kong's Deployment", existing_kong_checks.owner_mounts_the_files, "error"),
    ("Kong's Admin API", admin_api_checks.admin_api_is_reachable, "error"),
    ("the TME's port", tme_port_checks.tme_port_is_free, "error"),
    ("network policies on the way to the agent", network_checks.paths_to_the_agent_are_open, "warning"),
    ("other global plugins", plugin_object_conflicts.no_second_global_plugin, "error"),
    ("plugins of this stack under other names", plugin_object_conflicts.no_plugin_is_left_over, "error"),
    ("a gateway of this stack here", gateway_identity.gateway_in_this_namespace_is_the_same, "error"),
    ("a gateway of this stack elsewhere", gateway_identity.no_gateway_in_another_namespace, "warning"),
    ("the ingress class", gateway_identity.ingress_class_changes_only_while_disabled, "error"),
    ("the deletion protection of the agent", agent_protection.protected_agent_stays, "error"),
    ("the cluster's support for admission policies", policy_support.cluster_supports_policies, "error"),
    ("options of the current plugin", option_versions.current_options_are_known, "error"),
    ("plugins whose files are removed", option_versions.removed_plugins_are_unused, "error"),
    ("the current plugin", option_versions.plugin_is_disabled_before_uninstall, "error"),
    ("Kong's database", database_checks.database_mode_is_unchanged, "error"),
    ("the way to Kong's database", database_checks.every_pod_reaches_the_database, "error"),
    ("the address of Kong's database", database_checks.database_address_is_unchanged, "warning"),
    ("Secrets that the config names for Kong", database_checks.named_secrets_exist, "error"),
    ("the volume of Kong's database", database_checks.database_volume_is_available, "warning"),
    ("KongClusterPlugins beside the plugin entity", database_checks.no_object_beside_the_entity, "warning"),
    ("access to Kong's Admin API", plugin_entity_conflicts.admin_api_accepts_changes, "error"),
    ("the target of the plugin entity", plugin_entity_conflicts.target_is_free, "error"),
    ("options of the current plugin entity", plugin_entity_conflicts.current_entity_options_are_known, "error"),
    (
        "plugin entities whose files are removed",
        plugin_entity_conflicts.removed_plugins_have_no_other_entities,
        "error",
    ),
    ("the current plugin entity", plugin_entity_conflicts.entity_is_disabled_before_uninstall, "error"),
    ("admission webhooks of other gateways", admission_webhooks.webhooks_accept_the_plugin, "warning"),
)


def examine(reader: CachedReader, plan: Plan, *, live_change: bool) -> Examination:
    """Runs every check; `live_change` is False in a preview. Changes nothing and raises nothing."""
    try:
        administrator = is_administrator(reader)
        rules = [*_rules(plan), *([] if administrator else _permission_rules(plan))]
        with ThreadPoolExecutor(max_workers=THREADS) as pool:
            results = list(pool.map(lambda rule: _apply(rule, reader, plan), rules))
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
    if not live_change:
        findings += [_will_be_repaired(item) for item in stuck]
    stops = ("error", "error_in_up") if live_change else ("error",)
    return Examination(
        errors=[item for item in findings if item.severity in stops],
        warnings=[item for item in findings if item.severity not in stops],
        stuck=stuck if live_change else [],
    )


def _rules(plan: Plan) -> Iterator[Rule]:
    gateway = plan.gateway
    for subject, check, unreadable in (*STACK_CHECKS, *(() if gateway else AGENT_ONLY_CHECKS)):
        yield Rule(subject=subject, check=check, unreadable=unreadable)
    for item in conflicts.owned_objects(plan):
        yield Rule(subject=item.subject, check=partial(conflicts.object_is_owned, item=item))
    for release in plan.releases:
        subject = f"Helm release {release.name}"
        yield Rule(subject=subject, check=partial(release_checks.release_is_owned_and_usable, release=release))
        if release.adopt:
            adoptable = partial(release_adoption.release_can_be_adopted, wanted=release)
            yield Rule(subject=f"{subject} to adopt", check=adoptable)
    if gateway:
        for subject, gateway_check, unreadable in GATEWAY_CHECKS:
            yield Rule(subject=subject, check=_of_gateway(gateway_check, gateway), unreadable=unreadable)


def _of_gateway(check: GatewayCheck, gateway: Gateway) -> Check:
    return lambda reader, plan: check(reader, plan, gateway)


def _permission_rules(plan: Plan) -> Iterator[Rule]:
    for purpose in permission_table.purposes(plan):
        check = partial(permissions_are_granted, purpose=purpose)
        yield Rule(subject=f"permissions for {purpose.subject}", check=check)


def _apply(rule: Rule, reader: CachedReader, plan: Plan) -> tuple[list[Found], ApiError | None]:
    """What a check found before an error stopped it, and that error."""
    found: list[Found] = []
    try:
        for item in rule.check(reader, plan):
            found.append(item)
    except ApiError as problem:
        return found, problem
    except SHAPE_ERRORS as problem:
        if not reader.charts:
            raise
        found.append(_not_judged(rule, problem))
    return found, None


def _not_judged(rule: Rule, problem: Exception) -> Finding:
    """The checks read rendered objects as the API server would accept them, and a chart can render anything."""
    return Finding(
        subject=rule.subject,
        problem="could not be judged. The chart probably creates an object in a form that the API server refuses, such "
        f"as a container without a name ({type(problem).__name__}: {problem})",
        fix="Correct the values, or the chart if it is your own. `helm template` with that chart and those values, "
        "piped to `kubectl apply --dry-run=server -f -`, names the field",
    )


def _not_readable(message: str, rules: list[Rule]) -> Finding:
    return Finding(
        subject=", ".join(rule.subject for rule in rules),
        problem=f"could not be checked, so a problem there would only show later: {message}",
        fix="Grant the missing permission (`kubectl auth can-i --list` shows those that you have), then run the "
        "command again",
        severity="warning" if all(rule.unreadable == "warning" for rule in rules) else "error_in_up",
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
