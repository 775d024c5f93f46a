"""What the Kong nodes with a database have loaded, over time: for tests that look back.

    from local.kubelet import loaded
    loaded.read("kong")["kong-7c9f8-x2x4z"][-1]  # (unix time, rows of plugins as this node uses them)

A file for each pod, which outlives it; a line is added when the node starts and whenever something else is loaded.
"""

import json
import time
from pathlib import Path
from typing import Any

from local import paths

FOLDER = paths.KUBELET / "loaded"

PluginEntities = list[dict[str, Any]]


def record(namespace: str, pod: str, plugins: PluginEntities, *, folder: Path = FOLDER) -> None:
    """Writes that the node of this pod has these rows from now on."""
    file = folder / namespace / f"{pod}.jsonl"
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as lines:
        lines.write(json.dumps([time.time(), plugins]) + "\n")


def read(namespace: str, *, folder: Path = FOLDER) -> dict[str, list[tuple[float, PluginEntities]]]:
    """By pod: since when (unix time) which rows, oldest first; as the Admin API gives them, with their `workspace`."""
    found: dict[str, list[tuple[float, PluginEntities]]] = {}
    for file in sorted((folder / namespace).glob("*.jsonl")):
        # The last line may be half written.
        lines = file.read_text().rpartition("\n")[0].splitlines()
        found[file.stem] = [(float(moment), plugins) for moment, plugins in map(json.loads, lines)]
    return found
