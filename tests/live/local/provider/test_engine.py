"""Conformance with the real engine: what the user sees of previews, failures and killed runs."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from local.toolchain import provider_plugins
from tests.live.commands import kill_session, wait_until
from tests.live.local.provider.conftest import Cluster
from tests.live.local.provider.expectations import expect
from tests.live.local.provider.plugin import Plugin
from tests.live.local.pulumi_program import PulumiProgram

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

_CHART_PROGRAM = """\
import pulumi
from pulumi_kubernetes.helm.v3 import Chart, LocalChartOpts

config = pulumi.Config()
chart = Chart(
    "lamp",
    LocalChartOpts(
        path="lamp",
        namespace=config.require("namespace"),
        values={"note": config.get("note") or "1", "password": config.require_secret("password")},
    ),
)
pulumi.export("resources", chart.resources.apply(sorted))
"""
_TEMPLATE = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}-settings}
data: {note: {{ .Values.note | quote }}}
---
apiVersion: v1
kind: Secret
metadata: {name: {{ .Release.Name }}-hidden}
stringData: {password: {{ .Values.password | quote }}}
"""


@pytest.fixture
def program(environment: dict[str, str], tmp_path: Path, namespace: str) -> PulumiProgram:
    """A program whose objects are in the test's namespace, with the plugin under test."""
    if shutil.which("pulumi", path=environment["PATH"]) is None:
        pytest.fail("pulumi is not on PATH")
    home = tmp_path / "home"
    provider_plugins.put_stand_in("kubernetes", home, command=environment.get("PULUMI_KUBERNETES_PLUGIN", ""))
    # The engine looks for the plugins of all installed SDKs.
    provider_plugins.put_stand_in("random", home)
    variables = {
        **environment,
        "PULUMI_HOME": str(home),
        "PULUMI_CONFIG_PASSPHRASE": "conformance",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }
    variables.pop("PULUMI_CONFIG_PASSPHRASE_FILE", None)
    created = PulumiProgram(tmp_path, variables, name="conformance", source=_PROGRAM)
    created.run("config", "set", "namespace", namespace)
    created.run("config", "set", "--secret", "password", "not-in-any-state")
    return created


UP = ("up", "--yes", "--skip-preview")


@expect(
    "a preview after an up is empty, also with patches and after a refresh; destroy leaves nothing",
    source="provider/provider.go (Diff)",
)
def test_life(program: PulumiProgram, cluster: Cluster, namespace: str) -> None:
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
def test_init_errors(program: PulumiProgram) -> None:
    program.run("config", "set", "node", "nowhere")
    program.run("config", "set", "timeout", "2")
    output = program.run(*UP, fails=True)

    assert "Minimum number of live Pods was not attained" in output
    resources = json.loads(program.run("stack", "export"))["deployment"]["resources"]
    (web,) = [each for each in resources if each["urn"].endswith("::web")]
    assert any("timed out waiting to be Ready" in each for each in web["initErrors"])
    program.run("config", "rm", "node")
    program.run(*UP)


@expect(
    "a killed up leaves its object in the cluster and not in the state: already exists",
    source="await/await.go (Creation)",
)
def test_killed(program: PulumiProgram, cluster: Cluster, namespace: str) -> None:
    program.run("config", "set", "node", "nowhere")
    running = program.start(*UP)
    wait_until(lambda: cluster.get("deployment", "web", namespace) is not None, "no Deployment", seconds=60)
    running.send_signal(signal.SIGKILL)
    running.wait()
    time.sleep(0.5)
    kill_session(running.pid)
    program.run("cancel", "--yes")

    assert "already exists" in program.run(*UP, fails=True)


def test_a_killed_plugin_leaves_no_process(new_plugin: Callable[..., Plugin]) -> None:
    plugin = new_plugin()
    found = subprocess.run(["pgrep", "-P", str(plugin.process.pid)], capture_output=True, text=True, check=False)
    plugin.stop()

    assert found.stdout or "PULUMI_KUBERNETES_PLUGIN" in os.environ, "the stand-in has a client"
    wait_until(lambda: not any(map(is_running, found.stdout.split())), "a process is left")


def is_running(pid: str) -> bool:
    return subprocess.run(["kill", "-0", pid], capture_output=True, check=False).returncode == 0


@expect(
    "helm.v3.Chart of the SDK renders a chart in preview and up, and its objects are resources of the stack",
    source="https://www.pulumi.com/registry/packages/kubernetes/api-docs/helm/v3/chart/",
)
def test_chart(program: PulumiProgram, cluster: Cluster, namespace: str) -> None:
    (program.folder / "__main__.py").write_text(_CHART_PROGRAM)
    (program.folder / "lamp" / "templates").mkdir(parents=True)
    (program.folder / "lamp" / "Chart.yaml").write_text("apiVersion: v2\nname: lamp\nversion: 1.2.3\n")
    (program.folder / "lamp" / "templates" / "all.yaml").write_text(_TEMPLATE)
    assert "not-in-any-state" not in program.run(*UP)
    program.run("preview", "--expect-no-changes")
    program.run("config", "set", "note", "2")
    assert "not-in-any-state" not in program.run("preview", "--diff")
    program.run(*UP)

    assert cluster.get("configmap", "lamp-settings", namespace)["data"] == {"note": "2"}
    assert cluster.get("secret", "lamp-hidden", namespace)["data"] == {"password": "bm90LWluLWFueS1zdGF0ZQ=="}
    assert json.loads(program.run("stack", "output", "resources", "--show-secrets")) == [
        f"v1/ConfigMap:{namespace}/lamp-settings",
        f"v1/Secret:{namespace}/lamp-hidden",
    ]
    assert "not-in-any-state" not in program.run("stack", "export")
    program.run("destroy", "--yes", "--skip-preview")
