"""The deployment: load -> plan -> preflight -> deploy -> export."""

from collections.abc import Mapping

import pulumi

import components
from traceable_kong.common.commands import on_cluster
from traceable_kong.common.safe_text import PlainError
from traceable_kong.config import loader
from traceable_kong.hooks.preflight_run import run_preflight
from traceable_kong.hooks.stack_hooks import Hooks
from traceable_kong.plan.agent_model import ManagedAgent
from traceable_kong.plan.build import build_plan
from traceable_kong.plan.inputs import read_inputs
from traceable_kong.plan.kong_model import ManagedKong
from traceable_kong.plan.model import Plan
from traceable_kong.plan.outputs import stack_outputs
from traceable_kong.plan.release_model import ReleaseKey
from traceable_kong.preflight.release_imports import releases_to_import


async def main() -> Mapping[str, object]:
    preview, cluster_options = pulumi.runtime.is_dry_run(), ""
    try:
        config = loader.load()
        cluster = loader.cluster_target(config)
        cluster_options = cluster.command_options
        cluster.require_allowed(config.allowed_clusters)
        inputs = read_inputs(config, cluster, preview=preview)
        build_plan(config, inputs, new_id := components.fresh_id())  # Bad values fail before anything is registered.
        stack_id, owner = await components.kept_id("stack-id", new_id)
        plan = build_plan(config, inputs, owner)
        reader = run_preflight(cluster, plan, live_change=not preview)
        imports = releases_to_import(plan, reader, preview=preview)
    except PlainError as problem:
        raise pulumi.RunError(on_cluster(str(problem), cluster_options)) from None
    hooks = Hooks(plan, cluster, components.kubernetes_provider(cluster, after=stack_id))
    outputs = stack_outputs(plan, stack=pulumi.get_stack(), cluster_options=cluster_options)
    return outputs | deploy(plan, hooks, imports)


def deploy(plan: Plan, hooks: Hooks, imports: frozenset[ReleaseKey]) -> components.Outputs:
    """Registers everything. A component starts when all components in its `after(...)` are done."""
    after, before, gateway = hooks.after, hooks.before, plan.gateway
    done: list[pulumi.Resource] = []

    def finish(*steps: components.DeploymentStep) -> components.Outputs:
        record = components.Installation("installation", plan, verify=hooks.verify, steps=steps, opts=after(*steps))
        components.DeletionProtection(on=bool(plan.protected), opts=after(*done, *steps, record))
        return record.outputs

    # The plugin's files come before the gateway and the agent: while a destroy removes these, pods still use the files.
    if gateway:
        namespace = components.KongNamespace("kong", plan, gateway.kong, opts=after())
        done.append(namespace)
        if gateway.config_maps:
            done.append(components.PluginFiles("plugin-files", plan, gateway, namespace, opts=after(namespace)))
    if isinstance(plan.agent, ManagedAgent):
        hook = before("agent", hooks.watch_agent, create=[hooks.remove_orphaned_release(plan.agent.release)])
        agent = components.TraceableAgent("agent", plan, plan.agent, imports=imports, hooks=hook, opts=after(*done))
        done.append(agent)
    if gateway is None:
        return finish(agent)

    kong = gateway.kong
    if gateway.policy:
        done.append(components.TmeGuard("tme-guard", plan, gateway.policy, opts=after(namespace)))
    if isinstance(kong, ManagedKong) and (postgres := kong.managed_postgres):
        hook = before("database", create=[hooks.require_database_password])
        done.append(components.ManagedPostgresDatabase("postgres", plan, kong, postgres, hook, opts=after(namespace)))

    first = hooks.require_injection_where_requested if gateway.installed else hooks.delete_plugin_before_its_files
    running: components.KongGateway | components.ExistingKong
    if isinstance(kong, ManagedKong):
        remove = hooks.remove_orphaned_release(kong.release)
        hook = before("gateway", hooks.watch_gateway, create=[remove], update=[first])
        running = components.KongGateway("gateway", kong, imports=imports, hooks=hook, opts=after(*done))
    else:
        hook = before("gateway", first, hooks.watch_gateway)
        running = components.ExistingKong("gateway", plan, gateway, kong, hooks=hook, opts=after(*done))

    def inject_tme(*earlier: components.DeploymentStep) -> components.DeploymentStep:
        label = before("tme-label", hooks.require_files_mounted_by_owner, hooks.require_policy_enforced)
        rollout = before("tme-annotation", hooks.require_injection, hooks.watch_gateway)
        return components.TmeInjection("tme", plan, gateway, namespace, running, label, rollout, opts=after(*earlier))

    def configure_plugin(*earlier: components.DeploymentStep) -> components.DeploymentStep:
        revision = hooks.ready_for_plugin(running.revision, components.resources_of(earlier))
        if gateway.plugin.entity:
            return components.TraceableAdminPlugin("plugin", plan, gateway, revision, opts=after(*earlier))
        return components.TraceablePlugin("plugin", plan, gateway, revision, opts=after(*earlier))

    # The plugin may only call a TME that exists: it comes after a TME that is wanted, and before one is removed.
    order = (inject_tme, configure_plugin) if gateway.wants_tme else (configure_plugin, inject_tme)
    steps: list[components.DeploymentStep] = [running]
    for step in order if gateway.installed else ():
        steps.append(step(*steps))
    return finish(*steps)


pulumi.run(main)
