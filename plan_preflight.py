"""What preflight asks about, from the settings and the plan. Pure. Leaves out the asking (preflight/)."""

from components.agent import OWN_TOKEN_SECRET
from components.kong import KongGatewayArgs
from plan import Plan
from preflight import Adoption, AgentIntent, GatewayIntent, Intent, PluginIntent, SecretKey
from rock import Rock
from settings import Settings

KONG_CHART = "kong"
AGENT_CHART = "traceable-agent"
"""The charts' names in their Chart.yaml (kong 3.4.1, traceable-agent 1.58.0)."""


def intent(settings: Settings, rock: Rock, planned: Plan, *, live_change: bool) -> Intent:
    """The intent of a run; `live_change` is True in an `up`, False in a preview."""
    expected = planned.gates.expectation
    gateway = planned.gateway
    return Intent(
        owner=planned.gates.owner,
        live_change=live_change,
        gateway=GatewayIntent(
            namespace=expected.namespace,
            create_namespace=planned.kong_namespace.create,
            ours=settings.kong.install,
            release=gateway.release or None,
            deployment=expected.deployment,
            container=expected.container,
            container_named=gateway.container_named,
            ingress_class=expected.ingress_class,
            timeout_seconds=gateway.args.timeout_seconds,
            environment=gateway.environment,
            part=gateway.part,
            adoption=(
                Adoption(chart=KONG_CHART, version=gateway.args.chart.version, values=gateway.args.values)
                if settings.kong.adopt and isinstance(gateway.args, KongGatewayArgs)
                else None
            ),
        ),
        agent=_agent(settings, planned),
        agent_release=planned.gates.agent_release,
        plugin=PluginIntent(
            object_name=expected.plugin_object,
            name=expected.plugin,
            everywhere=expected.everywhere,
            config=expected.config,
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
    )


def _agent(settings: Settings, planned: Plan) -> AgentIntent | None:
    """The agent: ours, somebody else's in the cluster, or none."""
    ours, theirs = planned.agent, settings.agent_token_secret
    if ours:
        return AgentIntent(
            namespace=ours.namespace,
            create_namespace=bool(ours.create_namespace),
            release=ours.release,
            own_secret=OWN_TOKEN_SECRET.name if ours.token is not None else None,
            their_secret=SecretKey(name=theirs.name, key=theirs.key) if theirs else None,
            timeout_seconds=ours.timeout_seconds,
            adoption=(
                Adoption(chart=AGENT_CHART, version=ours.chart.version, values=ours.values)
                if settings.agent.adopt
                else None
            ),
        )
    if settings.installed and not settings.agent.install and settings.agent.url is None:
        return AgentIntent(
            namespace=settings.agent.namespace,
            create_namespace=False,
            release=None,
            own_secret=None,
            their_secret=None,
            timeout_seconds=settings.agent.timeout_seconds,
        )
    return None
