"""What the settings and the rock come to: what every component is given, and what the stack says at the end.

Everything that can contradict itself does so here, before anything is registered. Pure: no resources, no cluster, no
network. Leaves out how things are made (components/) and in which order (`__main__.py`).
"""

from dataclasses import dataclass
from typing import Any

from components.agent import OWN_TOKEN_SECRET, AgentArgs, TokenSecret, agent_endpoint, agent_values
from components.helm import Chart
from components.installation import InstallationArgs
from components.kong import KongGatewayArgs, kong_fullname, kong_values
from components.kong_namespace import KongNamespaceArgs
from components.plugin import TraceablePluginArgs, plugin_config
from components.plugin_files import PluginFilesArgs, chart_entries, plugin_config_maps
from components.tme import TME_ENDPOINT, TmeInjectionArgs
from rock import Rock
from settings import Settings
from values import digest

AGENT_RELEASE = "traceable-agent"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The arguments of every component, and the stack's outputs."""

    agent: AgentArgs
    kong_namespace: KongNamespaceArgs
    plugin_files: PluginFilesArgs
    gateway: KongGatewayArgs
    tme: TmeInjectionArgs
    plugin: TraceablePluginArgs
    installation: InstallationArgs
    outputs: dict[str, Any]


def plan(settings: Settings, rock: Rock) -> Plan:
    """The plan for these settings and this rock.

    Raises KongValuesError where the user's chart values and ours cannot both be had.
    """
    sync = settings.mode == "sync"
    endpoint = TME_ENDPOINT if sync else agent_endpoint(settings.agent.namespace)
    theirs = settings.agent_token_secret
    agent = AgentArgs(
        namespace=settings.agent.namespace,
        create_namespace=settings.agent.create_namespace,
        release=AGENT_RELEASE,
        chart=Chart(**settings.agent.chart.model_dump()),
        values=agent_values(
            settings.agent_values,
            environment=settings.agent.environment,
            endpoint=settings.agent.endpoint,
            blocking_status_code=settings.blocking_status_code,
            blocking_message=settings.blocking_message,
            token_secret=TokenSecret(name=theirs.name, key=theirs.key) if theirs else OWN_TOKEN_SECRET,
            tme_image=settings.agent.tme_image,
        ),
        token=settings.agent_token,
        timeout_seconds=settings.agent.timeout_seconds,
    )
    plugin_files = PluginFilesArgs(namespace=settings.kong.namespace, config_maps=plugin_config_maps(rock.plugins))
    gateway = KongGatewayArgs(
        namespace=settings.kong.namespace,
        release=settings.kong.release,
        fullname=kong_fullname(settings.kong.release, settings.kong_values),
        chart=Chart(**settings.kong.chart.model_dump()),
        values=kong_values(
            settings.kong_values,
            plugin_entries=chart_entries(plugin_files.config_maps),
            ingress_class=settings.kong.ingress_class,
            database=settings.kong.database,
        ),
        timeout_seconds=settings.kong.timeout_seconds,
    )
    tme = TmeInjectionArgs(
        wanted=sync and settings.enabled,
        namespace=settings.kong.namespace,
        deployment=gateway.fullname,
        settings_digest=digest([agent.chart.reference, agent.chart.version, agent.values]),
        timeout_seconds=settings.kong.timeout_seconds,
    )
    plugin = TraceablePluginArgs(
        plugin_name=settings.plugin.name,
        ingress_class=settings.kong.ingress_class,
        everywhere=settings.scope == "global",
        enabled=settings.enabled,
        config=plugin_config(
            settings.plugin_config,
            rock_version=rock.version,
            endpoint=endpoint,
            mode=settings.mode,
            buffer_request_body=settings.buffer_request_body,
            fail_open=settings.fail_mode == "open",
            timeout_ms=settings.timeout_ms,
            service_name=settings.plugin.service_name,
        ),
    )
    stands = {
        "mode": settings.mode,
        "endpoint": endpoint,
        "failMode": settings.fail_mode,
        "pluginVersion": rock.version,
        "rockSha256": rock.sha256,
    }
    return Plan(
        agent=agent,
        kong_namespace=KongNamespaceArgs(namespace=settings.kong.namespace, create=settings.kong.create_namespace),
        plugin_files=plugin_files,
        gateway=gateway,
        tme=tme,
        plugin=plugin,
        installation=InstallationArgs(
            namespace=settings.kong.namespace,
            record=stands
            | {
                "enabled": "true" if settings.enabled else "false",
                "pluginConfigDigest": digest(plugin.config),
                "agentValuesDigest": digest(agent.values),
                "kongValuesDigest": digest(gateway.values),
            },
        ),
        outputs=stands
        | {
            "enabled": settings.enabled,
            "plugin": settings.plugin.name,
            "namespace": settings.kong.namespace,
            "release": settings.kong.release,
            "deployment": gateway.fullname,
            "proxyService": f"{gateway.fullname}-proxy",
            "configMaps": [item.name for item in plugin_files.config_maps],
        },
    )
