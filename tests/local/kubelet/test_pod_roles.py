"""The roles of containers. The kwok stage for ready pods must have the same rules."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from local.control_plane import kwok_cluster
from local.kubelet import pod_roles
from tests.local.kubelet.pods import CONTROLLER, KONG, OTHER, TME, pod


def test_kong_is_recognized_by_its_variables() -> None:
    found = pod_roles.kong(pod(CONTROLLER, OTHER, KONG))
    assert found and found["name"] == "proxy"
    assert pod_roles.kong(pod(OTHER, TME)) is None
    client = {**OTHER, "env": [{"name": "KONG_ADMIN_URL", "value": "http://kong:8001"}]}
    assert pod_roles.kong(pod(client)) is None, "a client of Kong's is none"


def test_a_migration_is_not_a_gateway() -> None:
    assert pod_roles.kong(pod(KONG, owner="Job")) is None
    assert not pod_roles.needs_kubelet(pod(KONG, owner="Job"))


@pytest.mark.parametrize(
    ("container", "command"),
    [
        ({"args": ["kong", "migrations", "bootstrap"]}, "bootstrap"),
        ({"command": ["kong"], "args": ["migrations", "up"]}, "up"),
        ({"args": ["/bin/bash", "-c", "kong migrations up && kong migrations finish"]}, "up"),
        ({"args": ["kong", "migrations", "list"]}, None),
        ({"args": ["kong", "start"]}, None),
        ({}, None),
    ],
)
def test_a_migration_is_recognized_by_its_command(container: dict[str, Any], command: str | None) -> None:
    assert pod_roles.migration(container) == command
    assert pod_roles.needs_kubelet(pod({**OTHER, **container}, owner="Job")) is bool(command)


def test_wait_for_db_is_recognized_by_its_command() -> None:
    wait = ["/bin/bash", "-c", "export KONG_NGINX_DAEMON=on; until kong start; do echo 'waiting for db'; sleep 1; done"]
    assert pod_roles.waits_for_kong({"args": wait})
    assert not pod_roles.waits_for_kong({"command": ["rm", "-vrf", "$KONG_PREFIX/pids"]})


@pytest.mark.parametrize(
    ("image", "postgres"),
    [
        ("postgres", True),
        ("postgres:17.5-alpine", True),
        ("docker.io/library/postgres:18@sha256:0", True),
        ("registry.example.com:5000/postgres", True),
        ("bitnami/postgresql:16", False),
        ("postgres/other:1", False),
        ("example.com/my-postgres:1", False),
    ],
)
def test_postgresql_is_recognized_by_its_image(image: str, postgres: bool) -> None:
    assert pod_roles.is_postgres({"image": image}) is postgres
    assert pod_roles.needs_kubelet(pod({"name": "a", "image": image})) is postgres
    assert bool(re.search(_stage_pattern("postgres"), image)) is postgres


def test_kong_gateway_enterprise_is_recognized_by_its_image() -> None:
    assert pod_roles.is_enterprise({"image": "docker.io/kong/kong-gateway:3.9"})
    assert not pod_roles.is_enterprise({"image": "kong:3.9"})


def test_a_controller_is_in_the_pod_of_its_kong() -> None:
    found = pod_roles.ingress_controller(pod(CONTROLLER, KONG))
    assert found and found["name"] == "ingress-controller"
    assert pod_roles.ingress_controller(pod(CONTROLLER)) is None


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
def test_an_agent_is_recognized_by_its_image(image: str, agent: bool) -> None:
    assert bool(pod_roles.traceable_containers(pod({"name": "a", "image": image}))) is agent


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
def test_an_image_of_an_invalid_registry_cannot_be_pulled(image: str, pullable: bool) -> None:
    assert pod_roles.is_pullable(image) is pullable
    assert pod_roles.needs_kubelet(pod({"name": "a", "image": image})) is not pullable
    assert pod_roles.needs_kubelet(pod(OTHER, initContainers=[{"name": "i", "image": image}])) is not pullable


def _stage_keys(name: str) -> list[str]:
    stages = yaml.safe_load_all(Path(kwok_cluster._STAGES).read_text())
    found = next(stage for stage in stages if stage["metadata"]["name"] == name)
    return [item["key"] for item in found["spec"]["selector"]["matchExpressions"]]


def _stage_pattern(word: str) -> str:
    (key,) = [key for key in _stage_keys("pod-ready") if word in key]
    return key.split('test("')[1].split('")')[0]


def test_the_kwok_stages_exclude_the_same_pods() -> None:
    for word in ("postgres", "kong migrations"):
        ready, complete = _stage_keys("pod-ready"), _stage_keys("pod-complete")
        assert [key for key in complete if word in key] == [key for key in ready if word in key]
    assert all(command in _stage_pattern("kong migrations") for command in pod_roles.MIGRATIONS)
    keys = " ".join(_stage_keys("pod-ready"))
    assert set(re.findall(r'"(KONG_\w+)"', keys)) == set(pod_roles.KONG_PROPERTIES)
    assert "^[^/]+[.]invalid(:[0-9]+)?/" in keys and '"Job"' in keys
