"""The gateway: its Admin API, its Lua path, and the TME's port."""

from typing import Any

import pytest

from tests.fakes.preflight_cluster import (
    EXISTING,
    FakeKubernetes,
    container,
    deployment,
    passes,
    put_kong,
    put_record,
    refused,
    warned,
)
from traceable_kong.cluster.api_objects import pods


def values(**env: str) -> dict[str, Any]:
    """The keys of a managed Kong with these variables in its chart values."""
    return {"kongValues": {"env": env}}


def test_an_existing_kong_has_to_exist(kube: FakeKubernetes) -> None:
    assert "kong.deployment" in refused(kube, **EXISTING)
    put_kong(kube, container("kong"))
    assert "it has kong" in refused(kube, **EXISTING)
    put_kong(kube, container("proxy"))
    passes(kube, **EXISTING)


@pytest.mark.parametrize("listen", ["off", "unix:/tmp/admin.sock", "off, unix:/tmp/admin.sock"])
def test_an_admin_api_without_a_port_is_refused(kube: FakeKubernetes, listen: str) -> None:
    put_kong(kube, container(KONG_ADMIN_LISTEN=listen))
    assert "KONG_ADMIN_LISTEN" in refused(kube, **EXISTING)
    passes(kube)  # A managed Kong: its next pods have other variables.


@pytest.mark.parametrize("listen", ["127.0.0.1:8444 http2 ssl", "unix:/tmp/a.sock, 0.0.0.0:8001", "[::1]:8001", ""])
def test_an_admin_api_on_a_port_passes(kube: FakeKubernetes, listen: str) -> None:
    put_kong(kube, container(KONG_ADMIN_LISTEN=listen))
    passes(kube, **EXISTING)


@pytest.mark.parametrize("path", ["/own/?.lua;/opt/?.lua;;", ";;/opt/?.lua"])
def test_another_folder_before_the_plugins_files_is_a_warning(kube: FakeKubernetes, path: str) -> None:
    put_kong(kube, container(KONG_LUA_PACKAGE_PATH=path))
    assert "Set KONG_LUA_PACKAGE_PATH to '/opt/?.lua;" in warned(kube, **EXISTING)
    said = warned(kube, **values(lua_package_path=path))
    assert "kongValues.env.lua_package_path" in said
    for good in ("/opt/?.lua;/own/?.lua;;", "/opt/?.lua;;"):
        passes(kube, **values(lua_package_path=good))


@pytest.mark.parametrize("role", ["data_plane", "control_plane"])
def test_a_part_of_a_hybrid_gateway_is_refused(kube: FakeKubernetes, role: str) -> None:
    put_kong(kube, container(KONG_ROLE=role))
    assert f"KONG_ROLE is {role!r}" in refused(kube, **EXISTING)


@pytest.mark.parametrize("role", ["traditional", ""])
def test_a_traditional_kong_passes(kube: FakeKubernetes, role: str) -> None:
    put_kong(kube, container(KONG_ROLE=role))
    passes(kube, **EXISTING)


def test_a_value_from_elsewhere_is_a_warning(kube: FakeKubernetes) -> None:
    kong = container()
    kong["env"] = [{"name": "KONG_ADMIN_LISTEN", "valueFrom": {"configMapKeyRef": {"name": "a", "key": "b"}}}]
    put_kong(kube, kong)
    assert "valueFrom" in warned(kube, **EXISTING)


def test_another_container_on_the_tmes_port_is_refused_in_sync(kube: FakeKubernetes) -> None:
    put_kong(kube, container(), container("sidecar", ports=(5442,), image="registry/other:1"))
    assert "container sidecar of deployment quickstart-kong" in refused(kube)
    passes(kube, mode="async")
    passes(kube, enabled=False)


def test_only_the_tme_may_use_its_port(kube: FakeKubernetes) -> None:
    put_kong(kube)
    tme = container("traceable-tme", ports=(5442,), image="docker.io/traceableai/traceable-agent:1.58.0")
    pod: dict[str, Any] = {"metadata": {"labels": {"a": "kong"}}, "spec": {"containers": [container(), tme]}}
    kube.put(f"{pods('kong')}/kong-1", pod)
    passes(kube)
    tme["image"] = "evil.example/traceable-agent:1.58.0"
    assert "container traceable-tme of pod kong-1" in refused(kube)
    put_record(kube, tmeImage="evil.example/traceable-agent", release="quickstart", deployment="quickstart-kong")
    passes(kube)  # Pods from before the next rollout run the recorded image.
    tme["image"] = f"docker.io/traceableai/traceable-agent@sha256:{'0' * 64}"
    passes(kube)
    pod["spec"]["containers"].append(container("mesh", ports=(5442,), image="registry:5000/mesh@sha256:0"))
    assert "container mesh of pod kong-1" in refused(kube)
    pod["status"] = {"phase": "Failed"}
    passes(kube)
    pod["status"] = {"phase": "Running"}
    pod["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    passes(kube)
    del pod["metadata"]["deletionTimestamp"]
    assert "container mesh" in refused(kube)
    pod["metadata"]["labels"] = {"a": "other"}
    passes(kube)


def test_only_pods_that_the_deployment_selects_are_checked(kube: FakeKubernetes) -> None:
    """An existing Kong may select its pods by expressions alone."""
    put_kong(kube, container())
    kong = kube.objects[deployment("kong", "quickstart-kong")]
    kong["spec"]["selector"] = {"matchExpressions": [{"key": "a", "operator": "In", "values": ["kong"]}]}
    mesh = {"containers": [container("mesh", ports=(5442,), image="registry/mesh:1")]}
    pod = kube.put(f"{pods('kong')}/other", {"metadata": {"labels": {"b": "other"}}, "spec": mesh})
    passes(kube, **EXISTING)
    pod["metadata"]["labels"] = {"a": "kong"}
    assert "container mesh of pod other" in refused(kube, **EXISTING)


@pytest.mark.parametrize("name", ["KONG_PROXY_LISTEN", "KONG_STATUS_LISTEN", "KONG_STREAM_LISTEN"])
def test_a_listener_of_kong_on_the_tmes_port_is_refused(kube: FakeKubernetes, name: str) -> None:
    listen: dict[str, Any] = {name: "0.0.0.0:8000, 0.0.0.0:5442 ssl"}
    put_kong(kube, container(**listen))
    assert name in refused(kube, **EXISTING)
    passes(kube, **values(**{name.removeprefix("KONG_").lower(): "0.0.0.0:15442 ssl, 0.0.0.0:54420"}))
