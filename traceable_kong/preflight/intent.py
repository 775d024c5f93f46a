"""What a stack is about to do, as far as preflight asks: plain data, from the plan."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from traceable_kong.cluster.secret_key import SecretKey
from traceable_kong.common.image_references import ImageReference
from traceable_kong.deployment_patch.pod_template import PatchSpec
from traceable_kong.helm_values.ingress_controller import Controller
from traceable_kong.kong_admin.admin_endpoint import AdminEndpoint
from traceable_kong.kong_admin.plugin_target import PluginTarget

__all__ = [
    "Adoption",
    "AgentIntent",
    "AloneIntent",
    "GatewayIntent",
    "Intent",
    "NamedSecret",
    "PluginIntent",
    "RowIntent",
    "SecretKey",
]


@dataclass(frozen=True, kw_only=True)
class NamedSecret:
    """A Secret in Kong's namespace that somebody else made, and that the key `setting` names.

    `keys` must be in it; `meant` is what happens without them.
    """

    setting: str
    name: str
    keys: tuple[str, ...]
    meant: str


@dataclass(frozen=True, kw_only=True)
class RowIntent:
    """The plugin as a row of Kong's database; `adopt` takes over one that nobody's mark is on."""

    place: PluginTarget
    access: AdminEndpoint
    adopt: bool


@dataclass(frozen=True, kw_only=True)
class Adoption:
    """A Helm release that was installed by hand shall be this stack's.

    `chart` is the name of its chart, `version` what this stack has of it, None for a chart in a folder. `values` are
    what the release is given from now on.
    """

    chart: str
    version: str | None
    values: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class GatewayIntent:
    """The gateway.

    `ours` False is a Kong that exists, without `release`. `deployment` and `container` are the Deployment's name and
    its Kong container. `environment` is what the chart values of a Kong of ours set of its KONG_* variables: its next
    pods have these, whatever the ones that run now have. It is not read where Kong is not ours. `timeout_seconds` is
    how long Helm may wait for it. `container_named` is whether the stack says which container it is; `part` is what is
    added to the pod template of a Kong that is not ours, None where its owner's values do that: then `owners_files` is
    `{mount path: ConfigMap}`, and `owners_values` the chart values that mount them. `adoption` is None where a release
    of this name that is not this stack's is refused. `database` is `off` or `postgres`; `made_database` is what the
    Secret, the Service and the StatefulSet of one that is made here are called, None where none is. `controller` is the
    ingress controller that the chart values of a Kong of ours make, None where they make none. `pod_selector` is a
    LabelSelector of the gateway's pods. `values` are all of the chart's values, where Kong is ours: what else the chart
    creates depends on them.
    """

    namespace: str
    create_namespace: bool
    ours: bool
    release: str | None
    deployment: str
    container: str
    ingress_class: str
    timeout_seconds: int
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    container_named: bool = True
    part: PatchSpec | None = None
    owners_files: Mapping[str, str] = field(default_factory=dict)
    owners_values: Mapping[str, Any] = field(default_factory=dict)
    adoption: Adoption | None = None
    database: str = "off"
    made_database: str | None = None
    pod_selector: Mapping[str, Any] = field(default_factory=dict)
    controller: Controller | None = field(default=None, repr=False)
    values: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, kw_only=True)
class AgentIntent:
    """The agent; `release` is None for one that exists. `timeout_seconds` is how long Helm may wait for it.

    `own_secret` is the name of the Secret that this stack makes, `their_secret` the one that must be there instead.
    `adoption` is as of the gateway. `protect` is whether it is protected against deletion. `values` are its chart's.
    `tme_image_named` is whether the stack's config names the image that one which exists injects.
    """

    namespace: str
    create_namespace: bool
    release: str | None
    own_secret: str | None
    their_secret: SecretKey | None
    timeout_seconds: int
    adoption: Adoption | None = None
    protect: bool = False
    values: Mapping[str, Any] = field(default_factory=dict, repr=False)
    tme_image_named: bool = False


@dataclass(frozen=True, kw_only=True)
class PluginIntent:
    """The plugin: `object_name` is its KongClusterPlugin's, None with a database; `name` is the plugin's in Kong.

    `everywhere` True is every route. `rock_version` is such as `2.1.2-1`, `shipped` the names of all plugins in that
    rock. `config` is what will be written; a secret leaf in it is never sent or shown.
    """

    object_name: str | None
    name: str
    everywhere: bool
    config: Mapping[str, Any] = field(repr=False)
    rock_version: str
    rock_sha256: str
    shipped: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Intent:
    """What a stack is about to do.

    Args:
        owner: what `ownership.stack_id()` gave.
        live_change: True in an `up`, False in a preview.
        gateway, plugin: what they are.
        agent: None for one outside the cluster, and where Traceable leaves.
        agent_release: name of the agent's Helm release, which stands even where `agent` is None.
        config_maps: names of the ConfigMaps with the plugin's files, in the gateway's namespace.
        record: name of the ConfigMap there that records what stands.
        policy: name of the guard's ValidatingAdmissionPolicy and of its binding; None without a guard.
        sync: whether the gateway's pods get the TME.
        tme_image: what a TME runs.
        enabled, installed: the switches of the same names.
        row: the plugin in Kong's database; None without one.
        named_secrets: what must be there before Kong and the row can be.
    """

    owner: str
    live_change: bool
    gateway: GatewayIntent
    agent: AgentIntent | None
    agent_release: str
    plugin: PluginIntent
    config_maps: tuple[str, ...]
    record: str
    policy: str | None
    sync: bool
    tme_image: ImageReference
    enabled: bool
    installed: bool
    row: RowIntent | None = None
    named_secrets: tuple[NamedSecret, ...] = ()


@dataclass(frozen=True, kw_only=True)
class AloneIntent:
    """What a stack that is the agent alone is about to do: `owner` and `live_change` are as in `Intent`.

    `agent` is ours. `record` is the ConfigMap beside it that records what stands.
    """

    owner: str
    live_change: bool
    agent: AgentIntent
    record: str
