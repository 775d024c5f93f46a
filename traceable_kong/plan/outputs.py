"""The stack's outputs. Pure."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from traceable_kong.plan.agent_model import ManagedAgent
from traceable_kong.plan.kong_model import ExistingKong
from traceable_kong.plan.model import Gateway, Plan


@dataclass(frozen=True, kw_only=True)
class VerifyCommand:
    """How a person runs the verification: the command, the options that name the stack's outputs, and the cluster's."""

    command: str
    stack_options: Sequence[str]
    cluster_options: str

    def text(self, gateway: Gateway) -> str:
        return f"{self.command} {shlex.join(self._subject(gateway))}{self.cluster_options}"

    def _subject(self, gateway: Gateway) -> Sequence[str]:
        # Where the Admin API is reached is the stack's to say, and not the record's (verification/trusted_record.py).
        entity, deployment = gateway.plugin.entity, gateway.kong.deployment
        if entity and (entity.endpoint.url or entity.endpoint.needs_secrets):
            return self.stack_options
        return ("--namespace", deployment.namespace, "--deployment", deployment.name)


def stack_outputs(plan: Plan, verify: VerifyCommand) -> dict[str, Any]:
    """What the stack reports: `{output: value}`."""
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
        "verify": verify.text(gateway),
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


def _protection(parts: Sequence[str]) -> dict[str, str]:
    if not parts:
        return {}
    lifted = " && ".join(f"pulumi config set --path traceable-kong:{part}.protect false" for part in parts)
    return {
        "deletionProtection": f"on for {' and '.join(parts)}: `pulumi destroy` is refused. To lift it: `{lifted} && "
        "pulumi up`"
    }
