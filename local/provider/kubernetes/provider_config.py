"""The provider's arguments from the `Configure` RPC: parsed, and rejected if the stand-in does not support them.

Names and defaults: https://www.pulumi.com/registry/packages/kubernetes/api-docs/provider/ and `Configure` in
provider/pkg/provider/provider.go. An environment variable can set each switch; the argument overrides it.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field

_PREFIX = "kubernetes:config:"

_SWITCHES = {
    "deleteUnreachable": "PULUMI_K8S_DELETE_UNREACHABLE",
    "skipUpdateUnreachable": "PULUMI_K8S_SKIP_UPDATE_UNREACHABLE",
    "enablePatchForce": "PULUMI_K8S_ENABLE_PATCH_FORCE",
    "upsertExistingObjects": "PULUMI_K8S_UPSERT_EXISTING_OBJECTS",
    "enableConfigMapMutable": "PULUMI_K8S_ENABLE_CONFIGMAP_MUTABLE",
    "enableSecretMutable": "PULUMI_K8S_ENABLE_SECRET_MUTABLE",
    "suppressDeprecationWarnings": "PULUMI_K8S_SUPPRESS_DEPRECATION_WARNINGS",
    "suppressHelmHookWarnings": "PULUMI_K8S_SUPPRESS_HELM_HOOK_WARNINGS",
}
_TEXTS = ("kubeconfig", "context", "cluster", "namespace")
_OBJECTS = ("helmReleaseSettings", "kubeClientSettings")
_HELM_SETTINGS = {"driver", "registryConfigPath", "repositoryCache", "repositoryConfigPath"}
_CLIENT_SETTINGS = {"burst", "qps", "timeout"}

_NOT_SUPPORTED = (
    "renderYamlToDirectory",
    "alwaysRender",
    "strictMode",
    "rejectUnknownResources",
    "clusterIdentifier",
)


class ProviderConfigError(Exception):
    """The provider's arguments are not usable. The message is for the user."""


@dataclass(frozen=True, kw_only=True)
class ProviderConfig:
    """The provider's configuration.

    `kubeconfig` is a path or contents, empty for the ambient configuration. `helm` and `client` hold the options of
    `helmReleaseSettings` and `kubeClientSettings`. The client's `timeout` is in seconds.
    """

    kubeconfig: str = ""
    context: str = ""
    cluster: str = ""
    namespace: str = ""
    delete_unreachable: bool = False
    skip_update_unreachable: bool = False
    enable_patch_force: bool = False
    upsert_existing_objects: bool = False
    enable_config_map_mutable: bool = False
    enable_secret_mutable: bool = False
    suppress_deprecation_warnings: bool = False
    suppress_helm_hook_warnings: bool = False
    helm: Mapping[str, str] = field(default_factory=dict)
    client: Mapping[str, float] = field(default_factory=dict)


def read(variables: Mapping[str, str], environment: Mapping[str, str] = os.environ) -> ProviderConfig:
    """Returns the configuration from the variables of a `ConfigureRequest`. Raises ProviderConfigError."""
    given = {name.removeprefix(_PREFIX): value for name, value in variables.items()}
    known = {*_SWITCHES, *_TEXTS, *_OBJECTS, "enableServerSideApply", "version", "pluginDownloadURL"}
    for name, value in given.items():
        if name in _NOT_SUPPORTED and value not in ("", "false"):
            raise ProviderConfigError(
                f"the stand-in kubernetes plugin does not support {name!r}; use the official plugin"
            )
        if name not in known and name not in _NOT_SUPPORTED:
            raise ProviderConfigError(f"the stand-in kubernetes plugin knows no provider argument {name!r}")
    if not _switch(given, environment, "enableServerSideApply", "PULUMI_K8S_ENABLE_SERVER_SIDE_APPLY", default=True):
        raise ProviderConfigError(
            "the stand-in kubernetes plugin only knows server-side apply: 'enableServerSideApply' cannot be false"
        )
    helm = {name: str(value) for name, value in _object(given, "helmReleaseSettings", _HELM_SETTINGS).items()}
    if helm.get("driver", environment.get("PULUMI_K8S_HELM_DRIVER", "secret")) not in ("secret", "secrets"):
        raise ProviderConfigError(
            "the stand-in kubernetes plugin reads Helm's releases from Secrets only (driver 'secret')"
        )
    client = _object(given, "kubeClientSettings", _CLIENT_SETTINGS)
    if "timeout" not in client and environment.get("PULUMI_K8S_CLIENT_TIMEOUT"):
        client["timeout"] = environment["PULUMI_K8S_CLIENT_TIMEOUT"]
    try:
        numbers = {name: float(str(value)) for name, value in client.items()}
    except ValueError as problem:
        raise ProviderConfigError(f"invalid value in kubeClientSettings: {problem}") from None
    switches = {name: _switch(given, environment, name, variable) for name, variable in _SWITCHES.items()}
    return ProviderConfig(
        kubeconfig=given.get("kubeconfig", ""),
        context=given.get("context", ""),
        cluster=given.get("cluster", ""),
        namespace=given.get("namespace", ""),
        delete_unreachable=switches["deleteUnreachable"],
        skip_update_unreachable=switches["skipUpdateUnreachable"],
        enable_patch_force=switches["enablePatchForce"],
        upsert_existing_objects=switches["upsertExistingObjects"],
        enable_config_map_mutable=switches["enableConfigMapMutable"],
        enable_secret_mutable=switches["enableSecretMutable"],
        suppress_deprecation_warnings=switches["suppressDeprecationWarnings"],
        suppress_helm_hook_warnings=switches["suppressHelmHookWarnings"],
        helm=helm,
        client=numbers,
    )


def _switch(
    given: Mapping[str, str], environment: Mapping[str, str], name: str, variable: str, *, default: bool = False
) -> bool:
    if name in given:
        return given[name] == "true"
    if variable in environment:
        return environment[variable] == "true"
    return default


def _object(given: Mapping[str, str], name: str, known: set[str]) -> dict[str, object]:
    if not given.get(name):
        return {}
    try:
        options = json.loads(given[name])
    except ValueError as problem:
        raise ProviderConfigError(f"failed to unmarshal {name} option: {problem}") from None
    if not isinstance(options, dict):
        raise ProviderConfigError(f"failed to unmarshal {name} option: it is not an object")
    for option in options:
        if option not in known:
            raise ProviderConfigError(f"the stand-in kubernetes plugin does not support {option!r} in {name}")
    return {option: value for option, value in options.items() if value is not None}
