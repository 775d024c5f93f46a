"""Checks the content of the ConfigMaps with the plugin's files against the recorded digests. Pure.

Which ConfigMaps a pod mounts is checked in pod_checks.py. The copy that a running pod mounted is the kubelet's, and
what its Kong loaded is in memory: neither can be read. A kubelet does not follow an immutable ConfigMap
(https://kubernetes.io/docs/concepts/configuration/configmap/#configmap-immutable), so the files of a pod that is older
than the current ConfigMap are unknown.
"""

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from traceable_kong.plan.model import DesiredState
from traceable_kong.plugin.config_maps import PLUGINS_DIRECTORY, files_digest
from traceable_kong.verification.fix_commands import REPAIR, restart_gateway
from traceable_kong.verification.object_reads import ObservedObject, Unreadable
from traceable_kong.verification.report import Check


def content_check(desired: DesiredState, config_maps: Mapping[str, ObservedObject]) -> Check:
    """Whether every ConfigMap has the files that this stack wrote. One that may not be read does not fail."""
    problems = [
        f"ConfigMap {name} {problem}"
        for path, name in desired.files.items()
        if (problem := _problem(path, config_maps.get(name), desired.file_digests.get(name, "")))
    ]
    return Check(
        pod="",
        name="files",
        ok=not problems,
        expected="ConfigMaps with the plugin's files, immutable, each with the content that this stack wrote",
        found="; ".join(problems) or "these",
        fix=f"{REPAIR} writes them again, then {restart_gateway(desired)}: a running pod keeps the files that it "
        "mounted",
        permanent=True,
    )


def unknown_files(
    desired: DesiredState, config_maps: Mapping[str, ObservedObject], pods: Sequence[Mapping[str, Any]]
) -> Iterator[str]:
    """Reasons why it cannot be determined which files a pod has."""
    for name in dict.fromkeys(desired.files.values()):
        current = config_maps.get(name)
        if isinstance(current, Unreadable):
            yield current.reason
        if not isinstance(current, Mapping):
            continue
        older = sorted(
            pod["metadata"]["name"]
            for pod in pods
            if pod["metadata"]["creationTimestamp"] < current["metadata"]["creationTimestamp"]
        )
        if older:
            yield (
                f"the files of {', '.join(older)}: older than the ConfigMap {name}, so an earlier ConfigMap was "
                f"mounted, which cannot be read. {restart_gateway(desired)} replaces the pods"
            )


def _problem(path: str, current: ObservedObject, recorded: str) -> str:
    if isinstance(current, Unreadable):
        return ""
    if current is None:
        return "does not exist"
    plugin, _, directory = path.removeprefix(f"{PLUGINS_DIRECTORY}/").partition("/")
    try:
        digest = files_digest(plugin, directory, _contents(current))
    except (binascii.Error, ValueError):
        digest = "none"
    if digest != recorded:
        return f"has other content (SHA-256 {digest} instead of {recorded or 'a recorded one'})"
    return "" if current.get("immutable") is True else "is not immutable: its content can change under running pods"


def _contents(config_map: Mapping[str, Any]) -> dict[str, bytes]:
    text = {name: str(value).encode() for name, value in (config_map.get("data") or {}).items()}
    return text | {name: base64.b64decode(value) for name, value in (config_map.get("binaryData") or {}).items()}
