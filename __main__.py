"""The deployment: load -> plan -> preflight -> deploy -> export."""

import pulumi

from traceable_kong import components
from traceable_kong.common.quick_exit import skip_last_collection
from traceable_kong.common.safe_text import PlainError
from traceable_kong.config import loader
from traceable_kong.hooks.preflight_run import run_preflight
from traceable_kong.hooks.stack_hooks import Hooks
from traceable_kong.plan.build import build_plan
from traceable_kong.plan.inputs import read_inputs
from traceable_kong.plan.kong_model import ManagedKong
from traceable_kong.plan.model import Plan
from traceable_kong.plan.outputs import stack_outputs
from traceable_kong.preflight.release_imports import Imports, releases_to_import


async def main() -> dict[str, object]:
    preview = pulumi.runtime.is_dry_run()
    try:
        config = loader.load()
        cluster = loader.cluster_target(config)
        inputs = read_inputs(config, cluster, preview=preview)
        build_plan(config, inputs, fresh := components.fresh_identity())  # Bad values fail before any registration.
        stack_id, identity = await components.kept_identity("stack-id", fresh)
        plan = build_plan(config, inputs, identity)
        provider = components.kubernetes_provider(cluster, after=stack_id)
        reader = await run_preflight(cluster, plan, provider, live_change=not preview)
        imports = releases_to_import(plan, reader, preview=preview)
    except PlainError as problem:
        raise loader.run_error(problem) from None
    outputs = stack_outputs(plan, stack=pulumi.get_stack(), cluster_options=cluster.command_options)
    return outputs | deploy(plan, Hooks(plan, cluster, provider), imports)


def deploy(plan: Plan, hooks: Hooks, imports: Imports) -> components.Outputs:
    """Registers everything. A component starts when all components in its `after(...)` are done."""
    after, before, gateway = hooks.after, hooks.before, plan.gateway
    done: list[pulumi.Resource] = []

    def finish(*steps: components.DeploymentStep) -> components.Outputs:
        last = components.Installation("installation", plan=plan, verify=hooks.verify, steps=steps, opts=after(*steps))
        components.DeletionProtection(on=bool(plan.protected), opts=after(*done, *steps, last))
        return last.outputs

    # The plugin's files come before the gateway and the agent: while a destroy removes these, pods still use the files.
    if gateway:
        done += [namespace := components.KongNamespace("kong", plan=plan, kong=gateway.kong, opts=after())]
        if gateway.config_maps:
            opts = after(namespace)
            done += [components.PluginFiles("plugin-files", plan=plan, gateway=gateway, namespace=namespace, opts=opts)]
    if managed := plan.managed_agent:
        hook = before("agent", hooks.watch_agent, create=[hooks.remove_orphan(managed.release)])
        agent = components.TraceableAgent(
            "agent", plan=plan, agent=managed, after=[*done], imports=imports, hooks=hook, opts=after()
        )
        done.append(agent)
    if gateway is None:
        return finish(agent)

    kong, opts = gateway.kong, after(namespace)
    if gateway.policy:
        done.append(components.TmeGuard("tme-guard", plan=plan, policy=gateway.policy, opts=opts))
    if isinstance(kong, ManagedKong) and kong.managed_postgres:
        hook = before("database", create=[hooks.require_database_password])
        done.append(components.ManagedPostgresDatabase("postgres", plan=plan, kong=kong, hooks=hook, opts=opts))

    first = hooks.require_injection_where_requested if gateway.installed else hooks.delete_plugin_before_its_files
    running: components.KongGateway | components.ExistingKong
    if isinstance(kong, ManagedKong):
        hook = before("gateway", hooks.watch_gateway, create=[hooks.remove_orphan(kong.release)], update=[first])
        running = components.KongGateway("gateway", kong=kong, imports=imports, hooks=hook, opts=after(*done))
    else:
        hook, opts = before("gateway", first, hooks.watch_gateway), after(*done)
        running = components.ExistingKong("gateway", plan=plan, gateway=gateway, kong=kong, hooks=hook, opts=opts)

    def inject_tme(*steps: components.DeploymentStep) -> components.DeploymentStep:
        label = before("tme-label", hooks.require_files_mounted_by_owner, hooks.require_policy_enforced)
        pods = before("tme-annotation", hooks.require_injection, hooks.watch_gateway)
        return components.TmeInjection(
            "tme", plan=plan, gateway=gateway, namespace=namespace, on=running, hooks=(label, pods), opts=after(*steps)
        )

    def configure_plugin(*steps: components.DeploymentStep) -> components.DeploymentStep:
        plugin = components.TraceableAdminPlugin if gateway.plugin.entity else components.TraceablePlugin
        ready = hooks.ready_for_plugin(running.revision, components.resources_of(steps))
        return plugin("plugin", plan=plan, gateway=gateway, kong_revision=ready, opts=after(*steps))

    if not gateway.installed:
        return finish(running)
    # The plugin may only call a TME that exists: it comes after a TME that is wanted, and before one is removed.
    earlier, later = (inject_tme, configure_plugin) if gateway.wants_tme else (configure_plugin, inject_tme)
    step = earlier(running)
    return finish(running, step, later(running, step))


skip_last_collection()
pulumi.run(main)
