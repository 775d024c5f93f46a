"""A history of the plugin entities that Kong nodes with a database have loaded, for tests.

    from local.kubelet import loaded_plugins
    loaded_plugins.read("kong")["kong-7c9f8-x2x4z"][-1]  # (unix time, plugin entities)

Each pod has a file, which stays after the pod is deleted. A line is added when the node starts and at every change.
"""

import json
import time
from pathlib import Path
from typing import Any

from local import paths

FOLDER = paths.KUBELET / "loaded"

PluginEntities = list[dict[str, Any]]


def record(namespace: str, pod: str, plugins: PluginEntities, *, folder: Path = FOLDER) -> None:
    """Records the plugin entities that the node of this pod uses from now on."""
    file = folder / namespace / f"{pod}.jsonl"
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as lines:
        lines.write(json.dumps([time.time(), plugins]) + "\n")


def read(namespace: str, *, folder: Path = FOLDER) -> dict[str, list[tuple[float, PluginEntities]]]:
    """Returns by pod the plugin entities with the unix time since when they are in use, oldest first.

    The entities are as in the Admin API, with their `workspace`.
    """
    found: dict[str, list[tuple[float, PluginEntities]]] = {}
    for file in sorted((folder / namespace).glob("*.jsonl")):
        # The last line may be incomplete.
        lines = file.read_text().rpartition("\n")[0].splitlines()
        found[file.stem] = [(float(moment), plugins) for moment, plugins in map(json.loads, lines)]
    return found
