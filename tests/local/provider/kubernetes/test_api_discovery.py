"""Type tokens, patches, paths, and properties that force a replacement."""

import pytest

from local.provider.kubernetes import api_discovery, force_new
from local.provider.kubernetes.provider_config import ProviderConfig

_URN = "urn:pulumi:s::p::a:b:Parent$kubernetes:{}::name::with"


@pytest.mark.parametrize(
    ("token", "found"),
    [
        ("kubernetes:core/v1:ConfigMap", ("v1", "ConfigMap")),
        ("kubernetes:apps/v1:DeploymentPatch", ("apps/v1", "DeploymentPatch")),
        ("kubernetes:example.com/v1:Lamp", ("example.com/v1", "Lamp")),
    ],
)
def test_token(token: str, found: tuple[str, str]) -> None:
    assert api_discovery.from_token(token) == found


def test_urn() -> None:
    urn = _URN.format("core/v1:Secret")

    assert api_discovery.urn_type(urn) == "kubernetes:core/v1:Secret"
    assert api_discovery.urn_name(urn) == "name::with"


@pytest.mark.parametrize(
    ("token", "kind", "patch"),
    [
        ("apps/v1:DeploymentPatch", "Deployment", True),
        ("apps/v1:Deployment", "Deployment", False),
        ("example.com/v1:LampPatch", "LampPatch", False),
    ],
)
def test_patch(token: str, kind: str, patch: bool) -> None:
    assert api_discovery.is_patch(_URN.format(token), kind) is patch


def test_paths() -> None:
    assert (
        api_discovery.Kind("v1", "ConfigMap", "configmaps", True).path("x", "y") == "/api/v1/namespaces/x/configmaps/y"
    )
    assert api_discovery.Kind("a.b/v1", "Lamp", "lamps", False).path("x", "y") == "/apis/a.b/v1/lamps/y"
    assert api_discovery.Kind("v1", "Pod", "pods", True).path() == "/api/v1/namespaces/default/pods"


def test_data_force_a_replacement_unless_mutable() -> None:
    config_map = {"apiVersion": "v1", "kind": "ConfigMap"}
    mutable = ProviderConfig(enable_config_map_mutable=True)

    assert "data" in force_new.fields(config_map, ProviderConfig())
    assert "data" not in force_new.fields(config_map, mutable)
    assert "data" in force_new.fields({**config_map, "immutable": True}, mutable)
    assert "data" in force_new.fields({"apiVersion": "v1", "kind": "Secret"}, mutable)


@pytest.mark.parametrize(
    ("api_version", "kind", "namespaced"),
    [
        *(("v1", "ConfigMap", True), ("v1", "ConfigMapList", True), ("v1", "Namespace", False)),
        *(("rbac.authorization.k8s.io/v1", "ClusterRole", False), ("example.com/v1", "ConfigMap", None)),
        ("resource.k8s.io/v1", "DeviceClass", None),
    ],
)
def test_built_in_scope(api_version: str, kind: str, namespaced: bool | None) -> None:
    assert api_discovery.built_in_scope(api_version, kind) is namespaced
