"""Temporary: the arguments of components in the old plan, which preflight's intent is still made from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr

from traceable_kong.common.image_references import ImageReference
from traceable_kong.common.nested_data import Values
from traceable_kong.deployment_patch.pod_template import PatchSpec
from traceable_kong.helm_values.chart import Chart
from traceable_kong.helm_values.kong_database import ManagedPostgres
from traceable_kong.kong_admin.admin_endpoint import AdminEndpoint
from traceable_kong.kong_admin.plugin_target import PluginTarget
from traceable_kong.plan.model import DesiredState, ManagedAgent
from traceable_kong.plugin.config_maps import PluginConfigMap
from traceable_kong.plugin.kong_cluster_plugin import plugin_object
from traceable_kong.plugin.plugin_config import PLUGIN


@dataclass(frozen=True, kw_only=True)
class InjectionDryRun:
    """Questions about new pods of one gateway.

    `annotations` are what TME injection adds to the pods. `agent_managed` is whether this stack installs the agent.
    `policy` is the admission policy; its `action` is `deny`, `warn` or `off`.
    """

    namespace: str
    deployment: str
    annotations: Mapping[str, str]
    tme_image: ImageReference
    agent_namespace: str
    agent_managed: bool
    policy: str
    action: str


@dataclass(frozen=True, kw_only=True)
class ExistingKongArgs:
    """Which gateway, and what is to be in its pods.

    `files` is `{mount path: ConfigMap}`. `part` is what is added to the pod template, None where the owner's values
    mount the files. `owner` is this stack; a rollout may take `timeout_seconds`.
    """

    namespace: str
    deployment: str
    container: str
    files: Mapping[str, str]
    part: PatchSpec | None
    owner: str
    timeout_seconds: int


@dataclass(frozen=True, kw_only=True)
class InstallationArgs:
    """`namespace` is where the record is; `record` is what stands, None where nothing is to stand.

    `record_digest` is what `proof.record.record_digest()` gives for it.
    It has short texts, and no secrets. `labels` tell whose it is.
    """

    namespace: str
    record_name: str
    record: Mapping[str, str] | None
    labels: Mapping[str, str]
    record_digest: str = ""


@dataclass(frozen=True, kw_only=True)
class KongGatewayArgs:
    """What the gateway is made of.

    `fullname` is what `kong_fullname()` gave: fixed, because a Release's own `resourceNames` are unknown in every
    preview that changes it. `values` is what `kong_values()` gave; `timeout_seconds` is how long Helm waits for the
    gateway to be ready, and again for a roll-back. `protect` True refuses to delete the release.
    """

    namespace: str
    release: str
    fullname: str
    chart: Chart
    values: Values = field(repr=False)
    timeout_seconds: int
    protect: bool = False


@dataclass(frozen=True, kw_only=True)
class KongNamespaceArgs:
    """`namespace` is its name; `create` False finds it, and fails where it is missing. `labels` tell whose it is.

    `protect` True refuses to delete one that was made here.
    """

    namespace: str
    create: bool
    labels: Mapping[str, str]
    protect: bool = False


@dataclass(frozen=True, kw_only=True)
class ManagedPostgresArgs:
    """What the database is made of.

    `labels` say which stack owns it; `timeout_seconds` is how long its pod may take to be ready. `protect` True refuses
    to delete the data and the password.
    """

    postgres: ManagedPostgres
    labels: Mapping[str, str]
    timeout_seconds: int
    protect: bool = False


@dataclass(frozen=True, kw_only=True)
class PluginFilesArgs:
    """`namespace` is Kong's; `config_maps` is what `plugin_config_maps()` gave; `labels` tell whose they are."""

    namespace: str
    config_maps: Sequence[PluginConfigMap]
    labels: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class TmeGuardArgs:
    """Which pods are guarded, and how.

    `policy` names policy and binding, which are cluster-wide. `pod_selector` is a LabelSelector of the gateway's pods,
    and of no others in `namespace`. `action` is `deny` or `warn`.
    """

    policy: str
    namespace: str
    pod_selector: Mapping[str, Any]
    tme_image: ImageReference
    agent_namespace: str
    action: str
    labels: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class TmeInjectionArgs:
    """Which gateway of the stack `owner`, and whether it gets the TME.

    `wanted` is True in sync while enabled. `settings_digest` stands for what a TME is given at its injection: another
    one rolls the gateway. `timeout_seconds` is how long the rollout may take.
    """

    owner: str
    wanted: bool
    namespace: str
    deployment: str
    settings_digest: str
    timeout_seconds: int


@dataclass(frozen=True, kw_only=True)
class TraceableAdminPluginArgs:
    """What the row is.

    `place` is whose it is, in which workspace, and for which routes; `access` is where Kong is asked. `enabled` False
    leaves it standing, disabled. `config` is what `plugin_config()` gave. `adopt` takes over a row that is there
    already. `managed_database` is whether the database goes with the stack, and the row with it.
    """

    place: PluginTarget
    access: AdminEndpoint
    enabled: bool
    config: Values = field(repr=False)
    adopt: bool
    managed_database: bool


@dataclass(frozen=True, kw_only=True)
class AgentArgs:
    """What the agent is made of.

    `token` is the platform token, None where `values` name a Secret that exists; `values` is what `agent_values()`
    gave; `timeout_seconds` is how long Helm waits for the agent to be ready, and again for a roll-back. `labels` tell
    whose the objects are. `create_namespace` None is a namespace that another component creates. `protect`
    True refuses to delete the release, and the namespace where it is made here.
    """

    namespace: str
    create_namespace: bool | None
    release: str
    chart: Chart
    values: Values = field(repr=False)
    token: SecretStr | None
    timeout_seconds: int
    labels: Mapping[str, str]
    protect: bool = False


@dataclass(frozen=True, kw_only=True)
class TraceablePluginArgs:
    """What the plugin is.

    `ingress_class` is the gateway's: its controller reads no other. `everywhere` True is every route (label
    `global`); False only routes and services annotated with `plugin_name`. `enabled` False leaves it standing,
    disabled. `config` is what `plugin_config()` gave. `labels` tell whose it is. `document` is the object.
    """

    plugin_name: str
    ingress_class: str
    everywhere: bool
    enabled: bool
    config: Values = field(repr=False)
    labels: Mapping[str, str]

    @property
    def document(self) -> Values:
        return plugin_object(
            naming={"name": self.plugin_name},
            plugin=PLUGIN,
            ingress_class=self.ingress_class,
            everywhere=self.everywhere,
            enabled=self.enabled,
            config=self.config,
            labels=self.labels,
        )


@dataclass(frozen=True, kw_only=True)
class AgentGatesArgs:
    """`owner` is this stack's id; a removal may take `timeout_seconds`."""

    owner: str
    expectation: ManagedAgent
    timeout_seconds: int


@dataclass(frozen=True, kw_only=True)
class GatesArgs:
    """`owner` is this stack's id; `expectation` and `probe` are about its gateway; a rollout, or a removal, may take
    `timeout_seconds`. `agent_release` is the agent's Release. `owners_values` are the chart values with which the owner
    of a Kong that is not ours mounts the files, None where that is this program's. `made_database` is what the Secret
    and the StatefulSet of a database that is made here are called, "" where none is. `plugin_object` is the
    KongClusterPlugin that is written, None with a database."""

    owner: str
    expectation: DesiredState
    probe: InjectionDryRun
    timeout_seconds: int
    agent_release: str
    owners_values: Mapping[str, Any] | None = None
    made_database: str = ""
    plugin_object: Mapping[str, Any] | None = field(default=None, repr=False)
