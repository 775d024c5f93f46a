"""What goes with a database: the right Kong, its Secrets, and no KongClusterPlugin beside the row."""

from base64 import b64encode
from typing import Any

import pytest

from tests.preflight.fake import (
    OWNER,
    FakeKubernetes,
    container,
    default_class,
    intent,
    kong_stands,
    passes,
    plugin_stands,
    record_stands,
    refused,
    warned,
)
from tests.preflight.test_existing_kong_checks import THEIRS
from traceable_kong.cluster.kong_deployment import KongDeployment
from traceable_kong.cluster.secret_key import SecretKey
from traceable_kong.kong_admin.admin_endpoint import AdminEndpoint
from traceable_kong.kong_admin.plugin_target import PluginTarget
from traceable_kong.preflight.cached_reader import NAMESPACES, secrets
from traceable_kong.preflight.examination import examine
from traceable_kong.preflight.intent import NamedSecret, RowIntent

PLACE = PluginTarget(workspace="default", plugin="traceable", owner=OWNER)
# Nobody listens there: these rules do not ask Kong.
ACCESS = AdminEndpoint(deployment=KongDeployment(namespace="kong", name="not-yet", container="proxy"))
TOKEN = NamedSecret(setting="kong.admin.tokenSecret", name="rbac", keys=("token",), meant="no")
IN_DATABASE: dict[str, Any] = {
    "gateway__database": "postgres",
    "plugin__object_name": None,
    "row": RowIntent(place=PLACE, access=ACCESS, adopt=False),
}


def rowless(**changes: Any) -> dict[str, Any]:
    """In a database, for what is not about the row itself."""
    return {**IN_DATABASE, "row": None, **changes}


@pytest.mark.parametrize(("stands", "wanted"), [("off", "postgres"), ("postgres", "off")])
def test_another_database_is_another_gateway(kube: FakeKubernetes, stands: str, wanted: str) -> None:
    changes = rowless(gateway__database=wanted)
    kong_stands(kube, container(KONG_DATABASE=stands))
    said = refused(kube, **changes)
    assert f"kong.database\nis {wanted}, but this stack was deployed with {stands}" in said and "pulumi destroy" in said
    kong_stands(kube, container(KONG_DATABASE=wanted))
    passes(kube, **changes)
    record_stands(kube, release="quickstart", database=stands)
    assert f"deployed with {stands}" in refused(kube, **changes)
    record_stands(kube, release="quickstart", database=wanted)
    passes(kube, **changes)


def test_a_record_from_before_there_were_databases_is_of_a_gateway_without(kube: FakeKubernetes) -> None:
    record_stands(kube, release="quickstart")
    passes(kube)
    assert "deployed with off" in refused(kube, **rowless())


@pytest.mark.parametrize(
    ("runs", "wanted", "said"),
    [
        (
            "postgres",
            "off",
            "a Kubernetes object that this Kong never reads\nSet the mode of this Kong: `pulumi config set --path",
        ),
        (
            "off",
            "postgres",
            "a plugin entity that this Kong never reads\nSet the mode of this Kong: `pulumi config set --path",
        ),
        ("cassandra", "postgres", "Name a Kong with PostgreSQL"),
    ],
)
def test_somebody_elses_kong_with_another_database(kube: FakeKubernetes, runs: str, wanted: str, said: str) -> None:
    changes = {**THEIRS, **rowless(gateway__database=wanted)}
    kong_stands(kube, container(KONG_DATABASE=runs))
    assert said in refused(kube, **changes)
    kong_stands(kube, container())
    passes(kube, **changes)
    kong_stands(kube, container(KONG_DATABASE=wanted))
    passes(kube, **changes)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (None, "is missing, and kong.admin.tokenSecret names it. no\nCreate it: `kubectl create secret generic rbac"),
        ({}, "has no text at token (its keys: none)"),
        ({"other": "x"}, "(its keys: other)"),
        ({"token": ""}, "has no text at token"),
        ({"token": " \n"}, "has no text at token"),
    ],
)
def test_a_secret_that_is_named_has_what_is_named(kube: FakeKubernetes, data: dict[str, str] | None, said: str) -> None:
    if data is not None:
        encoded = {key: b64encode(text.encode()).decode() for key, text in data.items()}
        kube.put(f"{secrets('kong')}/rbac", {"data": encoded})
    assert said in refused(kube, **rowless(named_secrets=(TOKEN,)))


def test_a_certificate_and_its_key(kube: FakeKubernetes) -> None:
    named = NamedSecret(setting="kong.admin.clientCertificateSecret", name="c", keys=("tls.crt", "tls.key"), meant="no")
    assert "kubectl create secret tls c" in refused(kube, **rowless(named_secrets=(named,)))
    kube.put(f"{secrets('kong')}/c", {"data": {"tls.crt": b64encode(b"x").decode()}})
    assert "has no text at tls.key" in refused(kube, **rowless(named_secrets=(named,)))
    kube.put(f"{secrets('kong')}/c", {"data": dict.fromkeys(("tls.crt", "tls.key"), b64encode(b"x").decode())})
    passes(kube, **rowless(named_secrets=(named,)))


@pytest.mark.parametrize("ours", [False, True])
@pytest.mark.parametrize("fields", [{}, {"metadata": {"annotations": {"kubernetes.io/ingress.class": "kong"}}}])
def test_an_object_beside_the_row(kube: FakeKubernetes, ours: bool, fields: dict[str, Any]) -> None:
    plugin_stands(kube, ours=ours, **fields)
    assert "kubectl delete kongclusterplugin traceable-plugin" in refused(kube, **IN_DATABASE)


@pytest.mark.parametrize(
    "fields", [{"plugin": "cors"}, {"metadata": {"annotations": {"kubernetes.io/ingress.class": "edge"}}}]
)
def test_an_object_that_is_no_business_of_ours(kube: FakeKubernetes, fields: dict[str, Any]) -> None:
    plugin_stands(kube, ours=False, **fields)
    passes(kube, **IN_DATABASE)


def test_controllers_have_no_say_in_rows(kube: FakeKubernetes) -> None:
    kong_stands(kube, container(KONG_DATABASE="postgres"), container("kic", image="k", CONTROLLER_INGRESS_CLASS="edge"))
    found = examine(kube, intent(**{**THEIRS, **IN_DATABASE, "gateway__deployment": "quickstart-kong"}))
    assert found.errors == []


def test_an_admin_api_that_asks_for_a_certificate_is_shown_one(kube: FakeKubernetes) -> None:
    kong_stands(kube, container(KONG_DATABASE="postgres", KONG_NGINX_ADMIN_SSL_VERIFY_CLIENT="on"))
    changes = {**THEIRS, **IN_DATABASE}
    assert "kong.admin.clientCertificateSecret" in examine(kube, intent(**changes)).errors[0].fix
    shown = AdminEndpoint(
        deployment=KongDeployment(namespace="kong", name="not-yet", container="proxy"), client_certificate_secret="c"
    )
    changes["row"] = RowIntent(place=PLACE, access=shown, adopt=False)
    assert examine(kube, intent(**changes)).errors == []


@pytest.mark.parametrize(
    ("access", "needed"),
    [
        (ACCESS, False),
        (
            AdminEndpoint(
                deployment=KongDeployment(namespace="kong", name="a", container="b"),
                token_secret=SecretKey(name="a", key="b"),
            ),
            True,
        ),
    ],
)
def test_secrets_are_to_be_read_only_where_some_are_named(
    kube: FakeKubernetes, access: AdminEndpoint, needed: bool
) -> None:
    kube.may = lambda verb, resource: (verb, resource) not in {("*", "*"), ("get", "secrets")}
    row = RowIntent(place=PLACE, access=access, adopt=False)
    found = examine(kube, intent(**{**IN_DATABASE, "row": row}))
    assert ("the plugin entity" in [item.subject for item in found.errors]) is needed


@pytest.mark.parametrize(("url", "needed"), [(None, True), ("http://kong:8001", False)])
def test_a_port_forward_only_where_there_is_no_url(kube: FakeKubernetes, url: str | None, needed: bool) -> None:
    kube.may = lambda verb, resource: resource not in ("*", "pods/portforward")
    access = AdminEndpoint(deployment=KongDeployment(namespace="kong", name="a", container="b"), url=url)
    found = examine(kube, intent(**{**IN_DATABASE, "row": RowIntent(place=PLACE, access=access, adopt=False)}))
    assert ("the plugin entity" in [item.subject for item in found.errors]) is needed


ADDRESS = {"KONG_PG_HOST": "db", "KONG_PG_PORT": "5432", "KONG_PG_DATABASE": "kong"}


@pytest.mark.parametrize("other", [{"KONG_PG_HOST": "db2"}, {"KONG_PG_PORT": "5433"}, {"KONG_PG_DATABASE": "kong2"}])
def test_another_database_of_the_same_kind_is_said_before_kong_has_it(
    kube: FakeKubernetes, other: dict[str, str]
) -> None:
    changes = rowless(gateway__environment={**ADDRESS, **other})
    passes(kube, **changes)
    kong_stands(kube, container(KONG_DATABASE="postgres", **ADDRESS))
    said = warned(kube, **changes)
    assert "Kong runs with db:5432/kong" in said and "prepares no empty database" in said
    passes(kube, **rowless(gateway__environment=ADDRESS))
    kong_stands(kube, container(KONG_DATABASE="postgres"))
    passes(kube, **changes)


MADE = rowless(gateway__made_database="quickstart-postgres")


def test_a_volume_that_nobody_would_give_is_not_waited_for(kube: FakeKubernetes) -> None:
    assert "the cluster has no default StorageClass (its classes: none)" in refused(kube, **MADE)
    default_class(kube, "false")
    said = refused(kube, **MADE)
    assert "(its classes: standard)" in said and "kubectl annotate storageclass NAME storageclass." in said
    passes(kube, **rowless())
    kube.put(f"{NAMESPACES}/kong/persistentvolumeclaims/data-quickstart-postgres-0")
    passes(kube, **MADE)
    del kube.objects[f"{NAMESPACES}/kong/persistentvolumeclaims/data-quickstart-postgres-0"]
    default_class(kube)
    passes(kube, **MADE)


def test_classes_that_may_not_be_looked_at_are_only_said(kube: FakeKubernetes) -> None:
    kube.denied["/apis/storage.k8s.io"] = 403
    assert "the volume of Kong's database" in warned(kube, **MADE)


def test_the_rights_for_a_database_that_is_made_here_and_for_the_charts_jobs(kube: FakeKubernetes) -> None:
    default_class(kube)
    kube.may = lambda verb, resource: resource not in ("*", "statefulsets")
    said = refused(kube, **MADE)
    assert "Kong's database\nneeds permissions that you do not have (get, list, watch, create, patch, delete" in said
    assert "statefulsets in" in said
    passes(kube, **rowless())
    kube.may = lambda verb, resource: resource not in ("*", "jobs")
    assert "get, list, watch, create, patch, delete jobs in namespace kong" in refused(kube, **MADE)
    passes(kube)
