"""A small Pulumi program in a folder of its own, with its own backend."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

from local import paths
from tests.live.commands import execute


class PulumiProgram:
    """The project `name` with the stack `test`; `source` is its `__main__.py`."""

    def __init__(self, folder: Path, environment: Mapping[str, str], *, name: str, source: str) -> None:
        self.folder = folder
        (folder / "state").mkdir()
        self.environment = {**environment, "PULUMI_BACKEND_URL": paths.file_backend(folder / "state")}
        (folder / "Pulumi.yaml").write_text(f"name: {name}\nruntime: python\n")
        (folder / "__main__.py").write_text(source)
        self.run("stack", "init", "test")

    def run(self, *arguments: str, fails: bool = False) -> str:
        """Runs pulumi, which must succeed or fail, and returns its output."""
        done = execute("pulumi", *arguments, "--non-interactive", environment=self.environment, folder=self.folder)
        output = done.stdout + done.stderr
        assert (done.returncode != 0) is fails, output
        return output

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Starts pulumi in a session of its own and returns its process."""
        return subprocess.Popen(
            ["pulumi", *arguments, "--non-interactive"],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
