"""Conformance: Helm releases."""

import json
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local.provider.property_values import UNKNOWN, Secret, plain
from tests.live.commands import wait_until
from tests.live.local.provider.chart_repository import ChartRepository
from tests.live.local.provider.conftest import Cluster
from tests.live.local.provider.expectations import expect
from tests.live.local.provider.plugin import Failure, Plugin

RELEASE = "provider/helm_release.go"
DOCS = "https://www.pulumi.com/registry/packages/kubernetes/api-docs/helm/v3/release/"
TOKEN = "helm.sh/v3:Release"

_TEMPLATE = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}-settings, namespace: {{ .Release.Namespace }}}
data:
  message: {{ .Values.message | quote }}
  optional: {{ .Values.optional | default "none" | quote }}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}-web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: nginx}]
      {{- with .Values.node }}
      nodeSelector: {there-is: {{ . }}}
      {{- end }}
"""


@pytest.fixture
def chart(tmp_path: Path) -> str:
    """A small chart with a ConfigMap and a Deployment. `node` prevents its pods from being scheduled."""
    folder = tmp_path / "lamp"
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: lamp\nversion: 1.2.3\nappVersion: '9'\n")
    (folder / "values.yaml").write_text("message: hello\noptional: some\n")
    (folder / "templates" / "all.yaml").write_text(_TEMPLATE)
    return str(folder)


@pytest.fixture
def repository(chart: str, tmp_path: Path) -> Iterator[ChartRepository]:
    """A chart repository on loopback with that chart."""
    with ChartRepository.serving(chart, tmp_path / "repository") as server:
        yield server


def _release(namespace: str, chart: str, **more: Any) -> dict[str, Any]:
    return {"name": "it", "namespace": namespace, "chart": chart, "timeout": 30, **more}


@expect(
    "the inputs get a name with a random suffix, the provider's namespace, timeout 300 and the chart's version",
    source=f"{RELEASE} (Check, setDefaults)",
)
def test_check(plugin: Plugin, chart: str) -> None:
    inputs = plugin.resource(TOKEN, "lamp").checked({"chart": chart})

    assert inputs["name"].startswith("lamp-")
    assert (inputs["namespace"], inputs["timeout"], inputs["version"]) == ("default", 300, "1.2.3")


@expect(
    "every check loads the chart, and fails if it cannot be loaded",
    source=f"{RELEASE} (Check, helmLoad)",
)
def test_missing_chart(plugin: Plugin) -> None:
    _, failures = plugin.resource(TOKEN).check({"chart": "/nowhere/lamp"})

    assert failures == ['path "/nowhere/lamp" not found; check the chart name and repository configuration.']


@expect(
    "a chart is loaded from a repository by name, and the inputs get its version",
    source=f"{RELEASE} (Check, getChart)",
)
def test_repository(plugin: Plugin, cluster: Cluster, namespace: str, repository: ChartRepository) -> None:
    options = {"repo": repository.url}
    resource = plugin.resource(TOKEN)
    inputs = resource.checked(_release(namespace, "lamp", version=">=1.0.0", repositoryOpts=options))
    resource.create(inputs)

    assert inputs["version"] == "1.2.3"
    assert cluster.get("configmap", "it-settings", namespace) is not None


@expect(
    "a repository that is down fails every run, even without changes",
    source=f"{RELEASE} (Check, helmLoad)",
)
def test_repository_down(plugin: Plugin, namespace: str) -> None:
    options = {"repo": "http://127.0.0.1:9"}
    _, failures = plugin.resource(TOKEN).check(_release(namespace, "lamp", repositoryOpts=options))

    assert len(failures) == 1
    assert "check the chart name and repository configuration" in failures[0]


@expect("with unknown inputs the chart is not loaded", source=f"{RELEASE} (Check)")
def test_unknown_inputs(plugin: Plugin) -> None:
    inputs = plugin.resource(TOKEN).checked({"chart": "/nowhere/lamp", "values": {"a": UNKNOWN}})

    assert inputs["values"]["a"] is UNKNOWN


@expect(
    "resourceNames and status are unknown in a preview that changes the release",
    source=f"{RELEASE} (checkpointRelease)",
)
def test_preview(plugin: Plugin, cluster: Cluster, namespace: str, chart: str) -> None:
    shown = plugin.resource(TOKEN).create(_release(namespace, chart), preview=True)

    assert (shown["resourceNames"], shown["status"]) == (UNKNOWN, UNKNOWN)
    assert cluster.get("deployment", "it-web", namespace) is None


@expect(
    "an installed release has resource names, status and inputs in the state; the same inputs change nothing",
    source=DOCS,
)
def test_create(plugin: Plugin, cluster: Cluster, namespace: str, chart: str) -> None:
    release = plugin.resource(TOKEN)
    inputs = _release(namespace, chart, values={"message": "hi", "list": [1, {"a": "b"}], "nothing": None})
    release.create(inputs)

    assert release.id == f"{namespace}/it"
    assert release.state["resourceNames"] == {
        "ConfigMap/v1": [f"{namespace}/it-settings"],
        "Deployment.apps/apps/v1": ["it-web"],
    }
    assert release.state["status"] == {
        "appVersion": "9",
        "chart": "lamp",
        "name": "it",
        "namespace": namespace,
        "revision": 1,
        "status": "deployed",
        "version": "1.2.3",
    }
    assert release.state["__inputs"] == Secret(release.inputs)
    assert cluster.get("deployment", "it-web", namespace)["status"]["readyReplicas"] == 1
    assert not release.diff(inputs).changed
    release.read()
    assert not release.diff(inputs).changed


@expect(
    "values are diffed one by one, secrets stay secret, and a change upgrades the release",
    source=f"{RELEASE} (Diff, Update)",
)
def test_update(plugin: Plugin, cluster: Cluster, namespace: str, chart: str) -> None:
    release = plugin.resource(TOKEN)
    release.create(_release(namespace, chart, values={"message": "hi", "other": {"a": 1, "b": 2}}))
    after = _release(namespace, chart, values={"message": Secret("psst"), "other": {"a": 1, "c": 3}})
    found = release.diff(after)

    assert found.paths == {"values.message": "UPDATE", "values.other.b": "DELETE", "values.other.c": "ADD"}
    assert found.replaces == []
    release.update(after)
    assert release.state["values"]["message"] == Secret("psst")
    assert release.state["status"]["revision"] == 2
    assert cluster.get("configmap", "it-settings", namespace)["data"]["message"] == "psst"


@expect("a null value removes the chart's default", source="issue pulumi/pulumi-kubernetes#2997")
def test_null(plugin: Plugin, cluster: Cluster, namespace: str, chart: str) -> None:
    plugin.resource(TOKEN).create(_release(namespace, chart, values={"optional": None}))

    assert cluster.get("configmap", "it-settings", namespace)["data"]["optional"] == "none"


@expect(
    "an upgrade without values keeps the values of the last revision", source="https://helm.sh/docs/helm/helm_upgrade/"
)
def test_no_values(plugin: Plugin, cluster: Cluster, namespace: str, chart: str) -> None:
    release = plugin.resource(TOKEN)
    release.create(_release(namespace, chart, skipAwait=True, values={"message": "hi"}))
    release.update(_release(namespace, chart, skipAwait=True, values={}))

    assert cluster.get("configmap", "it-settings", namespace)["data"]["message"] == "hi"


@expect("a chart's new version upgrades the release", source=f"{RELEASE} (Check)")
def test_new_version(plugin: Plugin, namespace: str, chart: str) -> None:
    release = plugin.resource(TOKEN)
    release.create(_release(namespace, chart, skipAwait=True))
    (Path(chart) / "Chart.yaml").write_text("apiVersion: v2\nname: lamp\nversion: 1.2.4\n")

    assert release.diff(_release(namespace, chart, skipAwait=True)).paths == {"version": "UPDATE"}


@expect(
    "a change of name or namespace replaces the release, and the new one is created first", source=f"{RELEASE} (Diff)"
)
def test_identity(plugin: Plugin, namespace: str, chart: str) -> None:
    release = plugin.resource(TOKEN)
    release.create(_release(namespace, chart, skipAwait=True))

    assert release.diff(_release(namespace, chart, skipAwait=True) | {"name": "other"}).paths == {
        "name": "UPDATE_REPLACE"
    }
    moved = release.diff(_release("default", chart, skipAwait=True))
    assert moved.paths == {"namespace": "UPDATE_REPLACE"}
    assert not moved.delete_first


@expect(
    "a release that does not become ready in time fails, is recorded, and stays failed in Helm",
    source=f"{RELEASE} (Create)",
)
def test_failed_install(plugin: Plugin, cluster: Cluster, namespace: str, chart: str) -> None:
    release = plugin.resource(TOKEN)
    with pytest.raises(
        Failure, match=r"was created, but failed to initialize completely\. Use Helm CLI to investigate"
    ):
        release.create(_release(namespace, chart, timeout=2, values={"node": "nowhere"}))

    assert release.id == f"{namespace}/it"
    assert release.state["status"]["status"] == "failed"
    release.update(_release(namespace, chart, values={"message": "again"}))
    assert release.state["status"]["status"] == "deployed"


@expect("a failed upgrade is recorded with its values", source=f"{RELEASE} (Update)")
def test_failed_upgrade(plugin: Plugin, cluster: Cluster, namespace: str, chart: str) -> None:
    release = plugin.resource(TOKEN)
    release.create(_release(namespace, chart))
    with pytest.raises(Failure, match=r"failed to initialize completely\. Use Helm CLI to investigate"):
        release.update(_release(namespace, chart, timeout=2, values={"node": "nowhere"}))

    assert plain(release.state)["values"] == {"node": "nowhere"}
    assert _history(cluster, namespace) == ["deployed", "failed"]


@expect("a failed atomic upgrade is rolled back", source="https://helm.sh/docs/helm/helm_upgrade/")
def test_atomic(plugin: Plugin, cluster: Cluster, namespace: str, chart: str) -> None:
    release = plugin.resource(TOKEN)
    release.create(_release(namespace, chart))
    with pytest.raises(Failure):
        release.update(_release(namespace, chart, timeout=6, atomic=True, values={"node": "nowhere"}))

    assert _history(cluster, namespace) == ["superseded", "failed", "deployed"]


@expect("maxHistory limits the revisions; without it all are kept", source=DOCS)
def test_max_history(plugin: Plugin, cluster: Cluster, namespace: str, chart: str) -> None:
    release = plugin.resource(TOKEN)
    release.create(_release(namespace, chart, skipAwait=True))
    for number in (2, 3, 4):
        release.update(_release(namespace, chart, skipAwait=True, maxHistory=2, values={"message": str(number)}))

    assert len(_history(cluster, namespace)) == 2


@expect(
    "an existing release with the same name is an error with Helm's message",
    source="https://helm.sh/docs/helm/helm_install/",
)
def test_name_in_use(plugin: Plugin, namespace: str, chart: str) -> None:
    plugin.resource(TOKEN).create(_release(namespace, chart, skipAwait=True))
    other = plugin.resource(TOKEN, "other")

    with pytest.raises(Failure, match="cannot re-use a name that is still in use"):
        other.create(_release(namespace, chart, skipAwait=True))
    assert other.id == ""


@expect(
    "a release that a killed upgrade has left pending is reported with Helm's message",
    source="https://helm.sh/docs/faq/troubleshooting/",
)
def test_killed(
    new_plugin: Callable[..., Plugin], plugin: Plugin, cluster: Cluster, namespace: str, chart: str
) -> None:
    doomed = new_plugin()
    release = doomed.resource(TOKEN)
    release.create(_release(namespace, chart))
    waiting = _release(namespace, chart, values={"node": "nowhere"})

    def kill() -> None:
        wait_until(lambda: "pending-upgrade" in _history(cluster, namespace), "the upgrade has not begun")
        doomed.process.send_signal(signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(Failure):
        release.update(waiting)
    killer.join()
    wait_until(
        lambda: not cluster.run("pgrep", "-f", f"upgrade it .*{namespace}", check=False),
        "helm is still running",
        seconds=5,
    )
    assert _history(cluster, namespace) == ["deployed", "pending-upgrade"]

    release.plugin = plugin
    with pytest.raises(Failure, match=r"another operation \(install/upgrade/rollback\) is in progress"):
        release.update(waiting)


@expect("a cancelled upgrade ends and is recorded as failed", source=f"{RELEASE} (helmUpdate)")
def test_cancelled(new_plugin: Callable[..., Plugin], cluster: Cluster, namespace: str, chart: str) -> None:
    plugin = new_plugin()
    release = plugin.resource(TOKEN)
    release.create(_release(namespace, chart))

    def cancel() -> None:
        wait_until(lambda: "pending-upgrade" in _history(cluster, namespace), "the upgrade has not begun")
        plugin.cancel()

    threading.Thread(target=cancel).start()
    with pytest.raises(Failure, match="failed to initialize completely"):
        release.update(_release(namespace, chart, values={"node": "nowhere"}))
    assert _history(cluster, namespace) == ["deployed", "failed"]


@expect("reading a deleted release returns no id", source=f"{RELEASE} (Read)")
def test_read_of_deleted(plugin: Plugin, cluster: Cluster, namespace: str, chart: str) -> None:
    release = plugin.resource(TOKEN)
    release.create(_release(namespace, chart, skipAwait=True))
    cluster.run("helm", "uninstall", "it", "-n", namespace)

    assert release.read() == ""


@expect("a release is imported by namespace/name", source=DOCS)
def test_import(plugin: Plugin, cluster: Cluster, namespace: str, chart: str) -> None:
    cluster.run("helm", "install", "it", chart, "-n", namespace, "--set", "message=owner")
    release = plugin.resource(TOKEN)

    assert release.get(f"{namespace}/it") == f"{namespace}/it"
    assert plain(release.inputs)["values"] == {"message": "owner"}
    assert plain(release.inputs)["version"] == "1.2.3"


@expect("a delete uninstalls the release and waits until its resources are deleted", source=f"{RELEASE} (Delete)")
def test_delete(plugin: Plugin, cluster: Cluster, namespace: str, chart: str) -> None:
    release = plugin.resource(TOKEN)
    release.create(_release(namespace, chart))
    release.delete()

    assert cluster.get("deployment", "it-web", namespace) is None
    assert _history(cluster, namespace) == []


@expect("deleting a release that does not exist is an error with Helm's message", source=f"{RELEASE} (Delete)")
def test_delete_of_deleted(plugin: Plugin, cluster: Cluster, namespace: str, chart: str) -> None:
    release = plugin.resource(TOKEN)
    release.create(_release(namespace, chart, skipAwait=True))
    cluster.run("helm", "uninstall", "it", "-n", namespace)

    with pytest.raises(Failure, match="release: not found"):
        release.delete()


def _history(cluster: Cluster, namespace: str) -> list[str]:
    shown = cluster.run("helm", "history", "it", "-n", namespace, "-o", "json", check=False)
    return [each["status"] for each in json.loads(shown)] if shown else []
