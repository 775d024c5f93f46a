"""The plugin's files in a gateway: mounted from the expected ConfigMaps, and Kong told to load and to find them.

A pod template and a pod are judged alike. What Kong is told is read from plain variables; what comes from elsewhere
only the verification can see, in the Kong that runs.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from traceable_kong.cluster.kubernetes_client import KubernetesClient
from traceable_kong.deployment_patch.kong_variables import PACKAGE_PATH, PLUGINS, variable_in, words_in
from traceable_kong.hooks.injection_dry_run import HookFailed
from traceable_kong.plugin.config_maps import LUA_PATH, PLUGINS_DIRECTORY
from traceable_kong.verification.desired_state import DesiredState
from traceable_kong.verification.pod_checks import mounts


def not_mounted(holder: Mapping[str, Any], expected: DesiredState) -> list[str]:
    """The files that Kong's container in a pod or a pod template does not mount, as `PATH from CONFIGMAP`."""
    mounted = mounts(holder, expected.container)
    return [f"{path} from {name}" for path, name in expected.files.items() if mounted.get(path) != name]


def not_told(holder: Mapping[str, Any], expected: DesiredState, *, may_be_elsewhere: bool) -> Iterator[str]:
    """What Kong's variables do not say, in words, of a pod or a pod template.

    `may_be_elsewhere` is True where a variable that is not there says nothing: its owner may have it in an image, or in
    a file.
    """
    container: Mapping[str, Any] = next(
        (item for item in holder["spec"]["containers"] if item["name"] == expected.container), {}
    )
    for name, words in ((PLUGINS, sorted(plugins_in(expected))), (PACKAGE_PATH, [LUA_PATH])):
        variable = variable_in(container, name)
        if (variable is None and may_be_elsewhere) or (variable or {}).get("valueFrom"):
            continue
        listed = words_in(variable, name)
        missing = [word for word in words if word not in listed]
        if missing:
            yield f"{name} does not list {', '.join(missing)}"


def plugins_in(expected: DesiredState) -> set[str]:
    """The names of the plugins whose files are expected."""
    return {path.removeprefix(f"{PLUGINS_DIRECTORY}/").split("/")[0] for path in expected.files}


def require_mounted(live: Mapping[str, Any], expected: DesiredState, values: Mapping[str, Any]) -> None:
    """Returns when a Deployment mounts the files that its owner's chart values are to mount. Raises Refused.

    `values` are those that the owner's release is to be given.
    """
    where = f"{expected.namespace}/{expected.deployment}"
    template = live["spec"]["template"]
    if missing := not_mounted(template, expected):
        raise HookFailed(
            f"The Deployment {where} does not mount {', '.join(missing)}, and with kong.filesFrom values its owner's "
            "release does that. The ConfigMaps are there now. Upgrade that release with these values, beside its own "
            f"(also its own entries in plugins.configMaps): {json.dumps(values)}; then pulumi up again."
        )
    if untold := list(not_told(template, expected, may_be_elsewhere=True)):
        raise HookFailed(
            f"In the Deployment {where} {' and '.join(untold)}, though the files are mounted: Kong would refuse every "
            "configuration with the plugin, its other routes' too. Where the owner's values set env.plugins or "
            "env.lua_package_path, the chart lists nothing by itself: the words belong there, or that value goes. Then "
            "pulumi up again."
        )


def refuse_unless_mounted(api: KubernetesClient, expected: DesiredState, values: Mapping[str, Any]) -> None:
    """As `require_mounted`, of the Deployment as it is now. Raises Refused, kube.ApiError or kube.Unreachable."""
    found = api.get(f"/apis/apps/v1/namespaces/{expected.namespace}/deployments/{expected.deployment}")
    if found is None:
        raise HookFailed(
            f"There is no Deployment {expected.namespace}/{expected.deployment}: there is no Kong to put the plugin "
            "into."
        )
    require_mounted(found, expected, values)
