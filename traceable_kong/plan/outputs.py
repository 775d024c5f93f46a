"""The stack's outputs. Pure."""

import shlex
from collections.abc import Sequence
from typing import Any

from traceable_kong.plan.agent_model import ManagedAgent
from traceable_kong.plan.kong_model import ExistingKong
from traceable_kong.plan.model import Gateway, Plan


def stack_outputs(plan: Plan, *, stack: str, cluster_options: str) -> dict[str, Any]:
    """What the stack reports: `{output: value}`.

    `stack` is its name, `cluster_options` are the options of `verify.py` that name the cluster, "" for the usual one.
    """
    if plan.gateway is None:
        agent = plan.agent
        assert isinstance(agent, ManagedAgent), "an agent-only stack manages its agent"
        return {
            "stackId": plan.owner,
            "gateway": False,
            "agentNamespace": agent.namespace,
            "endpoint": agent.endpoint,
            "tmeImage": str(agent.tme_image),
            **_protection(plan.protected),
        }
    gateway = plan.gateway
    return {
        "stackId": plan.owner,
        **(_protected_by(gateway) if gateway.installed else {}),
        "installed": gateway.installed,
        "enabled": gateway.plugin.enabled and gateway.installed,
        **_plugin(gateway),
        "namespace": gateway.kong.deployment.namespace,
        "deployment": gateway.kong.deployment.name,
        **_kong(gateway),
        "configMaps": [item.name for item in gateway.config_maps],
        "verify": f".venv/bin/python verify.py {_verify_options(gateway, stack)}{cluster_options}",
        **_protection(plan.protected),
    }


def _protected_by(gateway: Gateway) -> dict[str, Any]:
    return {
        "pluginVersion": gateway.plugin.version,
        "mode": gateway.plugin.mode,
        "endpoint": gateway.plugin.endpoint,
        "failMode": gateway.plugin.fail_mode,
        "rockVersion": gateway.rock.version,
        "rockSha256": gateway.rock.sha256,
    }


def _plugin(gateway: Gateway) -> dict[str, Any]:
    """How a person finds the plugin: the KongClusterPlugin's name, or the workspace and the tag of the entity."""
    if entity := gateway.plugin.entity:
        return {"workspace": entity.target.workspace, "pluginTag": entity.target.tag}
    resource = gateway.plugin.custom_resource
    return {"plugin": resource.name} if resource else {}


def _kong(gateway: Gateway) -> dict[str, Any]:
    kong = gateway.kong
    if isinstance(kong, ExistingKong):
        mounted_by = "owner" if gateway.mounted_by_owner else "stack"
        return {"filesMountedBy": mounted_by, "ownersHelmValues": gateway.owner_values}
    return {"release": kong.release.name, "proxyService": f"{kong.deployment.name}-proxy"}


def _verify_options(gateway: Gateway, stack: str) -> str:
    # Where the Admin API is reached is the stack's to say, and not the record's (verification/trusted_record.py).
    entity, deployment = gateway.plugin.entity, gateway.kong.deployment
    if entity and (entity.endpoint.url or entity.endpoint.needs_secrets):
        return shlex.join(["--stack", stack])
    return shlex.join(["--namespace", deployment.namespace, "--deployment", deployment.name])


def _protection(parts: Sequence[str]) -> dict[str, str]:
    if not parts:
        return {}
    lifted = " && ".join(f"pulumi config set --path traceable-kong:{part}.protect false" for part in parts)
    return {
        "deletionProtection": f"on for {' and '.join(parts)}: `pulumi destroy` is refused. To lift it: `{lifted} && "
        "pulumi up`"
    }
