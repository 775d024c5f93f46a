"""The plugin's files in a pod or a pod template: mounted from the right ConfigMaps, and listed in Kong's variables.

Only plain values of variables are read here. The verification asks the running Kong.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from traceable_kong.cluster.kubernetes_client import KubernetesClient
from traceable_kong.cluster.pods import container_of
from traceable_kong.deployment_patch.kong_variables import PACKAGE_PATH, PLUGINS, entries_of, variable_in
from traceable_kong.hooks.hook_failed import HookFailed, missing_deployment
from traceable_kong.plan.model import Gateway
from traceable_kong.plugin.config_maps import LUA_PATH
from traceable_kong.verification.pod_checks import mounts


def not_mounted(holder: Mapping[str, Any], gateway: Gateway) -> list[str]:
    """The files that Kong's container does not mount, as `PATH from CONFIGMAP`."""
    mounted = mounts(holder, gateway.kong.deployment.container)
    return [f"{path} from {name}" for path, name in gateway.files.items() if mounted.get(path) != name]


def not_listed(holder: Mapping[str, Any], gateway: Gateway) -> Iterator[str]:
    """What is missing in the variables that make Kong load the files, as texts."""
    container = container_of(holder["spec"], gateway.kong.deployment.container) or {}
    plugins = sorted({item.plugin for item in gateway.config_maps})
    for name, words in ((PLUGINS, plugins), (PACKAGE_PATH, [LUA_PATH])):
        variable = variable_in(container, name)
        # The owner of an existing Kong may set a variable in the image or in a file.
        if (variable is None and gateway.mounted_by_owner) or (variable or {}).get("valueFrom"):
            continue
        listed = entries_of(variable, name)
        missing = [word for word in words if word not in listed]
        if missing:
            yield f"{name} does not list {', '.join(missing)}"


def require_mounted_by_owner(live: Mapping[str, Any], gateway: Gateway) -> None:
    """Raises HookFailed unless a Deployment mounts the files as its owner's chart values would."""
    deployment = gateway.kong.deployment
    template = live["spec"]["template"]
    if missing := not_mounted(template, gateway):
        raise HookFailed(
            f"Deployment {deployment} does not mount {', '.join(missing)}, and with kong.filesMountedBy owner its "
            "owner's Helm release mounts them. The plugin's ConfigMaps exist; the gateway was not changed. Upgrade "
            "that release with these values (keep its other values, and its own entries in plugins.configMaps): "
            f"{json.dumps(gateway.owner_values)}; then run `pulumi up`."
        )
    if unlisted := list(not_listed(template, gateway)):
        raise HookFailed(
            f"Deployment {deployment} mounts the plugin's files, but {' and '.join(unlisted)}. Kong would reject all "
            "new configuration as soon as the plugin exists, for every route. The gateway was not changed. Add these "
            "entries to env.plugins and env.lua_package_path in the values of its owner's Helm release, or remove "
            "those two values: then the chart adds the entries itself. Then run `pulumi up`."
        )


def require_files_mounted_by_owner(client: KubernetesClient, gateway: Gateway) -> None:
    """The same for the Deployment as it is now, if its owner mounts the files.

    Raises HookFailed, ApiError or Unreachable.
    """
    if not gateway.mounted_by_owner:
        return
    found = client.get(gateway.kong.deployment.path)
    if found is None:
        raise missing_deployment(gateway.kong.deployment)
    require_mounted_by_owner(found, gateway)
