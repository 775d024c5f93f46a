"""Conformance: the invoke `kubernetes:helm:template`, which renders a chart without installing it."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local.provider.property_values import UNKNOWN, Secret
from tests.live.local.provider.chart_repository import ChartRepository
from tests.live.local.provider.conftest import Cluster
from tests.live.local.provider.expectations import expect
from tests.live.local.provider.plugin import Failure, Plugin

TEMPLATE = "provider/invoke_helm_template.go"
INVOKE = "provider/provider.go (Invoke)"
DECODE = "provider/invoke_decode_yaml.go (decodeYaml)"
DOCS = "https://www.pulumi.com/registry/packages/kubernetes/api-docs/helm/v3/chart/"
TOKEN = "helm:template"

_FILES = {
    "Chart.yaml": "apiVersion: v2\nname: lamp\nversion: 1.2.3\n",
    "values.yaml": "message: hello\noptional: some\n",
    "crds/lamps.yaml": """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: lamps.conformance.example.com}
spec: {group: conformance.example.com, scope: Cluster, names: {kind: Lamp, plural: lamps}}
""",
    "templates/settings.yaml": """\
{{- if eq .Values.message "fail" }}{{ fail "the lamp is broken" }}{{ end }}
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}-settings}
data:
  message: {{ .Values.message | quote }}
  optional: {{ .Values.optional | default "none" | quote }}
  number: {{ .Values.number | quote }}
  release: "{{ .Release.Name }} {{ .Release.Namespace }} {{ .Release.Revision }} {{ .Release.IsInstall }}"
  lookup: {{ lookup "v1" "Namespace" "" "default" | toJson | quote }}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: capabilities, namespace: elsewhere}
data:
  version: {{ .Capabilities.KubeVersion.Version | quote }}
  numbers: "{{ .Capabilities.KubeVersion.Major }}.{{ .Capabilities.KubeVersion.Minor }}"
  deployment: {{ .Capabilities.APIVersions.Has "apps/v1/Deployment" | quote }}
  apps: {{ .Capabilities.APIVersions.Has "apps/v1" | quote }}
  lamp: {{ .Capabilities.APIVersions.Has "conformance.example.com/v1/Lamp" | quote }}
""",
    "templates/scopes.yaml": """\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: lamp}
---
apiVersion: conformance.example.com/v1
kind: Lamp
metadata: {name: unknown}
---
# There is no kind.
apiVersion: v1
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: scalars
  annotations: {date: 2020-01-01, on: "x"}
data: {a: 1, b: 1e3, c: yes, d: 1:30, e: null, 80: x}
""",
    "templates/hooks.yaml": """\
apiVersion: batch/v1
kind: Job
metadata: {name: migrate, annotations: {"helm.sh/hook": "pre-install"}}
---
apiVersion: v1
kind: Pod
metadata: {name: probe, annotations: {"helm.sh/hook": "test"}}
""",
}


@pytest.fixture
def chart(tmp_path: Path) -> str:
    """A chart with a CRD, a hook, a test hook, and objects with and without a namespace."""
    folder = tmp_path / "lamp"
    for name, content in _FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    return str(folder)


@pytest.fixture
def repository(chart: str, tmp_path: Path) -> Iterator[ChartRepository]:
    """A chart repository on loopback with that chart."""
    with ChartRepository.serving(chart, tmp_path / "repository") as server:
        yield server


def _template(plugin: Plugin, **options: Any) -> list[dict[str, Any]]:
    answer = plugin.invoke(TOKEN, {"jsonOpts": json.dumps({"release_name": "it", **options})})
    assert list(answer) == ["result"]
    return list(answer["result"])


def _named(objects: list[dict[str, Any]], name: str) -> dict[str, Any]:
    (found,) = [each for each in objects if each["metadata"]["name"] == name]
    return found


def _names(objects: list[dict[str, Any]]) -> list[str]:
    return [f"{each['kind']}/{each['metadata']['name']}" for each in objects]


@expect(
    "the result is the list of the chart's CRDs, objects and hooks, without test hooks and documents without a kind",
    source=f"{TEMPLATE} (getManifest), {DECODE}",
)
def test_objects(plugin: Plugin, chart: str) -> None:
    assert _names(_template(plugin, path=chart)) == [
        "CustomResourceDefinition/lamps.conformance.example.com",
        "ConfigMap/scalars",
        "ConfigMap/it-settings",
        "ConfigMap/capabilities",
        "ClusterRole/lamp",
        "Lamp/unknown",
        "Job/migrate",
    ]


@expect("include_test_hook_resources includes test hooks, skip_crd_rendering excludes CRDs", source=DOCS)
def test_hooks_and_crds(plugin: Plugin, chart: str) -> None:
    names = _names(_template(plugin, path=chart, include_test_hook_resources=True, skip_crd_rendering=True))

    assert names[-2:] == ["Pod/probe", "Job/migrate"]
    assert not any(name.startswith("CustomResourceDefinition") for name in names)


@expect(
    "objects without a namespace get the given one, except cluster-scoped ones; unknown kinds count as namespaced",
    source=DECODE,
)
def test_namespaces(plugin: Plugin, chart: str) -> None:
    objects = _template(plugin, path=chart, namespace="here")
    namespaces = {each["metadata"]["name"]: each["metadata"].get("namespace") for each in objects}

    assert namespaces == {
        "lamps.conformance.example.com": None,
        "it-settings": "here",
        "capabilities": "elsewhere",
        "lamp": None,
        "unknown": "here",
        "scalars": "here",
        "migrate": "here",
    }
    assert _named(objects, "it-settings")["data"]["release"] == "it here 1 true"


@expect(
    "without a namespace the chart is rendered for `default`, and no namespace is set in the objects",
    source=f"{TEMPLATE} (template), {INVOKE}",
)
def test_default_namespace(plugin: Plugin, chart: str) -> None:
    settings = _named(_template(plugin, path=chart), "it-settings")

    assert settings["data"]["release"] == "it default 1 true"
    assert "namespace" not in settings["metadata"]


@expect("values override those of the chart; null removes one; numbers are floating-point", source=DOCS)
def test_values(plugin: Plugin, chart: str) -> None:
    values = {"message": 'a "b" \\ {{ c }} \n é 😀 \x7f', "optional": None, "number": 1000000}
    data = _named(_template(plugin, path=chart, values=values), "it-settings")["data"]

    assert data["message"] == values["message"]
    assert (data["optional"], data["number"]) == ("none", "1e+06")


@expect(
    "scalars are read as Go's YAML library reads them",
    source=f"{DECODE}, https://pkg.go.dev/sigs.k8s.io/yaml",
)
def test_scalars(plugin: Plugin, chart: str) -> None:
    scalars = _named(_template(plugin, path=chart), "scalars")

    assert scalars["metadata"]["annotations"] == {"date": "2020-01-01", "true": "x"}
    assert scalars["data"] == {"a": 1, "b": 1000, "c": True, "d": "1:30", "e": None, "80": "x"}


@expect(
    "the chart sees the cluster's version and API versions, and cannot look objects up",
    source=f"{TEMPLATE} (setKubeVersionAndAPIVersions)",
)
def test_capabilities(plugin: Plugin, cluster: Cluster, chart: str) -> None:
    objects = _template(plugin, path=chart)
    data = _named(objects, "capabilities")["data"]
    version = json.loads(cluster.run("kubectl", "version", "-o", "json"))["serverVersion"]

    assert data == {
        "version": version["gitVersion"],
        "numbers": f"{version['major']}.{version['minor']}",
        "deployment": "true",
        "apps": "true",
        "lamp": "false",
    }
    assert _named(objects, "it-settings")["data"]["lookup"] == "{}"


@expect("kube_version and api_versions replace those of the cluster", source=f"{TEMPLATE} (template)")
def test_given_capabilities(plugin: Plugin, chart: str) -> None:
    given = _template(
        plugin, path=chart, kube_version="1.29.4", api_versions=["conformance.example.com/v1/Lamp", "example.com/v2"]
    )

    data = _named(given, "capabilities")["data"]
    assert (data["version"], data["numbers"], data["lamp"]) == ("v1.29.4", "1.29", "true")
    assert (data["deployment"], data["apps"]) == ("false", "true"), "Helm's own list has groups and no kinds"


@expect(
    "if the cluster is unreachable, the chart is rendered for Helm's default version, with a warning",
    source=f"{TEMPLATE} (template)",
)
def test_unreachable(new_plugin: Callable[..., Plugin], chart: str) -> None:
    kubeconfig = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "a", "cluster": {"server": "http://127.0.0.1:9"}}],
        "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}],
        "users": [{"name": "a", "user": {}}],
        "current-context": "a",
    }
    plugin = new_plugin(kubeconfig=json.dumps(kubeconfig))
    objects = _template(plugin, path=chart, namespace="here")

    assert any(message.startswith("unable to determine cluster's API version: ") for message in plugin.log)
    assert _named(objects, "capabilities")["data"]["version"] == "v1.20.0"
    assert "namespace" not in _named(objects, "lamp")["metadata"]
    assert _named(objects, "unknown")["metadata"]["namespace"] == "here"


@expect("nothing is created in the cluster, and no release is recorded", source=DOCS)
def test_nothing_is_created(plugin: Plugin, cluster: Cluster, namespace: str, chart: str) -> None:
    _template(plugin, path=chart, namespace=namespace)

    assert cluster.get("configmap", "it-settings", namespace) is None
    assert cluster.run("helm", "list", "--all", "-n", namespace, "-q") == ""


@expect("a chart comes from the repository of fetch_opts, in the newest version", source=f"{TEMPLATE} (fetch)")
def test_repository(plugin: Plugin, repository: ChartRepository) -> None:
    objects = _template(plugin, chart="lamp", fetch_opts={"repo": repository.url})

    assert "ConfigMap/it-settings" in _names(objects)


@expect("the version applies before that of fetch_opts", source=f"{TEMPLATE} (fetch)")
def test_version(plugin: Plugin, repository: ChartRepository) -> None:
    fetch = {"repo": repository.url, "version": "9.9.9"}

    assert _template(plugin, chart="lamp", version="~1.2.0", fetch_opts=fetch)
    with pytest.raises(Failure, match=r'failed to pull chart: chart "lamp" version "9\.9\.9" not found in'):
        _template(plugin, chart="lamp", fetch_opts=fetch)


@expect("a repository with a password", source=f"{TEMPLATE} (fetch)")
def test_password(plugin: Plugin, chart: str, tmp_path: Path) -> None:
    with ChartRepository.serving(chart, tmp_path / "private", username="me", password="psst") as server:
        fetch = {"repo": server.url, "username": "me", "password": "psst"}
        assert _template(plugin, chart="lamp", fetch_opts=fetch)
        with pytest.raises(Failure, match=r"failed to pull chart: .*401 Unauthorized") as failure:
            _template(plugin, chart="lamp", fetch_opts={**fetch, "password": "wrong-one"})

    assert "wrong-one" not in str(failure.value)


@expect(
    "the URL of an archive works only if the chart's name has no hyphen",
    source=f"{TEMPLATE} (template, the expression for an archive)",
)
def test_archive(plugin: Plugin, chart: str, repository: ChartRepository) -> None:
    assert _template(plugin, chart=f"{repository.url}/lamp-1.2.3.tgz")

    archive = repository.folder / "my-lamp-1.2.3.tgz"
    os.link(repository.folder / "lamp-1.2.3.tgz", archive)
    with pytest.raises(Failure, match=r"failed to load chart from temp directory: stat .*/my: no such file"):
        _template(plugin, chart=f"{repository.url}/{archive.name}")


_FAILED = "failed to generate YAML for specified Helm chart: "


@expect("errors name the step that failed, and have Helm's message", source=f"{TEMPLATE}, {INVOKE}")
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"path": "/nowhere/lamp"}, "failed to load chart from temp directory: stat /nowhere/lamp: no such file"),
        ({"chart": "lamp"}, "failed to pull chart: non-absolute URLs should be in form of repo_name/path_to_chart"),
        ({"chart": "lamp", "repo": "nowhere"}, "failed to pull chart: repo nowhere not found"),
        (
            {"chart": "lamp", "repo": "https://x"},
            "'repo' option specifies the name of the Helm Chart repo, not the URL",
        ),
        (
            {"chart": "lamp", "fetch_opts": {"repo": "http://127.0.0.1:9"}},
            'failed to pull chart: looks like "http://127.0.0.1:9" is not a valid chart repository or cannot be',
        ),
        ({"values": {"message": "fail"}}, "failed to create chart from template: execution error at"),
        ({"values": {"message": {"a": 1}}}, "failed to create chart from template: template: lamp/templates/settings"),
        ({"release_name": ""}, 'failed to create chart from template: release name ""'),
        ({"release_name": "It"}, 'failed to create chart from template: release name "It": invalid release name'),
        ({"kube_version": "new"}, 'could not get parse kube_version "new" from chart options: '),
    ],
)
def test_errors(plugin: Plugin, chart: str, options: dict[str, Any], message: str) -> None:
    local = {} if "chart" in options or "path" in options else {"path": chart}
    with pytest.raises(Failure) as failure:
        _template(plugin, **local, **options)

    assert str(failure.value).startswith(_FAILED + message)


@expect("a template that is not YAML is an error", source="https://helm.sh/docs/chart_template_guide/debugging/")
def test_malformed_template(plugin: Plugin, chart: str) -> None:
    (Path(chart) / "templates" / "bad.yaml").write_text("kind: [\n")
    with pytest.raises(Failure, match=f"^{_FAILED}failed to create chart from template: YAML parse error on lamp/"):
        _template(plugin, path=chart)


@expect("jsonOpts is text with a JSON object of the right types", source=INVOKE)
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "missing required field 'jsonOpts' of type string"),
        ({"jsonOpts": {"chart": "lamp"}}, "missing required field 'jsonOpts' of type string"),
        ({"jsonOpts": UNKNOWN}, "missing required field 'jsonOpts' of type string"),
        ({"jsonOpts": "{"}, "failed to unmarshal 'jsonOpts': "),
        ({"jsonOpts": "[]"}, "failed to unmarshal 'jsonOpts': json: cannot unmarshal array into Go value of type"),
        ({"jsonOpts": '{"chart": 1}'}, "failed to unmarshal 'jsonOpts': json: cannot unmarshal number into Go struct"),
    ],
)
def test_arguments(plugin: Plugin, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(Failure) as failure:
        plugin.invoke(TOKEN, arguments)

    assert str(failure.value).startswith(message)


@expect("options that are null, and those that only the SDK uses, have no effect", source=DOCS)
def test_options_without_effect(plugin: Plugin, chart: str) -> None:
    nothing = {"transformations": None, "resource_prefix": "x", "skip_await": True, "values": None, "fetch_opts": None}

    assert _template(plugin, path=chart, **nothing) == _template(plugin, path=chart)


@expect("a secret is accepted; the result and the log have no secret mark and no text of it", source=INVOKE)
def test_secrets(plugin: Plugin, chart: str) -> None:
    options = json.dumps({"path": chart, "release_name": "it", "values": {"message": "not-in-any-log"}})
    answer = plugin.invoke(TOKEN, {"jsonOpts": Secret(options)})

    assert _named(answer["result"], "it-settings")["data"]["message"] == "not-in-any-log"
    assert not any("not-in-any-log" in message for message in plugin.log)
