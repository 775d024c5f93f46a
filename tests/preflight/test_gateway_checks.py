"""The gateway as it stands: its Admin API, the TME's port, and whether it is the same one."""

from typing import Any

import pytest

from tests.preflight.fake import (
    FakeKubernetes,
    container,
    gateway_stands,
    intent,
    kong_stands,
    passes,
    plugin_stands,
    record_stands,
    refused,
    subjects,
    warned,
)
from traceable_kong.preflight.cached_reader import NAMESPACES, pods
from traceable_kong.preflight.examination import examine

THEIRS: dict[str, Any] = {"gateway__ours": False, "gateway__release": None}


def existing(kube: FakeKubernetes, *containers: dict[str, Any]) -> None:
    kong_stands(kube, *containers)


def test_a_kong_that_exists_has_to_be_there(kube: FakeKubernetes) -> None:
    assert "kong.deployment" in refused(kube, **THEIRS)
    existing(kube, container("kong"))
    assert "it has kong" in refused(kube, **THEIRS)
    existing(kube, container("proxy"))
    passes(kube, **THEIRS)


@pytest.mark.parametrize("listen", ["off", "unix:/tmp/admin.sock", "off, unix:/tmp/admin.sock"])
def test_an_admin_api_that_no_port_leads_to_is_refused(kube: FakeKubernetes, listen: str) -> None:
    existing(kube, container(KONG_ADMIN_LISTEN=listen))
    assert "KONG_ADMIN_LISTEN" in refused(kube, **THEIRS)
    passes(kube)  # Ours, and the one that runs is not the one that comes.
    assert "kongValues.env.admin_listen" in refused(kube, gateway__environment={"KONG_ADMIN_LISTEN": listen})


@pytest.mark.parametrize("listen", ["127.0.0.1:8444 http2 ssl", "unix:/tmp/a.sock, 0.0.0.0:8001", "[::1]:8001", ""])
def test_an_admin_api_on_a_port_passes(kube: FakeKubernetes, listen: str) -> None:
    existing(kube, container(KONG_ADMIN_LISTEN=listen))
    passes(kube, **THEIRS)


@pytest.mark.parametrize("path", ["/own/?.lua;/opt/?.lua;;", ";;/opt/?.lua"])
def test_another_folder_before_the_plugins_files_is_said(kube: FakeKubernetes, path: str) -> None:
    existing(kube, container(KONG_LUA_PACKAGE_PATH=path))
    assert "Set KONG_LUA_PACKAGE_PATH to '/opt/?.lua;" in warned(kube, **THEIRS)
    said = warned(kube, gateway__environment={"KONG_LUA_PACKAGE_PATH": path})
    assert "kongValues.env.lua_package_path" in said
    for good in ("/opt/?.lua;/own/?.lua;;", "/opt/?.lua", ""):
        passes(kube, gateway__environment={"KONG_LUA_PACKAGE_PATH": good})


@pytest.mark.parametrize("role", ["data_plane", "control_plane"])
def test_half_of_a_hybrid_gateway_is_refused(kube: FakeKubernetes, role: str) -> None:
    existing(kube, container(KONG_ROLE=role))
    assert f"KONG_ROLE={role}" in refused(kube, **THEIRS)


@pytest.mark.parametrize("role", ["traditional", ""])
def test_a_kong_that_serves_and_is_configured_itself_passes(kube: FakeKubernetes, role: str) -> None:
    existing(kube, container(KONG_ROLE=role))
    passes(kube, **THEIRS)


def test_a_value_from_elsewhere_is_said(kube: FakeKubernetes) -> None:
    kong = container()
    kong["env"] = [{"name": "KONG_ADMIN_LISTEN", "valueFrom": {"configMapKeyRef": {"name": "a", "key": "b"}}}]
    existing(kube, kong)
    assert "valueFrom" in warned(kube, **THEIRS)


def test_another_container_on_the_tmes_port_is_refused_in_sync(kube: FakeKubernetes) -> None:
    existing(kube, container(), container("sidecar", ports=(5442,), image="registry/other:1"))
    assert "container sidecar of deployment quickstart-kong" in refused(kube)
    passes(kube, sync=False)
    passes(kube, enabled=False)


def test_the_tme_may_have_its_port_and_another_injected_container_may_not(kube: FakeKubernetes) -> None:
    existing(kube)
    tme = container("traceable-tme", ports=(5442,), image="docker.io/traceableai/traceable-agent:1.58.0")
    pod: dict[str, Any] = {"metadata": {"labels": {"a": "kong"}}, "spec": {"containers": [container(), tme]}}
    kube.put(f"{pods('kong')}/kong-1", pod)
    passes(kube)
    tme["image"] = "evil.example/traceable-agent:1.58.0"
    assert "container traceable-tme of pod kong-1" in refused(kube)
    record_stands(kube, tmeImage="evil.example/traceable-agent", release="quickstart", deployment="quickstart-kong")
    passes(kube)  # The pods of before the next rollout: this stack knew it as the TME.
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


@pytest.mark.parametrize("name", ["KONG_PROXY_LISTEN", "KONG_STATUS_LISTEN", "KONG_STREAM_LISTEN"])
def test_a_listener_of_kong_on_the_tmes_port_is_refused(kube: FakeKubernetes, name: str) -> None:
    listen = "0.0.0.0:8000, 0.0.0.0:5442 ssl"
    existing(kube, container(**{name: listen}))
    assert name in refused(kube, **THEIRS)
    assert name in refused(kube, gateway__environment={name: listen})
    passes(kube, gateway__environment={name: "0.0.0.0:15442 ssl, 0.0.0.0:54420"})


def test_another_namespace_is_a_second_gateway(kube: FakeKubernetes) -> None:
    gateway_stands(kube, "old")
    text = refused(kube)
    assert "kong.namespace old" in text
    assert "pulumi destroy" in text


def test_a_record_that_a_tenant_made_is_no_second_gateway(kube: FakeKubernetes) -> None:
    """Whoever may make ConfigMaps in one namespace could stop every run with one, the off switch too."""
    record_stands(kube, "tenant", release="quickstart", deployment="quickstart-kong")
    kube.release("tenant", "quickstart", ["deployed"])
    kube.put(f"{NAMESPACES}/tenant")
    passes(kube)
    passes(kube, enabled=False)


def test_another_release_is_a_second_gateway(kube: FakeKubernetes) -> None:
    record_stands(kube, release="old", deployment="old-kong")
    assert "kong.release old" in refused(kube)


def test_another_deployment_is_a_second_gateway(kube: FakeKubernetes) -> None:
    record_stands(kube, release="quickstart", deployment="edge")
    assert "fullnameOverride" in refused(kube)
    record_stands(kube, deployment="edge")
    existing(kube)
    assert "kong.deployment edge" in refused(kube, **THEIRS)


def test_another_release_is_found_with_rights_in_its_namespace_alone(kube: FakeKubernetes) -> None:
    kube.denied_lists[NAMESPACES] = 403
    record_stands(kube, release="old", deployment="old-kong")
    found = examine(kube, intent())
    assert ["kong.release old" in item.fix for item in found.errors] == [True]
    assert [item.subject for item in found.warnings] == ["a gateway of this stack elsewhere"]


def test_who_may_not_read_the_record_here_is_refused(kube: FakeKubernetes) -> None:
    kube.denied[f"{NAMESPACES}/kong/configmaps"] = 403
    assert "a gateway of this stack here" in refused(kube)


@pytest.mark.parametrize("statuses", [["pending-install"], ["superseded", "deployed"]])
def test_another_release_is_found_before_there_is_a_record(kube: FakeKubernetes, statuses: list[str]) -> None:
    kube.release("kong", "old", statuses)
    assert "kong.release old" in refused(kube)


def test_a_changed_release_is_one_refusal(kube: FakeKubernetes) -> None:
    record_stands(kube, release="old", deployment="old-kong")
    kube.release("kong", "old", ["deployed"])
    assert "kong.release old" in refused(kube)


@pytest.mark.parametrize("owner", [None, "traceable-kong.prod"])
def test_releases_of_others_beside_ours_are_none_of_this(kube: FakeKubernetes, owner: str | None) -> None:
    kube.release("kong", "theirs", ["deployed"], owner=owner)
    passes(kube)


@pytest.mark.parametrize("there", [{"agent__namespace": "kong", "agent__create_namespace": False}, {"agent": None}])
def test_the_agents_release_is_no_second_gateway(kube: FakeKubernetes, there: dict[str, Any]) -> None:
    kube.release("kong", "traceable-agent", ["deployed"])
    passes(kube, **there)


def test_a_release_that_is_gone_is_no_second_gateway(kube: FakeKubernetes) -> None:
    kube.release("kong", "old", ["uninstalled"])
    passes(kube)


def test_another_ingress_class_comes_while_the_plugin_is_off(kube: FakeKubernetes) -> None:
    record_stands(kube, release="quickstart", ingressClass="old")
    passes(kube)  # Nothing stands that could be missed.
    plugin_stands(kube)
    text = refused(kube)
    steps = [f"kong.ingressClass {name}" for name in ("old`", "kong`")]
    switches = [f"traceable-kong:enabled {value}" for value in ("false", "true")]
    where = [text.index(part) for pair in zip(steps, switches, strict=True) for part in pair]
    assert where == sorted(where)
    assert text.count("`pulumi up`") == 2
    passes(kube, enabled=False)
    plugin_stands(kube, disabled=True)
    passes(kube)


def test_the_same_ingress_class_passes(kube: FakeKubernetes) -> None:
    record_stands(kube, ingressClass="kong")
    plugin_stands(kube)
    passes(kube)


def test_the_same_gateway_passes_and_so_does_a_record_that_says_less(kube: FakeKubernetes) -> None:
    record_stands(kube, release="quickstart", deployment="quickstart-kong")
    passes(kube)
    record_stands(kube)
    passes(kube)


def test_another_stacks_record_elsewhere_is_none_of_ours(kube: FakeKubernetes) -> None:
    gateway_stands(kube, "old", owner="traceable-kong.prod")
    passes(kube)
    assert subjects(examine(kube, intent())) == []
