"""The plugin's files come with the owner's own chart values: nothing is done until they are in the pod template.

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
    """Returns when the Deployment mounts every file from the ConfigMap of this rock. Raises Refused.

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
