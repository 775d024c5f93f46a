"""The gateway's ingress controller reads the plugin and may read it, or preflight reports it."""

from typing import Any

import pytest

from tests.fakes.preflight_cluster import (
    EXISTING,
    UNINSTALLED,
    FakeKubernetes,
    container,
    deployment,
    examined,
    passes,
    put_kong,
    refused,
    warned,
)
from traceable_kong.cluster.api_objects import config_maps, secrets, services
from traceable_kong.cluster.kubernetes_client import Document

SWITCH = "enable-controller-kongclusterplugin"
OFF: dict[str, Any] = {"CONTROLLER_ENABLE_CONTROLLER_KONGCLUSTERPLUGIN": "false"}


def managed(**ingress_controller: Any) -> dict[str, Any]:
    """The keys of a managed Kong with these values of its ingress controller."""
    return {"kongValues": {"ingressController": ingress_controller}}


def existing(**kong: Any) -> dict[str, Any]:
    """The keys of an existing Kong, and these of the section `kong`."""
    return {"kong": {**EXISTING["kong"], **kong}}


def controller(*args: str, **env: Any) -> Document:
    return {**container("ingress-controller", image="kic:3", **env), "args": list(args)}


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (controller(CONTROLLER_INGRESS_CLASS="edge"), "traceable-kong:kong.ingressClass edge`"),
        (controller("--ingress-class=edge", CONTROLLER_INGRESS_CLASS="kong"), "class 'edge' (--ingress-class)"),
        (controller("--ingress-class=two words"), "kong.ingressClass 'two words'`"),
        (controller(**OFF), "does not read KongClusterPlugins (CONTROLLER_ENABLE_CONTROLLER_KONGCLUSTERPLUGIN"),
        (controller(f"--{SWITCH}=false"), f"Remove --{SWITCH} from the controller's settings"),
    ],
)
def test_an_existing_kong_whose_controller_would_not_read_it(kube: FakeKubernetes, found: Document, said: str) -> None:
    put_kong(kube, container(), found)
    assert said in refused(kube, **EXISTING)


def test_disabling_is_not_refused(kube: FakeKubernetes) -> None:
    put_kong(kube, container(), controller(**OFF))
    assert "does not read KongClusterPlugins" in warned(kube, **EXISTING, enabled=False)
    put_kong(kube)
    kube.account_may = lambda verb, resource: False
    assert "may not list or watch" in warned(kube, **EXISTING, enabled=False)


def test_the_default_class_is_kong(kube: FakeKubernetes) -> None:
    put_kong(kube, container(), controller())
    passes(kube, **EXISTING)
    assert "reads the ingress class 'kong', and the plugin has 'edge'" in refused(kube, **existing(ingressClass="edge"))


def test_arguments_win(kube: FakeKubernetes) -> None:
    put_kong(kube, container(), controller(f"--{SWITCH}", "--ingress-class=kong", CONTROLLER_INGRESS_CLASS="x", **OFF))
    passes(kube, **EXISTING)


def test_a_value_from_elsewhere_is_a_warning(kube: FakeKubernetes) -> None:
    told = controller()
    told["env"] = [{"name": "CONTROLLER_INGRESS_CLASS", "valueFrom": {"configMapKeyRef": {"name": "a", "key": "b"}}}]
    put_kong(kube, container(), told)
    assert "comes from another object (CONTROLLER_INGRESS_CLASS)" in warned(kube, **EXISTING)


def test_variables_from_whole_objects(kube: FakeKubernetes) -> None:
    told = {**controller(), "envFrom": [{"configMapRef": {"name": "own"}}, {"secretRef": {"name": "own"}}]}
    put_kong(kube, container(), told)
    passes(kube, **EXISTING)
    kube.put(f"{secrets('kong')}/own", {"data": {"CONTROLLER_INGRESS_CLASS": "a29uZw=="}})
    assert "comes from another object (CONTROLLER_INGRESS_CLASS)" in warned(kube, **EXISTING)
    kube.objects.clear()
    put_kong(kube, container(), told)
    kube.put(f"{config_maps('kong')}/own", {"data": OFF})
    assert "does not read KongClusterPlugins" in refused(kube, **EXISTING)


def test_variables_from_whole_objects_in_chart_values(kube: FakeKubernetes) -> None:
    changes = managed(envFrom=[{"configMapRef": {"name": "own"}}])
    passes(kube, **changes)
    kube.put(f"{config_maps('kong')}/own", {"data": {**OFF, "CONTROLLER_INGRESS_CLASS": "edge"}})
    assert "does not read KongClusterPlugins" in refused(kube, **changes)
    passes(kube, **changes, **UNINSTALLED)


def controllers_own(kube: FakeKubernetes, told: Document, name: str = "controller") -> None:
    """As the kong/ingress chart has it: the controller in a Deployment of its own, the gateway found by a Service."""
    spec = {"containers": [told], "serviceAccountName": f"{name}-account"}
    kube.put(deployment("kong", name), {"spec": {"template": {"spec": spec}}})
    kube.put(f"{services('kong')}/gateway-admin", {"spec": {"selector": {"a": "kong"}}})


def gateway_alone(kube: FakeKubernetes) -> None:
    put_kong(kube)
    template = kube.objects[deployment("kong", "quickstart-kong")]["spec"]["template"]
    template["metadata"] = {"labels": {"a": "kong", "b": "c"}}
    template["spec"]["containers"] = [container()]


@pytest.mark.parametrize(
    "place",
    [
        {"CONTROLLER_KONG_ADMIN_SVC": "kong/gateway-admin"},
        {"CONTROLLER_KONG_ADMIN_URL": "https://gateway-admin.kong.svc.cluster.local:8444"},
        {"CONTROLLER_KONG_ADMIN_URL": "https://gateway-admin:8444"},
    ],
)
def test_a_controller_in_a_deployment_of_its_own(kube: FakeKubernetes, place: dict[str, Any]) -> None:
    gateway_alone(kube)
    controllers_own(kube, container("manager", image="mirror/kic:3", **place))
    passes(kube, **EXISTING)
    assert kube.accounts == ["kong/controller-account"] * 2
    controllers_own(kube, container("manager", image="mirror/kic:3", **place, **OFF))
    said = refused(kube, **EXISTING)
    assert said.startswith("deployment controller in namespace kong") and "does not read KongClusterPlugins" in said


def test_a_controller_of_another_kong_does_not_count(kube: FakeKubernetes) -> None:
    gateway_alone(kube)
    controllers_own(kube, container("manager", image="mirror/kic:3", CONTROLLER_KONG_ADMIN_SVC="kong/other", **OFF))
    kube.put(f"{services('kong')}/other", {"spec": {"selector": {"a": "other"}}})
    assert "has no ingress controller in its pods, and none in its namespace configures it" in warned(kube, **EXISTING)


def test_missing_permissions_of_the_controller(kube: FakeKubernetes) -> None:
    put_kong(kube)
    kube.account_may = lambda verb, resource: verb != "watch"
    said = refused(kube, **EXISTING)
    assert "as the service account default, which may not watch KongClusterPlugins" in said
    assert "--resource=kongclusterplugins.configuration.konghq.com" in said
    assert "--serviceaccount=kong:default" in said


def test_the_charts_own_role_is_trusted_if_the_chart_creates_it(kube: FakeKubernetes) -> None:
    kube.account_may = lambda verb, resource: False
    passes(kube, **managed())
    said = refused(kube, **managed(rbac={"create": False}))
    assert "service account quickstart-kong" in said and "kongValues.ingressController.rbac" in said
    passes(kube, **managed(rbac={"create": False}), **UNINSTALLED)
    assert "may not list or watch" in refused(
        kube, **managed(rbac={"enableClusterRoles": False}, watchNamespaces=["shop"])
    )


def test_permissions_that_may_not_be_reviewed_are_a_warning(kube: FakeKubernetes) -> None:
    put_kong(kube)
    kube.account_may = None
    found = examined(kube, **EXISTING)
    assert found.errors == [] and "could not be checked" in found.warnings[0].problem
