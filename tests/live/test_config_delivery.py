"""Every way in which Pulumi delivers config: the same preview, named by the values, and without a secret's text.

An ESC environment needs Pulumi Cloud; tests/program/test_hidden_values.py has what the engine would hand over.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.live.stack import PROJECT, UNCHANGED, LiveStack

PASSWORD = "planted-credential"
KEY = f"{PROJECT}:kongValues"
VALUES = {
    "nameOverride": "edge",
    "replicaCount": 2,
    "admin": {"http": {"enabled": True}, "tls": {"enabled": False}},
    "proxy": {"type": "NodePort"},
}


@pytest.fixture(scope="module")
def stack(module_stack: Any) -> LiveStack:
    """A stack that is never deployed, with a secret in its chart values."""
    created: LiveStack = module_stack()
    created.set(kongValues=VALUES)
    created.pulumi("config", "set", "--secret", "--path", f"{KEY}.customEnv.own_password", stdin=PASSWORD)
    return created


@pytest.fixture
def file(stack: LiveStack) -> Iterator[str]:
    """The text of the stack file, which is restored afterwards."""
    text = stack.file.read_text()
    yield text
    stack.file.write_text(text)


def check(stack: LiveStack, *options: str) -> dict[str, Any]:
    """Previews, and returns the chart values of Kong as the engine shows them."""
    output = stack.preview("--json", *options)
    assert PASSWORD not in output and "****" not in output
    inputs = {step["urn"].split("::")[-1]: step["newState"].get("inputs") for step in json.loads(output)["steps"]}
    assert inputs["traceable-tme-pod-annotation"]["metadata"]["name"] == f"{stack.name}-edge"
    return dict(inputs["traceable-gateway-release"]["values"])


def test_a_leaf_in_the_stack_file(stack: LiveStack) -> None:
    values = check(stack)
    assert values["customEnv"]["own_password"] == "[secret]"
    assert values["replicaCount"] == 2


def test_another_file(stack: LiveStack, file: str) -> None:
    stack.directory.joinpath("other.yaml").write_text(file)
    stack.set(kongValues={})
    values = check(stack, "--config-file", "other.yaml")
    assert values["customEnv"]["own_password"] == values["replicaCount"] == "[secret]"


def test_a_folder_for_stack_files(stack: LiveStack, file: str) -> None:
    project = stack.directory / "Pulumi.yaml"
    text = project.read_text()
    stack.file.unlink()
    folder = stack.directory / "stacks"
    folder.mkdir()
    (folder / stack.file.name).write_text(file)
    project.write_text(f"{text}stackConfigDir: stacks\n")
    try:
        values = check(stack)
    finally:
        project.write_text(text)
    assert values["customEnv"]["own_password"] == "[secret]" and values["replicaCount"] == 2


def test_the_whole_key_as_one_secret(stack: LiveStack, file: str) -> None:
    text = json.dumps({**VALUES, "customEnv": {"own_password": PASSWORD}})
    stack.pulumi("config", "set", "--secret", KEY, stdin=text)
    values = check(stack)
    assert values["customEnv"]["own_password"] == values["replicaCount"] == "[secret]"


def test_hidden_values_are_judged(stack: LiveStack, file: str) -> None:
    values = {**yaml.safe_load(file)["config"][KEY], "replicaCount": 0, "env": {"role": PASSWORD}}
    stack.set(kongValues=values)
    stack.directory.joinpath("other.yaml").write_text(stack.file.read_text())
    stack.set(kongValues={})
    refused = stack.failed("preview", "--config-file", "other.yaml")
    assert "kongValues.replicaCount" in refused and "kongValues.env.role" in refused and UNCHANGED in refused
    assert PASSWORD not in refused and "Traceback" not in refused


def test_an_environment_needs_pulumi_cloud(stack: LiveStack, file: str) -> None:
    stack.file.write_text(f"environment: [edge]\n{file}")
    assert "does not support environments" in stack.failed_preview()
