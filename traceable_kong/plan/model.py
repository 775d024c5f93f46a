"""What a stack deploys: plain, frozen data in which every name and setting is decided exactly once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from traceable_kong.cluster import ownership
from traceable_kong.cluster.kong_deployment import KongDeployment
from traceable_kong.cluster.ownership import AGENT_RECORD, RECORD_NAME
from traceable_kong.common.image_references import ImageReference
from traceable_kong.common.nested_data import Values
from traceable_kong.plan import admission_policy
from traceable_kong.plan.agent_model import Agent, ExistingAgent, ManagedAgent
from traceable_kong.plan.kong_model import ExistingKong, Kong, ManagedKong
from traceable_kong.plan.plugin_model import Plugin
from traceable_kong.plan.release_model import HelmRelease, ReleaseKey
from traceable_kong.plan.siblings import Siblings
from traceable_kong.plugin.config_maps import PluginConfigMap, chart_entries, mount_paths
from traceable_kong.plugin.rock import Rock

# --- what puts the TME into pods -------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Injection:
    """What makes the agent's injector give new gateway pods the TME.

    `label` is on the namespace, `annotations` are on the pod template (with a digest of what a TME is configured
    with). `webhook`, `webhook_domain` and `agent_release` are None where this stack does not know or manage them;
    `webhook_domain` "" is the chart's default: the webhook calls the agent's Service.
    """

    image: ImageReference
    label: Mapping[str, str]
    annotations: Mapping[str, str]
    webhook: str | None
    webhook_domain: str | None
    agent_release: str | None


@dataclass(frozen=True, kw_only=True)
class AdmissionPolicy:
    """The ValidatingAdmissionPolicy for gateway pods without the TME; its binding has the same name."""

    name: str
    action: Literal["deny", "warn"]
    spec: Mapping[str, Any]

    @property
    def validation_actions(self) -> list[str]:
        return ["Deny"] if self.action == "deny" else ["Warn", "Audit"]


# --- the whole -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class DesiredState:
    """What must hold for every gateway pod: the part of the plan that the record keeps, without secrets.

    `files` is `{mount path: ConfigMap}`, `file_digests` `{ConfigMap: SHA-256}`. `release_name` is None for an existing
    Kong, `injection` where no TME is wanted, `policy` where there is no admission policy, `agent_namespace` for an
    agent outside the cluster. `installed` False: none of it may be left.
    """

    deployment: KongDeployment
    release_name: str | None
    plugin: Plugin
    files: Mapping[str, str]
    file_digests: Mapping[str, str]
    injection: Injection | None
    policy: AdmissionPolicy | None
    agent_namespace: str | None
    installed: bool = True


@dataclass(frozen=True, kw_only=True)
class Gateway:
    """A Kong and what this stack puts on it.

    `injection` is what the TME would be injected with in either mode; `wants_tme` says whether it is. Where
    `installed` is False, Traceable is uninstalled and Kong kept: `config_maps` is empty, `policy` None.
    """

    kong: Kong
    plugin: Plugin
    injection: Injection
    policy: AdmissionPolicy | None
    config_maps: tuple[PluginConfigMap, ...]
    rock: Rock
    installed: bool

    @property
    def wants_tme(self) -> bool:
        return self.installed and self.plugin.enabled and self.plugin.mode == "sync"

    @property
    def release_name(self) -> str | None:
        return self.kong.release.name if isinstance(self.kong, ManagedKong) else None

    @property
    def database_mode(self) -> str:
        return "off" if self.plugin.entity is None else "postgres"

    @property
    def files(self) -> dict[str, str]:
        return mount_paths(self.config_maps)

    @property
    def mounted_by_owner(self) -> bool:
        return isinstance(self.kong, ExistingKong) and self.kong.patch is None

    @property
    def owner_values(self) -> Values:
        """The chart values with which the owner of an existing Kong mounts the files."""
        return {"plugins": {"configMaps": chart_entries(self.config_maps)}}


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A stack with the id `owner`.

    `gateway` is None for an agent-only stack, `agent` where Traceable is uninstalled and Kong kept. `secrets` are the
    texts that no message may show. `siblings` is None where the program is nothing but this stack.
    """

    owner: str
    agent: Agent | None
    gateway: Gateway | None
    secrets: frozenset[str] = field(repr=False)
    siblings: Siblings | None = None

    @property
    def labels(self) -> dict[str, str]:
        return ownership.labels(self.owner)

    @property
    def managed_agent(self) -> ManagedAgent | None:
        return self.agent if isinstance(self.agent, ManagedAgent) else None

    @property
    def agent_namespace(self) -> str | None:
        return self.agent.namespace if isinstance(self.agent, ManagedAgent | ExistingAgent) else None

    @property
    def policy_name(self) -> str:
        """Also where no policy is wanted: the one of an earlier update is deleted last."""
        return admission_policy.policy_name(self.owner)

    @property
    def record_name(self) -> str:
        return RECORD_NAME if self.gateway else AGENT_RECORD

    @property
    def record_namespace(self) -> str:
        return self.gateway.kong.deployment.namespace if self.gateway else str(self.agent_namespace)

    @property
    def releases(self) -> tuple[HelmRelease, ...]:
        """The Helm releases that this stack manages."""
        parts = (self.gateway.kong if self.gateway else None, self.agent)
        return tuple(part.release for part in parts if isinstance(part, ManagedKong | ManagedAgent))

    @property
    def protected(self) -> tuple[ReleaseKey, ...]:
        return tuple(sorted(release.key for release in self.releases if release.protect))

    @property
    def desired(self) -> DesiredState | None:
        """What the verification checks; None for an agent-only stack, whose agent is checked by itself."""
        gateway = self.gateway
        if gateway is None:
            return None
        return DesiredState(
            deployment=gateway.kong.deployment,
            release_name=gateway.release_name,
            plugin=gateway.plugin,
            files=gateway.files,
            file_digests={item.name: item.digest for item in gateway.config_maps},
            injection=gateway.injection if gateway.wants_tme else None,
            policy=gateway.policy,
            agent_namespace=self.agent_namespace,
            installed=gateway.installed,
        )
