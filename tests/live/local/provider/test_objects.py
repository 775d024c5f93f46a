"""Conformance: check, create, update, read and delete of ordinary objects."""

import re
from collections.abc import Callable

import pytest

from local.provider.property_values import UNKNOWN, Secret
from tests.live.local.provider import manifests
from tests.live.local.provider.conftest import Cluster
from tests.live.local.provider.expectations import expect
from tests.live.local.provider.plugin import Failure, Plugin

CHECK = "provider/provider.go (Check)"
CREATE = "provider/provider.go (Create), await/await.go (Creation)"
UPDATE = "provider/provider.go (Update), await/await.go (Update)"
READ = "provider/provider.go (Read)"
DELETE = "provider/provider.go (Delete), await/await.go (Deletion)"


@expect(
    "a resource without a name gets its logical name with a random suffix and is marked autonamed",
    source="metadata/naming.go",
)
def test_autonamed(plugin: Plugin) -> None:
    inputs = plugin.resource("core/v1:ConfigMap", "lamp").checked(manifests.config_map("", None))

    assert re.fullmatch(r"lamp-[0-9a-f]{8}", inputs["metadata"]["name"])
    assert inputs["metadata"]["annotations"]["pulumi.com/autonamed"] == "true"


@expect("a chosen name stays as long as the resource does", source="metadata/naming.go (AdoptOldAutonameIfUnnamed)")
def test_autoname_is_kept(plugin: Plugin) -> None:
    resource = plugin.resource("core/v1:ConfigMap", "lamp")
    resource.inputs = resource.checked(manifests.config_map("", None))

    assert resource.checked(manifests.config_map("", None))["metadata"]["name"] == resource.inputs["metadata"]["name"]


@expect("an object without a namespace gets the one of the provider", source=CHECK)
def test_default_namespace(plugin: Plugin, new_plugin: Callable[..., Plugin]) -> None:
    inputs = manifests.config_map("")

    assert plugin.resource("core/v1:ConfigMap").checked(inputs)["metadata"]["namespace"] == "default"
    other = new_plugin(namespace="elsewhere").resource("core/v1:ConfigMap")
    assert other.checked(inputs)["metadata"]["namespace"] == "elsewhere"


@expect("a cluster-scoped object gets no namespace", source=CHECK)
def test_no_namespace_for_cluster_scope(plugin: Plugin) -> None:
    inputs = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "x"}}

    assert "namespace" not in plugin.resource("core/v1:Namespace").checked(inputs)["metadata"]


@expect("generateName is refused", source=CHECK)
def test_generate_name(plugin: Plugin) -> None:
    inputs = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "x-"}}

    with pytest.raises(Failure, match=r"generateName.*is not supported in Server-Side Apply mode"):
        plugin.resource("core/v1:ConfigMap").check(inputs)


@expect("a list of objects cannot be a resource", source="issue pulumi/pulumi-kubernetes#2494")
def test_list(plugin: Plugin) -> None:
    with pytest.raises(Failure, match="cannot be created directly"):
        plugin.resource("core/v1:ConfigMapList").check({"apiVersion": "v1", "kind": "ConfigMapList", "items": []})


@expect(
    "the state holds the live object, the inputs, the first apiVersion and the field manager",
    source="provider/provider.go (checkpointObject, fieldManagerName)",
)
def test_state(plugin: Plugin, namespace: str) -> None:
    resource = plugin.resource("core/v1:ConfigMap")
    resource.create(manifests.config_map(namespace))

    assert resource.id == f"{namespace}/it"
    assert resource.state["metadata"]["uid"]
    assert resource.state["metadata"]["managedFields"]
    assert resource.state["data"] == {"a": "1"}
    assert resource.state["__inputs"] == resource.inputs
    assert resource.state["__initialApiVersion"] == "v1"
    assert re.fullmatch(r"pulumi-kubernetes-[0-9a-f]{8}", resource.state["__fieldManager"])


@expect("a create is a plain create by the manager pulumi-kubernetes", source="await/await.go (Creation)")
def test_create_manager(plugin: Plugin, cluster: Cluster, namespace: str) -> None:
    plugin.resource("core/v1:ConfigMap").create(manifests.config_map(namespace))

    (entry,) = cluster.get("configmap", "it", namespace)["metadata"]["managedFields"]
    assert (entry["manager"], entry["operation"]) == ("pulumi-kubernetes", "Update")


@expect(
    "the first update takes the fields over to the resource's own manager by server-side apply",
    source="await/await.go (fixCSAFieldManagers)",
)
def test_update_manager(plugin: Plugin, cluster: Cluster, namespace: str) -> None:
    resource = plugin.resource("core/v1:Service")
    resource.create(manifests.service(namespace))
    after = manifests.service(namespace)
    after["metadata"]["labels"] = {"a": "1"}
    resource.update(after)

    entries = cluster.get("service", "it", namespace)["metadata"]["managedFields"]
    assert [(each["manager"], each["operation"]) for each in entries] == [(resource.state["__fieldManager"], "Apply")]


@expect("what an update leaves out is taken out of the object", source="await/await.go (ssaUpdate)")
def test_update_removes(plugin: Plugin, cluster: Cluster, namespace: str) -> None:
    resource = plugin.resource("core/v1:Service")
    before = manifests.service(namespace, clusterIP="None")
    before["metadata"]["labels"] = {"a": "1", "b": "2"}
    resource.create(before)
    after = manifests.service(namespace, clusterIP="None")
    after["metadata"]["labels"] = {"a": "1"}
    resource.update(after)

    assert cluster.get("service", "it", namespace)["metadata"]["labels"] == {"a": "1"}


@expect("the preview of a create is a dry run on the server: defaults are shown, nothing is stored", source=CREATE)
def test_create_preview(plugin: Plugin, cluster: Cluster, namespace: str) -> None:
    shown = plugin.resource("apps/v1:Deployment").create(manifests.deployment(namespace), preview=True)

    assert shown["spec"]["progressDeadlineSeconds"] == 600
    assert "status" not in shown
    assert cluster.get("deployment", "it", namespace) is None


@expect("the preview of an update is a dry run on the server", source=UPDATE)
def test_update_preview(new_plugin: Callable[..., Plugin], cluster: Cluster, namespace: str) -> None:
    resource = new_plugin(enableConfigMapMutable="true").resource("core/v1:ConfigMap")
    resource.create(manifests.config_map(namespace, a="1"))

    assert resource.update(manifests.config_map(namespace, a="2"), preview=True)["data"] == {"a": "2"}
    assert cluster.get("configmap", "it", namespace)["data"] == {"a": "1"}


@expect("a preview with unknowns returns the inputs", source=CREATE)
def test_preview_with_unknowns(plugin: Plugin, namespace: str) -> None:
    shown = plugin.resource("core/v1:ConfigMap").create(
        {**manifests.config_map(namespace), "data": {"a": UNKNOWN}}, preview=True
    )

    assert shown["data"]["a"] is UNKNOWN
    assert "uid" not in shown["metadata"]


@expect("a preview of a kind that the cluster does not have returns the inputs", source=CREATE)
def test_preview_without_crd(plugin: Plugin) -> None:
    inputs = {"apiVersion": "nowhere.example.com/v1", "kind": "Lamp", "metadata": {"name": "x"}, "color": "red"}

    assert plugin.resource("nowhere.example.com/v1:Lamp").create(inputs, preview=True)["color"] == "red"


@expect("a preview in a namespace that is not there yet returns the inputs", source="await/error.go (namespaceError)")
def test_preview_without_namespace(plugin: Plugin) -> None:
    shown = plugin.resource("core/v1:ConfigMap").create(manifests.config_map("not-there-yet"), preview=True)

    assert shown["data"] == {"a": "1"}


@expect("an object that the server does not accept fails the preview", source=CREATE)
def test_preview_of_invalid(plugin: Plugin, namespace: str) -> None:
    with pytest.raises(Failure, match="was not successfully created by the Kubernetes API server"):
        plugin.resource("core/v1:ConfigMap").create(manifests.config_map(namespace, "Not_A_Name"), preview=True)


@expect("what authorization or a quota forbids does not fail the preview", source=CREATE)
def test_preview_of_forbidden(plugin: Plugin, cluster: Cluster, namespace: str) -> None:
    cluster.run("kubectl", "create", "quota", "none", "--hard=count/configmaps=0", "-n", namespace)
    cluster.until(
        lambda: bool(cluster.get("resourcequota", "none", namespace)["status"].get("hard")), "no quota in force"
    )
    resource = plugin.resource("core/v1:ConfigMap")

    assert "uid" not in resource.create(manifests.config_map(namespace), preview=True)["metadata"]
    with pytest.raises(Failure, match="exceeded quota"):
        resource.create(manifests.config_map(namespace))


@expect("an object that exists is an error in up and none in the preview", source=CREATE)
def test_already_exists(plugin: Plugin, cluster: Cluster, namespace: str) -> None:
    cluster.apply(manifests.config_map(namespace))
    resource = plugin.resource("core/v1:ConfigMap")

    resource.create(manifests.config_map(namespace), preview=True)
    with pytest.raises(Failure, match="already exists"):
        resource.create(manifests.config_map(namespace))
    assert resource.id == ""


@expect("with upsertExistingObjects an object that exists is taken over", source=CREATE)
def test_upsert(new_plugin: Callable[..., Plugin], cluster: Cluster, namespace: str) -> None:
    cluster.apply(manifests.config_map(namespace, a="1"))
    resource = new_plugin(upsertExistingObjects="true").resource("core/v1:ConfigMap")
    resource.create(manifests.config_map(namespace, a="1", b="2"))

    assert cluster.get("configmap", "it", namespace)["data"] == {"a": "1", "b": "2"}


@expect("an upsert that changes what another manager owns is a conflict", source="await/await.go (patchForce)")
def test_upsert_conflict(new_plugin: Callable[..., Plugin], cluster: Cluster, namespace: str) -> None:
    cluster.apply(manifests.config_map(namespace, a="1"))
    resource = new_plugin(upsertExistingObjects="true").resource("core/v1:ConfigMap")

    with pytest.raises(Failure, match='conflict with "another"'):
        resource.create(manifests.config_map(namespace, a="2"))


@expect("an update of an object that is gone fails", source=UPDATE)
def test_update_of_gone(new_plugin: Callable[..., Plugin], cluster: Cluster, namespace: str) -> None:
    resource = new_plugin(enableConfigMapMutable="true").resource("core/v1:ConfigMap")
    resource.create(manifests.config_map(namespace, a="1"))
    cluster.run("kubectl", "delete", "configmap", "it", "-n", namespace)

    with pytest.raises(Failure, match="not found"):
        resource.update(manifests.config_map(namespace, a="2"))


@expect("an object that is gone is read as gone", source=READ)
def test_read_of_gone(plugin: Plugin, cluster: Cluster, namespace: str) -> None:
    resource = plugin.resource("core/v1:ConfigMap")
    resource.create(manifests.config_map(namespace))
    cluster.run("kubectl", "delete", "configmap", "it", "-n", namespace)

    assert resource.read() == ""


@expect("a refresh sees what others changed in fields of ours, and the next diff mends it", source=READ)
def test_drift(new_plugin: Callable[..., Plugin], cluster: Cluster, namespace: str) -> None:
    resource = new_plugin(enableConfigMapMutable="true").resource("core/v1:ConfigMap")
    resource.create(manifests.config_map(namespace, a="1"))
    cluster.apply(manifests.config_map(namespace, a="9", b="2"))

    assert resource.read() == f"{namespace}/it"
    assert resource.inputs["data"] == {"a": "9"}
    assert resource.diff(manifests.config_map(namespace, a="1")).paths == {"data.a": "UPDATE"}


@expect("an object that is got or imported has inputs without status and server-written metadata", source=READ)
def test_get(plugin: Plugin, cluster: Cluster, namespace: str) -> None:
    cluster.apply(manifests.service(namespace, clusterIP="None"))
    resource = plugin.resource("core/v1:Service")

    assert resource.get(f"{namespace}/it") == f"{namespace}/it"
    assert resource.state["metadata"]["uid"]
    assert set(resource.inputs["metadata"]) == {"name", "namespace"}


@expect("a delete waits until the object is gone", source=DELETE)
def test_delete(plugin: Plugin, cluster: Cluster, namespace: str) -> None:
    resource = plugin.resource("core/v1:ConfigMap")
    resource.create(manifests.config_map(namespace))
    resource.delete()

    assert cluster.get("configmap", "it", namespace) is None


@expect("deleting an object that is gone succeeds", source=DELETE)
def test_delete_of_gone(plugin: Plugin, cluster: Cluster, namespace: str) -> None:
    resource = plugin.resource("core/v1:ConfigMap")
    resource.create(manifests.config_map(namespace))
    cluster.run("kubectl", "delete", "configmap", "it", "-n", namespace)

    resource.delete()


@expect("a delete that does not end in time fails and says what may hold it", source="await/condition/deleted.go")
def test_delete_timeout(plugin: Plugin, cluster: Cluster, namespace: str) -> None:
    resource = plugin.resource("core/v1:ConfigMap")
    inputs = manifests.config_map(namespace)
    inputs["metadata"]["finalizers"] = ["example.com/hold"]
    resource.create(inputs)
    try:
        with pytest.raises(Failure, match="timed out waiting for the condition") as failure:
            resource.delete(timeout_seconds=1)
        assert failure.value.state is not None
        assert any("finalizers might be preventing deletion (example.com/hold)" in each for each in plugin.said)
    finally:
        cluster.run("kubectl", "patch", "configmap", "it", "-n", namespace, "-p", '{"metadata":{"finalizers":null}}')


@expect("a namespace is deleted and awaited", source=DELETE)
def test_delete_namespace(plugin: Plugin, cluster: Cluster) -> None:
    resource = plugin.resource("core/v1:Namespace", "awaited")
    resource.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {}})
    resource.delete()

    assert cluster.get("namespace", resource.id) is None


@expect(
    "a Secret's data are secret in inputs and state, whatever the program says",
    source="provider/provider.go (annotateSecrets)",
)
def test_secret_data(plugin: Plugin, namespace: str) -> None:
    resource = plugin.resource("core/v1:Secret")
    resource.create(manifests.secret(namespace, stringData={"a": "hidden"}))

    assert resource.inputs["data"] == Secret({"a": "aGlkZGVu"})
    assert resource.state["data"] == Secret({"a": "aGlkZGVu"})


@expect("of other objects only the leaves that were secret are secret", source="provider/provider.go (annotateSecrets)")
def test_secret_leaves(plugin: Plugin, namespace: str) -> None:
    resource = plugin.resource("core/v1:ConfigMap")
    resource.create({**manifests.config_map(namespace), "data": {"a": Secret("x"), "b": "y"}})

    assert resource.state["data"] == {"a": Secret("x"), "b": "y"}
    assert resource.state["__inputs"]["data"] == {"a": Secret("x"), "b": "y"}


@expect("an unreachable cluster fails a read with the way to forget it", source=READ)
def test_unreachable(new_plugin: Callable[..., Plugin]) -> None:
    kubeconfig = """{"apiVersion": "v1", "kind": "Config", "current-context": "x",
        "clusters": [{"name": "x", "cluster": {"server": "http://127.0.0.1:1"}}],
        "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
        "users": [{"name": "x", "user": {}}]}"""
    resource = new_plugin(kubeconfig=kubeconfig).resource("core/v1:ConfigMap")
    resource.id = "default/it"

    with pytest.raises(Failure, match="PULUMI_K8S_DELETE_UNREACHABLE"):
        resource.read()
    with pytest.raises(Failure, match="configured Kubernetes cluster is unreachable"):
        resource.create(manifests.config_map("default"))
