"""The record is read back as it was written, field by field and for every accepted config; a changed one is refused."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from tests.config.cases import ACCEPTED
from tests.config.stack_file import parse_file
from tests.fakes.plans import IDENTITY, ROCK, SELECTOR, plan
from tests.fakes.protected_gateway import ASYNC, IN_DATABASE, INJECTION, POLICY, desired
from traceable_kong.cluster.kong_deployment import KongDeployment
from traceable_kong.common.image_references import parse_image
from traceable_kong.plan.build import PlanInputs, build_plan
from traceable_kong.plan.model import Plan
from traceable_kong.plan.plugin_model import KongClusterPlugin
from traceable_kong.plan.state_record import UnreadableRecord, record_data, record_digest, state_data, state_of

CHANGES: list[dict[str, Any]] = [
    {},
    ASYNC,
    {"deployment": KongDeployment(namespace="gw", name="other", container="kong")},
    {"release_name": None},
    {"name": "traceable-ai-extension"},
    {"version": "2.3.0"},
    {"enabled": False},
    {"everywhere": False},
    {"config": {"a": {"b": [1, 2.5, None, True, "é"]}}},
    {"backend": KongClusterPlugin(name="other", ingress_class="other")},
    IN_DATABASE,
    {"files": {"/opt/kong/plugins/traceable": "other"}},
    {"file_digests": {"other": "0"}},
    {"injection": dataclasses.replace(INJECTION, webhook=None, webhook_domain=None, agent_release=None)},
    {"injection": dataclasses.replace(INJECTION, image=parse_image("registry.example.com:5000/tme:1.58.0"))},
    {"policy": None, "injection": None},
    {"policy": dataclasses.replace(POLICY, action="warn")},
    {"agent_namespace": None},
]


@pytest.mark.parametrize("changes", CHANGES)
def test_every_field_is_recorded(changes: dict[str, Any]) -> None:
    state = desired(**changes)
    data = state_data(state)
    assert all(isinstance(text, str) for text in data.values()), "the data of a ConfigMap are strings"
    assert state_of("gw", data) == state


@pytest.mark.parametrize(
    ("key", "text", "problem"),
    [
        ("pluginConfig", "{", r"it is not JSON \(line 1\)"),
        ("pluginConfig", "[]", "pluginConfig is not an object"),
        ("files", "null", "files is not an object"),
        ("files", '{"a":' * 300 + "1" + "}" * 300, "it is nested too deep"),
        ("files", "[" * 100_000, "it is nested too deep"),
        ("tmeImage", "https://docker.io/x", "tmeImage is not the name of an image"),
    ],
    ids=lambda value: str(value)[:12],
)
def test_a_value_that_cannot_be_read_is_refused(key: str, text: str, problem: str) -> None:
    with pytest.raises(UnreadableRecord, match=rf"gw/traceable-installation cannot be read: {problem}\. Nothing was"):
        state_of("gw", {**state_data(desired()), key: text})


@pytest.mark.parametrize(
    "data",
    [
        {},
        {key: text for key, text in state_data(desired()).items() if key != "tmeImage"},
        {**state_data(desired()), "policy": '{"name": "the-guard"}'},
        {**state_data(desired()), "injection": '{"webhook": "the-injector"}'},
        {**state_data(desired(**IN_DATABASE)), "pluginEntity": '{"workspace": "default"}'},
        {**state_data(desired(**IN_DATABASE)), "adminApi": "{}"},
    ],
)
def test_the_record_of_another_version_of_the_program_is_refused(data: dict[str, str]) -> None:
    with pytest.raises(UnreadableRecord) as refused:
        state_of("gw", data)
    text = str(refused.value)
    assert "gw/traceable-installation was not written by this version of the program" in text
    assert "`pulumi up` writes it again" in text and "Error" not in text


def test_other_keys_of_the_record_are_ignored() -> None:
    assert state_of("gw", {**state_data(desired()), "mode": "sync"}) == desired()


def plan_of(path: Path) -> Plan:
    config = parse_file(path)
    if not config.gateway:
        return build_plan(config, PlanInputs(), IDENTITY)
    return build_plan(config, PlanInputs(rock=ROCK, pod_selector={} if config.kong.install else SELECTOR), IDENTITY)


@pytest.mark.parametrize("path", ACCEPTED, ids=lambda path: path.stem)
def test_the_record_is_read_back_as_the_desired_state(path: Path) -> None:
    made = plan_of(path)
    data = record_data(made)
    if data is None:
        assert made.gateway is not None and not made.gateway.installed
        return
    assert all(isinstance(value, str) for value in data.values())
    assert len(record_digest(data)) == 64
    if made.gateway is None:
        assert made.desired is None
        assert data["gateway"] == "false"
    else:
        assert state_of(made.record_namespace, data) == made.desired


@pytest.mark.parametrize("path", ACCEPTED, ids=lambda path: path.stem)
def test_no_secret_of_the_config_is_in_the_record(path: Path) -> None:
    written = json.dumps(record_data(plan_of(path)))
    assert "SecretStr" not in written
    assert "hunter2" not in written


def test_an_uninstalled_stack_has_no_record() -> None:
    assert record_data(plan(enabled="false", installed="false")) is None


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("deployment", "not/a name"),
        ("enabled", "perhaps"),
        ("scope", "half"),
        ("files", "[]"),
        ("pluginConfig", '{"ext_cap_endpoint": "http://localhost:port"}'),
        ("pluginConfig", '{"ext_cap_endpoint": 5442}'),
        ("injection", '{"label": "x"}'),
        ("policy", '{"name": "x", "action": "off", "spec": {}}'),
        ("tmeImage", "not an image"),
        ("database", "mysql"),
    ],
)
def test_a_changed_record_is_refused(key: str, value: str) -> None:
    data = record_data(plan())
    assert data is not None
    with pytest.raises(UnreadableRecord):
        state_of("kong", {**data, key: value})


@pytest.mark.parametrize(
    "key", ["deployment", "container", "plugin", "loadedVersion", "files", "fileDigests", "pluginObject"]
)
def test_a_record_without_a_key_is_refused(key: str) -> None:
    data = record_data(plan())
    assert data is not None
    with pytest.raises(UnreadableRecord, match="not written by this version"):
        state_of("kong", {name: value for name, value in data.items() if name != key})
