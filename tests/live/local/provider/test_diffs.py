"""Conformance: changes, their properties, and replacements."""

import copy
from collections.abc import Callable
from typing import Any

from local.provider.property_values import UNKNOWN
from tests.live.local.provider import manifests
from tests.live.local.provider.conftest import Cluster
from tests.live.local.provider.expectations import expect
from tests.live.local.provider.plugin import Plugin, Resource

DIFF = "provider/provider.go (Diff, convertPatchToDiff)"
FORCE_NEW = "provider/diff.go (forceNewProperties)"


def _made(plugin: Plugin, inputs: dict[str, Any], token: str = "core/v1:ConfigMap") -> Resource:
    resource = plugin.resource(token)
    resource.create(inputs)
    return resource


@expect("defaults from the server are not a change", source=DIFF)
def test_nothing(plugin: Plugin, namespace: str) -> None:
    inputs = manifests.deployment(namespace)
    found = _made(plugin, inputs, "apps/v1:Deployment").diff(inputs)

    assert (found.paths, found.changed) == ({}, False)


@expect("a change of a ConfigMap's data replaces it, and a fixed name is deleted first", source=FORCE_NEW)
def test_config_map(plugin: Plugin, namespace: str) -> None:
    found = _made(plugin, manifests.config_map(namespace, a="1")).diff(manifests.config_map(namespace, a="2"))

    assert found.paths == {"data.a": "UPDATE_REPLACE"}
    assert found.replaces == ["data.a"]
    assert found.delete_first


@expect("an autonamed object is replaced by one with another name, which is created first", source=DIFF)
def test_autonamed(plugin: Plugin, namespace: str) -> None:
    found = _made(plugin, manifests.config_map(namespace, None, a="1")).diff(
        manifests.config_map(namespace, None, a="2")
    )

    assert found.paths == {"data.a": "UPDATE_REPLACE"}
    assert not found.delete_first


@expect("with enableConfigMapMutable a ConfigMap is updated in place", source=FORCE_NEW)
def test_mutable(new_plugin: Callable[..., Plugin], namespace: str) -> None:
    plugin = new_plugin(enableConfigMapMutable="true")
    found = _made(plugin, manifests.config_map(namespace, a="1")).diff(manifests.config_map(namespace, a="2"))

    assert found.paths == {"data.a": "UPDATE"}
    assert found.replaces == []


@expect("an immutable ConfigMap is replaced even with enableConfigMapMutable", source=FORCE_NEW)
def test_immutable(new_plugin: Callable[..., Plugin], namespace: str) -> None:
    plugin = new_plugin(enableConfigMapMutable="true")
    before = {**manifests.config_map(namespace, a="1"), "immutable": True}
    found = _made(plugin, before).diff({**before, "data": {"a": "2"}})

    assert found.paths == {"data.a": "UPDATE_REPLACE"}


@expect("a change of a Secret's data replaces it, unless enableSecretMutable is set", source=FORCE_NEW)
def test_secret(plugin: Plugin, new_plugin: Callable[..., Plugin], namespace: str) -> None:
    before = manifests.secret(namespace, stringData={"a": "1"})
    after = manifests.secret(namespace, stringData={"a": "2"})
    resource = _made(plugin, before, "core/v1:Secret")

    assert resource.diff(before).paths == {}
    assert resource.diff(after).paths == {"data.a": "UPDATE_REPLACE"}
    resource.plugin = new_plugin(enableSecretMutable="true")
    assert resource.diff(after).paths == {"data.a": "UPDATE"}


@expect("a change of name or namespace replaces every object, and the new one is created first", source=FORCE_NEW)
def test_identity(plugin: Plugin, namespace: str) -> None:
    resource = _made(plugin, manifests.config_map(namespace))
    moved, renamed = manifests.config_map("default"), manifests.config_map(namespace, "other")

    assert resource.diff(moved).paths == {"metadata.namespace": "UPDATE_REPLACE"}
    assert resource.diff(renamed).paths == {"metadata.name": "UPDATE_REPLACE"}
    assert not resource.diff(moved).delete_first
    assert not resource.diff(renamed).delete_first


@expect(
    "another selector replaces a Deployment, another image does not; paths of list items have the position",
    source=FORCE_NEW,
)
def test_deployment(plugin: Plugin, namespace: str) -> None:
    before = manifests.deployment(namespace)
    resource = _made(plugin, before, "apps/v1:Deployment")
    image, selector = copy.deepcopy(before), copy.deepcopy(before)
    image["spec"]["template"]["spec"]["containers"][0]["image"] = "nginx:2"
    selector["spec"]["selector"]["matchLabels"]["app"] = "other"

    assert resource.diff(image).paths == {"spec.template.spec.containers[0].image": "UPDATE"}
    assert resource.diff(selector).paths == {"spec.selector.matchLabels.app": "UPDATE_REPLACE"}
    assert resource.diff(selector).delete_first


@expect("every added or removed list item and key has its own path", source=DIFF)
def test_lists(plugin: Plugin, namespace: str) -> None:
    before = manifests.deployment(namespace)
    resource = _made(plugin, before, "apps/v1:Deployment")
    after = copy.deepcopy(before)
    after["spec"]["template"]["spec"]["containers"].append({"name": "side", "image": "busybox"})
    after["metadata"]["annotations"] = {"example.com/a": "1"}
    del after["spec"]["replicas"]

    assert resource.diff(after).paths == {
        "spec.template.spec.containers[1]": "ADD",
        "metadata.annotations": "ADD",
        "spec.replicas": "DELETE",
    }


@expect("keys with dots are quoted in paths", source=DIFF)
def test_quoted(plugin: Plugin, namespace: str) -> None:
    before = manifests.deployment(namespace, annotations={"example.com/a": "1"})
    resource = _made(plugin, before, "apps/v1:Deployment")

    after = manifests.deployment(namespace, annotations={"example.com/a": "2"})
    assert resource.diff(after).paths == {'metadata.annotations["example.com/a"]': "UPDATE"}


@expect("an equal quantity in another notation is not a change", source="clients/unstructured.go (Normalize)")
def test_quantities(plugin: Plugin, namespace: str) -> None:
    inputs = manifests.deployment(namespace)
    resources = {"requests": {"cpu": "0.5", "memory": "1024Mi"}, "limits": {"cpu": "2000m"}}
    inputs["spec"]["template"]["spec"]["containers"][0]["resources"] = resources
    resource = _made(plugin, inputs, "apps/v1:Deployment")

    assert resource.diff(inputs).paths == {}


@expect("empty and zero values that the server drops are not a change", source="clients/unstructured.go (Normalize)")
def test_zero_values(plugin: Plugin, namespace: str) -> None:
    inputs = manifests.deployment(namespace, hostNetwork=False, nodeSelector={})
    resource = _made(plugin, inputs, "apps/v1:Deployment")

    assert resource.diff(inputs).paths == {}


@expect("an unknown value is a change", source=DIFF)
def test_unknown(plugin: Plugin, namespace: str) -> None:
    resource = _made(plugin, manifests.config_map(namespace, a="1"))
    found = resource.diff({**manifests.config_map(namespace), "data": {"a": UNKNOWN, "b": UNKNOWN}})

    assert set(found.paths) == {"data.a", "data.b"}
    assert found.replaces


@expect("ignoreChanges hides changes at and below its paths", source=DIFF)
def test_ignored(plugin: Plugin, namespace: str) -> None:
    resource = _made(plugin, manifests.config_map(namespace, a="1"))
    found = resource.diff(manifests.config_map(namespace, a="2", b="3"), ignore=("data.a",))

    assert found.paths == {"data.b": "ADD_REPLACE"}


@expect("replaceUnready replaces a Job that has not completed", source="provider/provider.go (Diff)")
def test_replace_unready(plugin: Plugin, namespace: str) -> None:
    inputs = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": "it",
            "namespace": namespace,
            "annotations": {"pulumi.com/replaceUnready": "true", "pulumi.com/skipAwait": "true"},
        },
        "spec": {
            "suspend": True,
            "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "busybox"}]}},
        },
    }
    found = _made(plugin, inputs, "batch/v1:Job").diff(inputs)

    assert found.changed
    assert found.replaces == ['.metadata.annotations["pulumi.com/replaceUnready"]']


@expect("custom objects are diffed by property, including fields beside metadata", source=DIFF)
def test_custom(plugin: Plugin, cluster: Cluster, namespace: str) -> None:
    group = f"{namespace}.example.com"
    definition = plugin.resource("apiextensions.k8s.io/v1:CustomResourceDefinition", "crd")
    definition.create(manifests.definition(group))
    try:
        cluster.run("kubectl", "wait", "--for=condition=Established", f"crd/lamps.{group}", "--timeout=30s")
        lamp = plugin.resource(f"{group}/v1:Lamp", "lamp")
        inputs: dict[str, Any] = {
            "apiVersion": f"{group}/v1",
            "kind": "Lamp",
            "metadata": {"name": "desk"},
            "color": "red",
            "config": {"bulbs": [1, 2], "dim": False},
        }
        lamp.create(inputs)
        after = {**copy.deepcopy(inputs), "disabled": True}
        after["config"]["dim"] = True

        assert lamp.id == "desk"
        assert lamp.diff(inputs).paths == {}
        assert lamp.diff(after).paths == {"config.dim": "UPDATE", "disabled": "ADD"}
        assert lamp.update(after)["disabled"] is True
        assert definition.diff(manifests.definition(group)).paths == {}
        lamp.delete()
    finally:
        cluster.run("kubectl", "delete", "crd", f"lamps.{group}", "--wait=false")
