"""A stack with a gateway: the whole installation, in the order in which it happens. Wiring only: plan/stack_plan.py
says what the settings come to.
"""

import pulumi

from components.deletion_protection import DeletionProtection
from components.existing_kong import ExistingKong
from components.installation import Installation
from components.kong_gateway import KongGateway, KongGatewayArgs
from components.kong_namespace import KongNamespace
from components.managed_postgres import ManagedPostgresDatabase
from components.plugin_files import PluginFiles
from components.tme_guard import TmeGuard
from components.tme_injection import TmeInjection
from components.traceable_admin_plugin import TraceableAdminPlugin, TraceableAdminPluginArgs
from components.traceable_agent import TraceableAgent
from components.traceable_plugin import TraceablePlugin
from traceable_kong.cluster.target import ClusterTarget
from traceable_kong.hooks.gateway_hooks import Gates
from traceable_kong.plan.stack_plan import Plan

Step = TmeInjection | TraceablePlugin | TraceableAdminPlugin


def make_gateway(
    planned: Plan, target: ClusterTarget, provider: pulumi.ProviderResource, imports: frozenset[str]
) -> dict[str, pulumi.Output[str]]:
    """Registers everything, and returns the outputs that are known when it is there.

    `imports` are the Helm releases that are imported (`kong`, `agent`).
    """
    gates = Gates(args=planned.gates, cluster=target)

    def after(*steps: pulumi.Resource) -> pulumi.ResourceOptions:
        """A component's options: it waits until every part of these steps stands."""
        return pulumi.ResourceOptions(provider=provider, depends_on=list(steps), transformations=[gates.check_names])

    namespace = KongNamespace("kong", args=planned.kong_namespace, opts=after())
    # Before the gateway, and so gone after it: its pods never ask for a TME that nobody gives or guards.
    foundation: list[pulumi.Resource] = [namespace]
    if files := planned.plugin_files:
        foundation.append(PluginFiles("plugin-files", args=files, namespace=namespace.namespace, opts=after(namespace)))
    if planned.agent:
        # After the files, and so gone before them: while Helm removes it, the gateway's last pods let go of the files.
        foundation.append(
            TraceableAgent(
                "agent",
                args=planned.agent,
                import_release="agent" in imports,
                hooks=gates.agent,
                opts=after(*foundation),
            )
        )
    if planned.guard:
        foundation.append(TmeGuard("tme-guard", args=planned.guard, opts=after(namespace)))
    if database := planned.gateway.postgres:
        foundation.append(
            ManagedPostgresDatabase("postgres", args=database, hooks=gates.database, opts=after(namespace))
        )
    gateway: KongGateway | ExistingKong
    args, hooks, opts = planned.gateway.args, gates.gateway, after(*foundation)
    if isinstance(args, KongGatewayArgs):
        gateway = KongGateway("gateway", args=args, import_release="kong" in imports, hooks=hooks, opts=opts)
    else:
        gateway = ExistingKong("gateway", args=args, hooks=hooks, opts=opts)

    def inject_tme(*steps: pulumi.Resource) -> TmeInjection:
        return TmeInjection(
            "tme",
            args=planned.tme,
            namespace=namespace.namespace,
            release=gateway.release,
            label_hooks=gates.tme_label,
            annotation_hooks=gates.tme_annotation,
            opts=after(gateway, *steps),
        )

    def configure_plugin(*steps: Step) -> TraceablePlugin | TraceableAdminPlugin:
        args, opts = planned.plugin, after(gateway, *steps)
        revision = gates.ready_for_plugin(gateway.revision, resources_of(*steps))
        if isinstance(args, TraceableAdminPluginArgs):
            return TraceableAdminPlugin("plugin", args=args, kong_revision=revision, opts=opts)
        return TraceablePlugin("plugin", args=args, kong_revision=revision, opts=opts)

    def resources_of(*steps: Step) -> list[pulumi.CustomResource]:
        return [*gateway.resources, *(resource for step in steps for resource in step.resources)]

    steps: list[Step] = []
    if planned.installed:
        # The plugin may only call a TME that is there: after it on the way in, and before it on the way out.
        first, second = (inject_tme, configure_plugin) if planned.tme.wanted else (configure_plugin, inject_tme)
        steps = [made := first(), second(made)]
    installation = Installation(
        "installation",
        args=planned.installation,
        prove=gates.prove,
        steps=resources_of(*steps),
        opts=after(gateway, *steps),
    )
    everything = (*foundation, gateway, *steps, installation)
    DeletionProtection(on=bool(planned.protected), opts=after(*everything))
    return {"recordDigest": installation.record_digest} if planned.installed else {}
