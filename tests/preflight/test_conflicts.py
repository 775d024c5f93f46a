"""Objects that somebody else made: refused, each with a way out."""

import re

import pytest

from tests.preflight.fake import FakeKubernetes, default_class, passes, plugin_stands, record_stands, refused
from traceable_kong.cluster.secret_key import SecretKey
from traceable_kong.preflight.cached_reader import CLUSTER_PLUGINS, NAMESPACES, POLICIES, POLICY_BINDINGS

OBJECTS = {
    f"{NAMESPACES}/kong/configmaps/kong-plugin-traceable-0123456789": "kubectl delete configmap",
    f"{NAMESPACES}/kong/configmaps/traceable-installation": "kubectl delete configmap traceable-installation",
    f"{NAMESPACES}/traceable/secrets/traceable-agent-token": "agentTokenSecret.name traceable-agent-token",
    f"{CLUSTER_PLUGINS}/traceable-plugin": "plugin.name",
    f"{POLICIES}/traceable-kong-guard": "tmeGuard off",
    f"{POLICY_BINDINGS}/traceable-kong-guard": "tmeGuard off",
    f"{NAMESPACES}/kong": "kong.createNamespace false",
    f"{NAMESPACES}/traceable": "agent.createNamespace false",
}


OF_A_DATABASE = {
    f"{NAMESPACES}/kong/secrets/quickstart-postgres": "secret quickstart-postgres",
    f"{NAMESPACES}/kong/services/quickstart-postgres": "service quickstart-postgres",
    "/apis/apps/v1/namespaces/kong/statefulsets/quickstart-postgres": "statefulset quickstart-postgres",
}
MADE = {"gateway__made_database": "quickstart-postgres"}


@pytest.mark.parametrize("path", OF_A_DATABASE)
def test_a_database_of_somebody_elses_is_not_made_over(kube: FakeKubernetes, path: str) -> None:
    default_class(kube)
    kube.put(path)
    text = refused(kube, **MADE)
    assert text.startswith(f"{OF_A_DATABASE[path]} in namespace kong\nexists and is not managed by this stack")
    assert "another kong.release" in text and f"kubectl delete {OF_A_DATABASE[path]} --namespace kong" in text
    passes(kube)
    kube.put(path, ours=True)
    passes(kube, **MADE)
    kube.put(path, ours=True, owner="traceable-kong.prod")
    assert "belongs to another stack, traceable-kong.prod" in refused(kube, **MADE)


@pytest.mark.parametrize("path", OBJECTS)
def test_what_somebody_else_made_is_refused(kube: FakeKubernetes, path: str) -> None:
    kube.put(path, {"plugin": "traceable"})
    text = refused(kube)
    assert path.rsplit("/", 1)[-1] in text
    assert OBJECTS[path] in text
    assert re.search(
        rf"`kubectl label [a-z]+ {path.rsplit('/', 1)[-1]}( --namespace [a-z]+)? traceable-kong/stack=", text
    )


@pytest.mark.parametrize("path", OBJECTS)
def test_what_this_stack_made_passes(kube: FakeKubernetes, path: str) -> None:
    kube.put(path, {"plugin": "traceable"}, ours=True)
    passes(kube)


@pytest.mark.parametrize("path", OBJECTS)
def test_what_another_stack_made_is_refused_with_its_name(kube: FakeKubernetes, path: str) -> None:
    kube.put(path, {"plugin": "traceable"}, ours=True, owner="traceable-kong.prod")
    assert "belongs to another stack, traceable-kong.prod" in refused(kube)


def test_taking_an_object_over_is_one_command(kube: FakeKubernetes) -> None:
    plugin_stands(kube, ours=False)
    text = refused(kube)
    assert "kubectl label kongclusterplugin traceable-plugin traceable-kong/stack=traceable-kong.dev`" in text
    assert "docs/adopting-a-release.md" in text


def test_a_namespace_that_is_not_made_here_must_be_there(kube: FakeKubernetes) -> None:
    assert "kubectl create namespace kong" in refused(kube, gateway__create_namespace=False)
    kube.put(f"{NAMESPACES}/kong")
    passes(kube, gateway__create_namespace=False)


def test_one_namespace_for_both_is_made_once(kube: FakeKubernetes) -> None:
    passes(kube, agent__namespace="kong", agent__create_namespace=False)


def test_a_namespace_that_is_being_deleted_is_waited_for(kube: FakeKubernetes) -> None:
    kube.put(f"{NAMESPACES}/kong", {"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}}, ours=True)
    assert "kubectl wait --for=delete namespace/kong" in refused(kube)


THEIRS = {"agent__own_secret": None, "agent__their_secret": SecretKey(name="mine", key="token")}


def test_the_secret_that_holds_the_token_must_be_there_with_its_key(kube: FakeKubernetes) -> None:
    text = refused(kube, **THEIRS)
    assert "agent.createNamespace false" in text, "in a namespace that is made here it cannot be"
    assert "--from-file=token=/dev/stdin" in text, "no secret on a command line"
    kube.put(f"{NAMESPACES}/traceable/secrets/mine", {"data": {"other": "c2VjcmV0"}})
    text = refused(kube, **THEIRS)
    assert "its keys: other" in text
    assert "c2VjcmV0" not in text
    kube.put(f"{NAMESPACES}/traceable/secrets/mine", {"data": {"token": "c2VjcmV0"}})
    passes(kube, **THEIRS)


def test_a_second_global_plugin_of_the_class_is_refused(kube: FakeKubernetes) -> None:
    theirs = plugin_stands(kube, "theirs", ours=False)
    text = refused(kube)
    assert "kubectl delete kongclusterplugin theirs" in text
    assert (
        "plugin.name theirs" in text
        and "kubectl label kongclusterplugin theirs traceable-kong/stack=traceable-kong.dev`" in text
    )
    passes(kube, plugin__everywhere=False)
    for change in ({"plugin": "rate-limiting"}, {"metadata": {**theirs["metadata"], "labels": {}}}):
        kube.put(f"{CLUSTER_PLUGINS}/theirs", {**theirs, **change})
        passes(kube)
    theirs["metadata"]["annotations"]["kubernetes.io/ingress.class"] = "other"
    kube.put(f"{CLUSTER_PLUGINS}/theirs", theirs)
    passes(kube)


def test_our_plugin_under_the_name_that_the_record_has_is_no_second_one(kube: FakeKubernetes) -> None:
    plugin_stands(kube, "old-name")
    record_stands(kube, pluginObject="old-name")
    passes(kube)


@pytest.mark.parametrize("everywhere", [True, False])
@pytest.mark.parametrize("recorded", [True, False])
def test_a_plugin_of_ours_that_nobody_names_is_refused(kube: FakeKubernetes, recorded: bool, everywhere: bool) -> None:
    plugin_stands(kube)
    plugin_stands(kube, "left-over")
    if recorded:
        record_stands(kube, pluginObject="traceable-plugin")
    text = refused(kube, plugin__everywhere=everywhere)
    assert "`kubectl delete kongclusterplugin left-over`" in text
    assert "plugin.name left-over" in text


def test_who_leaves_takes_all_of_them_along(kube: FakeKubernetes) -> None:
    plugin_stands(kube, disabled=True)
    plugin_stands(kube, "left-over", disabled=True)
    passes(kube, installed=False, enabled=False)
