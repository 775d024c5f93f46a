"""How helm is called for helm:template, and what is made of its output."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local.provider.kubernetes import cluster_versions, helm_template
from local.provider.kubernetes.api_client import ApiError
from local.provider.kubernetes.provider_config import ProviderConfig
from local.provider.kubernetes.provider_context import Context
from local.provider.kubernetes.provider_errors import ProviderError
from local.provider.property_values import Secret

_FAKE_HELM = """\
#!/bin/sh
echo "$@" >> "$RECORD"
cat > "$RECORD.stdin.$1"
env > "$RECORD.environment"
case "$1" in
pull) for each in "$@"; do case "$each" in --untardir=*) mkdir -p "${each#--untardir=}/lamp" ;; esac; done ;;
template) cat "$RECORD.manifest" ;;
esac
"""

_MANIFEST = """\
---
# Source: lamp/templates/a.yaml
apiVersion: v1
kind: Service
metadata: {name: a}
---
# Source: lamp/templates/c.yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: c, namespace: other}
data: {text: "helm.sh/hook: test"}
---
# Source: lamp/templates/d.yaml
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: d}
---
# Source: lamp/templates/e.yaml
apiVersion: example.com/v1
kind: Lamp
---
# Source: lamp/templates/hooks.yaml
apiVersion: v1
kind: Pod
metadata: {name: h, annotations: {helm.sh/hook: test}}
"""


@pytest.fixture
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fake helm that records how it is called and prints a manifest."""
    program = tmp_path / "bin" / "helm"
    program.parent.mkdir()
    program.write_text(_FAKE_HELM)
    program.chmod(0o755)
    (tmp_path / "lamp").mkdir()
    (tmp_path / "record.manifest").write_text(_MANIFEST)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("RECORD", str(tmp_path / "record"))
    return tmp_path / "record"


def _invoke(record: Path, logged: Callable[..., None] = print, **options: Any) -> list[dict[str, Any]]:
    """Renders without a cluster."""
    settings = ProviderConfig(helm={"registryConfigPath": "/not/used"})
    context = Context(settings, logged, unreachable="there is no cluster")
    local = {} if "chart" in options else {"path": str(record.with_name("lamp"))}
    text = json.dumps({"release_name": "it", **local, **options})
    return list(helm_template.invoke(context, {"jsonOpts": Secret(text)})["result"])


def test_a_local_chart(record: Path) -> None:
    _invoke(record)

    assert record.read_text() == (
        "template --namespace=default --values=- --kube-version=v1.20.0 --include-crds -- it "
        f"{record.with_name('lamp')}\n"
    )


def test_options_are_arguments(record: Path) -> None:
    _invoke(record, namespace="here", kube_version="1.29", api_versions=["a/v1", "b/v2"], skip_crd_rendering=True)

    called = record.read_text()
    assert "--namespace=here --values=- --kube-version=1.29 --api-versions=a/v1,b/v2 -- it" in called


def test_values_and_passwords_are_not_in_arguments_environment_or_log(record: Path) -> None:
    said: list[object] = []
    values = {"token": "psst", "emoji": "\N{GRINNING FACE}"}
    fetch = {"repo": "https://charts.example.com", "username": "me", "password": "hush"}
    _invoke(record, lambda *message: said.append(message), chart="lamp", values=values, fetch_opts=fetch)

    stdin = {verb: record.with_name(f"record.stdin.{verb}").read_text() for verb in ("repo", "template")}
    assert stdin == {"repo": "hush", "template": '{"token": "psst", "emoji": "\\U0001F600"}'}
    shown = record.read_text() + record.with_name("record.environment").read_text() + str(said)
    assert "psst" not in shown and "hush" not in shown
    assert "repo add --username=me --password-stdin -- stand-in https://charts.example.com" in shown
    assert "-- stand-in/lamp" in shown


@pytest.mark.parametrize(
    ("options", "arguments"),
    [
        ({"chart": "lamp", "repo": "shop/"}, "--repo= --username= -- shop/lamp"),
        ({"chart": "shop/lamp", "repo": "shop", "version": "1"}, "--version=1 --repo= --username= -- shop/lamp"),
        ({"chart": "shop/lamp", "fetch_opts": {"devel": True}}, "--version=>0.0.0-0 --repo= --username= -- shop/lamp"),
        (
            {"chart": "lamp", "fetch_opts": {"repo": "https://x", "version": "2", "ca_file": "ca", "verify": True}},
            "--version=2 --verify --keyring= --repo=https://x --username= --ca-file=ca -- lamp",
        ),
        (
            {"chart": "oci://x/lamp", "helm_registry_config": "r", "fetch_opts": {"password": "p", "ca_file": "c"}},
            "--registry-config=r -- oci://x/lamp",
        ),
    ],
)
def test_downloads(record: Path, options: dict[str, Any], arguments: str) -> None:
    _invoke(record, **options)

    pulled, rendered = record.read_text().splitlines()
    folder = re.escape(rendered.split()[-1].removesuffix("/lamp"))
    assert re.fullmatch(f"pull --untar --untardir={folder} --destination={folder} {re.escape(arguments)}", pulled)


def test_helm_gets_no_cluster_and_the_default_registry_login(record: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELM_KUBECONTEXT", "mine")
    _invoke(record, chart="lamp", fetch_opts={"home": "/old"})

    environment = record.with_name("record.environment").read_text().splitlines()
    assert {"KUBECONFIG=/dev/null", "HELM_KUBECONTEXT=", "HELM_REGISTRY_CONFIG=", "HELM_HOME=/old"} <= {*environment}


def test_the_last_hook_has_no_line_break_at_its_end(record: Path) -> None:
    hook = "apiVersion: v1\nkind: A\nmetadata: {annotations: {helm.sh/hook: pre-install}}\ntext: |\n  x\n"
    test = hook.replace("pre-install", "test")
    record.with_name("record.manifest").write_text(f"---\n{hook}---\n{hook}---\n{test}")

    assert [each["text"] for each in _invoke(record)] == ["x\n", "x"]
    assert [each["text"] for each in _invoke(record, include_test_hook_resources=True)] == ["x\n", "x\n", "x"]


def test_objects(record: Path) -> None:
    objects = _invoke(record, namespace="here")

    assert [(each["kind"], each.get("metadata", {}).get("namespace")) for each in objects] == [
        ("Service", "here"),
        ("ConfigMap", "other"),
        ("ClusterRole", None),
        ("Lamp", "here"),
    ]


def test_test_hooks(record: Path) -> None:
    assert _invoke(record, include_test_hook_resources=True)[-1]["metadata"]["name"] == "h"


@pytest.mark.parametrize(
    ("chart", "folder"),
    [
        *(("lamp", "lamp"), ("shop/lamp", "lamp"), ("oci://x/y/lamp", "lamp"), ("a/b/lamp", "a/b/lamp")),
        *(("https://x/lamp-1.2.3.tgz", "lamp"), ("https://x/my-lamp-1.2.3.tgz", "my")),
    ],
)
def test_folder_of_a_downloaded_chart(record: Path, chart: str, folder: str) -> None:
    if folder == "lamp":
        assert _invoke(record, chart=chart)
        return
    with pytest.raises(ProviderError, match=f"failed to load chart from temp directory: stat .*/charts/{folder}: no"):
        _invoke(record, chart=chart)


def _failing(record: Path, message: str, *, show: int) -> None:
    """Makes `helm template` fail with a message, and `helm show` end with a code."""
    said = record.with_name("said")
    said.write_text(message)
    (record.with_name("bin") / "helm").write_text(
        f"#!/bin/sh\n[ $1 = show ] && echo Error: no chart >&2 && exit {show}\ncat {said} >&2\nexit 1\n"
    )


@pytest.mark.parametrize(
    ("said", "show", "message"),
    [
        ("Error: it is so: Error: really", 0, "failed to create chart from template: it is so: Error: really$"),
        ("level=INFO\nError: a\n\nUse --debug flag to render out invalid YAML", 0, "from template: a$"),
        ("Error: Chart.yaml file is missing", 1, "failed to load chart from temp directory: no chart$"),
        ("Error: invalid kube version 'x': no", 0, 'could not get parse kube_version "" from chart options: no$'),
        ("Error: library charts are not installable", 0, "does not render a chart of this type; use the official"),
        ("Error: An error occurred while checking for chart dependencies. x", 0, "a chart without its dependencies"),
    ],
)
def test_errors(record: Path, said: str, show: int, message: str) -> None:
    _failing(record, said, show=show)
    with pytest.raises(ProviderError, match=message) as problem:
        _invoke(record)

    assert str(problem.value).startswith("failed to generate YAML for specified Helm chart: ")


def test_output_that_is_not_yaml(record: Path) -> None:
    record.with_name("record.manifest").write_text("a: [psst\n")
    with pytest.raises(ProviderError, match=r"^failed to decode YAML for specified Helm chart: ") as problem:
        _invoke(record)

    assert "psst" not in str(problem.value)


class _Api:
    """An API server with fixed answers."""

    def __init__(self, **version: str) -> None:
        self.answers: dict[str, Any] = {
            "/version": {"major": "1", "minor": "36", "gitVersion": "v1.36.3", **version},
            "/api": {"versions": ["v1"]},
            "/apis": {"groups": [{"versions": [{"groupVersion": "apps/v1"}, {"groupVersion": "broken/v1"}]}]},
            "/api/v1": {"resources": [{"kind": "Pod"}, {"kind": "Pod"}]},
            "/apis/apps/v1": {"resources": [{"kind": "Deployment"}, {"kind": "Scale"}]},
        }

    def request(self, method: str, path: str) -> Any:
        if path not in self.answers:
            raise ApiError(503, "", "unavailable", {})
        return self.answers[path]


def _with_cluster(record: Path, api: _Api, said: list[str], **options: Any) -> None:
    context = Context(ProviderConfig(), lambda *message: said.append(message[2]), api=api)  # type: ignore[arg-type]
    text = json.dumps({"release_name": "it", "path": str(record.with_name("lamp")), **options})
    helm_template.invoke(context, {"jsonOpts": text})


def test_the_clusters_versions(record: Path) -> None:
    _with_cluster(record, _Api(), [])

    versions = "apps/v1,apps/v1/Deployment,apps/v1/Scale,broken/v1,v1,v1/Pod"
    assert f"--kube-version=v1.36.3 --api-versions={versions} " in record.read_text()


def test_a_cluster_that_does_not_answer(record: Path) -> None:
    api, said = _Api(), []  # type: ignore[var-annotated]
    del api.answers["/apis"]
    _with_cluster(record, api, said)

    assert "--kube-version=v1.36.3 --include-crds" in record.read_text()
    assert said == ["unable to determine cluster's API version: could not get apiVersions from Kubernetes: unavailable"]


@pytest.mark.parametrize("version", [{"minor": "36+"}, {"gitVersion": "v1.36.3-gke.100"}])
def test_a_version_that_helm_cannot_be_given(record: Path, version: dict[str, str]) -> None:
    with pytest.raises(ProviderError, match="does not render charts for a cluster of version"):
        cluster_versions.kube_version(_Api(**version))  # type: ignore[arg-type]

    _with_cluster(record, _Api(**version), [], kube_version="1.36")
    assert "--kube-version=1.36 " in record.read_text()
