"""The formats of `verify --output`. Pure."""

import json
from typing import Any

from traceable_kong.command_line.junit_output import junit
from traceable_kong.command_line.markdown_output import markdown
from traceable_kong.command_line.verify_outcome import VerifyOutcome

FORMATS = ("table", "json", "junit", "markdown")


def formatted(outcome: VerifyOutcome, output: str) -> str:
    """The outcome in one of FORMATS; "" for the table of a verification that could not run."""
    if output == "json":
        return json.dumps(document(outcome), indent=2)
    if output == "junit":
        return junit(outcome)
    return markdown(outcome) if output == "markdown" else table(outcome)


def table(outcome: VerifyOutcome) -> str:
    parts = [outcome.report.table() if outcome.report else "", outcome.smoke.text() if outcome.smoke else ""]
    return "\n\n".join(filter(None, parts))


def document(outcome: VerifyOutcome) -> dict[str, Any]:
    """The outcome for programs."""
    found: dict[str, Any] = {"ok": outcome.is_ok, "exit_code": outcome.exit_code, "error": outcome.error}
    if outcome.report:
        found |= outcome.report.document()
    if outcome.smoke:
        found["smoke"] = outcome.smoke.document()
    return found
