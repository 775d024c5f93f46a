"""Objects that this stack does not manage: each conflict has a fix."""

import re
from typing import Any

import pytest

from tests.fakes.plans import ROCK, plan
from tests.fakes.preflight_cluster import (
    FILES,
    POLICY,
    FakeKubernetes,
    passes,
    put_plugin,
    put_storage_class,
    refused,
)
from traceable_kong.cluster.api_objects import CLUSTER_PLUGINS, NAMESPACES, POLICIES, POLICY_BINDINGS
from traceable_kong.plan.build import PlanInputs
from traceable_kong.plan.siblings import Siblings

OBJECTS = {
    f"{NAMESPACES}/kong/configmaps/{FILES}": "kubectl delete configmap",
    f"{NAMESPACES}/kong/configmaps/traceable-installation": "kubectl delete configmap traceable-installation",
    f"{NAMESPACES}/traceable/secrets/traceable-agent-token": "agentTokenSecret.name traceable-agent-token",
    f"{CLUSTER_PLUGINS}/traceable-plugin": "plugin.name",
    f"{POLICIES}/{POLICY}": "tmeGuard off",
    f"{POLICY_BINDINGS}/{POLICY}": "tmeGuard off",
    f"{NAMESPACES}/kong": "kong.createNamespace false",
    f"{NAMESPACES}/traceable": "agent.createNamespace false",
}


OF_A_DATABASE = {
    f"{NAMESPACES}/kong/secrets/quickstart-postgres": "secret quickstart-postgres",
    f"{NAMESPACES}/kong/services/quickstart-postgres": "service quickstart-postgres",
    "/apis/apps/v1/namespaces/kong/statefulsets/quickstart-postgres": "statefulset quickstart-postgres",
}
MANAGED_DATABASE: dict[str, Any] = {"kong": {"database": "postgres", "postgres": {"managed": True}}}


@pytest.mark.parametrize("path", OF_A_DATABASE)
def test_a_database_that_another_user_created_is_not_overwritten(kube: FakeKubernetes, path: str) -> None:
    put_storage_class(kube)
    kube.put(path)
    text = refused(kube, **MANAGED_DATABASE)
    assert text.startswith(f"{OF_A_DATABASE[path]} in namespace kong\nexists and is not managed by this stack")
    assert "another kong.release" in text and f"kubectl delete {OF_A_DATABASE[path]} --namespace kong" in text
    passes(kube)
    kube.put(path, owned=True)
    passes(kube, **MANAGED_DATABASE)
    kube.put(path, owned=True, owner="traceable-kong.prod")
    assert "belongs to another stack, traceable-kong.prod" in refused(kube, **MANAGED_DATABASE)


@pytest.mark.parametrize("path", OBJECTS)
def test_an_object_that_another_user_created_is_refused(kube: FakeKubernetes, path: str) -> None:
    kube.put(path, {"plugin": "traceable"})
    text = refused(kube)
    assert path.rsplit("/", 1)[-1] in text
    assert OBJECTS[path] in text
    assert re.search(
        rf"`kubectl label [a-z]+ {path.rsplit('/', 1)[-1]}( --namespace [a-z]+)? traceable-kong/stack=", text
    )


@pytest.mark.parametrize("path", OBJECTS)
def test_an_object_of_this_stack_passes(kube: FakeKubernetes, path: str) -> None:
    kube.put(path, {"plugin": "traceable"}, owned=True)
    passes(kube)


@pytest.mark.parametrize("path", OBJECTS)
def test_an_object_of_another_stack_is_refused_with_its_name(kube: FakeKubernetes, path: str) -> None:
    kube.put(path, {"plugin": "traceable"}, owned=True, owner="traceable-kong.prod")
    assert "belongs to another stack, traceable-kong.prod" in refused(kube)


@pytest.mark.parametrize("path", OBJECTS)
def test_an_object_of_another_component_of_this_stack(kube: FakeKubernetes, path: str) -> None:
    kube.put(path, {"plugin": "traceable"}, owned=True, owner="traceable-kong.dev.edge-0a1b2c3d")
    siblings = Siblings(component="inner", prefix="traceable-kong.dev.")
    text = refused(kube, of=plan(inputs=PlanInputs(rock=ROCK, siblings=siblings)))
    assert "belongs to component edge of this stack, and not to inner" in text and "another stack" not in text
    assert "If edge was renamed to inner, name edge in the resource option aliases of inner" in text
    assert "the removal of inner from the program would delete it" in text


def test_one_command_hands_an_object_over(kube: FakeKubernetes) -> None:
    put_plugin(kube, owned=False)
    text = refused(kube)
    assert "kubectl label kongclusterplugin traceable-plugin traceable-kong/stack=traceable-kong.dev`" in text
    assert "docs/adopting-a-release.md" in text


def test_a_namespace_that_is_not_created_here_must_exist(kube: FakeKubernetes) -> None:
    assert "kubectl create namespace kong" in refused(kube, kong={"createNamespace": False})
    kube.put(f"{NAMESPACES}/kong")
    passes(kube, kong={"createNamespace": False})


def test_one_namespace_for_both_is_created_once(kube: FakeKubernetes) -> None:
    passes(kube, agent={"namespace": "kong", "createNamespace": False})


def test_a_namespace_that_is_being_deleted_is_refused(kube: FakeKubernetes) -> None:
    kube.put(f"{NAMESPACES}/kong", {"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}}, owned=True)
    assert "kubectl wait --for=delete namespace/kong" in refused(kube)
