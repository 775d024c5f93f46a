"""The Pulumi programs that are measured: an empty one, one with a single ConfigMap, and this program."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bench.bench_cluster import BenchCluster, program_folder
from local import paths, rock

STACK = "bench"
PROJECT = "traceable-kong"
OLD_ROCK, NEW_ROCK = rock.VERSION, "2.2.2-1"
KONG_NAMESPACE, KONG_RELEASE = "kong", "bench"

EMPTY = "import pulumi\n"
CONFIGMAP = """import pulumi_kubernetes

pulumi_kubernetes.core.v1.ConfigMap("bench", metadata={"name": "bench", "namespace": "default"}, data={"key": "value"})
"""

_ROOTS = ("traceable_kong", "__main__.py", "verify.py", "Pulumi.yaml")


@dataclass(frozen=True, kw_only=True)
class PulumiProgram:
    """A program in a folder of its own, with one stack."""

    cluster: BenchCluster
    folder: Path

    def command(self, *arguments: str) -> tuple[str, ...]:
        """A pulumi command for the stack, as a person would type it in a script."""
        return ("pulumi", *arguments, "--stack", STACK)

    def pulumi(self, *arguments: str, stdin: str = "") -> None:
        """Runs a pulumi command that is not measured."""
        subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env=self.cluster.environment,
            input=stdin,
            capture_output=True,
            text=True,
            check=True,
        )

    def configure(self, **config: Any) -> None:
        """Sets keys in the stack's file."""
        file = self.folder / f"Pulumi.{STACK}.yaml"
        document = yaml.safe_load(file.read_text()) if file.exists() else {}
        document.setdefault("config", {}).update({f"{PROJECT}:{key}": value for key, value in config.items()})
        file.write_text(yaml.safe_dump(document))


def small_program(cluster: BenchCluster, name: str, source: str) -> PulumiProgram:
    """A program with this source, deployed."""
    folder = program_folder(name)
    runtime = {"name": "python", "options": {"toolchain": "pip", "virtualenv": ".venv"}}
    (folder / "Pulumi.yaml").write_text(yaml.safe_dump({"name": name, "runtime": runtime}))
    (folder / "__main__.py").write_text(source)
    program = PulumiProgram(cluster=cluster, folder=folder)
    program.pulumi("stack", "init")
    program.pulumi("up", "--yes", "--skip-preview")
    return program


def this_program(cluster: BenchCluster) -> PulumiProgram:
    """A copy of this program as it is in the working tree, with a stack that is not deployed yet."""
    folder = program_folder("program")
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *_ROOTS],
        cwd=paths.CLONE,
        capture_output=True,
        text=True,
        check=True,
    )
    for path in listed.stdout.splitlines():
        if (paths.CLONE / path).exists():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(paths.CLONE / path, folder / path)
    program = PulumiProgram(cluster=cluster, folder=folder)
    charts = cluster.platform.charts
    program.configure(
        agent={"environment": STACK, "chart": {"path": str(charts / "traceable-agent")}},
        kong={"namespace": KONG_NAMESPACE, "release": KONG_RELEASE, "chart": {"path": str(charts / "kong")}},
        kongValues={"proxy": {"type": "NodePort"}},
        plugin=plugin_config(OLD_ROCK),
    )
    program.pulumi("stack", "init")
    program.pulumi("config", "set", "--secret", f"{PROJECT}:agentToken", stdin="a token")
    return program


def plugin_config(version: str) -> dict[str, str]:
    return {"version": version, "rock": str(rock.make(paths.ROCKS, version=version))}
