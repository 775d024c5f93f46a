"""The managed database: its objects, and where its password is."""

from tests.components.test_kong_gateway import managed_kong
from tests.fakes.plans import plan
from tests.fakes.recording import Recording, Secret, record
from traceable_kong.components.managed_postgres import (
    IMAGE,
    ManagedPostgresDatabase,
    pod_labels,
    service_spec,
    stateful_set_spec,
)
from traceable_kong.helm_values.kong_database import postgres_name

PLAN = plan(kong={"database": "postgres", "postgres": {"managed": True}, "timeoutSeconds": 60})
LABELS = PLAN.labels
KONG = managed_kong(PLAN)
assert KONG.managed_postgres is not None
POSTGRES = KONG.managed_postgres


def recorded(preview: bool = False) -> Recording:
    return record(lambda: ManagedPostgresDatabase("postgres", plan=PLAN, kong=KONG), preview=preview)


def test_names_leave_room_for_a_revision() -> None:
    assert postgres_name("quickstart") == "quickstart-postgres"
    assert len(postgres_name("r" * 53)) == 52
    assert postgres_name("r" * 42 + "-x") == "r" * 42 + "-postgres"
    assert POSTGRES.host == "quickstart-postgres.kong.svc"
    made = recorded()
    for name in ("postgres-secret", "postgres-service", "postgres-stateful-set"):
        metadata = made[name].inputs["metadata"]
        assert metadata == {"name": "quickstart-postgres", "namespace": "kong", "labels": LABELS}
        assert made[name].parent == "postgres"
    assert made["postgres-password"].parent == "postgres"


def test_the_password_is_in_its_secret_and_nowhere_else() -> None:
    made = recorded()
    ((name, path, _),) = made.secrets()
    assert (name, path[0]) == ("postgres-secret", "stringData")
    password = made["postgres-password"]
    assert password.inputs == {"length": 32, "special": False}
    assert set(password.additional_secret_outputs) == {"result", "bcryptHash"}
    container = made["postgres-stateful-set"].inputs["spec"]["template"]["spec"]["containers"][0]
    variables = {item["name"]: item.get("value", item.get("valueFrom")) for item in container["env"]}
    assert variables["POSTGRES_PASSWORD"] == {"secretKeyRef": {"name": "quickstart-postgres", "key": "password"}}
    assert "Secret" not in repr(made["postgres"].inputs) and not isinstance(made["postgres"].inputs, Secret)


def test_secret_and_service_exist_before_the_pod_and_the_pod_is_awaited() -> None:
    made = recorded(preview=True)
    for first in ("postgres-password", "postgres-secret", "postgres-service"):
        assert made.waits_for("postgres-stateful-set", first)
    # Pulumi would wait for the pods of any other Service, and the pod waits for the Service.
    assert service_spec(POSTGRES)["clusterIP"] == "None"
    assert made["postgres-stateful-set"].create_timeout == made["postgres-stateful-set"].update_timeout == "60s"


def test_the_service_selects_the_pod_and_the_volume_is_deleted_with_it() -> None:
    spec = stateful_set_spec(POSTGRES, LABELS)
    labels = spec["template"]["metadata"]["labels"]
    assert service_spec(POSTGRES)["selector"].items() <= labels.items()
    assert spec["selector"]["matchLabels"] == pod_labels(POSTGRES) and LABELS.items() <= labels.items()
    assert spec["serviceName"] == POSTGRES.name
    assert spec["persistentVolumeClaimRetentionPolicy"]["whenDeleted"] == "Delete"
    (container,) = spec["template"]["spec"]["containers"]
    (mount,) = container["volumeMounts"]
    (claim,) = spec["volumeClaimTemplates"]
    assert mount["name"] == claim["metadata"]["name"]
    (directory,) = [item["value"] for item in container["env"] if item["name"] == "PGDATA"]
    assert directory.startswith(mount["mountPath"] + "/")
    assert container["image"] == IMAGE and ":" in IMAGE and not IMAGE.endswith(":latest")


def test_its_pod_is_not_a_gateway_pod() -> None:
    gateways = {"app.kubernetes.io/instance": "quickstart", "app.kubernetes.io/component": "app"}
    assert not gateways.items() <= stateful_set_spec(POSTGRES, LABELS)["template"]["metadata"]["labels"].items()
