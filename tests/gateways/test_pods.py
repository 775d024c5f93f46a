"""Which pods have something behind them; the stage of kwok that leaves them alone has the same rules."""

import re
from pathlib import Path

import pytest
import yaml

from local import cluster
from local.gateways import pods
from tests.gateways.pods import CONTROLLER, KONG, OTHER, TME, pod


def test_a_gateway_is_told_by_kongs_own_properties() -> None:
    found = pods.kong(pod(CONTROLLER, OTHER, KONG))
    assert found and found["name"] == "proxy"
    assert pods.kong(pod(OTHER, TME)) is None
    client = {**OTHER, "env": [{"name": "KONG_ADMIN_URL", "value": "http://kong:8001"}]}
    assert pods.kong(pod(client)) is None, "a client of Kong's is none"


def test_a_migration_is_no_gateway() -> None:
    assert pods.kong(pod(KONG, owner="Job")) is None
    assert not pods.kept(pod(KONG, owner="Job"))


def test_a_controller_belongs_to_the_kong_beside_it() -> None:
    found = pods.controller(pod(CONTROLLER, KONG))
    assert found and found["name"] == "ingress-controller"
    assert pods.controller(pod(CONTROLLER)) is None


@pytest.mark.parametrize(
    ("image", "agent"),
    [
        ("docker.io/traceableai/traceable-agent:1.58.0", True),
        ("traceableai/tme:1", True),
        ("registry.example.com:5000/mirror/traceable-agent@sha256:0", True),
        ("traceable-agent", True),
        ("docker.io/traceableaint/other:1", False),
        ("kong:3.9", False),
    ],
)
def test_an_agent_is_told_by_its_image(image: str, agent: bool) -> None:
    assert bool(pods.agents(pod({"name": "a", "image": image}))) is agent


@pytest.mark.parametrize(
    ("image", "pullable"),
    [
        ("registry.invalid/a:1", False),
        ("registry.invalid:5000/a/b@sha256:0", False),
        ("invalid/a:1", True),
        ("example.com/registry.invalid/a", True),
        ("kong:3.9", True),
    ],
)
def test_an_image_of_a_registry_that_cannot_exist_cannot_be_pulled(image: str, pullable: bool) -> None:
    assert pods.pullable(image) is pullable
    assert pods.kept(pod({"name": "a", "image": image})) is not pullable
    assert pods.kept(pod(OTHER, initContainers=[{"name": "i", "image": image}])) is not pullable


def test_the_stage_leaves_out_the_same_pods() -> None:
    stages = yaml.safe_load_all(Path(cluster._STAGES).read_text())
    ready = next(stage for stage in stages if stage["metadata"]["name"] == "pod-ready")
    keys = " ".join(item["key"] for item in ready["spec"]["selector"]["matchExpressions"])
    assert set(re.findall(r'"(KONG_\w+)"', keys)) == set(pods.KONG_PROPERTIES)
    assert "^[^/]+[.]invalid(:[0-9]+)?/" in keys and '"Job"' in keys
