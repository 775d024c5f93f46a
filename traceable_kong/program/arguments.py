"""The arguments of TraceableOnKong: the keys of a stack file, in Python's spelling.

Written by `python -m tests.config.arguments_module` from the config's classes. Which keys go together is checked when
the program runs, with the same messages as for a stack file.
"""

from typing import TYPE_CHECKING, Any, Literal, TypedDict

import pulumi

if TYPE_CHECKING:
    Mode = Literal["sync", "async"]
    FailMode = Literal["open", "closed"]
    Scope = Literal["global", "selected"]
    TmeGuard = Literal["deny", "warn", "off"]
    Database = Literal["off", "postgres"]
    FilesMountedBy = Literal["stack", "owner"]
else:
    # The analyzer of component packages knows no literals (pulumi 3.259, provider/experimental/analyzer.py).
    Mode = FailMode = Scope = TmeGuard = Database = FilesMountedBy = str


class KubeClientSettingsArgs(TypedDict, total=False):
    """How the provider talks to the API server."""

    burst: pulumi.Input[int]
    """Requests that may exceed `qps` for a moment."""
    qps: pulumi.Input[float]
    """Requests in a second."""
    timeout: pulumi.Input[int]
    """How long a request may take, in seconds."""


class HelmReleaseSettingsArgs(TypedDict, total=False):
    """Where Helm keeps its files."""

    driver: pulumi.Input[str]
    """`secret`, the only driver that this program can read."""
    plugins_path: pulumi.Input[str]
    """Folder of Helm's plugins."""
    registry_config_path: pulumi.Input[str]
    """File with the credentials for registries."""
    repository_cache: pulumi.Input[str]
    """Folder of the cached indexes of repositories."""
    repository_config_path: pulumi.Input[str]
    """File with the names and URLs of repositories."""


class KubernetesArgs(TypedDict, total=False):
    """The cluster, and options of the kubernetes provider (https://www.pulumi.com/registry/packages/kubernetes/)."""

    kubeconfig: pulumi.Input[str]
    """The kubeconfig: its text, or the path of a file. Unset: KUBECONFIG, or ~/.kube/config."""
    context: pulumi.Input[str]
    """The context. Unset: the kubeconfig's current one."""
    cluster_identifier: pulumi.Input[str]
    """A name for the cluster: a change of the kubeconfig is then no change of the cluster."""
    kube_client_settings: pulumi.Input[KubeClientSettingsArgs]
    """How the provider talks to the API server."""
    helm_release_settings: pulumi.Input[HelmReleaseSettingsArgs]
    """Where Helm keeps its files."""
    suppress_deprecation_warnings: pulumi.Input[bool]
    """True: no warnings about deprecated versions of APIs."""
    suppress_helm_hook_warnings: pulumi.Input[bool]
    """True: no warnings about hooks of charts."""


class ChartArgs(TypedDict, total=False):
    """A Helm chart: by name and version from a repository, or in a local folder or archive."""

    repository: pulumi.Input[str]
    """URL of the chart repository."""
    name: pulumi.Input[str]
    """Name of the chart, or its whole `oci://` address."""
    version: pulumi.Input[str]
    """Version of the chart."""
    path: pulumi.Input[str]
    """A folder or archive, instead of the other three."""


class AgentArgs(TypedDict, total=False):
    """The Traceable agent."""

    install: pulumi.Input[bool]
    """False: this stack does not install an agent. Default: true."""
    namespace: pulumi.Input[str]
    """Namespace of the agent. Default: "traceable"."""
    create_namespace: pulumi.Input[bool]
    """False: the namespace exists. Default: true."""
    adopt: pulumi.Input[bool]
    """True: adopt the Helm release `traceable-agent` that was installed by hand. Default: false."""
    protect: pulumi.Input[bool]
    """True: `pulumi destroy`, and everything else that would delete the agent or its namespace, is refused. Unset:
    as agent.adopt."""
    environment: pulumi.Input[str]
    """Name of the environment on the Traceable platform."""
    endpoint: pulumi.Input[str]
    """Host of the Traceable platform; unset, the default of the chart."""
    chart: pulumi.Input[ChartArgs]
    """Where the chart comes from."""
    timeout_seconds: pulumi.Input[int]
    """How long Helm waits for the agent. Default: 300."""
    tme_image: pulumi.Input[str]
    """Image of the TME, `REGISTRY/REPOSITORY[:TAG][@DIGEST]`. Unset: the image in the agent's configuration at the
    first `up`, else `docker.io/traceableai/traceable-agent`."""
    url: pulumi.Input[str]
    """URL of an agent outside the cluster; async only."""


class PluginArgs(TypedDict, total=False):
    """The plugin's rock, and its names."""

    version: pulumi.Input[str]
    """Version of the rock. Default: "2.1.2-1"."""
    sha256: pulumi.Input[str]
    """SHA-256 digest of the rock, 64 hexadecimal digits. Required unless the rock is a local file."""
    name: pulumi.Input[str]
    """Name of the KongClusterPlugin. Each stack in a cluster needs its own. Default: "traceable-plugin"."""
    service_name: pulumi.Input[str]
    """Name of the service on the Traceable platform. Default: "kong"."""
    rock: pulumi.Input[str]
    """https URL or path of the rock. Unset: LuaRocks."""
    headers: pulumi.Input[dict[str, pulumi.Input[str]]]
    """HTTP headers for the mirror; secret."""


class SecretReferenceArgs(TypedDict, total=False):
    """A key of a Secret that exists."""

    name: pulumi.Input[str]
    """Name of the Secret."""
    key: pulumi.Input[str]
    """Key in the Secret."""


class AdminArgs(TypedDict, total=False):
    """Kong's Admin API. Every Secret is in Kong's namespace and is read each time the Admin API is used."""

    url: pulumi.Input[str]
    """URL of the Admin API. Unset: a port-forward into a Kong pod."""
    token_secret: pulumi.Input[SecretReferenceArgs]
    """The Secret with the Kong-Admin-Token."""
    ca_secret: pulumi.Input[SecretReferenceArgs]
    """The Secret with the CA of its certificate. Unset: the CAs of the system."""
    client_certificate_secret: pulumi.Input[str]
    """A Secret of type kubernetes.io/tls with the client certificate."""
    insecure: pulumi.Input[bool]
    """True: the certificate of the Admin API is not verified. Default: false."""
    workspace: pulumi.Input[str]
    """The workspace. Default: "default"."""
    adopt: pulumi.Input[bool]
    """True: adopt a plugin entity that exists; it is deleted with the stack. Default: false."""
    route: pulumi.Input[str]
    """With scope selected: the route that is protected, by name or id."""
    service: pulumi.Input[str]
    """Or the service that is protected. Set exactly one of the two."""


class PostgresArgs(TypedDict, total=False):
    """Kong's database."""

    managed: pulumi.Input[bool]
    """True: this stack runs a PostgreSQL server for development. `pulumi destroy` deletes its data. Default:
    false."""
    host: pulumi.Input[str]
    """Host name or address of the server."""
    port: pulumi.Input[int]
    """Port of the server. Default: 5432."""
    database: pulumi.Input[str]
    """Name of the database. Default: "kong"."""
    user: pulumi.Input[str]
    """Name of the user. Default: "kong"."""
    password_secret: pulumi.Input[SecretReferenceArgs]
    """The Secret in Kong's namespace that holds the password."""
    tls: pulumi.Input[bool]
    """Whether Kong uses TLS to the server."""


class KongArgs(TypedDict, total=False):
    """The gateway."""

    namespace: pulumi.Input[str]
    """Namespace of Kong. Default: "kong"."""
    ingress_class: pulumi.Input[str]
    """Ingress class of the gateway. Default: "kong"."""
    timeout_seconds: pulumi.Input[int]
    """How long a rollout of the gateway may take. Default: 600."""
    install: pulumi.Input[bool]
    """False: use a Kong that exists and is not managed here. Default: true."""
    create_namespace: pulumi.Input[bool]
    """False: the namespace exists. Default: true."""
    release: pulumi.Input[str]
    """Name of the Helm release. Default: "quickstart"."""
    adopt: pulumi.Input[bool]
    """True: adopt the Helm release that was installed by hand. Default: false."""
    protect: pulumi.Input[bool]
    """True: `pulumi destroy`, and everything else that would delete the gateway, its namespace or its managed
    database, is refused. Unset: as kong.adopt."""
    chart: pulumi.Input[ChartArgs]
    """Where the chart comes from."""
    database: pulumi.Input[Database]
    """Whether Kong has a database. Default: "off"."""
    admin: pulumi.Input[AdminArgs]
    """Kong's Admin API."""
    postgres: pulumi.Input[PostgresArgs]
    """Kong's database."""
    deployment: pulumi.Input[str]
    """Name of the Deployment. Default: "ingress-kong"."""
    container: pulumi.Input[str]
    """Name of the Kong container. Unset: `proxy`."""
    files_mounted_by: pulumi.Input[FilesMountedBy]
    """Who mounts the plugin's files: `stack` adds them to the Deployment; `owner`: the owner's Helm values mount
    them, and this stack does not change the Deployment. Default: "stack"."""


class TraceableOnKongArgs(TypedDict, total=False):
    """What one TraceableOnKong deploys."""

    agent: pulumi.Input[AgentArgs]
    """The Traceable agent."""
    allowed_clusters: pulumi.Input[list[pulumi.Input[str]]]
    """URLs of the API servers that this stack may change. Any other is refused."""
    gateway: pulumi.Input[bool]
    """False: an agent-only stack, whose agent the gateways of other stacks share. Default: true."""
    mode: pulumi.Input[Mode]
    """`sync`: Kong asks the TME sidecar about every request. `async`: Kong reports each request in its log phase;
    there is no TME. Default: "sync"."""
    buffer_request_body: pulumi.Input[bool]
    """Buffer the request body in the access phase, so that async can report it. Default: true."""
    fail_mode: pulumi.Input[FailMode]
    """When Traceable does not answer: `open` lets the request through, `closed` refuses it. Default: "open"."""
    timeout_ms: pulumi.Input[int]
    """How long Kong waits for Traceable. Default: 500."""
    scope: pulumi.Input[Scope]
    """`global`, or `selected`: only routes and services annotated with the plugin's name; with a database, the one
    of kong.admin.route or kong.admin.service. Default: "global"."""
    enabled: pulumi.Input[bool]
    """False: the plugin is disabled and the TME is removed. The plugin's files stay mounted. Default: true."""
    installed: pulumi.Input[bool]
    """False: uninstall Traceable and keep the managed Kong. Default: true."""
    tme_guard: pulumi.Input[TmeGuard]
    """What to do with a gateway pod that asks for the TME and does not have it: `deny`, `warn` or `off`. Unset:
    `warn` with failMode open, `deny` with closed."""
    plugin: pulumi.Input[PluginArgs]
    """The plugin's rock, and its names."""
    plugin_config: pulumi.Input[dict[str, Any]]
    """More options of the plugin."""
    kong: pulumi.Input[KongArgs]
    """The gateway."""
    agent_token: pulumi.Input[str]
    """Token of the Traceable platform; secret."""
    agent_token_secret: pulumi.Input[SecretReferenceArgs]
    """Or the Secret in the agent's namespace that holds the token. Set exactly one of the two."""
    agent_values: pulumi.Input[dict[str, Any]]
    """Your own values for the agent's chart."""
    blocking_message: pulumi.Input[str]
    """Body of a blocked request; any text. Default: "Access Forbidden"."""
    blocking_status_code: pulumi.Input[int]
    """Status of a blocked request; Traceable returns 403 for anything outside 400 to 499. Default: 403."""
    kong_values: pulumi.Input[dict[str, Any]]
    """Your own values for Kong's chart."""
    kubernetes: pulumi.Input[KubernetesArgs]
    """The cluster. Unset: what the stack's config has below `kubernetes:`."""
