"""The plugin's files in a pod or a pod template: mounted from the right ConfigMaps, and listed in Kong's variables.

Only plain values of variables are read here. The verification asks the running Kong.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from traceable_kong.cluster.kubernetes_client import KubernetesClient
from traceable_kong.deployment_patch.kong_variables import PACKAGE_PATH, PLUGINS, entries_of, variable_in
from traceable_kong.hooks.hook_failed import HookFailed, missing_deployment
from traceable_kong.plan.model import DesiredState
from traceable_kong.plugin.config_maps import LUA_PATH, PLUGINS_DIRECTORY
from traceable_kong.verification.pod_checks import mounts


def not_mounted(holder: Mapping[str, Any], expected: DesiredState) -> list[str]:
    """The files that Kong's container does not mount, as `PATH from CONFIGMAP`."""
    mounted = mounts(holder, expected.deployment.container)
    return [f"{path} from {name}" for path, name in expected.files.items() if mounted.get(path) != name]


def not_listed(holder: Mapping[str, Any], expected: DesiredState, *, may_be_elsewhere: bool) -> Iterator[str]:
    """What is missing in the variables that make Kong load the files, as texts.

    `may_be_elsewhere` True accepts a missing variable: the owner of an existing Kong may set it in the image or a file.
    """
    container: Mapping[str, Any] = next(
        (item for item in holder["spec"]["containers"] if item["name"] == expected.deployment.container), {}
    )
    for name, words in ((PLUGINS, sorted(plugins_in(expected))), (PACKAGE_PATH, [LUA_PATH])):
        variable = variable_in(container, name)
        if (variable is None and may_be_elsewhere) or (variable or {}).get("valueFrom"):
            continue
        listed = entries_of(variable, name)
        missing = [word for word in words if word not in listed]
        if missing:
            yield f"{name} does not list {', '.join(missing)}"


def plugins_in(expected: DesiredState) -> set[str]:
    """The plugins that the files belong to."""
    return {path.removeprefix(f"{PLUGINS_DIRECTORY}/").split("/")[0] for path in expected.files}


def require_mounted(live: Mapping[str, Any], expected: DesiredState, values: Mapping[str, Any]) -> None:
    """Raises HookFailed unless a Deployment mounts the files; `values` are the chart values with which it would."""
    where = str(expected.deployment)
    template = live["spec"]["template"]
    if missing := not_mounted(template, expected):
        raise HookFailed(
            f"Deployment {where} does not mount {', '.join(missing)}, and with kong.filesMountedBy owner its "
            "owner's Helm release mounts them. The plugin's ConfigMaps exist; the gateway was not changed. Upgrade "
            "that release with these values (keep its other values, and its own entries in plugins.configMaps): "
            f"{json.dumps(values)}; then run `pulumi up`."
        )
    if unlisted := list(not_listed(template, expected, may_be_elsewhere=True)):
        raise HookFailed(
            f"Deployment {where} mounts the plugin's files, but {' and '.join(unlisted)}. Kong would reject all new "
            "configuration as soon as the plugin exists, for every route. The gateway was not changed. Add these "
            "entries to env.plugins and env.lua_package_path in the values of its owner's Helm release, or remove "
            "those two values: then the chart adds the entries itself. Then run `pulumi up`."
        )


def require_files_mounted(api: KubernetesClient, expected: DesiredState, values: Mapping[str, Any]) -> None:
    """`require_mounted` for the Deployment as it is now. Raises HookFailed, ApiError or Unreachable."""
    found = api.get(expected.deployment.path)
    if found is None:
        raise missing_deployment(expected.deployment.namespace, expected.deployment.name)
    require_mounted(found, expected, values)
