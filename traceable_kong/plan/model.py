"""What a stack deploys: plain, frozen data in which every name and setting is decided exactly once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from pydantic import SecretStr

from traceable_kong.cluster import ownership
from traceable_kong.cluster.agent_objects import AGENT_RECORD, agent_endpoint, injector_webhook
from traceable_kong.cluster.kong_deployment import KongDeployment
from traceable_kong.cluster.ownership import RECORD_NAME
from traceable_kong.cluster.secret_key import SecretKey
from traceable_kong.common.image_references import ImageReference
from traceable_kong.common.nested_data import Values
from traceable_kong.deployment_patch.pod_template import PatchSpec
from traceable_kong.helm_values.agent_values import tme_image_of
from traceable_kong.helm_values.chart import Chart
from traceable_kong.helm_values.ingress_controller import Controller, chart_controller
from traceable_kong.helm_values.kong_conflicts import kong_environment
from traceable_kong.helm_values.kong_database import ManagedPostgres, Postgres
from traceable_kong.kong_admin.admin_endpoint import AdminEndpoint
from traceable_kong.kong_admin.plugin_target import PluginTarget
from traceable_kong.plugin.config_maps import PluginConfigMap, chart_entries, mount_paths
from traceable_kong.plugin.kong_cluster_plugin import plugin_object
from traceable_kong.plugin.rock import Rock

ReleaseKey = Literal["kong", "agent"]


@dataclass(frozen=True, kw_only=True)
class HelmRelease:
    """A Helm release of this stack; `key` is the config section that it comes from.

    `values` are all of the chart's values, with this stack's mark. Helm waits `timeout_seconds` for the pods; a whole
    operation with its Jobs takes at most `operation_seconds`. `adopt` imports one that was installed by hand.
    """

    key: ReleaseKey
    namespace: str
    name: str
    chart: Chart
    values: Values = field(repr=False)
    timeout_seconds: int
    operation_seconds: int
    adopt: bool = False
    protect: bool = False


# --- the agent -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class ManagedAgent:
    """An agent that this stack installs.

    `token` is what the stack writes to `token_secret`; None where that Secret exists and is not managed by this stack.
    """

    release: HelmRelease
    create_namespace: bool
    token: SecretStr | None = field(repr=False)
    token_secret: SecretKey

    @property
    def namespace(self) -> str:
        return self.release.namespace

    @property
    def endpoint(self) -> str:
        return agent_endpoint(self.namespace)

    @property
    def tme_image(self) -> ImageReference:
        return tme_image_of(self.release.values)

    @property
    def injector_webhook(self) -> str | None:
        """The injector's MutatingWebhookConfiguration, None where the injector is off."""
        return (
            injector_webhook(self.namespace) if self.release.values.get("injectorEnabled", True) is not False else None
        )

    @property
    def webhook_domain(self) -> str | None:
        """The chart value `injectorWebhookDomain`; None where this stack does not decide it."""
        domain = self.release.values.get("injectorWebhookDomain")
        if not domain:
            return None if self.release.chart.path else ""  # a chart in a folder may have a default of its own
        return domain if isinstance(domain, str) else None  # a secret is not compared


@dataclass(frozen=True, kw_only=True)
class ExistingAgent:
    """An agent in the cluster that is not managed by this stack."""

    namespace: str
    tme_image_configured: bool

    @property
    def endpoint(self) -> str:
        return agent_endpoint(self.namespace)

    @property
    def injector_webhook(self) -> str:
        return injector_webhook(self.namespace)


@dataclass(frozen=True, kw_only=True)
class ExternalAgent:
    """An agent outside the cluster; `endpoint` is its URL."""

    endpoint: str


ClusterAgent = ManagedAgent | ExistingAgent
Agent = ClusterAgent | ExternalAgent


# --- Kong ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class ManagedKong:
    """A Kong that this stack installs with its chart; `database` is None in DB-less mode."""

    release: HelmRelease
    create_namespace: bool
    deployment: KongDeployment
    ingress_class: str
    database: Postgres | None

    @property
    def timeout_seconds(self) -> int:
        return self.release.timeout_seconds

    @property
    def managed_postgres(self) -> ManagedPostgres | None:
        return self.database if isinstance(self.database, ManagedPostgres) else None

    @property
    def pod_selector(self) -> Mapping[str, Any]:
        """A LabelSelector of the gateway's pods, and of no others in the namespace."""
        return {"matchLabels": {"app.kubernetes.io/instance": self.release.name, "app.kubernetes.io/component": "app"}}

    @property
    def environment(self) -> Mapping[str, str | None]:
        """The KONG_* variables that the chart values set for the next pods."""
        return kong_environment(self.release.values)

    @property
    def controller(self) -> Controller | None:
        """The ingress controller that the chart values create."""
        return chart_controller(self.release.values, self.deployment.name)


@dataclass(frozen=True, kw_only=True)
class ExistingKong:
    """A Kong that is not managed by this stack.

    `patch` is what this stack adds to its pod template; None where its owner's chart values mount the files.
    """

    deployment: KongDeployment
    container_configured: bool
    ingress_class: str
    pod_selector: Mapping[str, Any]
    patch: PatchSpec | None
    timeout_seconds: int

    create_namespace: ClassVar[bool] = False
    managed_postgres: ClassVar[None] = None


Kong = ManagedKong | ExistingKong


# --- the plugin ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class KongClusterPlugin:
    """The plugin as a custom resource that the ingress controller of `ingress_class` reads."""

    name: str
    ingress_class: str


@dataclass(frozen=True, kw_only=True)
class PluginEntity:
    """The plugin as an entity in Kong's database, written through the Admin API."""

    target: PluginTarget
    endpoint: AdminEndpoint
    adopt: bool = field(default=False, compare=False)  # not recorded


@dataclass(frozen=True, kw_only=True)
class Plugin:
    """The plugin as every gateway pod must run it; `version` is what Kong reports, such as `2.1.2`.

    `everywhere` False is only the routes and services that select it, or those of the entity's target.
    """

    name: str
    version: str
    enabled: bool
    everywhere: bool
    config: Mapping[str, Any]
    backend: KongClusterPlugin | PluginEntity

    @property
    def mode(self) -> str:
        return str(self.config.get("mode", "sync"))

    @property
    def endpoint(self) -> str:
        return str(self.config.get("ext_cap_endpoint", ""))

    @property
    def fail_mode(self) -> str:
        return "open" if self.config.get("allow_on_failure") else "closed"

    @property
    def custom_resource(self) -> KongClusterPlugin | None:
        return self.backend if isinstance(self.backend, KongClusterPlugin) else None

    @property
    def entity(self) -> PluginEntity | None:
        return self.backend if isinstance(self.backend, PluginEntity) else None

    def document(
        self, resource: KongClusterPlugin, labels: Mapping[str, str], *, generate_name: bool = False
    ) -> Values:
        """The KongClusterPlugin object; `generate_name` True is one for a server-side dry run."""
        return plugin_object(
            naming={"generateName": f"{resource.name}-"} if generate_name else {"name": resource.name},
            plugin=self.name,
            ingress_class=resource.ingress_class,
            everywhere=self.everywhere,
            enabled=self.enabled,
            config=self.config,
            labels=labels,
        )


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

    `files` is `{mount path: ConfigMap}`, `file_digests` `{ConfigMap: SHA-256}`. `release` is None for an existing
    Kong, `injection` where no TME is wanted, `policy` where there is no admission policy, `agent_namespace` for an
    agent outside the cluster. `installed` False: none of it may be left.
    """

    deployment: KongDeployment
    release: str | None
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

    `gateway` is None for an agent-only stack, `agent` where Traceable is uninstalled and Kong kept.
    """

    owner: str
    agent: Agent | None
    gateway: Gateway | None

    @property
    def labels(self) -> dict[str, str]:
        return ownership.labels(self.owner)

    @property
    def agent_namespace(self) -> str | None:
        return self.agent.namespace if isinstance(self.agent, ManagedAgent | ExistingAgent) else None

    @property
    def policy_name(self) -> str:
        """Also where no policy is wanted: the one of an earlier update is deleted last."""
        return ownership.cluster_wide_name("traceable-tme-guard", self.owner)

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
        return tuple(sorted(release.key for release in self.releases if release.protect))  # agent before kong, as today

    @property
    def desired(self) -> DesiredState | None:
        """What the verification checks; None for an agent-only stack, whose agent is checked by itself."""
        gateway = self.gateway
        if gateway is None:
            return None
        return DesiredState(
            deployment=gateway.kong.deployment,
            release=gateway.release_name,
            plugin=gateway.plugin,
            files=gateway.files,
            file_digests={item.name: item.digest for item in gateway.config_maps},
            injection=gateway.injection if gateway.wants_tme else None,
            policy=gateway.policy,
            agent_namespace=self.agent_namespace,
            installed=gateway.installed,
        )
