"""Previews recorded on the local platform, reduced to what a comment needs.

To record one: `. ./.local/env`, change the config, then
`pulumi preview --json --show-sames | python -m tests.scripts.recorded > tests/scripts/previews/NAME.json`.
Those of several gateways are of a program with four of them and an agent (docs/other-programs.md).
"""

import json
import sys
from pathlib import Path
from typing import Any

CLONE = Path(__file__).parents[2]
ENTRIES = ("enabled", "gateway", "mode", "rockVersion")
"""What a comment needs of a record that does not change."""

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
    kept = {
        key: step[key]
        for key in ("op", "urn", "detailedDiff", "diffReasons", "replaceReasons")
        if step.get(key) is not None
    }
    changes = step["op"] not in ("same", "refresh")
    # Of what does not change, a comment needs the record and what there is.
    states = ("oldState", "newState") if changes or "Installation$" in step["urn"] else ("newState",)
    return kept | {which: _state(step[which], step["urn"], changes) for which in states if which in step}


def _state(state: dict[str, Any], urn: str, changes: bool) -> dict[str, Any]:
    kept = {key: state[key] for key in ("custom", "type", "parent", "retainOnDelete") if state.get(key)}
    if state["urn"] != urn:
        kept["urn"] = state["urn"]
    if changes:
        kept["inputs"] = state.get("inputs", {})
    elif "Installation$" in urn:
        kept["inputs"] = {"data": {key: text for key, text in state["inputs"]["data"].items() if key in ENTRIES}}
    return kept


if __name__ == "__main__":
    print(json.dumps(trimmed(json.load(sys.stdin)), indent=1))
