"""A PostgreSQL for Kong, for development: one pod, one volume, a random password.

The volume is deleted with it (`persistentVolumeClaimRetentionPolicy`, on by default since Kubernetes 1.27; an older
cluster keeps the volume claim). The password is in the Secret that PostgreSQL and Kong read, and encrypted in the
state.
"""

from collections.abc import Mapping
from typing import Any

import pulumi

from traceable_kong.components.kubernetes_object import SECRET_DATA, KubernetesObject
from traceable_kong.components.secret_outputs import LIVE_OBJECT
from traceable_kong.helm_values.kong_database import ManagedPostgres
from traceable_kong.plan.kong_model import ManagedKong
from traceable_kong.plan.model import Plan

IMAGE = "postgres:16.15"
"""The official image (https://hub.docker.com/_/postgres). Another major version cannot read this one's files."""

PASSWORD_LENGTH = 32
VOLUME_SIZE = "1Gi"

_MOUNT = "/var/lib/postgresql/data"
_IMAGES_USER = 999
"""User and group `postgres` in the image (https://github.com/docker-library/postgres, 16/bookworm/Dockerfile)."""


def pod_labels(postgres: ManagedPostgres) -> dict[str, str]:
    """The labels that select its pod and no other."""
    return {"app.kubernetes.io/name": "postgres", "app.kubernetes.io/instance": postgres.name}


def service_spec(postgres: ManagedPostgres) -> dict[str, Any]:
    """The headless Service of the StatefulSet.

    Source: https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#limitations.
    """
    return {
        "clusterIP": "None",
        "selector": pod_labels(postgres),
        "ports": [{"name": "postgres", "port": postgres.port, "targetPort": "postgres", "protocol": "TCP"}],
    }


def stateful_set_spec(postgres: ManagedPostgres, labels: Mapping[str, str]) -> dict[str, Any]:
    """The StatefulSet's `spec`."""
    return {
        "serviceName": postgres.name,
        "replicas": 1,
        "selector": {"matchLabels": pod_labels(postgres)},
        "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Delete", "whenScaled": "Retain"},
        "template": {
            "metadata": {"labels": {**labels, **pod_labels(postgres)}},
            "spec": {
                "automountServiceAccountToken": False,
                "securityContext": {
                    "runAsNonRoot": True,
                    "runAsUser": _IMAGES_USER,
                    "runAsGroup": _IMAGES_USER,
                    "fsGroup": _IMAGES_USER,
                    "seccompProfile": {"type": "RuntimeDefault"},
                },
                "containers": [_container(postgres)],
            },
        },
        "volumeClaimTemplates": [
            {
                "metadata": {"name": "data", "labels": {**labels, **pod_labels(postgres)}},
                "spec": {
                    "accessModes": ["ReadWriteOnce"],
                    "resources": {"requests": {"storage": VOLUME_SIZE}},
                },
            }
        ],
    }


def _container(postgres: ManagedPostgres) -> dict[str, Any]:
    password = postgres.password_secret
    return {
        "name": "postgres",
        "image": IMAGE,
        "env": [
            {"name": "POSTGRES_DB", "value": postgres.database},
            {"name": "POSTGRES_USER", "value": postgres.user},
            {
                "name": "POSTGRES_PASSWORD",
                "valueFrom": {"secretKeyRef": {"name": password.name, "key": password.key}},
            },
            # In a folder of the volume: the root of a volume may have files, which the image takes for a database.
            {"name": "PGDATA", "value": f"{_MOUNT}/pgdata"},
        ],
        "ports": [{"name": "postgres", "containerPort": postgres.port, "protocol": "TCP"}],
        "readinessProbe": {
            # Over TCP: while the image initializes the database, PostgreSQL only listens on its socket.
            "exec": {
                "command": [
                    "pg_isready",
                    "--host=127.0.0.1",
                    f"--username={postgres.user}",
                    f"--dbname={postgres.database}",
                ],
            },
            "periodSeconds": 5,
            "timeoutSeconds": 5,
        },
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        "volumeMounts": [{"name": "data", "mountPath": _MOUNT}],
    }


class ManagedPostgresDatabase(pulumi.ComponentResource):
    """The database. Outputs: `host` (str), `secret` (str: the Secret's name).

    Its data and its password are protected with Kong's release. `hooks` run before the Secret is created.
    """

    def __init__(
        self,
        name: str,
        *,
        plan: Plan,
        kong: ManagedKong,
        hooks: pulumi.ResourceHookBinding | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("traceable-kong:index:ManagedPostgres", name, None, opts)
        # Only a managed database needs this package.
        import pulumi_random

        postgres = kong.managed_postgres
        assert postgres is not None, "an external database is not created here"
        labels, protect, timeout = plan.labels, kong.release.protect, f"{kong.timeout_seconds}s"
        metadata = {"name": postgres.name, "namespace": postgres.namespace, "labels": labels}
        # Letters and digits only: safe in URLs, shells and configuration files.
        password = pulumi_random.RandomPassword(
            f"{name}-password",
            length=PASSWORD_LENGTH,
            special=False,
            opts=pulumi.ResourceOptions(parent=self, protect=protect),
        )
        secret = KubernetesObject(
            "v1",
            "Secret",
            f"{name}-secret",
            {
                "metadata": metadata,
                "stringData": pulumi.Output.secret({postgres.password_secret.key: password.result}),
            },
            opts=pulumi.ResourceOptions(
                parent=self, hooks=hooks, protect=protect, additional_secret_outputs=[*LIVE_OBJECT, *SECRET_DATA]
            ),
        )
        service = KubernetesObject(
            "v1",
            "Service",
            f"{name}-service",
            {"metadata": metadata, "spec": service_spec(postgres)},
            opts=pulumi.ResourceOptions(parent=self),
        )
        KubernetesObject(
            "apps/v1",
            "StatefulSet",
            f"{name}-stateful-set",
            {"metadata": metadata, "spec": stateful_set_spec(postgres, labels)},
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=[secret, service],
                protect=protect,
                custom_timeouts=pulumi.CustomTimeouts(create=timeout, update=timeout),
            ),
        )
        self.register_outputs({"host": postgres.host, "secret": postgres.name})
