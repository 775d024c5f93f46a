"""The hooks of a stack: what runs just before a resource changes.

A hook that fails stops the update with its message, and the resource is not changed. Hooks run neither in previews nor
for resources that do not change (https://www.pulumi.com/docs/iac/concepts/resources/options/hooks/). There are no
delete hooks, because a plain `pulumi destroy` would refuse to run them.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import pulumi

from traceable_kong.cluster.agent_objects import AGENT_DEPLOYMENT
from traceable_kong.cluster.kubernetes_client import KubernetesClient
from traceable_kong.cluster.target import ClusterTarget
from traceable_kong.common.safe_text import PlainError, printable
from traceable_kong.common.secret_texts import without_secrets
from traceable_kong.common.wording import Wording
from traceable_kong.hooks import (
    injection_dry_run,
    mounted_files,
    name_conflicts,
    orphaned_releases,
    plugin_readiness,
    plugin_removal,
)
from traceable_kong.hooks.rollout_monitor import RolloutMonitor
from traceable_kong.plan.agent_model import ManagedAgent
from traceable_kong.plan.model import DesiredState, Gateway, Plan
from traceable_kong.plan.release_model import HelmRelease
from traceable_kong.verification import agent_verification, verifier
from traceable_kong.verification.report import Report

Step = Callable[[KubernetesClient], None]
"""A part of a hook. Raises HookFailed, ApiError or Unreachable."""


class Hooks:
    """The hooks of what `plan` describes, from named steps. `opts` are the options of every component.

    `agent_revision` is Helm's revision of an agent that another component installs.
    """

    def __init__(
        self,
        plan: Plan,
        cluster: ClusterTarget,
        *,
        name: str,
        opts: pulumi.ResourceOptions,
        wording: Wording,
        agent_revision: pulumi.Output[int] | None = None,
    ) -> None:
        self._plan = plan
        self._cluster = cluster
        self._name = name
        self._opts = opts
        self._wording = wording
        self._agent_revision = agent_revision
        self._loop: asyncio.AbstractEventLoop | None = None
        self._monitors: dict[tuple[str, str], RolloutMonitor] = {}
        self._name_is_free = self._named_hook("before-create-name-is-free", self._check_name)
        self._on_change = self._named_hook("before-change", self._outdate_reads)

    def after(self, *components: pulumi.Resource) -> pulumi.ResourceOptions:
        """The options of a component that waits for `components`, with the hooks of all resources."""
        own = pulumi.ResourceOptions(depends_on=list(components), transformations=[self._with_common_hooks])
        return pulumi.ResourceOptions.merge(self._opts, own)

    def before(
        self, name: str, *steps: Step, create: Sequence[Step] = (), update: Sequence[Step] = ()
    ) -> pulumi.ResourceHookBinding:
        """A resource's hooks: `steps` run before it is created or updated, after those in `create` or `update`."""
        create, update = [*create, *steps], [*update, *steps]
        return pulumi.ResourceHookBinding(
            before_create=[self._hook(f"before-{name}-create", create)] if create else [],
            before_update=[self._hook(f"before-{name}-update", update)] if update else [],
        )

    def _hook(self, name: str, steps: Sequence[Step]) -> pulumi.ResourceHook:
        async def run(_: pulumi.ResourceHookArgs) -> None:
            await self._run(steps)

        return self._named_hook(name, run)

    def _named_hook(self, name: str, run: Callable[[pulumi.ResourceHookArgs], Awaitable[None]]) -> pulumi.ResourceHook:
        # All programs and plugins of an update share the names of hooks.
        return pulumi.ResourceHook(f"{self._name}-{name}", run)

    async def _run(self, steps: Sequence[Step]) -> None:
        self._loop = asyncio.get_running_loop()
        for step in steps:
            try:
                # In a thread, so that the program's event loop continues.
                await asyncio.to_thread(step, self._cluster.api)
            except PlainError as problem:
                raise pulumi.RunError(self._shown(str(problem))) from None

    # --- every object ---

    def _with_common_hooks(self, args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        """A transformation: every change outdates what was read, and an object is only created if its name is free."""
        if not isinstance(args.resource, pulumi.CustomResource):
            return None
        is_object = args.type_.startswith("kubernetes:") and args.type_.split(":")[-1] in name_conflicts.PLURALS
        hooks = pulumi.ResourceHookBinding(
            before_create=[self._on_change, *([self._name_is_free] if is_object else [])],
            before_update=[self._on_change],
        )
        common = pulumi.ResourceOptions(hooks=hooks)
        return pulumi.ResourceTransformationResult(args.props, pulumi.ResourceOptions.merge(args.opts, common))

    async def _outdate_reads(self, _: pulumi.ResourceHookArgs) -> None:
        self._cluster.reads.outdated = True

    async def _check_name(self, args: pulumi.ResourceHookArgs) -> None:
        def check(client: KubernetesClient) -> None:
            name_conflicts.require_free_name(client, args.type, args.new_inputs or {}, self._plan)

        await self._run([check])

    # --- steps ---

    def remove_orphan(self, release: HelmRelease) -> Step:
        """Removes a release that an interrupted update left, so that Helm can install it."""

        def step(_: KubernetesClient) -> None:
            orphaned_releases.remove_orphaned_release(self._cluster, release, self._plan, say=self._warn)

        return step

    def watch_agent(self, client: KubernetesClient) -> None:
        """Reports why the agent's rollout is blocked, while Helm waits for it."""
        self._watch(client, str(self._plan.agent_namespace), AGENT_DEPLOYMENT, plugin_object=None)

    def watch_gateway(self, client: KubernetesClient) -> None:
        """Reports why the gateway's rollout is blocked, while the update waits for it."""
        deployment, resource = self._gateway.kong.deployment, self._gateway.plugin.custom_resource
        self._watch(client, deployment.namespace, deployment.name, plugin_object=resource.name if resource else None)

    def require_database_password(self, client: KubernetesClient) -> None:
        """Fails if a managed database exists whose password is not in the state."""
        if postgres := self._gateway.kong.managed_postgres:
            orphaned_releases.require_database_password(client, postgres)

    def require_injection_where_requested(self, client: KubernetesClient) -> None:
        """Fails if the gateway's pods request the TME and new ones would not get it."""
        injection_dry_run.require_injection_where_requested(client, self._plan, self._gateway)

    def delete_plugin_before_its_files(self, client: KubernetesClient) -> None:
        """Deletes the plugin, because the gateway is about to lose its files."""
        plugin_removal.remove_plugin(client, self._desired, self._plan.owner)

    def require_files_mounted_by_owner(self, client: KubernetesClient) -> None:
        """Fails if the owner of an existing Kong is to mount the files and has not."""
        mounted_files.require_files_mounted_by_owner(client, self._gateway)

    def require_policy_enforced(self, client: KubernetesClient) -> None:
        """Fails if the admission policy is not in force."""
        injection_dry_run.require_policy_enforced(client, self._gateway)

    def require_injection(self, client: KubernetesClient) -> None:
        """Fails if new gateway pods would not get the TME."""
        injection_dry_run.require_injection(client, self._plan, self._gateway)

    # --- between the resources ---

    def tme_annotations(self) -> pulumi.Input[Mapping[str, str]]:
        """The annotations of pods with the TME; unknown in a preview in which another component changes the agent,
        because they have a digest of its settings."""
        annotations = dict(self._gateway.injection.annotations)
        return self._agent_revision.apply(lambda _: annotations) if self._agent_revision else annotations

    def ready_for_plugin(
        self, revision: pulumi.Input[int] | pulumi.Input[str], resources: Sequence[pulumi.CustomResource]
    ) -> pulumi.Output[str]:
        """`revision`, once all `resources` are done and the gateway is ready for the plugin. Raises pulumi.RunError.

        As an input of the plugin it delays the registration. A hook would run too late: when a replacement is
        registered, the engine deletes the old object first. A preview checks nothing.
        """
        if pulumi.runtime.is_dry_run():
            return pulumi.Output.from_input(revision).apply(str)

        async def ready(found: list[Any]) -> str:
            await self._run([self._require_ready_for_plugin])
            return str(found[0])

        return pulumi.Output.all(revision, *(resource.id for resource in resources)).apply(ready)

    def _require_ready_for_plugin(self, client: KubernetesClient) -> None:
        plugin_readiness.require_ready_for_plugin(client, self._plan, self._gateway)

    def verify(self) -> None:
        """Verifies the gateway, or the agent of an agent-only stack. Raises pulumi.RunError with the report."""
        self._stop_monitors()
        began = time.monotonic()
        try:
            report = self._report()
        except PlainError as problem:
            raise pulumi.RunError(
                self._logged(
                    f"The stack could not be verified: {problem}. It may be unprotected. Run `pulumi up` again."
                )
            ) from None
        if not report.ok:
            raise pulumi.RunError(self._logged(report.text()))
        pulumi.log.info(self._logged(report.text()))
        pulumi.log.info(self._logged(printable(f"The verification took {time.monotonic() - began:.1f} s.")))
        for warning in report.warnings:
            pulumi.log.warn(self._logged(printable(warning)))
        for reason in report.not_checked:
            pulumi.log.warn(self._logged(printable(f"not checked: {reason}")))

    def _report(self) -> Report:
        # If nothing has changed, the first observation takes what preflight has read a moment ago.
        api = self._cluster.api if self._cluster.reads.outdated else self._cluster.reads
        if self._plan.gateway is not None:
            return verifier.verify_gateway(api, self._desired)
        agent = self._plan.agent
        assert isinstance(agent, ManagedAgent), "an agent-only stack manages its agent"
        return agent_verification.verify_agent(api, agent)

    # --- helpers ---

    @property
    def _gateway(self) -> Gateway:
        assert self._plan.gateway is not None, "an agent-only stack has no steps for a gateway"
        return self._plan.gateway

    @property
    def _desired(self) -> DesiredState:
        assert self._plan.desired is not None
        return self._plan.desired

    def _watch(self, client: KubernetesClient, namespace: str, deployment: str, *, plugin_object: str | None) -> None:
        if (namespace, deployment) not in self._monitors:
            monitor = RolloutMonitor(
                client, namespace=namespace, deployment=deployment, plugin_object=plugin_object, say=self._warn
            )
            self._monitors[namespace, deployment] = monitor
            monitor.start()

    def _warn(self, line: str) -> None:
        assert self._loop is not None, "only steps and what they start warn"
        try:
            # A monitor's thread may outlive the program: a closed loop tells that there is no engine to log to.
            self._loop.call_soon_threadsafe(pulumi.log.warn, self._logged(printable(line)))
        except RuntimeError:
            # The program has ended.
            self._stop_monitors()

    def _stop_monitors(self) -> None:
        for monitor in self._monitors.values():
            monitor.stop()

    def _logged(self, text: str) -> str:
        """A line of the log for this run, without secrets."""
        return self._wording.logged(without_secrets(text, self._plan.secrets))

    def _shown(self, text: str) -> str:
        """A message for this run, without secrets."""
        return self._wording.shown(without_secrets(text, self._plan.secrets))
