"""Every way in which Pulumi delivers the same config leads to the same objects, with its secrets hidden.

The engine hands over texts and the names of the keys that hold a secret. Which leaf is secret can only be read in the
stack file, and not with `--config-file` or with an ESC environment. tests/live/test_config_delivery.py runs the engine.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from tests.fakes.program import Program
from tests.fakes.recording import PROJECT, STACK, Recording, Secret
from traceable_kong.preflight.finding import Finding
from traceable_kong.verification.report import Check, Report

PASSWORD = "planted-credential"

CONFIG: dict[str, Any] = {
    "mode": "sync",
    "kongValues": {
        "nameOverride": "edge",
        "replicaCount": 2,
        "admin": {"http": {"enabled": True}, "tls": {"enabled": False}},
        "autoscaling": {"enabled": False, "minReplicas": 0},
        "env": {"plugins": "bundled,own,traceable", "own_password": PASSWORD, "log_level": "info"},
        "ingressController": {"rbac": {"create": True}, "args": ["--log-level=info"]},
        "plugins": {"configMaps": [{"pluginName": "own", "name": "kong-plugin-own"}]},
        "extraLabels": {},
        "nothing": None,
    },
    "agentValues": {
        "injectorEnabled": True,
        "deploymentReplicas": 3,
        "imageCredentials": {"registry": "registry.example.com", "password": PASSWORD},
        "injector": {"tme": {"imageVersion": "1.58.0"}},
        "tlsPrivateCertificatesAsString": {"rootCAB64": "Y2E=", "certB64": "Y2VydA==", "keyB64": PASSWORD},
    },
}
HIDDEN = ("kongValues", "agentValues")


def encrypted(value: Any) -> Any:
    """The values as a stack file has them."""
    if isinstance(value, dict):
        return {key: encrypted(item) for key, item in value.items()}
    return {"secure": "v1:abc"} if value == PASSWORD else value


def deliver_by_stack_file(folder: Path) -> None:
    config = {f"{PROJECT}:{key}": encrypted(value) for key, value in CONFIG.items()}
    (folder / f"Pulumi.{STACK}.yaml").write_text(yaml.safe_dump({"config": config}))


def deliver_by_folder(folder: Path) -> None:
    (folder / "stacks").mkdir()
    (folder / "Pulumi.yaml").write_text("stackConfigDir: stacks\n")
    deliver_by_stack_file(folder / "stacks")


def deliver_as_one_text(folder: Path) -> None:
    """`pulumi config set --secret kongValues '{...}'`."""
    config = {f"{PROJECT}:{key}": {"secure": "v1:abc"} for key in HIDDEN}
    (folder / f"Pulumi.{STACK}.yaml").write_text(yaml.safe_dump({"config": config}))


def deliver_by_another_file(folder: Path) -> None:
    """`pulumi up --config-file other.yaml`: the stack file says something else."""
    config = {f"{PROJECT}:kongValues": {"nameOverride": "other"}}
    (folder / f"Pulumi.{STACK}.yaml").write_text(yaml.safe_dump({"config": config}))


def deliver_by_environment(folder: Path) -> None:
    """An ESC environment: the engine merges its values into those of the stack file (pkg/workspace, mergeConfig)."""
    config = {"environment": ["edge"], "config": {f"{PROJECT}:kongValues": {"nameOverride": "edge"}}}
    (folder / f"Pulumi.{STACK}.yaml").write_text(yaml.safe_dump(config))


EXACT = [deliver_by_stack_file, deliver_by_folder]
DELIVERIES = [*EXACT, deliver_as_one_text, deliver_by_another_file, deliver_by_environment]


@pytest.fixture(params=DELIVERIES, ids=lambda delivery: delivery.__name__)
def delivered(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: Program) -> Any:
    """How the config came; the program runs in a folder where it came so."""
    folder = tmp_path / "project"
    folder.mkdir()
    request.param(folder)
    monkeypatch.chdir(folder)
    program.secret_keys = HIDDEN
    return request.param


def shown(value: Any) -> Any:
    """The inputs with the texts of their secrets."""
    if isinstance(value, Secret):
        return shown(value.value)
    if isinstance(value, dict):
        return {key: shown(item) for key, item in value.items()}
    return [shown(item) for item in value] if isinstance(value, list) else value


def plain_leaves(value: Any) -> Iterator[Any]:
    """What is not secret in the inputs."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from plain_leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from plain_leaves(item)
    elif not isinstance(value, Secret):
        yield value


def registered(made: Recording) -> dict[str, Any]:
    """Everything but the new random identity of each run."""
    return {item.name: shown(item.inputs) for item in made.registrations if item.name != "traceable-stack-id"}


def test_the_same_is_registered_whatever_way_the_config_came(
    program: Program, delivered: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = program.up(**CONFIG)
    program.secret_keys = ()
    monkeypatch.chdir(tmp_path)
    assert registered(made) == registered(program.up(**CONFIG)), "with the same digests"


def test_only_what_is_or_may_be_secret_is_registered_as_secret(program: Program, delivered: Any) -> None:
    made = program.up(**CONFIG)
    secret = {".".join((name, *path)) for name, path, value in made.secrets() if name.endswith("-release")}
    assert secret >= {
        "traceable-gateway-release.values.env.own_password",
        "traceable-agent-release.values.imageCredentials.password",
        "traceable-agent-release.values.tlsPrivateCertificatesAsString.keyB64",
    }
    assert ("traceable-gateway-release.values.replicaCount" in secret) is (delivered not in EXACT)
    plain = [leaf for item in made.registrations for leaf in plain_leaves(item.inputs)]
    assert not [leaf for leaf in plain if PASSWORD in str(leaf)]
    assert "(secret)" not in json.dumps(registered(made)) and "****" not in json.dumps(registered(made))


def test_names_and_outputs_come_from_the_values(program: Program, delivered: Any) -> None:
    made = program.up(**CONFIG)
    assert made["traceable-tme-pod-annotation"].inputs["metadata"]["name"] == "quickstart-edge"
    record = made["traceable-installation-record"].inputs["data"]
    assert record["deployment"] == "quickstart-edge"
    assert record["tmeImage"] == "registry.example.com/traceableai/traceable-agent:1.58.0"


def test_what_conflicts_is_refused_without_its_text(program: Program, delivered: Any) -> None:
    values = CONFIG["kongValues"]
    config = {**CONFIG, "kongValues": {**values, "forceUpdate": True, "env": {**values["env"], "database": PASSWORD}}}
    with pytest.raises(pulumi.RunError) as refused:
        program.up(**config)
    assert "kongValues.forceUpdate" in str(refused.value) and "kongValues.env.database" in str(refused.value)
    assert PASSWORD not in str(refused.value) and "****" not in str(refused.value)


def test_what_preflight_and_the_verification_say_has_no_secret(program: Program, delivered: Any) -> None:
    said = f"has KONG_OWN={PASSWORD} and {PASSWORD!r}"
    program.report = Report(name="edge", checks=(Check(pod="p", name="own", ok=False, expected="", found=said),))
    with pytest.raises(pulumi.RunError) as unprotected:
        program.up(**CONFIG)
    program.errors = [Finding(subject="deployment edge", problem=said, fix=f"`set x {PASSWORD}`")]
    with pytest.raises(pulumi.RunError) as refused:
        program.up(**CONFIG)
    for text in (str(unprotected.value), str(refused.value)):
        assert "KONG_OWN=(secret) and '(secret)'" in text and PASSWORD not in text
    assert "-> `set x VALUE` (with --secret)" in str(refused.value)
