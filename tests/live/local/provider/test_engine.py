"""Conformance with the real engine: what the user sees of previews, failures and killed runs."""

import json
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.toolchain import provider_plugins
from tests.live.commands import kill_session
from tests.live.local.provider.conftest import Cluster
from tests.live.local.provider.expectations import expect

COMMAND_TIMEOUT_SECONDS = 120

_PROGRAM = """\
import pulumi
import pulumi_kubernetes as k8s

config = pulumi.Config()
namespace = config.require("namespace")
pod = {"containers": [{"name": "web", "image": "nginx"}]}
if config.get("node"):
    pod["nodeSelector"] = {"there-is": config.require("node")}
web = k8s.apps.v1.Deployment(
    "web",
    metadata={
        "name": "web",
        "namespace": namespace,
        "annotations": {"pulumi.com/timeoutSeconds": config.get("timeout") or "60"},
    },
    spec={
        "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": pod},
    },
)
k8s.apps.v1.DeploymentPatch(
    "web-patch",
    metadata={"name": "web", "namespace": namespace},
    spec={"template": {"metadata": {"annotations": {"note": config.get("note") or "1"}}}},
    opts=pulumi.ResourceOptions(depends_on=[web]),
)
note, password = config.get("note") or "1", config.require_secret("password")
k8s.core.v1.Secret("hidden", metadata={"namespace": namespace}, string_data={"password": password})
settings = k8s.core.v1.ConfigMap("settings", metadata={"namespace": namespace}, data={"note": note})
pulumi.export("settings", settings.metadata["name"])
"""


class Program:
    """A small program in its own folder, with its own backend."""

    def __init__(self, environment: dict[str, str], folder: Path, namespace: str) -> None:
        self.folder = folder
        home, state = folder / "home", folder / "state"
        state.mkdir()
        provider_plugins.put_stand_in("kubernetes", home, command=environment.get("PULUMI_KUBERNETES_PLUGIN", ""))
        # The engine looks for what the installed SDKs may need.
        provider_plugins.put_stand_in("random", home)
        self.environment = {
            **environment,
            "PULUMI_HOME": str(home),
            "PULUMI_BACKEND_URL": state.as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": "conformance",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }
        self.environment.pop("PULUMI_CONFIG_PASSPHRASE_FILE", None)
        (folder / "Pulumi.yaml").write_text("name: conformance\nruntime: python\n")
        (folder / "__main__.py").write_text(_PROGRAM)
        self.run("stack", "init", "test")
        self.run("config", "set", "namespace", namespace)
        self.run("config", "set", "--secret", "password", "not-in-any-state")

    def run(self, *arguments: str, fails: bool = False) -> str:
        """Runs pulumi and returns its output."""
        done = subprocess.run(
            ["pulumi", *arguments, "--non-interactive"],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=COMMAND_TIMEOUT_SECONDS,
            check=False,
        )
        assert (done.returncode != 0) is fails, done.stdout + done.stderr
        return done.stdout + done.stderr

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Starts pulumi and returns its process."""
        return subprocess.Popen(
            ["pulumi", *arguments, "--non-interactive"],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )


@pytest.fixture
def program(environment: dict[str, str], tmp_path: Path, namespace: str) -> Iterator[Program]:
    """A program whose objects are in the test's namespace."""
    if shutil.which("pulumi", path=environment["PATH"]) is None:
        pytest.fail("pulumi is not on PATH")
    yield Program(environment, tmp_path, namespace)


UP = ("up", "--yes", "--skip-preview")


@expect(
    "a preview after an up is empty, also with patches and after a refresh; destroy leaves nothing",
    source="provider/provider.go (Diff)",
)
def test_life(program: Program, cluster: Cluster, namespace: str) -> None:
    program.run(*UP)
    program.run("config", "set", "note", "2")
    program.run(*UP)
    program.run("refresh", "--yes", "--expect-no-changes")
    assert "not-in-any-state" not in program.run("preview", "--expect-no-changes", "--diff")
    assert "not-in-any-state" not in program.run("stack", "export")
    program.run("destroy", "--yes", "--skip-preview")

    assert cluster.get("deployment", "web", namespace) is None


@expect(
    "an object that did not become ready is in the state with its errors, and the next up retries it",
    source="provider/provider.go (partialError)",
)
def test_init_errors(program: Program) -> None:
    program.run("config", "set", "node", "nowhere")
    program.run("config", "set", "timeout", "2")
    said = program.run(*UP, fails=True)

    assert "Minimum number of live Pods was not attained" in said
    resources = json.loads(program.run("stack", "export"))["deployment"]["resources"]
    (web,) = [each for each in resources if each["urn"].endswith("::web")]
    assert any("timed out waiting to be Ready" in each for each in web["initErrors"])
    program.run("config", "rm", "node")
    program.run(*UP)


@expect(
    "a killed up leaves its object in the cluster and not in the state: already exists",
    source="await/await.go (Creation)",
)
def test_killed(program: Program, cluster: Cluster, namespace: str) -> None:
    program.run("config", "set", "node", "nowhere")
    running = program.start(*UP)
    cluster.until(lambda: cluster.get("deployment", "web", namespace) is not None, "no Deployment", seconds=60)
    running.send_signal(signal.SIGKILL)
    running.wait()
    time.sleep(0.5)
    kill_session(running.pid)
    program.run("cancel", "--yes")

    assert "already exists" in program.run(*UP, fails=True)
