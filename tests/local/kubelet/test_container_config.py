"""A container's environment and files, and the messages for missing sources."""

import base64
from typing import Any

import pytest

from local.kubelet import container_config
from local.kubelet.container_config import MissingSource
from tests.local.kubelet.pods import FakeKubeClient, pod

OBJECTS = {
    "/api/v1/namespaces/ns/configmaps/cm": {"data": {"a": "1", "b": "2"}},
    "/api/v1/namespaces/ns/secrets/s": {"data": {"k": base64.b64encode(b"hidden").decode()}},
}


def environment(**container: Any) -> dict[str, str]:
    return container_config.environment(FakeKubeClient(OBJECTS), pod({}), container)  # type: ignore[arg-type]


def files(volume: dict[str, Any], **mount: Any) -> dict[str, bytes]:
    made = pod({}, volumes=[{"name": "v", **volume}])
    container = {"volumeMounts": [{"name": "v", "mountPath": "/m", **mount}]}
    return container_config.files(FakeKubeClient(OBJECTS), made, container)  # type: ignore[arg-type]


def test_variables_come_from_values_objects_and_the_pod() -> None:
    variables = [
        {"name": "PLAIN", "value": "x"},
        {"name": "EMPTY"},
        {"name": "EXPANDED", "value": "$(PLAIN)/y"},
        {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        {"name": "CM", "valueFrom": {"configMapKeyRef": {"name": "cm", "key": "a"}}},
        {"name": "SECRET", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
        {"name": "LEFT_OUT", "valueFrom": {"secretKeyRef": {"name": "none", "key": "k", "optional": True}}},
    ]
    found = environment(env=variables, envFrom=[{"prefix": "P_", "configMapRef": {"name": "cm"}}])
    assert found == {
        "P_a": "1",
        "P_b": "2",
        "PLAIN": "x",
        "EMPTY": "",
        "EXPANDED": "x/y",
        "POD": "p",
        "CM": "1",
        "SECRET": "hidden",
    }


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({"secretKeyRef": {"name": "none", "key": "k"}}, 'secret "none" not found'),
        ({"configMapKeyRef": {"name": "cm", "key": "z"}}, "couldn't find key z in configMap ns/cm"),
    ],
)
def test_a_variable_whose_source_is_missing(source: dict[str, Any], message: str) -> None:
    with pytest.raises(MissingSource, match=message) as missing:
        environment(env=[{"name": "X", "valueFrom": source}])
    assert missing.value.reason == "CreateContainerConfigError"


def test_files_have_the_paths_of_their_mounts() -> None:
    assert files({"configMap": {"name": "cm"}}) == {"/m/a": b"1", "/m/b": b"2"}
    assert files({"secret": {"secretName": "s"}}) == {"/m/k": b"hidden"}
    assert files({"configMap": {"name": "cm", "items": [{"key": "a", "path": "d/x"}]}}) == {"/m/d/x": b"1"}
    assert files({"configMap": {"name": "cm"}}, subPath="b", mountPath="/m/one") == {"/m/one": b"2"}
    sources = [{"configMap": {"name": "cm"}}, {"secret": {"name": "s"}}, {"serviceAccountToken": {"path": "t"}}]
    assert set(files({"projected": {"sources": sources}})) == {"/m/a", "/m/b", "/m/k"}
    assert files({"emptyDir": {}}) == {}


def test_a_missing_volume_delays_the_container() -> None:
    with pytest.raises(MissingSource, match='configmap "none" not found') as missing:
        files({"configMap": {"name": "none"}})
    assert missing.value.reason == "ContainerCreating"
    assert files({"configMap": {"name": "none", "optional": True}}) == {}
