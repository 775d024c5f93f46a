"""The plugin's files come with the owner's own chart values: nothing is done until they are in the pod template.

Whether Kong is told to load them is read from a plain KONG_PLUGINS; what comes from elsewhere only the proof can tell.

Knows no Pulumi. Leaves out when it is asked, and whether Kong has loaded them (the proof).
"""

import json
from collections.abc import Mapping
from typing import Any

import kube
from gates.probe import Refused
from proof.expectation import Expectation
from proof.judging_pods import mounts


def refuse_unless_mounted(api: kube.Kube, expected: Expectation, values: Mapping[str, Any]) -> None:
    """Returns when the Deployment mounts every file from the ConfigMap of this rock, and lists it. Raises Refused.

    `values` are those that the owner's release is to be given.
    """
    where = f"{expected.namespace}/{expected.deployment}"
    found = api.get(f"/apis/apps/v1/namespaces/{expected.namespace}/deployments/{expected.deployment}")
    if found is None:
        raise Refused(f"There is no Deployment {where}: there is no Kong to put the plugin into.")
    mounted = mounts(found["spec"]["template"], expected.container)
    missing = [f"{path} from {name}" for path, name in expected.files.items() if mounted.get(path) != name]
    if missing:
        raise Refused(
            f"The Deployment {where} does not mount {', '.join(missing)}, and with kong.filesFrom values its owner's "
            "release does that. The ConfigMaps are there now. Upgrade that release with these values, beside its own "
            f"(also its own entries in plugins.configMaps): {json.dumps(values)}; then pulumi up again."
        )
    if unlisted := _unlisted(found["spec"]["template"], expected.container, values):
        raise Refused(
            f"KONG_PLUGINS of {where} does not list {', '.join(unlisted)}, though the files are mounted: Kong would "
            "refuse every configuration with it, its other routes' too. Where the owner's values set env.plugins, the "
            "chart lists nothing by itself: the names belong there, or that value goes. Then pulumi up again."
        )


def _unlisted(template: Mapping[str, Any], container: str, values: Mapping[str, Any]) -> list[str]:
    """The plugins that Kong is not told to load, as far as its container's own variables say."""
    kong = next(item for item in template["spec"]["containers"] if item["name"] == container)
    variable = next((item for item in reversed(kong.get("env") or []) if item["name"] == "KONG_PLUGINS"), None)
    if variable is None or variable.get("valueFrom"):
        return []
    listed = [word.strip() for word in str(variable.get("value") or "").split(",")]
    return [entry["pluginName"] for entry in values["plugins"]["configMaps"] if entry["pluginName"] not in listed]
