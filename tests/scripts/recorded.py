"""Previews recorded on the local platform, reduced to what a comment needs.

To record one: `source .local/env`, change the config, then
`pulumi preview --json | python -m tests.scripts.recorded > tests/scripts/previews/NAME.json`.
"""

import json
import sys
from pathlib import Path
from typing import Any

CLONE = Path(__file__).parents[2]
PREVIEWS = Path(__file__).parent / "previews"


def recorded(name: str) -> dict[str, Any]:
    """A new copy of the preview with that name."""
    return dict(json.loads((PREVIEWS / f"{name}.json").read_text(encoding="utf-8")))


def trimmed(document: dict[str, Any]) -> dict[str, Any]:
    """The parts that a comment needs, without paths of the machine."""
    kept = {key: value for key, value in document.items() if key in ("diagnostics", "changeSummary")}
    steps = [_step(step) for step in document.get("steps", [])]
    return json.loads(json.dumps({"steps": steps, **kept}).replace(f"{CLONE}/", ""))  # type: ignore[no-any-return]


def _step(step: dict[str, Any]) -> dict[str, Any]:
    kept = {key: step[key] for key in ("op", "urn", "detailedDiff", "diffReasons", "replaceReasons") if key in step}
    return kept | {which: _state(step[which]) for which in ("oldState", "newState") if which in step}


def _state(state: dict[str, Any]) -> dict[str, Any]:
    wanted = ["urn", "custom", "type", "inputs"]
    if state["type"] == "pulumi:pulumi:Stack":
        wanted.append("outputs")
    return {key: state[key] for key in wanted if key in state}


if __name__ == "__main__":
    print(json.dumps(trimmed(json.load(sys.stdin)), indent=1))
