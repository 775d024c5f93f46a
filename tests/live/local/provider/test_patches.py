"""Conformance: patches of existing objects."""

import pytest

from tests.live.local.provider import manifests
from tests.live.local.provider.conftest import Cluster
from tests.live.local.provider.expectations import expect
from tests.live.local.provider.plugin import Failure, Plugin

SSA = "https://www.pulumi.com/registry/packages/kubernetes/how-to-guides/managing-resources-with-server-side-apply/"
CREATE = "provider/provider.go (Create)"


def _template(document: dict[str, object]) -> dict[str, str]:
    spec = document["spec"]
    assert isinstance(spec, dict)
    annotations = spec["template"]["metadata"].get("annotations", {})
    assert isinstance(annotations, dict)
    return annotations


@expect("a patch needs a name", source="provider/provider.go (Check)")
def test_name(plugin: Plugin) -> None:
    with pytest.raises(Failure, match=r"patch resources require the `.metadata.name` field to be set"):
        plugin.resource("core/v1:NamespacePatch").check({"apiVersion": "v1", "kind": "Namespace", "metadata": {}})


@expect("the create of a patch is not previewed: its preview returns the inputs", source=CREATE)
def test_preview(plugin: Plugin, namespace: str) -> None:
    shown = plugin.resource("apps/v1:DeploymentPatch").create(
        manifests.deployment_patch(namespace, "not-there", a="1"), preview=True
    )

    assert "uid" not in shown["metadata"]


@expect("a patch changes only its fields, awaits the rollout and has the whole live object in its state", source=SSA)
def test_deployment(plugin: Plugin, cluster: Cluster, namespace: str) -> None:
    cluster.apply(manifests.deployment(namespace))
    patch = plugin.resource("apps/v1:DeploymentPatch")
    patch.create(manifests.deployment_patch(namespace, a="1"))

    live = cluster.get("deployment", "it", namespace)
    assert _template(live) == {"a": "1"}
    assert live["status"]["readyReplicas"] == 1
    assert live["status"]["observedGeneration"] == live["metadata"]["generation"]
    assert patch.id == f"{namespace}/it"
    assert patch.state["spec"]["template"]["spec"]["containers"][0]["image"] == "nginx:1"
    assert patch.state["__inputs"] == patch.inputs


@expect(
    "an unchanged patch has an empty diff; a changed one is an update by property", source="provider/provider.go (Diff)"
)
def test_diff(plugin: Plugin, cluster: Cluster, namespace: str) -> None:
    cluster.apply(manifests.deployment(namespace))
    patch = plugin.resource("apps/v1:DeploymentPatch")
    patch.create(manifests.deployment_patch(namespace, a="1"))

    assert patch.diff(manifests.deployment_patch(namespace, a="1")).paths == {}
    path = "spec.template.metadata.annotations.a"
    assert patch.diff(manifests.deployment_patch(namespace, a="2")).paths == {path: "UPDATE"}
    patch.update(manifests.deployment_patch(namespace, a="2"))
    assert _template(cluster.get("deployment", "it", namespace)) == {"a": "2"}


@expect(
    "deleting a patch relinquishes only its own fields, and is not awaited",
    source="ssa/actions.go (Relinquish)",
)
def test_delete(plugin: Plugin, cluster: Cluster, namespace: str) -> None:
    owner = manifests.deployment(namespace)
    owner["spec"]["template"]["metadata"]["annotations"] = {"owner": "1"}
    cluster.apply(owner)
    patch = plugin.resource("apps/v1:DeploymentPatch")
    patch.create(manifests.deployment_patch(namespace, patch="1"))
    patch.delete()

    assert _template(cluster.get("deployment", "it", namespace)) == {"owner": "1"}


@expect("another manager's field is a conflict, unless the annotation patchForce is set", source=SSA)
def test_conflict(plugin: Plugin, cluster: Cluster, namespace: str) -> None:
    owner = manifests.deployment(namespace)
    owner["spec"]["template"]["metadata"]["annotations"] = {"a": "owner"}
    cluster.apply(owner)
    wanted = manifests.deployment_patch(namespace, a="patch")

    with pytest.raises(Failure, match=r'(?s)field conflict detected.*conflict with "another"'):
        plugin.resource("apps/v1:DeploymentPatch").create(wanted)
    wanted["metadata"]["annotations"] = {"pulumi.com/patchForce": "true"}
    plugin.resource("apps/v1:DeploymentPatch").create(wanted)
    assert _template(cluster.get("deployment", "it", namespace)) == {"a": "patch"}


@expect(
    "an annotation can set the field manager",
    source="metadata/annotations.go, provider/provider.go (fieldManagerName)",
)
def test_field_manager(plugin: Plugin, cluster: Cluster, namespace: str) -> None:
    cluster.apply(manifests.deployment(namespace))
    wanted = manifests.deployment_patch(namespace, a="1")
    wanted["metadata"]["annotations"] = {"pulumi.com/patchFieldManager": "me"}
    patch = plugin.resource("apps/v1:DeploymentPatch")
    patch.create(wanted)

    assert patch.state["__fieldManager"] == "me"
    entries = cluster.get("deployment", "it", namespace)["metadata"]["managedFields"]
    assert ("me", "Apply") in [(each["manager"], each["operation"]) for each in entries]


@expect(
    "a NamespacePatch creates a missing namespace",
    source="https://kubernetes.io/docs/reference/using-api/server-side-apply/",
)
def test_missing_namespace(plugin: Plugin, cluster: Cluster, namespace: str) -> None:
    name = f"{namespace}-made"
    wanted = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {"a": "1"}}}
    try:
        plugin.resource("core/v1:NamespacePatch").create(wanted)
        assert cluster.get("namespace", name)["metadata"]["labels"]["a"] == "1"
    finally:
        cluster.run("kubectl", "delete", "namespace", name, "--wait=false", "--ignore-not-found")


@expect("updates turn an empty patch into one with labels and back", source="await/await.go (ssaUpdate)")
def test_empty(plugin: Plugin, cluster: Cluster, namespace: str) -> None:
    empty = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
    full = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": {"a": "1"}}}
    patch = plugin.resource("core/v1:NamespacePatch")
    patch.create(empty)

    assert patch.diff(empty).paths == {}
    assert patch.diff(full).paths == {"metadata.labels": "ADD"}
    patch.update(full)
    assert cluster.get("namespace", namespace)["metadata"]["labels"]["a"] == "1"
    assert patch.diff(empty).paths == {"metadata.labels": "DELETE"}
    patch.update(empty)
    assert "a" not in cluster.get("namespace", namespace)["metadata"]["labels"]


@expect("a patch of a required field without another manager cannot be deleted", source="provider/provider.go (Delete)")
def test_required_field(plugin: Plugin, cluster: Cluster, namespace: str) -> None:
    patch = plugin.resource("apps/v1:DeploymentPatch")
    patch.create(manifests.deployment(namespace))

    with pytest.raises(Failure, match="currently managing a required field"):
        patch.delete()
