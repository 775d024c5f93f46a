"""What the settings and the rock come to: what every component is given, what must hold, and what the stack says.

Everything that can contradict itself does so here, before anything is registered. Pure: no resources, no cluster, no
network.
"""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from traceable_kong.cluster import ownership
from traceable_kong.cluster.agent_objects import AGENT_RELEASE, agent_endpoint
from traceable_kong.cluster.ownership import RECORD_NAME
from traceable_kong.cluster.tme import AGENT_CONFIG, TME_ENDPOINT, pod_annotations, tme_image_in
from traceable_kong.common.image_references import ImageReference, parse_image
from traceable_kong.common.nested_data import digest
from traceable_kong.config.agent_config import (
    AgentConfig,
    ExistingAgentConfig,
    ExternalAgentConfig,
    ManagedAgentConfig,
)
from traceable_kong.config.kong_config import ManagedKongConfig
from traceable_kong.config.stack_config import GatewayStack
from traceable_kong.helm_values.agent_values import DEFAULT_TME_IMAGE, sidecar_values, tme_image_of
from traceable_kong.plan.agent_plan import agent_args
from traceable_kong.plan.build import PlanInputs, build_plan
from traceable_kong.plan.component_args import (
    AgentArgs,
    GatesArgs,
    InjectionDryRun,
    InstallationArgs,
    KongNamespaceArgs,
    PluginFilesArgs,
    TmeGuardArgs,
    TmeInjectionArgs,
    TraceableAdminPluginArgs,
    TraceablePluginArgs,
)
from traceable_kong.plan.gateway_plan import GatewayPlan, gateway_plan
from traceable_kong.plan.plugin_plan import plugin_args, plugin_outputs
from traceable_kong.plan.protection import protected_parts, protection_output
from traceable_kong.plan.state_record import record_data, record_digest
from traceable_kong.plugin.config_maps import plugin_config_maps
from traceable_kong.plugin.plugin_config import plugin_config
from traceable_kong.plugin.rock import Rock


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The arguments of every component, what the gates and the proof ask for, and the stack's outputs.

    `protected` are the parts that no run may delete.

    `agent` is None where it is not ours. `installed` False is Traceable leaving a gateway that stays: neither agent nor
    guard nor files are made, and `tme` and `plugin` are not used.
    """

    installed: bool
    agent: AgentArgs | None
    kong_namespace: KongNamespaceArgs
    guard: TmeGuardArgs | None
    plugin_files: PluginFilesArgs | None
    gateway: GatewayPlan
    tme: TmeInjectionArgs
    plugin: TraceablePluginArgs | TraceableAdminPluginArgs
    installation: InstallationArgs
    gates: GatesArgs
    protected: tuple[str, ...]
    outputs: dict[str, Any]


def plan(
    settings: GatewayStack,
    rock: Rock,
    owner: str,
    sidecar_settings: Mapping[str, str] | None = None,
    *,
    recorded_image: ImageReference | None = None,
    stack: str = "",
    cluster_options: str = "",
    selector: Mapping[str, Any] | None = None,
) -> Plan:
    """The plan for these settings and this rock; `owner` is this stack's id.

    `sidecar_settings` are what an agent that is not ours gives its TMEs (`shared_agent.sidecar_settings()`).
    `recorded_image` is the TME's image by the record (`shared_agent.recorded_tme_image()`).
    `stack` is the stack's name. `cluster_options` are those of `verify.py` that name the cluster, where it is not the
    usual one. `selector` is what the Deployment of a Kong that is not ours selects its pods by.

    Raises KongValuesError or AgentValuesError where the user's chart values and ours cannot both be had.
    """
    installed = settings.installed
    sync = settings.mode == "sync"
    labels = ownership.labels(owner)
    guarded = installed and settings.tme_guard != "off"
    if isinstance(settings.agent, ExternalAgentConfig):
        agent_namespace, agent_url = "", settings.agent.url
    else:
        agent_namespace, agent_url = settings.agent.namespace, agent_endpoint(settings.agent.namespace)
    endpoint = TME_ENDPOINT if sync else agent_url
    agent = agent_args(settings, settings.agent, owner) if isinstance(settings.agent, ManagedAgentConfig) else None
    tme_image = (
        tme_image_of(agent.values)
        if agent
        else _their_tme_image(settings.agent, sidecar_settings or {}, recorded_image)
    )
    given: list[Any] = [agent_namespace, dict(sidecar_settings or {})]
    if agent:
        given = [agent.namespace, agent.chart.reference, agent.chart.version, sidecar_values(agent.values)]
    config_maps = plugin_config_maps(rock.plugins) if installed else []
    gateway = gateway_plan(settings, owner, config_maps, selector)
    tme = TmeInjectionArgs(
        owner=owner,
        wanted=sync and settings.enabled,
        namespace=settings.kong.namespace,
        deployment=gateway.deployment,
        settings_digest=digest(given),
        timeout_seconds=settings.kong.timeout_seconds,
    )
    config = plugin_config(
        settings.plugin_config,
        rock_version=rock.version,
        endpoint=endpoint,
        mode=settings.mode,
        buffer_request_body=settings.buffer_request_body,
        fail_open=settings.fail_mode == "open",
        timeout_ms=settings.timeout_ms,
        service_name=settings.plugin.service_name,
    )
    plugin = plugin_args(settings, owner, gateway, config=config, labels=labels)
    row = plugin if isinstance(plugin, TraceableAdminPluginArgs) else None
    guard = TmeGuardArgs(
        policy=ownership.cluster_wide_name("traceable-tme-guard", owner),
        namespace=settings.kong.namespace,
        pod_selector=gateway.pod_selector,
        tme_image=tme_image,
        agent_namespace=agent_namespace,
        action=settings.tme_guard,
        labels=labels,
    )
    built = build_plan(
        settings,
        PlanInputs(
            rock=rock,
            pod_selector=selector or {},
            agent_settings=sidecar_settings or {},
            recorded_image=recorded_image,
        ),
        owner,
    )
    desired, record = built.desired, record_data(built)
    assert desired is not None
    stands = {
        "mode": settings.mode,
        "endpoint": endpoint,
        "failMode": settings.fail_mode,
        "rockVersion": rock.version,
        "rockSha256": rock.sha256,
    }
    protected = protected_parts(settings)
    managed_kong = settings.kong if isinstance(settings.kong, ManagedKongConfig) else None
    # Where the Admin API is reached is the stack's to say, and not the record's (verification/trusted_record.py).
    asks_the_stack = row is not None and (row.access.url or row.access.needs_secrets)
    here = ["--namespace", settings.kong.namespace, "--deployment", gateway.deployment]
    verified = shlex.join(["--stack", stack] if asks_the_stack else here)
    return Plan(
        installed=installed,
        agent=agent if installed else None,
        kong_namespace=KongNamespaceArgs(
            namespace=settings.kong.namespace,
            create=managed_kong is not None and managed_kong.create_namespace,
            labels=labels,
            protect=managed_kong is not None and managed_kong.protected,
        ),
        guard=guard if guarded else None,
        plugin_files=(
            PluginFilesArgs(namespace=settings.kong.namespace, config_maps=config_maps, labels=labels)
            if installed
            else None
        ),
        gateway=gateway,
        tme=tme,
        plugin=plugin,
        installation=InstallationArgs(
            namespace=settings.kong.namespace,
            record_name=RECORD_NAME,
            record=record,
            record_digest=record_digest(record or {}),
            labels=labels,
        ),
        gates=GatesArgs(
            owner=owner,
            expectation=desired,
            probe=InjectionDryRun(
                namespace=settings.kong.namespace,
                deployment=gateway.deployment,
                annotations=pod_annotations(tme.settings_digest),
                tme_image=tme_image,
                agent_namespace=agent_namespace,
                agent_managed=agent is not None,
                policy=guard.policy,
                action=guard.action,
            ),
            timeout_seconds=settings.kong.timeout_seconds,
            agent_release=AGENT_RELEASE,
            owners_values=gateway.owners_values,
            made_database=gateway.postgres.postgres.name if gateway.postgres else "",
            plugin_object=None if isinstance(plugin, TraceableAdminPluginArgs) else plugin.document,
        ),
        protected=protected,
        outputs={
            "stackId": owner,
            **({"pluginVersion": desired.plugin.version, **stands} if installed else {}),
            "installed": installed,
            "enabled": settings.enabled and installed,
            **plugin_outputs(plugin),
            "namespace": settings.kong.namespace,
            "deployment": gateway.deployment,
            **gateway.outputs,
            "configMaps": [item.name for item in config_maps],
            "verify": f".venv/bin/python verify.py {verified}{cluster_options}",
            **protection_output(protected),
        },
    )


def _their_tme_image(
    agent: AgentConfig, sidecar_settings: Mapping[str, str], recorded: ImageReference | None
) -> ImageReference:
    """The image that an agent which this stack does not manage injects.

    The agent itself is asked the first time only. After that, whoever may change its ConfigMap would choose what the
    policy admits and the verification believes (preflight/agent_checks.py says where the two differ).
    """
    if isinstance(agent, ExistingAgentConfig) and agent.tme_image is not None:
        return parse_image(agent.tme_image)
    return recorded or tme_image_in(sidecar_settings.get(AGENT_CONFIG, "")) or DEFAULT_TME_IMAGE
