"""What holds a step back until the step can be taken: hooks that run in an `up`, just before a resource is changed.

A hook that fails stops the `up` at once with its message, and the resource is not touched; hooks run neither in
previews nor for what does not change (https://www.pulumi.com/docs/iac/concepts/resources/options/hooks/). None is a
delete hook: those make a plain `pulumi destroy` impossible.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pulumi

from traceable_kong.cluster import ownership
from traceable_kong.cluster.agent_objects import AGENT_DEPLOYMENT
from traceable_kong.cluster.kubernetes_client import ApiError, KubernetesClient, Unreachable
from traceable_kong.common.safe_text import printable
from traceable_kong.hooks import mounted_files, orphaned_releases, plugin_readiness, plugin_removal
from traceable_kong.hooks.hook_failed import HookFailed
from traceable_kong.hooks.hook_runner import Check, Connection, Hooks
from traceable_kong.hooks.injection_dry_run import InjectionDryRun
from traceable_kong.hooks.plugin_readiness import PluginStep
from traceable_kong.plan.model import DesiredState
from traceable_kong.verification import verifier


@dataclass(frozen=True, kw_only=True)
class GatesArgs:
    """`owner` is this stack's id; `expectation` and `probe` are about its gateway; a rollout, or a removal, may take
    `timeout_seconds`. `agent_release` is the agent's Release. `owners_values` are the chart values with which the owner
    of a Kong that is not ours mounts the files, None where that is this program's. `made_database` is what the Secret
    and the StatefulSet of a database that is made here are called, "" where none is. `plugin_object` is the
    KongClusterPlugin that is written, None with a database."""

    owner: str
    expectation: DesiredState
    probe: InjectionDryRun
    timeout_seconds: int
    agent_release: str
    owners_values: Mapping[str, Any] | None = None
    made_database: str = ""
    plugin_object: Mapping[str, Any] | None = field(default=None, repr=False)


class Gates(Hooks):
    """The gates of one gateway, each a ResourceHookBinding, the step before the plugin, and the proof at the end."""

    def __init__(self, *, args: GatesArgs, cluster: Connection) -> None:
        super().__init__(cluster, owner=args.owner, timeout_seconds=args.timeout_seconds)
        self._expectation = args.expectation
        probe = args.probe
        first = probe.require_injection_where_requested if args.expectation.installed else self._let_go
        lost = partial(
            orphaned_releases.require_database_password,
            namespace=args.expectation.deployment.namespace,
            name=args.made_database,
        )
        self.database = self._binding("database", create=[lost], update=[])
        # An existing Kong has pods before this stack's first update, and they may ask for a TME.
        kong = first
        if release := args.expectation.release:
            kong = partial(self._clear_name, namespace=args.expectation.deployment.namespace, release=release)
        files: list[Check] = []
        if args.owners_values is not None:
            values = args.owners_values
            files.append(partial(mounted_files.require_files_mounted, expected=args.expectation, values=values))
        agent = partial(self._clear_name, namespace=args.expectation.agent_namespace or "", release=args.agent_release)
        self.agent = self._binding("agent", create=[agent, self._watch_agent], update=[self._watch_agent])
        self.gateway = self._binding("gateway", create=[kong, self._watch_gateway], update=[first, self._watch_gateway])
        label = [*files, probe.require_policy_enforced]
        self.tme_label = self._binding("tme-label", create=label, update=label)
        # On the way in and on the way out the gateway rolls; on the way in with the TME.
        rolling: list[Check] = (
            [probe.require_injection, self._watch_gateway] if args.expectation.injection else [self._watch_gateway]
        )
        self.tme_annotation = self._binding("tme-annotation", create=rolling, update=rolling)
        self._plugin = PluginStep(
            expectation=args.expectation,
            owner=args.owner,
            timeout_seconds=args.timeout_seconds,
            owners_values=args.owners_values,
            document=args.plugin_object,
        )

    def ready_for_plugin(
        self, revision: pulumi.Input[int] | pulumi.Input[str], steps: Sequence[pulumi.CustomResource]
    ) -> pulumi.Output[str]:
        """`revision` once every one of `steps` is done and the gateway is what the plugin needs.

        As an input of the plugin it holds the registration back: a hook would come too late, because the engine deletes
        the object that a replacement takes the place of when the registration arrives. In a preview nothing is asked.
        Raises pulumi.RunError.
        """
        if pulumi.runtime.is_dry_run():
            return pulumi.Output.from_input(revision).apply(str)

        async def ready(found: list[Any]) -> str:
            try:
                await asyncio.to_thread(plugin_readiness.require_ready_for_plugin, self._cluster.api, self._plugin)
            except (HookFailed, ApiError, Unreachable) as problem:
                raise pulumi.RunError(str(problem)) from None
            return str(found[0])

        return pulumi.Output.all(revision, *(step.id for step in steps)).apply(ready)

    def prove(self) -> None:
        """Returns when the gateway is what it should be. Raises pulumi.RunError with the report."""
        try:
            report = verifier.verify_gateway(self._cluster.api, self._expectation)
        except (ApiError, Unreachable) as problem:
            raise pulumi.RunError(
                f"The gateway could not be verified: {problem}. It may be unprotected. Run `pulumi up` again."
            ) from None
        if not report.ok:
            raise pulumi.RunError(self._said(report.text()))
        pulumi.log.info(self._said(report.text()))
        for warning in report.warnings:
            pulumi.log.warn(self._said(printable(warning)))
        for reason in report.not_checked:
            pulumi.log.warn(self._said(printable(f"not checked: {reason}")))

    def _watch_gateway(self, api: KubernetesClient) -> None:
        deployment, resource = self._expectation.deployment, self._expectation.plugin.custom_resource
        plugin_object = resource.name if resource else None
        self._watch(api, deployment.namespace, deployment.name, plugin_object=plugin_object)

    def _watch_agent(self, api: KubernetesClient) -> None:
        self._watch(api, self._expectation.agent_namespace or "", AGENT_DEPLOYMENT, plugin_object=None)

    def _let_go(self, api: KubernetesClient) -> None:
        if entity := self._expectation.plugin.entity:
            plugin_removal.remove_plugin_entity(api, entity)
        else:
            plugin_removal.remove_plugin(api, self._expectation, owner_label=(ownership.STACK_LABEL, self._owner))
