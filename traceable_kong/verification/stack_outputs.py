"""Reads the outputs of a stack with the pulumi command line tool."""

import json
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from traceable_kong.common.safe_text import PlainError, printable
from traceable_kong.common.urls import without_credentials

TIMEOUT_SECONDS = 120

SECRET = "[secret]"
"""What the CLI shows of a secret output."""


class NoOutputs(PlainError):
    """The stack's outputs cannot be used; the text says why."""


def stack_outputs(stack: str, name: str | None = None, *, folder: Path | None = None) -> dict[str, Any]:
    """`{output: value}`; one that is secret is the text `[secret]`. Raises NoOutputs.

    `name` is the output that holds them as an object, None where each is an output of the stack. `folder` has the
    Pulumi project, None for the current one.
    """
    found = _all_outputs(stack, folder)
    if name is None:
        return found
    inner = found.get(name)
    if not isinstance(inner, dict):
        what = "does not exist" if name not in found else "is a secret" if inner == SECRET else "is not an object"
        fix = run_with_an_export(found) or (
            f"Export the outputs of TraceableOnKong under this name and run `pulumi up`; `pulumi stack output --stack "
            f"{shlex.quote(stack)}` shows the outputs."
        )
        raise NoOutputs(f"Output {name} of stack {stack} {what}. Nothing was verified. {fix}")
    return inner


def run_with_an_export(outputs: Mapping[str, Any]) -> str:
    """How to name the outputs that hold those of a gateway, "" if none does."""
    exports = [name for name, value in outputs.items() if isinstance(value, dict) and value.get("recordDigest")]
    options = " or ".join(f"--stack-output {shlex.quote(printable(name))}" for name in exports)
    return f"Run with {options}." if options else ""


def _all_outputs(stack: str, folder: Path | None) -> dict[str, Any]:
    pulumi = shutil.which("pulumi")
    if pulumi is None:
        raise NoOutputs(
            "The pulumi command line tool, which --stack uses, is not on PATH. Nothing was verified. Install it "
            "(https://www.pulumi.com/docs/install/), or run with --namespace NAME instead of --stack."
        )
    command = [pulumi, "stack", "output", "--json", "--non-interactive", f"--stack={stack}"]
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise NoOutputs(
            f"`pulumi stack output --stack {shlex.quote(stack)}` did not answer within {TIMEOUT_SECONDS} s. Nothing "
            "was verified. Run it in a terminal to see what it waits for."
        ) from None
    if done.returncode != 0:
        # A backend's address can have a password in it.
        reason = without_credentials(done.stderr.strip())[-500:] or f"pulumi ended with {done.returncode}"
        raise NoOutputs(_unreadable(stack, reason, folder))
    try:
        found = json.loads(done.stdout)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise NoOutputs(_unreadable(stack, "pulumi printed no JSON object", folder))
    return found


def _unreadable(stack: str, reason: str, folder: Path | None) -> str:
    where = "" if folder else "Run it in the folder of the Pulumi program; "
    return (
        f"The outputs of stack {stack} cannot be read: {reason.rstrip('.')}. Nothing was verified. {where}"
        "`pulumi stack ls` lists the stacks; a passphrase or a login may be missing."
    )
