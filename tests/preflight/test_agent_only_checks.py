"""An agent-only stack: only the agent is checked, and no gateway of this stack would be removed."""

from typing import Any

import pytest

from tests.fakes import preflight_cluster
from tests.fakes.plans import OWNER
from tests.fakes.preflight_cluster import FakeKubernetes, put_gateway
from traceable_kong.cluster.api_objects import MUTATING_WEBHOOKS, NAMESPACES, config_maps
from traceable_kong.cluster.ownership import GATEWAY_LABEL, labels
from traceable_kong.preflight.examination import Examination
from traceable_kong.preflight.finding import StuckRelease

RECORD = f"{config_maps('traceable')}/traceable-agent-installation"

AGENT_ONLY: dict[str, Any] = {"gateway": False, "plugin": None}


def examined(kube: FakeKubernetes, **arguments: Any) -> Examination:
    return preflight_cluster.examined(kube, **{**AGENT_ONLY, **arguments})


def refused(kube: FakeKubernetes, **arguments: Any) -> str:
    return preflight_cluster.refused(kube, **{**AGENT_ONLY, **arguments})


def passes(kube: FakeKubernetes, **arguments: Any) -> None:
    preflight_cluster.passes(kube, **{**AGENT_ONLY, **arguments})


@pytest.mark.parametrize("live_change", [False, True])
def test_an_empty_cluster_passes(kube: FakeKubernetes, live_change: bool) -> None:
    passes(kube, live_change=live_change)
    assert not [path for path in kube.asked if "/namespaces/kong" in path or "konghq" in path]


def test_an_installed_stack_passes(kube: FakeKubernetes) -> None:
    kube.put(f"{NAMESPACES}/traceable", owned=True)
    kube.put(f"{NAMESPACES}/traceable/secrets/traceable-agent-token", owned=True)
    kube.put(RECORD, owned=True)
    kube.release("traceable", "traceable-agent", ["superseded", "deployed"])
    passes(kube)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (f"{NAMESPACES}/traceable", "agent.createNamespace"),
        (f"{NAMESPACES}/traceable/secrets/traceable-agent-token", "agentTokenSecret"),
        (RECORD, "another agent.namespace"),
    ],
)
@pytest.mark.parametrize("owner", ["", "traceable-kong.other"])
def test_an_object_of_another_owner_is_refused(kube: FakeKubernetes, path: str, said: str, owner: str) -> None:
    kube.put(path, {"metadata": {"labels": labels(owner)}} if owner else {})
    assert said in refused(kube)


@pytest.mark.parametrize("owner", [None, "traceable-kong.other"])
def test_a_release_of_another_owner_is_refused(kube: FakeKubernetes, owner: str | None) -> None:
    kube.release("traceable", "traceable-agent", ["deployed"], owner=owner)
    assert "Helm release traceable-agent in namespace traceable" in refused(kube)


def test_a_namespace_that_is_not_created_must_exist(kube: FakeKubernetes) -> None:
    assert "namespace traceable" in refused(kube, agent={"createNamespace": False})
    kube.put(f"{NAMESPACES}/traceable")
    passes(kube, agent={"createNamespace": False})


def test_the_token_secret_must_exist(kube: FakeKubernetes) -> None:
    assert "secret token in namespace traceable" in refused(
        kube, agentToken=None, agentTokenSecret={"name": "token", "key": "token"}
    )


def test_an_interrupted_operation_is_repaired(kube: FakeKubernetes) -> None:
    kube.release("traceable", "traceable-agent", ["deployed", "pending-upgrade"])
    (stuck,) = examined(kube).stuck
    assert isinstance(stuck, StuckRelease) and (stuck.release.name, stuck.restore) == ("traceable-agent", 1)
    (warning,) = examined(kube, live_change=False).warnings
    assert "helm rollback traceable-agent 1" in warning.fix


def test_a_gateway_of_this_stack_is_refused(kube: FakeKubernetes) -> None:
    put_gateway(kube, "edge")
    text = refused(kube)
    assert "traceable-kong:gateway" in text and "a gateway in namespace edge" in text
    assert "pulumi config rm traceable-kong:gateway" in text


def test_an_uninstalled_gateway_in_an_owned_namespace_is_refused(kube: FakeKubernetes) -> None:
    kube.put(f"{NAMESPACES}/edge", owned=True)
    assert "a gateway in namespace edge" in refused(kube)


def test_a_gateway_in_the_agents_namespace_is_refused(kube: FakeKubernetes) -> None:
    kube.put(f"{NAMESPACES}/traceable", {"metadata": {"labels": {GATEWAY_LABEL: OWNER}}}, owned=True)
    assert "a gateway in namespace traceable" in refused(kube)


def test_gateways_of_other_stacks_pass(kube: FakeKubernetes) -> None:
    put_gateway(kube, "edge", owner="traceable-kong.edge")
    passes(kube)
    kube.put(f"{NAMESPACES}/other", owned=True, owner="traceable-kong.other")
    passes(kube)


def test_the_agent_is_not_moved_while_gateways_use_it(kube: FakeKubernetes) -> None:
    kube.put(f"{NAMESPACES}/before", owned=True)
    kube.put(f"{config_maps('before')}/traceable-agent-installation", owned=True)
    text = refused(kube)
    assert "is in namespace before" in text and "agent.namespace before" in text


def test_the_agent_is_not_moved_from_an_existing_namespace(kube: FakeKubernetes) -> None:
    kube.put(f"{config_maps('before')}/traceable-agent-installation", owned=True)
    kube.put(f"{MUTATING_WEBHOOKS}/traceable-agent-injector-before")
    assert "is in namespace before" in refused(kube)


def test_what_a_tenant_can_create_stops_nothing(kube: FakeKubernetes) -> None:
    for record in ("traceable-installation", "traceable-agent-installation"):
        kube.put(f"{config_maps('tenant')}/{record}", owned=True)
    kube.put(f"{NAMESPACES}/tenant")
    found = examined(kube)
    assert found.errors == []
    (warning,) = found.warnings
    assert warning.subject == "configmap traceable-agent-installation in namespace tenant"
    assert "kubectl delete configmap traceable-agent-installation --namespace tenant" in warning.fix


@pytest.mark.parametrize("path", ["/api/v1/configmaps", NAMESPACES])
def test_an_up_stops_if_gateways_cannot_be_listed(kube: FakeKubernetes, path: str) -> None:
    kube.denied[path] = 403
    assert path in str(examined(kube).errors)
    assert examined(kube, live_change=False).errors == []


def test_only_the_agents_permissions_are_checked(kube: FakeKubernetes) -> None:
    kube.may = lambda verb, resource: False
    found = examined(kube)
    text = "\n".join(item.problem for item in found.errors)
    for permission in (
        "create, patch, delete configmaps in namespace traceable",
        "create, patch, delete mutatingwebhookconfigurations",
        "get, list, watch, create, patch, delete, update secrets in namespace traceable",
        "get services in namespace traceable",
        "get, create pods/portforward in namespace traceable",
        "create, patch, delete namespaces",
    ):
        assert permission in text
    assert "kong" not in text and "policies" not in text
    kube.may = lambda verb, resource: verb != "*"
    passes(kube)
