"""The plugin goes before its files: a gateway that stays is freed of the plugin before its pods lose the files.

The engine deletes what a program no longer names at the end, after everything else was changed; pods without the
files would start while the plugin still stands, and Kong would refuse its whole configuration. So the plugin is
deleted ahead of that, and the engine finds it gone. Knows no Pulumi. Leaves out when it is done.
"""

import time

import kube
from gates.probe import Refused
from proof.asking import look
from proof.expectation import Expectation

TIMEOUT_SECONDS = 45.0
INTERVAL_SECONDS = 0.5


def remove_plugin(api: kube.Kube, standing: Expectation, *, owner_label: tuple[str, str]) -> None:
    """Deletes the KongClusterPlugin and returns when no serving Kong lists the plugin any more.

    One that does not carry `owner_label` is not ours and stays. Raises Refused.
    """
    path = f"/apis/configuration.konghq.com/v1/kongclusterplugins/{standing.plugin_object}"
    found = api.get(path)
    key, value = owner_label
    if found is None or (found["metadata"].get("labels") or {}).get(key) != value:
        return
    api.request("DELETE", path)
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while names := _still_listing(api, standing):
        if time.monotonic() > deadline:
            raise Refused(
                f"The plugin {standing.plugin_object} is deleted, and after {TIMEOUT_SECONDS:.0f} s Kong still lists "
                f"{standing.plugin}, or does not answer, in {', '.join(names)}; the files stay until it does not. Run "
                "pulumi up again."
            )
        time.sleep(INTERVAL_SECONDS)


def _still_listing(api: kube.Kube, standing: Expectation) -> list[str]:
    return [
        pod.name
        for pod in look(api, standing).serving
        if isinstance(pod.kong, str) or any(item.get("name") == standing.plugin for item in pod.kong.plugins)
    ]
