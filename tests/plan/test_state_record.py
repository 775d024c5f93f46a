"""The record of every accepted config is read back as it was written, and a changed one is refused."""

import json
from pathlib import Path

import pytest

from tests.config.cases import ACCEPTED
from tests.config.stack_file import parse_file
from tests.fakes.plans import OWNER, ROCK, SELECTOR, plan
from traceable_kong.plan.build import PlanInputs, build_plan
from traceable_kong.plan.model import Plan
from traceable_kong.plan.state_record import UnreadableRecord, record_data, record_digest, state_of


def plan_of(path: Path) -> Plan:
    config = parse_file(path)
    if not config.gateway:
        return build_plan(config, PlanInputs(), OWNER)
    return build_plan(config, PlanInputs(rock=ROCK, pod_selector={} if config.kong.install else SELECTOR), OWNER)


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
