"""The order of a deployment: what is registered, and what waits for what."""

import pulumi

import traceable_kong.components as components
from traceable_kong.hooks.stack_hooks import Hooks
from traceable_kong.plan.kong_model import ManagedKong
from traceable_kong.plan.model import Plan
from traceable_kong.preflight.release_imports import Imports


def deploy(
    name: str, plan: Plan, hooks: Hooks, imports: Imports, own_program: pulumi.Inputs, *, verified: pulumi.Stash
) -> components.Installation:
    """Registers everything, with names that begin with `name`. A component starts when all components in its
    `after(...)` are done. Returns the last step; `verified` waits for it, and keeps its `wanted_digest`. `own_program`
    is by `own_program_inputs()`.
    """
    after, before, gateway = hooks.after, hooks.before, plan.gateway
    done: list[pulumi.Resource] = []

    def finish(*steps: components.DeploymentStep) -> components.Installation:
        last = components.Installation(
            f"{name}-installation", plan=plan, verify=hooks.verify, steps=steps, kept=verified.input, opts=after(*steps)
        )
        components.DeletionProtection(
            f"{name}-{components.DELETION_PROTECTION}",
            on=bool(plan.protected),
            opts=after(*done, *steps, last, verified),
        )
        return last

    # The plugin's files come before the gateway and the agent: while a destroy removes these, pods still use the files.
    if gateway:
        done += [namespace := components.KongNamespace(f"{name}-kong", plan=plan, kong=gateway.kong, opts=after())]
        if gateway.config_maps:
            opts = after(namespace)
            done += [
                components.PluginFiles(
                    f"{name}-plugin-files", plan=plan, gateway=gateway, namespace=namespace, opts=opts
                )
            ]
    if managed := plan.managed_agent:
        hook = before("agent", hooks.watch_agent, create=[hooks.remove_orphan(managed.release)])
        agent = components.TraceableAgent(
            f"{name}-agent", plan=plan, agent=managed, after=[*done], imports=imports, hooks=hook, opts=after()
        )
        done.append(agent)
    if gateway is None:
        return finish(agent)

    kong, opts = gateway.kong, after(namespace)
    if gateway.policy:
        done.append(components.TmeGuard(f"{name}-tme-guard", plan=plan, policy=gateway.policy, opts=opts))
    if isinstance(kong, ManagedKong) and kong.managed_postgres:
        hook = before("database", create=[hooks.require_database_password])
        done.append(components.ManagedPostgresDatabase(f"{name}-postgres", plan=plan, kong=kong, hooks=hook, opts=opts))

    first = hooks.require_injection_where_requested if gateway.installed else hooks.delete_plugin_before_its_files
    running: components.KongGateway | components.ExistingKong
    if isinstance(kong, ManagedKong):
        hook = before("gateway", hooks.watch_gateway, create=[hooks.remove_orphan(kong.release)], update=[first])
        running = components.KongGateway(f"{name}-gateway", kong=kong, imports=imports, hooks=hook, opts=after(*done))
    else:
        hook, opts = before("gateway", first, hooks.watch_gateway), after(*done)
        running = components.ExistingKong(
            f"{name}-gateway", plan=plan, gateway=gateway, kong=kong, own_program=own_program, hooks=hook, opts=opts
        )

    def inject_tme(*steps: components.DeploymentStep) -> components.DeploymentStep:
        label = before("tme-label", hooks.require_files_mounted_by_owner, hooks.require_policy_enforced)
        pods = before("tme-annotation", hooks.require_injection, hooks.watch_gateway)
        return components.TmeInjection(
            f"{name}-tme",
            plan=plan,
            gateway=gateway,
            namespace=namespace,
            on=running,
            hooks=(label, pods),
            annotations=hooks.tme_annotations(),
            opts=after(*steps),
        )

    def configure_plugin(*steps: components.DeploymentStep) -> components.DeploymentStep:
        ready = hooks.ready_for_plugin(running.revision, components.resources_of(steps))
        if gateway.plugin.entity:
            return components.TraceableAdminPlugin(
                f"{name}-plugin", gateway=gateway, own_program=own_program, kong_revision=ready, opts=after(*steps)
            )
        return components.TraceablePlugin(
            f"{name}-plugin", plan=plan, gateway=gateway, kong_revision=ready, opts=after(*steps)
        )

    if not gateway.installed:
        return finish(running)
    # The plugin may only call a TME that exists: it comes after a TME that is wanted, and before one is removed.
    earlier, later = (inject_tme, configure_plugin) if gateway.wants_tme else (configure_plugin, inject_tme)
    step = earlier(running)
    return finish(running, step, later(running, step))
