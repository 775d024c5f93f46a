"""The plugin's files as the ConfigMaps hold them now: the recorded digests against the content. Pure.

Which ConfigMaps a pod mounts is read from the pod (verification/pod_checks.py). The copy that a running pod mounted is
the kubelet's, and what its Kong loaded is in memory: neither can be read. A kubelet does not follow an immutable
ConfigMap (https://kubernetes.io/docs/concepts/configuration/configmap/#configmap-immutable), so of a pod that is older
than the object that exists now, nothing is known.
"""

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from traceable_kong.plugin.config_maps import PLUGINS_DIRECTORY, files_digest
from traceable_kong.verification.desired_state import DesiredState
from traceable_kong.verification.object_reads import Seen, Unreadable
from traceable_kong.verification.report import Check


def content_check(expected: DesiredState, config_maps: Mapping[str, Seen]) -> Check:
    """Whether every ConfigMap with files holds what this stack wrote. Of one that may not be read, nothing is said."""
    wrong = [
        f"ConfigMap {name} {problem}"
        for path, name in expected.files.items()
        if (problem := _problem(path, config_maps.get(name), expected.file_digests.get(name, "")))
    ]
    return Check(
        pod="",
        name="files",
        ok=not wrong,
        expected="ConfigMaps with the plugin's files, immutable, each with the content that this stack wrote",
        found="; ".join(wrong) or "these",
        mend=f"`pulumi up --refresh` writes them again, then {restart(expected)}: a running pod keeps what it mounted",
        lasting=True,
    )


def unknown_files(
    expected: DesiredState, config_maps: Mapping[str, Seen], pods: Sequence[Mapping[str, Any]]
) -> Iterator[str]:
    """Reasons why it cannot be determined which files a pod has."""
    for name in dict.fromkeys(expected.files.values()):
        live = config_maps.get(name)
        if isinstance(live, Unreadable):
            yield live.reason
        if not isinstance(live, Mapping):
            continue
        older = sorted(
            pod["metadata"]["name"]
            for pod in pods
            if pod["metadata"]["creationTimestamp"] < live["metadata"]["creationTimestamp"]
        )
        if older:
            yield (
                f"the files of {', '.join(older)}: older than the ConfigMap {name}, so an earlier one was mounted, and "
                f"that cannot be read. {restart(expected)} makes new pods"
            )


def restart(expected: DesiredState) -> str:
    """The command that gives the gateway new pods."""
    return f"`kubectl --namespace {expected.namespace} rollout restart deployment {expected.deployment}`"


def _problem(path: str, live: Seen, wanted: str) -> str:
    if isinstance(live, Unreadable):
        return ""
    if live is None:
        return "does not exist"
    plugin, _, directory = path.removeprefix(f"{PLUGINS_DIRECTORY}/").partition("/")
    try:
        digest = files_digest(plugin, directory, _contents(live))
    except (binascii.Error, ValueError):
        digest = "none"
    if digest != wanted:
        return f"has other content (SHA-256 {digest} instead of {wanted or 'one that is recorded'})"
    return "" if live.get("immutable") is True else "is not immutable: its content can change under running pods"


def _contents(live: Mapping[str, Any]) -> dict[str, bytes]:
    text = {name: str(value).encode() for name, value in (live.get("data") or {}).items()}
    return text | {name: base64.b64decode(value) for name, value in (live.get("binaryData") or {}).items()}
