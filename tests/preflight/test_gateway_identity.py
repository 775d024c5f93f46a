"""The gateway is the one of the earlier updates: its namespace, its release or Deployment, and its ingress class."""

from typing import Any

import pytest

from tests.fakes.preflight_cluster import (
    EXISTING,
    EXTERNAL_AGENT,
    FakeKubernetes,
    examined,
    passes,
    put_gateway,
    put_kong,
    put_plugin,
    put_record,
    refused,
)
from traceable_kong.cluster.api_objects import NAMESPACES


def test_another_namespace_is_a_second_gateway(kube: FakeKubernetes) -> None:
    put_gateway(kube, "old")
    text = refused(kube)
    assert "kong.namespace old" in text
    assert "pulumi destroy" in text


def test_a_record_that_a_tenant_created_is_no_second_gateway(kube: FakeKubernetes) -> None:
    """Otherwise a user who may create ConfigMaps in one namespace could stop every update, even one that disables."""
    put_record(kube, "tenant", release="quickstart", deployment="quickstart-kong")
    kube.release("tenant", "quickstart", ["deployed"])
    kube.put(f"{NAMESPACES}/tenant")
    passes(kube)
    passes(kube, enabled=False)


def test_another_release_is_a_second_gateway(kube: FakeKubernetes) -> None:
    put_record(kube, release="old", deployment="old-kong")
    assert "kong.release old" in refused(kube)


def test_another_deployment_is_a_second_gateway(kube: FakeKubernetes) -> None:
    put_record(kube, release="quickstart", deployment="edge")
    assert "fullnameOverride" in refused(kube)
    put_record(kube, deployment="edge")
    put_kong(kube)
    assert "kong.deployment edge" in refused(kube, **EXISTING)


def test_another_release_is_found_with_permissions_in_its_namespace_only(kube: FakeKubernetes) -> None:
    kube.denied_lists[NAMESPACES] = 403
    put_record(kube, release="old", deployment="old-kong")
    found = examined(kube)
    assert ["kong.release old" in item.fix for item in found.errors] == [True]
    assert [item.subject for item in found.warnings] == ["a gateway of this stack elsewhere"]


def test_an_unreadable_record_is_refused(kube: FakeKubernetes) -> None:
    kube.denied[f"{NAMESPACES}/kong/configmaps"] = 403
    assert "a gateway of this stack here" in refused(kube)


@pytest.mark.parametrize("statuses", [["pending-install"], ["superseded", "deployed"]])
def test_another_release_is_found_before_there_is_a_record(kube: FakeKubernetes, statuses: list[str]) -> None:
    kube.release("kong", "old", statuses)
    assert "kong.release old" in refused(kube)


def test_a_changed_release_is_one_error(kube: FakeKubernetes) -> None:
    put_record(kube, release="old", deployment="old-kong")
    kube.release("kong", "old", ["deployed"])
    assert "kong.release old" in refused(kube)


@pytest.mark.parametrize("owner", [None, "traceable-kong.prod"])
def test_other_releases_in_the_namespace_pass(kube: FakeKubernetes, owner: str | None) -> None:
    kube.release("kong", "other", ["deployed"], owner=owner)
    passes(kube)


@pytest.mark.parametrize("there", [{"agent": {"namespace": "kong", "createNamespace": False}}, EXTERNAL_AGENT])
def test_the_agents_release_is_no_second_gateway(kube: FakeKubernetes, there: dict[str, Any]) -> None:
    kube.release("kong", "traceable-agent", ["deployed"])
    passes(kube, **there)


def test_an_uninstalled_release_is_no_second_gateway(kube: FakeKubernetes) -> None:
    kube.release("kong", "old", ["uninstalled"])
    passes(kube)


def test_the_ingress_class_changes_while_the_plugin_is_disabled(kube: FakeKubernetes) -> None:
    put_record(kube, release="quickstart", ingressClass="old")
    passes(kube)  # There is no plugin that new pods would miss.
    put_plugin(kube)
    text = refused(kube)
    steps = [f"kong.ingressClass {name}" for name in ("old`", "kong`")]
    switches = [f"traceable-kong:enabled {value}" for value in ("false", "true")]
    where = [text.index(part) for pair in zip(steps, switches, strict=True) for part in pair]
    assert where == sorted(where)
    assert text.count("`pulumi up`") == 2
    passes(kube, enabled=False)
    put_plugin(kube, disabled=True)
    passes(kube)


def test_the_same_ingress_class_passes(kube: FakeKubernetes) -> None:
    put_record(kube, ingressClass="kong")
    put_plugin(kube)
    passes(kube)


def test_the_same_gateway_passes_and_so_does_an_empty_record(kube: FakeKubernetes) -> None:
    put_record(kube, release="quickstart", deployment="quickstart-kong")
    passes(kube)
    put_record(kube)
    passes(kube)


def test_another_stacks_gateway_passes(kube: FakeKubernetes) -> None:
    put_gateway(kube, "old", owner="traceable-kong.prod")
    passes(kube)
