"""Inputs in the form that the API server returns."""

import pytest

from local.provider.kubernetes.normalization import normalized, quantity
from local.provider.property_values import UNKNOWN


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        *(("0.5", "500m"), ("1000m", "1"), ("1500m", "1500m"), (2, "2"), ("1024Mi", "1Gi"), ("1.5Gi", "1536Mi")),
        *(("1000k", "1M"), ("0", "0"), ("100000", "100k"), ("not one", "not one"), (True, True)),
    ],
)
def test_quantity(given: object, canonical: object) -> None:
    assert quantity(given) == canonical


def test_only_quantities_are_rewritten() -> None:
    container = {"env": [{"name": "a", "value": "1024Mi"}], "resources": {"limits": {"cpu": "1000m"}}}
    pod = {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [container]}}

    found = normalized(pod)["spec"]["containers"][0]
    assert found == {"env": [{"name": "a", "value": "1024Mi"}], "resources": {"limits": {"cpu": "1"}}}


def test_custom_objects_are_not_changed() -> None:
    lamp = {"apiVersion": "example.com/v1", "kind": "Lamp", "limits": {"cpu": "1000m"}}

    assert normalized(lamp) == lamp


def test_string_data_become_data() -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "stringData": {"a": "x"}, "data": {"b": "eQ=="}}

    assert normalized(secret)["data"] == {"a": "eA==", "b": "eQ=="}
    assert "stringData" not in normalized(secret)
    assert normalized({**secret, "stringData": {"a": UNKNOWN}})["stringData"] == {"a": UNKNOWN}


def test_read_only_metadata_is_removed() -> None:
    given = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "uid": "b", "resourceVersion": "1"}}

    assert normalized(given)["metadata"] == {"name": "a"}
