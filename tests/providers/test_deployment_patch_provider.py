"""The dynamic provider of the patch: create, read, diff, update and delete."""

import pickle
from typing import Any

import pytest

from tests.deployment_patch.deployment import Cluster, kong_of, template, variable
from traceable_kong.providers.deployment_patch_provider import DeploymentFilesProvider, PatchFinalizerProvider

PROPS: dict[str, Any] = {
    "namespace": "gw",
    "deployment": "ingress-kong",
    "container": "proxy",
    "files": {"/opt/kong/plugins/traceable": "files-a"},
    "plugins": ["traceable"],
    "owner": "traceable-kong.dev",
    # As the engine hands it over.
    "timeoutSeconds": 0.0,
}


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    found = Cluster(template(("KONG_PLUGINS", "bundled")))
    monkeypatch.setattr("traceable_kong.cluster.target.connect", lambda **_: found)
    return found


def test_create_read_and_delete(cluster: Cluster) -> None:
    before = cluster.template
    made = DeploymentFilesProvider().create(PROPS)
    assert (made.id, made.outs) == ("gw/ingress-kong", {**PROPS, "generation": "2"})
    assert DeploymentFilesProvider().read(str(made.id), made.outs or {}).outs == made.outs
    assert DeploymentFilesProvider().diff("", made.outs or {}, PROPS).changes is False
    DeploymentFilesProvider().delete(str(made.id), made.outs or {})
    assert cluster.template == before


def test_a_kubeconfig_with_another_name_changes_nothing_in_the_cluster(cluster: Cluster) -> None:
    made = DeploymentFilesProvider().create({**PROPS, "cluster": {"kubeconfig": "/a", "context": "", "secret": False}})
    renamed = {**PROPS, "cluster": {"kubeconfig": "/b", "context": "", "secret": False}}
    cluster.change(lambda found: found["metadata"].update(annotations={"tme": "injected"}))
    before = len(cluster.patches)
    assert DeploymentFilesProvider().diff("", made.outs or {}, renamed).changes is True
    updated = DeploymentFilesProvider().update("", made.outs or {}, renamed)
    assert (updated.outs, len(cluster.patches)) == ({**renamed, "generation": "2"}, before)


def test_a_refresh_sees_what_the_owner_removed_and_the_next_update_restores_it(cluster: Cluster) -> None:
    made = DeploymentFilesProvider().create(PROPS).outs or {}

    def helm_upgrade(found: dict[str, Any]) -> None:
        kong_of(found)["env"] = [{"name": "KONG_PLUGINS", "value": "bundled,foo"}]

    cluster.change(helm_upgrade)
    seen = DeploymentFilesProvider().read("gw/ingress-kong", made).outs or {}
    assert (seen["plugins"], seen["files"], seen["generation"]) == ([], PROPS["files"], "2")
    assert DeploymentFilesProvider().diff("", seen, PROPS).changes is True
    DeploymentFilesProvider().update("", seen, PROPS)
    assert variable(cluster.template, "KONG_PLUGINS") == "bundled,foo,traceable"

    cluster.change(lambda found: kong_of(found).update(name="other"))
    seen = DeploymentFilesProvider().read("gw/ingress-kong", made).outs or {}
    assert (seen["container"], seen["files"]) == ("", {})


def test_a_deployment_that_does_not_exist_is_removed_from_the_state(cluster: Cluster) -> None:
    cluster.live = None
    assert not DeploymentFilesProvider().read("gw/ingress-kong", PROPS).id
    DeploymentFilesProvider().delete("gw/ingress-kong", PROPS)


@pytest.mark.parametrize(
    ("key", "value", "replaces"),
    [
        ("files", {"/opt/kong/plugins/traceable": "files-b"}, []),
        ("plugins", [], []),
        ("container", "other", []),
        ("timeoutSeconds", 5.0, []),
        ("namespace", "other", ["namespace"]),
        ("deployment", "other", ["deployment"]),
    ],
)
def test_which_properties_update_and_which_replace(key: str, value: object, replaces: list[str]) -> None:
    found = DeploymentFilesProvider().diff("", {**PROPS, "generation": "2"}, {**PROPS, key: value})
    assert (found.changes, found.replaces, found.delete_before_replace) == (True, replaces, True)


def test_a_finalizer_changes_nothing_and_reverts_what_an_interrupted_update_left(cluster: Cluster) -> None:
    before = cluster.template
    finalizer = PatchFinalizerProvider().create(PROPS)
    newer = {**PROPS, "files": {"/opt/kong/plugins/traceable": "files-b"}}
    assert (finalizer.outs or {})["mounted"] == ["files-a"]
    assert (PatchFinalizerProvider().update("", finalizer.outs or {}, newer).outs or {})["mounted"] == ["files-b"]
    assert PatchFinalizerProvider().diff("", finalizer.outs or {}, PROPS).changes is False
    assert cluster.patches == []
    DeploymentFilesProvider().create(PROPS)
    PatchFinalizerProvider().delete(str(finalizer.id), finalizer.outs or {})
    assert cluster.template == before


@pytest.mark.parametrize("provider", [PatchFinalizerProvider, DeploymentFilesProvider])
def test_only_the_name_of_the_class_is_pickled_into_the_state(provider: type) -> None:
    assert vars(provider()) == {}
    assert len(pickle.dumps(provider())) < 100
