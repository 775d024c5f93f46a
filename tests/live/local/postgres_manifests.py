"""Plain manifests of a Kong with a database: its PostgreSQL, the Job that bootstraps it, its nodes."""

from typing import Any

PASSWORD = "it's a pässword"
DATABASE = "gateway"
WAIT = "export KONG_PREFIX=`mktemp -d`; until kong start; do echo 'waiting for db'; sleep 1; done; kong stop"


def postgres(namespace: str) -> list[dict[str, Any]]:
    """A Secret, a Service and a StatefulSet with a claim."""
    labels = {"app": "postgres"}
    container = {
        "name": "postgres",
        "image": "postgres:17.5",
        "env": [
            {"name": "POSTGRES_USER", "value": "kong"},
            {"name": "POSTGRES_DB", "value": DATABASE},
            {"name": "POSTGRES_PASSWORD", "valueFrom": _secret()},
            {"name": "PGDATA", "value": "/var/lib/postgresql/data/pgdata"},
        ],
        "ports": [{"name": "postgresql", "containerPort": 5432}],
        "volumeMounts": [{"name": "data", "mountPath": "/var/lib/postgresql/data"}],
        "readinessProbe": {"exec": {"command": ["sh", "-c", "exec pg_isready -U kong -d gateway -h 127.0.0.1"]}},
    }
    claim = {
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    return [
        _object("v1", "Secret", namespace, "postgres", stringData={"password": PASSWORD}),
        _object(
            *("v1", "Service", namespace, "postgres"),
            spec={"selector": labels, "ports": [{"name": "sql", "port": 6432, "targetPort": "postgresql"}]},
        ),
        _object(
            *("apps/v1", "StatefulSet", namespace, "postgres"),
            spec={
                "serviceName": "postgres",
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
                "volumeClaimTemplates": [claim],
                "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Delete"},
            },
        ),
    ]


def migration(namespace: str, command: str, **how: Any) -> dict[str, Any]:
    """A Job as the kong chart has it."""
    container = {**_kong(namespace), "name": "migrations", "args": ["kong", "migrations", command]}
    spec = {"containers": [container], "restartPolicy": "OnFailure"}
    job = {"backoffLimit": 10, **how, "template": {"spec": spec}}
    return _object("batch/v1", "Job", namespace, command, spec=job)


def nodes(namespace: str, replicas: int) -> dict[str, Any]:
    """A Deployment as the kong chart has it, without an ingress controller."""
    labels = {"app": "kong"}
    probe = {"httpGet": {"path": "/status/ready", "port": 8100}}
    proxy = {**_kong(namespace), "name": "proxy", "readinessProbe": probe}
    wait = {**_kong(namespace), "name": "wait-for-db", "args": ["/bin/bash", "-c", WAIT]}
    return _object(
        *("apps/v1", "Deployment", namespace, "kong"),
        spec={
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"initContainers": [wait], "containers": [proxy]},
            },
        },
    )


def _kong(namespace: str) -> dict[str, Any]:
    settings = {
        "KONG_DATABASE": "postgres",
        "KONG_PG_HOST": f"postgres.{namespace}.svc.cluster.local",
        "KONG_PG_PORT": "6432",
        "KONG_PG_DATABASE": DATABASE,
        "KONG_PLUGINS": "bundled",
        "KONG_ADMIN_LISTEN": "127.0.0.1:8444 http2 ssl",
        "KONG_STATUS_LISTEN": "0.0.0.0:8100",
        "KONG_DB_UPDATE_FREQUENCY": "1",
        "KONG_WORKER_STATE_UPDATE_FREQUENCY": "1",
    }
    env: list[dict[str, Any]] = [{"name": name, "value": value} for name, value in settings.items()]
    return {"image": "kong:3.9", "env": [*env, {"name": "KONG_PG_PASSWORD", "valueFrom": _secret()}]}


def _secret() -> dict[str, Any]:
    return {"secretKeyRef": {"name": "postgres", "key": "password"}}


def _object(version: str, kind: str, namespace: str, name: str, **fields: Any) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": namespace}, **fields}
