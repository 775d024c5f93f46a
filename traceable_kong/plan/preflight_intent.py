"""What preflight asks about, from the settings and the plan. Pure."""

from collections.abc import Iterator

from components.kong_gateway import KongGatewayArgs
from components.traceable_admin_plugin import TraceableAdminPluginArgs
from components.traceable_agent import AgentArgs
from traceable_kong.cluster.secret_key import SecretKey
from traceable_kong.config.agent_config import ExistingAgentConfig, ManagedAgentConfig
from traceable_kong.config.kong_config import (
    ExistingPostgresConfig,
    ManagedKongConfig,
    ManagedPostgresKongConfig,
    PostgresKongConfig,
)
from traceable_kong.config.stack_config import AgentOnlyStack, GatewayStack
from traceable_kong.helm_values.agent_values import OWN_TOKEN_SECRET
from traceable_kong.kong_admin.admin_endpoint import CERTIFICATE_KEYS
from traceable_kong.plan.agent_plan import AgentPlan
from traceable_kong.plan.stack_plan import Plan
from traceable_kong.plugin.rock import Rock
from traceable_kong.preflight.intent import (
    Adoption,
    AgentIntent,
    AloneIntent,
    GatewayIntent,
    Intent,
    NamedSecret,
    PluginIntent,
    RowIntent,
)

KONG_CHART = "kong"
AGENT_CHART = "traceable-agent"
"""The charts' names in their Chart.yaml (kong 3.4.1, traceable-agent 1.58.0)."""


def intent(settings: GatewayStack, rock: Rock, planned: Plan, *, live_change: bool) -> Intent:
    """The intent of a run; `live_change` is True in an `up`, False in a preview."""
    expected = planned.gates.expectation
    gateway = planned.gateway
    return Intent(
        owner=planned.gates.owner,
        live_change=live_change,
        gateway=GatewayIntent(
            namespace=expected.deployment.namespace,
            create_namespace=planned.kong_namespace.create,
            ours=isinstance(settings.kong, ManagedKongConfig),
            release=gateway.release or None,
            deployment=expected.deployment.name,
            container=expected.deployment.container,
            container_named=gateway.container_named,
            ingress_class=settings.kong.ingress_class,
            timeout_seconds=gateway.args.timeout_seconds,
            environment=gateway.environment,
            controller=gateway.controller,
            part=gateway.part,
            owners_files=expected.files if gateway.owners_values is not None else {},
            owners_values=gateway.owners_values or {},
            adoption=(
                Adoption(chart=KONG_CHART, version=gateway.args.chart.version, values=gateway.args.values)
                if isinstance(settings.kong, ManagedKongConfig)
                and settings.kong.adopt
                and isinstance(gateway.args, KongGatewayArgs)
                else None
            ),
            database=settings.kong.database,
            made_database=gateway.postgres.postgres.name if gateway.postgres else None,
            pod_selector=gateway.pod_selector,
            values=gateway.args.values if isinstance(gateway.args, KongGatewayArgs) else {},
        ),
        agent=_agent(settings, planned),
        agent_release=planned.gates.agent_release,
        plugin=PluginIntent(
            object_name=expected.plugin.custom_resource.name if expected.plugin.custom_resource else None,
            name=expected.plugin.name,
            everywhere=expected.plugin.everywhere,
            config=expected.plugin.config,
            rock_version=rock.version,
            rock_sha256=rock.sha256,
            shipped=frozenset(rock.plugins),
        ),
        config_maps=tuple(item.name for item in planned.plugin_files.config_maps) if planned.plugin_files else (),
        record=planned.installation.record_name,
        policy=planned.guard.policy if planned.guard else None,
        sync=planned.tme.wanted,
        tme_image=planned.gates.probe.tme_image,
        enabled=settings.enabled,
        installed=settings.installed,
        row=_row(planned),
        named_secrets=tuple(_named_secrets(settings)),
    )


def _row(planned: Plan) -> RowIntent | None:
    made = planned.plugin
    if not isinstance(made, TraceableAdminPluginArgs):
        return None
    return RowIntent(place=made.place, access=made.access, adopt=made.adopt)


def _named_secrets(settings: GatewayStack) -> Iterator[NamedSecret]:
    """Those in Kong's namespace; the settings' rules have seen to it that the namespace is not made here."""
    kong = settings.kong
    if not isinstance(kong, PostgresKongConfig):
        return
    postgres = kong.postgres if isinstance(kong, ManagedPostgresKongConfig) else None
    for setting, secret, meant in (
        (
            "kong.postgres.passwordSecret",
            postgres.password_secret if isinstance(postgres, ExistingPostgresConfig) else None,
            "Kong could not log in to it",
        ),
        ("kong.admin.tokenSecret", kong.admin.token_secret, "Kong would refuse to write the plugin"),
        ("kong.admin.caSecret", kong.admin.ca_secret, "nobody could tell whether it is Kong that answers"),
    ):
        if secret:
            yield NamedSecret(setting=setting, name=secret.name, keys=(secret.key,), meant=meant)
    if kong.admin.client_certificate_secret:
        yield NamedSecret(
            setting="kong.admin.clientCertificateSecret",
            name=kong.admin.client_certificate_secret,
            keys=CERTIFICATE_KEYS,
            meant="Kong would not let this stack in",
        )


def _agent(settings: GatewayStack, planned: Plan) -> AgentIntent | None:
    """The agent: ours, somebody else's in the cluster, or none."""
    if planned.agent and isinstance(settings.agent, ManagedAgentConfig):
        return _of_ours(settings.agent, planned.agent)
    if settings.installed and isinstance(settings.agent, ExistingAgentConfig):
        return AgentIntent(
            namespace=settings.agent.namespace,
            create_namespace=False,
            release=None,
            own_secret=None,
            their_secret=None,
            timeout_seconds=0,
            tme_image_named=settings.agent.tme_image is not None,
        )
    return None


def _of_ours(config: ManagedAgentConfig, ours: AgentArgs) -> AgentIntent:
    theirs = config.token_secret
    return AgentIntent(
        namespace=ours.namespace,
        create_namespace=bool(ours.create_namespace),
        release=ours.release,
        own_secret=OWN_TOKEN_SECRET.name if ours.token is not None else None,
        their_secret=SecretKey(name=theirs.name, key=theirs.key) if theirs else None,
        timeout_seconds=ours.timeout_seconds,
        adoption=(
            Adoption(chart=AGENT_CHART, version=ours.chart.version, values=ours.values) if config.adopt else None
        ),
        protect=ours.protect,
        values=ours.values,
    )


def alone(settings: AgentOnlyStack, owner: str, planned: AgentPlan, *, live_change: bool) -> AloneIntent:
    """The intent of a run of a stack that is the agent alone; otherwise as `intent()`."""
    return AloneIntent(
        owner=owner,
        live_change=live_change,
        agent=_of_ours(settings.agent, planned.agent),
        record=planned.installation.record_name,
    )
