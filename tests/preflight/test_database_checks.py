"""Kong's database: its mode and address, its volume, its Secrets, and no KongClusterPlugin beside the plugin entity."""

from base64 import b64encode
from typing import Any

import pytest

from tests.fakes.preflight_cluster import (
    EXISTING,
    FakeKubernetes,
    container,
    examined,
    passes,
    put_kong,
    put_plugin,
    put_record,
    put_storage_class,
    refused,
    text_of,
    warned,
)
from traceable_kong.cluster.api_objects import NAMESPACES, secrets
from traceable_kong.kong_admin.admin_errors import DeploymentMissing
from traceable_kong.preflight.cached_reader import CachedReader

MANAGED: dict[str, Any] = {"kong": {"database": "postgres", "postgres": {"managed": True}}}
MODES: dict[str, dict[str, Any]] = {"off": {}, "postgres": MANAGED}


def existing(database: str = "postgres", **admin: Any) -> dict[str, Any]:
    """The keys of an existing Kong with this database mode, and these keys of kong.admin."""
    return {"kong": {**EXISTING["kong"], "database": database, **({"admin": admin} if admin else {})}}


@pytest.fixture(autouse=True)
def no_admin_api(monkeypatch: pytest.MonkeyPatch) -> None:
    """These checks do not need Kong's Admin API."""

    def entities(*_: object) -> None:
        raise DeploymentMissing("no Deployment")

    monkeypatch.setattr(CachedReader, "entities", entities)


@pytest.fixture
def kube(kube: FakeKubernetes) -> FakeKubernetes:
    put_storage_class(kube)
    return kube


@pytest.mark.parametrize(("current", "wanted"), [("off", "postgres"), ("postgres", "off")])
def test_a_managed_kong_keeps_its_database_mode(kube: FakeKubernetes, current: str, wanted: str) -> None:
    put_kong(kube, container(KONG_DATABASE=current))
    said = refused(kube, **MODES[wanted])
    assert f"kong.database\nis {wanted}, but this stack was deployed with {current}" in said
    assert "pulumi destroy" in said
    put_kong(kube, container(KONG_DATABASE=wanted))
    passes(kube, **MODES[wanted])
    put_record(kube, release="quickstart", database=current)
    assert f"deployed with {current}" in refused(kube, **MODES[wanted])
    put_record(kube, release="quickstart", database=wanted)
    passes(kube, **MODES[wanted])


def test_a_record_without_a_database_mode_is_db_less(kube: FakeKubernetes) -> None:
    put_record(kube, release="quickstart")
    passes(kube)
    assert "deployed with off" in refused(kube, **MANAGED)


@pytest.mark.parametrize(
    ("runs", "wanted", "said"),
    [
        ("postgres", "off", "a Kubernetes object that this Kong never reads\nSet the mode of this Kong: `pulumi"),
        ("off", "postgres", "a plugin entity that this Kong never reads\nSet the mode of this Kong: `pulumi"),
        ("cassandra", "postgres", "Name a Kong with PostgreSQL"),
    ],
)
def test_an_existing_kong_with_another_database_mode(kube: FakeKubernetes, runs: str, wanted: str, said: str) -> None:
    put_kong(kube, container(KONG_DATABASE=runs))
    assert said in refused(kube, **existing(wanted))
    put_kong(kube, container())
    passes(kube, **existing(wanted))
    put_kong(kube, container(KONG_DATABASE=wanted))
    passes(kube, **existing(wanted))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (None, "is missing, and kong.admin.tokenSecret names it. Kong would refuse to write the plugin\nCreate it: "),
        ({}, "has no text at token (its keys: none)"),
        ({"other": "x"}, "(its keys: other)"),
        ({"token": ""}, "has no text at token"),
        ({"token": " \n"}, "has no text at token"),
    ],
)
def test_a_named_secret_exists_with_its_key(kube: FakeKubernetes, data: dict[str, str] | None, said: str) -> None:
    put_kong(kube)
    if data is not None:
        encoded = {key: b64encode(text.encode()).decode() for key, text in data.items()}
        kube.put(f"{secrets('kong')}/rbac", {"data": encoded})
    assert said in refused(kube, **existing(tokenSecret={"name": "rbac", "key": "token"}))


def test_a_password_secret_exists(kube: FakeKubernetes) -> None:
    kube.put(f"{NAMESPACES}/kong")
    said = refused(kube, **external())
    assert "secret pg in namespace kong\nis missing, and kong.postgres.passwordSecret names it" in said
    assert "`kubectl create secret generic pg --namespace kong --from-file=password=FILE`" in said


def test_a_certificate_secret_has_both_keys(kube: FakeKubernetes) -> None:
    put_kong(kube)
    config = existing(clientCertificateSecret="c")
    assert "kubectl create secret tls c" in refused(kube, **config)
    kube.put(f"{secrets('kong')}/c", {"data": {"tls.crt": b64encode(b"x").decode()}})
    assert "has no text at tls.key" in refused(kube, **config)
    put_certificate(kube)
    passes(kube, **config)


def put_certificate(kube: FakeKubernetes) -> None:
    kube.put(f"{secrets('kong')}/c", {"data": dict.fromkeys(("tls.crt", "tls.key"), b64encode(b"x").decode())})


@pytest.mark.parametrize("owned", [False, True])
@pytest.mark.parametrize("fields", [{}, {"metadata": {"annotations": {"kubernetes.io/ingress.class": "kong"}}}])
def test_an_object_beside_the_entity(kube: FakeKubernetes, owned: bool, fields: dict[str, Any]) -> None:
    put_plugin(kube, owned=owned, **fields)
    assert "kubectl delete kongclusterplugin traceable-plugin" in refused(kube, **MANAGED)


@pytest.mark.parametrize(
    "fields", [{"plugin": "cors"}, {"metadata": {"annotations": {"kubernetes.io/ingress.class": "edge"}}}]
)
def test_an_object_of_another_plugin_or_class_passes(kube: FakeKubernetes, fields: dict[str, Any]) -> None:
    put_plugin(kube, owned=False, **fields)
    passes(kube, **MANAGED)


def test_controllers_are_not_checked_with_a_database(kube: FakeKubernetes) -> None:
    put_kong(kube, container(KONG_DATABASE="postgres"), container("kic", image="k", CONTROLLER_INGRESS_CLASS="edge"))
    passes(kube, **existing())


def test_an_admin_api_that_asks_for_a_certificate_needs_one(kube: FakeKubernetes) -> None:
    put_kong(kube, container(KONG_DATABASE="postgres", KONG_NGINX_ADMIN_SSL_VERIFY_CLIENT="on"))
    assert "kong.admin.clientCertificateSecret" in refused(kube, **existing())
    put_certificate(kube)
    passes(kube, **existing(clientCertificateSecret="c"))


@pytest.mark.parametrize(("named", "needed"), [({}, False), ({"tokenSecret": {"name": "rbac", "key": "token"}}, True)])
def test_permission_to_read_secrets_is_needed_if_some_are_named(
    kube: FakeKubernetes, named: dict[str, Any], needed: bool
) -> None:
    put_kong(kube)
    kube.put(f"{secrets('kong')}/rbac", {"data": {"token": b64encode(b"x").decode()}})
    kube.may = lambda verb, resource: (verb, resource) not in {("*", "*"), ("get", "secrets")}
    found = examined(kube, **existing(**named))
    assert ("the plugin entity" in [item.subject for item in found.errors]) is needed


@pytest.mark.parametrize(("admin", "needed"), [({}, True), ({"url": "https://kong:8444"}, False)])
def test_permission_to_port_forward_is_needed_without_a_url(
    kube: FakeKubernetes, admin: dict[str, str], needed: bool
) -> None:
    put_kong(kube)
    kube.may = lambda verb, resource: resource not in ("*", "pods/portforward")
    found = examined(kube, **existing(**admin))
    assert ("the plugin entity" in [item.subject for item in found.errors]) is needed


ADDRESS: dict[str, Any] = {"KONG_PG_HOST": "db", "KONG_PG_PORT": "5432", "KONG_PG_DATABASE": "kong"}


def external(**changes: Any) -> dict[str, Any]:
    """The keys of a managed Kong with an external database at `ADDRESS`."""
    postgres = {"host": "db", "passwordSecret": {"name": "pg", "key": "password"}, **changes}
    return {"kong": {"createNamespace": False, "database": "postgres", "postgres": postgres}}


@pytest.mark.parametrize("other", [{"host": "db2"}, {"port": 5433}, {"database": "kong2"}])
def test_another_address_is_a_warning(kube: FakeKubernetes, other: dict[str, Any]) -> None:
    kube.put(f"{NAMESPACES}/kong")
    kube.put(f"{secrets('kong')}/pg", {"data": {"password": b64encode(b"x").decode()}})
    passes(kube, **external(**other))
    put_kong(kube, container(KONG_DATABASE="postgres", **ADDRESS))
    said = warned(kube, **external(**other))
    assert "Kong runs with db:5432/kong" in said and "prepares no empty database" in said
    passes(kube, **external())
    put_kong(kube, container(KONG_DATABASE="postgres"))
    passes(kube, **external(**other))


def test_a_managed_database_needs_a_volume(kube: FakeKubernetes) -> None:
    kube.objects.clear()
    assert "the cluster has no default StorageClass (its classes: none)" in refused(kube, **MANAGED)
    put_storage_class(kube, "false")
    said = refused(kube, **MANAGED)
    assert "(its classes: standard)" in said and "kubectl annotate storageclass NAME storageclass." in said
    passes(kube)
    claim = f"{NAMESPACES}/kong/persistentvolumeclaims/data-quickstart-postgres-0"
    kube.put(claim)
    passes(kube, **MANAGED)
    del kube.objects[claim]
    put_storage_class(kube)
    passes(kube, **MANAGED)


def test_unreadable_storage_classes_are_a_warning(kube: FakeKubernetes) -> None:
    kube.denied["/apis/storage.k8s.io"] = 403
    assert "the volume of Kong's database" in warned(kube, **MANAGED)


def test_permissions_for_a_managed_database_and_the_charts_jobs(kube: FakeKubernetes) -> None:
    kube.may = lambda verb, resource: resource not in ("*", "statefulsets")
    (finding,) = examined(kube, **MANAGED).errors
    said = text_of(finding)
    assert "Kong's database\nneeds permissions that you do not have (get, list, watch, create, patch, delete" in said
    assert "statefulsets in" in said
    passes(kube)
    kube.may = lambda verb, resource: resource not in ("*", "jobs")
    assert "get, list, watch, create, patch, delete jobs in namespace kong" in refused(kube, **MANAGED)
    passes(kube)
