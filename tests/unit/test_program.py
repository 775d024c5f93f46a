"""The whole program on the recording monitor: what waits for what, in both modes, and what it exports."""

import json
import runpy
from pathlib import Path

import pulumi
import pytest

from local import rock
from tests.unit.recording import PROJECT, Recording, record
from tools import preview_reading

PROGRAM = Path(__file__).parents[2] / "__main__.py"


def program(tmp_path: Path, **config: str) -> Recording:
    path = rock.make(tmp_path)
    everything = {
        "plugin": json.dumps({"rock": str(path)}),
        "agentTokenSecret": json.dumps({"name": "token", "key": "token"}),
        **config,
    }
    return record(
        lambda: runpy.run_path(str(PROGRAM), run_name="__main__") and None,
        config={f"{PROJECT}:{key}": value for key, value in everything.items()},
    )


@pytest.mark.parametrize(
    ("config", "tme_comes_first"),
    [
        ({"mode": "sync"}, True),
        ({"mode": "async"}, False),
        ({"mode": "sync", "enabled": "false"}, False),
        ({"mode": "async", "enabled": "false"}, False),
    ],
)
def test_the_edge_between_tme_and_plugin_turns_with_the_mode(
    tmp_path: Path, config: dict[str, str], tme_comes_first: bool
) -> None:
    made = program(tmp_path, **config)
    assert made.waits_for("plugin-kong-cluster-plugin", "tme-pod-annotation") is tme_comes_first
    assert made.waits_for("plugin-kong-cluster-plugin", "tme-namespace-label") is tme_comes_first
    assert made.waits_for("tme-pod-annotation", "plugin-kong-cluster-plugin") is not tme_comes_first
    assert made.waits_for("tme-namespace-label", "plugin-kong-cluster-plugin") is not tme_comes_first


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_files_before_kong_and_the_record_last(tmp_path: Path, mode: str) -> None:
    made = program(tmp_path, mode=mode)
    (files,) = [item.name for item in made.of_type(":ConfigMap") if item.name.startswith("plugin-files")]
    assert made.waits_for(files, "kong-namespace")
    assert made.waits_for("gateway-release", files)
    for last in ("plugin-kong-cluster-plugin", "tme-pod-annotation"):
        assert made.waits_for(last, "gateway-release")
        assert made.waits_for(last, "agent-release")
        assert made.waits_for("installation-record", last)
    assert not made.waits_for("gateway-release", "agent-release"), "the agent and Kong are installed side by side"


def test_everything_uses_the_one_provider(tmp_path: Path) -> None:
    made = program(tmp_path)
    (provider,) = made.of_type("pulumi:providers:kubernetes")
    assert provider.inputs["enableConfigMapMutable"] == "true"
    ours = [item for item in made.registrations if item.type.startswith("kubernetes:")]
    assert ours and all(f"::{provider.name}::" in item.provider for item in ours)


def test_the_patches_go_with_the_release_and_the_namespace(tmp_path: Path) -> None:
    made = program(tmp_path)
    assert made["tme-pod-annotation"].deleted_with == "gateway-release"
    assert made["tme-namespace-label"].deleted_with == "kong-namespace"
    kept = program(tmp_path, kong=json.dumps({"createNamespace": False}))
    assert kept["tme-namespace-label"].deleted_with == ""


def test_a_refused_configuration_registers_nothing(tmp_path: Path) -> None:

    with pytest.raises(pulumi.RunError, match="asynk"):
        program(tmp_path, mode="asynk")
    with pytest.raises(pulumi.RunError, match=r"env\.plugins"):
        program(tmp_path, kongValues=json.dumps({"env": {"plugins": "bundled"}}))


def test_a_pull_requests_comment_looks_for_names_that_are_there(tmp_path: Path) -> None:
    made = {item.name for item in program(tmp_path).registrations}
    assert {preview_reading.RECORD, preview_reading.GATEWAY, preview_reading.TME_PATCH} <= made
