"""The arguments of helm, which contain no secrets."""

import os
from pathlib import Path

import pytest
import yaml

from local.provider.kubernetes import helm_cli, helm_release, helm_storage
from local.provider.kubernetes.provider_config import ProviderConfig
from local.provider.kubernetes.provider_context import Context
from local.provider.property_values import Secret

_FAKE_HELM = """\
#!/bin/sh
echo "$@" >> "$RECORD"
cat > "$RECORD.stdin"
echo "{}"
"""


@pytest.fixture
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fake helm that records how it is called."""
    program = tmp_path / "bin" / "helm"
    program.parent.mkdir()
    program.write_text(_FAKE_HELM)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("RECORD", str(tmp_path / "record"))
    return tmp_path / "record"


def _context() -> Context:
    return Context(ProviderConfig(), lambda severity, urn, text: None)


def test_passwords_are_read_from_standard_input(record: Path) -> None:
    options = {"repo": "https://charts.example.com", "username": "me", "password": "psst"}
    helm_cli.load(_context(), {"chart": "lamp", "version": "1.2.3", "repositoryOpts": options})

    called = record.read_text()
    assert "repo add stand-in https://charts.example.com --username me --password-stdin" in called
    assert "show chart stand-in/lamp --version 1.2.3" in called
    assert "psst" not in called


def test_a_chart_without_password(record: Path) -> None:
    helm_cli.load(_context(), {"chart": "lamp", "repositoryOpts": {"repo": "https://charts.example.com"}})

    assert record.read_text() == "show chart lamp --repo https://charts.example.com\n"


def test_values_go_to_standard_input(record: Path) -> None:
    helm_cli.run(_context(), ["install"], stdin=helm_cli.as_values({"token": "psst"}))

    assert "psst" not in record.read_text()
    assert record.with_name("record.stdin").read_text() == '{"token": "psst"}'


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("\N{GRINNING FACE}", '"\\U0001F600"'),
        *(("\xe9\n", '"\\u00e9\\n"'), ("\\ud83d\\ude00", '"\\\\ud83d\\\\ude00"'), ("\x7f", '"\\u007f"')),
    ],
)
def test_values_are_json_that_is_also_yaml(text: str, written: str) -> None:
    assert helm_cli.as_values({"a": text}) == f'{{"a": {written}}}'
    assert yaml.safe_load(helm_cli.as_values({"a": text})) == {"a": text}


def test_a_diff_compares_plain_values() -> None:
    state = {"name": "it", "values": {"a": Secret("x")}, "__inputs": Secret({"name": "it", "values": {"a": "x"}})}

    assert helm_release.difference(state, {"name": "it", "values": {"a": Secret("x")}}, []) == {}
    assert set(helm_release.difference(state, {"name": "other", "values": {"a": "y"}}, [])) == {"name", "values.a"}


def test_resource_names() -> None:
    manifest = """
apiVersion: v1
kind: Service
metadata: {name: b, namespace: x}
---
apiVersion: v1
kind: Service
metadata: {name: a}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: c}
"""
    assert helm_storage.resource_names(manifest) == {"Service/v1": ["a", "x/b"], "Deployment.apps/apps/v1": ["c"]}


def test_an_import_reads_everything_from_helm(monkeypatch: pytest.MonkeyPatch) -> None:
    """`Read` without a state, in provider/pkg/provider/helm_release.go of the official plugin."""
    live = {
        "name": "quickstart",
        "namespace": "kong",
        "version": 3,
        "config": {"replicaCount": 2},
        "chart": {"metadata": {"name": "kong", "version": "3.4.1", "appVersion": "3.9"}},
        "info": {"status": "deployed"},
        "manifest": "",
    }
    asked: list[tuple[str, str]] = []

    def latest(context: Context, namespace: str, name: str) -> dict[str, object]:
        asked.append((namespace, name))
        return live

    monkeypatch.setattr(helm_storage, "latest", latest)
    found, state, inputs = helm_release.read(_context(), "urn", "kong/quickstart", {})

    assert (found, asked) == ("kong/quickstart", [("kong", "quickstart")])
    expected = {"name": "quickstart", "namespace": "kong", "chart": "kong", "version": "3.4.1", "atomic": False}
    assert {key: inputs[key] for key in expected} == expected
    assert inputs["values"] == state["values"] == {"replicaCount": 2}
    assert "status" not in inputs and state["status"]["revision"] == 3
    assert isinstance(state["__inputs"], Secret)
    inputs = {**expected, "atomic": True, "values": {"replicaCount": 2, "global": {"a": 1}}}
    changes = helm_release.difference(state, inputs, [])
    assert {"atomic", "values.global"} <= set(changes)
    assert not any(change.replace for change in changes.values()), "the same name and namespace: an update"
