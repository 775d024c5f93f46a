"""How a gate is a hook: run beside the program's own loop, its refusal one message, a rollout watched meanwhile."""

import asyncio
from collections.abc import Callable
from typing import Protocol

import pulumi

from traceable_kong.cluster.kubernetes_client import ApiError, KubernetesClient, Unreachable
from traceable_kong.common.commands import on_cluster
from traceable_kong.common.safe_text import printable
from traceable_kong.hooks import name_conflicts, orphaned_releases
from traceable_kong.hooks.hook_failed import HookFailed
from traceable_kong.hooks.rollout_monitor import RolloutMonitor

Check = Callable[[KubernetesClient], None]


class Connection(Protocol):
    """A cluster: the connection to it, and the configuration that says which (`cluster.Cluster`)."""

    @property
    def api(self) -> KubernetesClient: ...
    @property
    def kubeconfig(self) -> str | None: ...
    @property
    def context(self) -> str | None: ...
    @property
    def command_options(self) -> str: ...


class Hooks:
    """Hooks of the stack `owner`; a removal may take `timeout_seconds`."""

    def __init__(self, cluster: Connection, *, owner: str, timeout_seconds: int) -> None:
        self._cluster = cluster
        self._owner = owner
        self._timeout_seconds = timeout_seconds
        self._watches: dict[tuple[str, str], RolloutMonitor] = {}
        self._name_is_free = pulumi.ResourceHook("before-create-name-is-free", self._refuse_taken_name)

    def check_names(self, args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        """A transformation that has each object's name checked directly before it is created."""
        if not args.type_.startswith("kubernetes:") or args.type_.split(":")[-1] not in name_conflicts.PLURALS:
            return None
        checked = pulumi.ResourceOptions(hooks=pulumi.ResourceHookBinding(before_create=[self._name_is_free]))
        return pulumi.ResourceTransformationResult(args.props, pulumi.ResourceOptions.merge(args.opts, checked))

    async def _refuse_taken_name(self, args: pulumi.ResourceHookArgs) -> None:
        def check(api: KubernetesClient) -> None:
            name_conflicts.require_free_name(api, args.type, args.new_inputs or {}, owner=self._owner)

        await self._run([check])

    def _binding(self, name: str, *, create: list[Check], update: list[Check]) -> pulumi.ResourceHookBinding:
        return pulumi.ResourceHookBinding(
            before_create=[self._hook(f"before-{name}-create", create)] if create else [],
            before_update=[self._hook(f"before-{name}-update", update)] if update else [],
        )

    def _hook(self, name: str, checks: list[Check]) -> pulumi.ResourceHook:
        async def run(_: pulumi.ResourceHookArgs) -> None:
            await self._run(checks)

        return pulumi.ResourceHook(name, run)

    async def _run(self, checks: list[Check]) -> None:
        self._loop = asyncio.get_running_loop()
        for check in checks:
            try:
                # Beside the program's own loop: what else is under way goes on.
                await asyncio.to_thread(check, self._cluster.api)
            except (HookFailed, ApiError, Unreachable) as problem:
                raise pulumi.RunError(self._said(str(problem))) from None

    def _said(self, text: str) -> str:
        """A message whose commands go to this cluster."""
        return on_cluster(text, self._cluster.command_options)

    def _watch(self, api: KubernetesClient, namespace: str, deployment: str, *, plugin_object: str | None) -> None:
        """Begins to look at a Deployment, once in a run."""
        if (namespace, deployment) not in self._watches:
            watch = RolloutMonitor(
                api, namespace=namespace, deployment=deployment, plugin_object=plugin_object, say=self._warn
            )
            self._watches[namespace, deployment] = watch
            watch.start()

    def _warn(self, line: str) -> None:
        try:
            # From the watch's own thread, and the engine is only talked to from the program's loop.
            self._loop.call_soon_threadsafe(pulumi.log.warn, self._said(printable(line)))
        except RuntimeError:
            # The program is over.
            for watch in self._watches.values():
                watch.stop()

    def _clear_name(self, api: KubernetesClient, *, namespace: str, release: str) -> None:
        orphaned_releases.remove_orphaned_release(
            api,
            namespace=namespace,
            release=release,
            owner=self._owner,
            timeout_seconds=self._timeout_seconds,
            kubeconfig=self._cluster.kubeconfig,
            context=self._cluster.context,
            say=self._warn,
        )
