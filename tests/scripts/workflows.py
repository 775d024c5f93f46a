"""The workflows and actions as data, and a runner for the shell of their steps, with stand-ins for the programs."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.scripts.recorded import CLONE

GITHUB = CLONE / ".github"
PULL_REQUEST = "workflows/pull-request.yaml"
DEPLOY = "workflows/deploy.yaml"
DRIFT = "workflows/drift.yaml"
RELEASE = "workflows/release.yaml"
SETUP = "actions/setup/action.yaml"
PREVIEW = "actions/preview/action.yaml"

PULUMI = """#!/bin/sh
env > "$SEEN/environment"
echo "$@" > "$SEEN/pulumi"
cat "$SEEN/recorded.json"
echo "error: said beside it" >&2
exit "$ENDS_WITH"
"""


def definition(path: str) -> dict[Any, Any]:
    """The workflow or action at that path below `.github`."""
    return dict(yaml.safe_load((GITHUB / path).read_text(encoding="utf-8")))


def workflows() -> list[str]:
    return sorted(path.relative_to(GITHUB).as_posix() for path in (GITHUB / "workflows").iterdir())


def actions() -> list[str]:
    return sorted(path.relative_to(GITHUB).as_posix() for path in (GITHUB / "actions").glob("*/*"))


def steps(path: str) -> Iterator[dict[str, Any]]:
    """Every step of a workflow or action."""
    whole = definition(path)
    for job in whole["jobs"].values() if "jobs" in whole else [whole["runs"]]:
        yield from job["steps"]


@dataclass(frozen=True)
class Runner:
    """A folder as the runner's. Stand-ins for programs write what they were asked into it."""

    folder: Path

    def stand_in(self, name: str, script: str) -> None:
        """`name` is a program on PATH, or one in a folder of the repository, as `.venv/bin/python`."""
        path = self.folder / (name if "/" in name else f"bin/{name}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(script)
        path.chmod(0o755)

    def read(self, name: str) -> str:
        return (self.folder / name).read_text()

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    def step(self, path: str, name: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Runs the shell of the step with that name."""
        (step,) = [step for step in steps(path) if step.get("name") == name]
        return self.shell(step["run"], **variables)

    def shell(self, script: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
            "HOME": str(self.folder),
            "SEEN": str(self.folder),
            "RUNNER_TEMP": str(self.folder),
            "GITHUB_OUTPUT": str(self.folder / "output"),
            "GITHUB_STEP_SUMMARY": str(self.folder / "summary"),
            "GITHUB_REPOSITORY": "us/it",
            "STACK": "dev",
        }
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            cwd=self.folder if (self.folder / ".venv").exists() else CLONE,
            env=environment | variables,
            capture_output=True,
            text=True,
            check=False,
        )
