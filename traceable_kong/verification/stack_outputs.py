"""What a stack says of itself: its outputs, asked with the pulumi command line tool in the project's folder."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from traceable_kong.common.safe_text import PlainError
from traceable_kong.common.urls import without_credentials

TIMEOUT_SECONDS = 120
PROJECT = Path(__file__).parents[2]


class NoOutputs(PlainError):
    """The stack's outputs cannot be had; the text says why."""


def stack_outputs(stack: str) -> dict[str, Any]:
    """`{output: value}`; one that is secret is the text `[secret]`. Raises NoOutputs."""
    pulumi = shutil.which("pulumi")
    if pulumi is None:
        raise NoOutputs("--stack asks the pulumi command line tool, and it is not on PATH.")
    command = [pulumi, "stack", "output", "--json", "--non-interactive", f"--stack={stack}"]
    try:
        done = subprocess.run(
            command,
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise NoOutputs(f"pulumi stack output gave no answer within {TIMEOUT_SECONDS} s.") from None
    if done.returncode != 0:
        # A backend's address can have a password in it.
        said = without_credentials(done.stderr.strip())[-500:] or f"pulumi ended with {done.returncode}"
        raise NoOutputs(f"The outputs of the stack {stack} cannot be read: {said}")
    try:
        found = json.loads(done.stdout)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise NoOutputs(f"The outputs of the stack {stack} cannot be read: pulumi printed no JSON object.")
    return found
