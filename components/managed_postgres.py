"""A PostgreSQL for Kong, for development: one pod, a volume of its own, a password that nobody chose.

The data goes with it (`persistentVolumeClaimRetentionPolicy`, on by default since Kubernetes 1.27; an older cluster
leaves the volume claim behind). The password is in the Secret, from where the database and Kong read it, and encrypted
in the state.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import pulumi
import pulumi_kubernetes as k8s
import pulumi_random

from components.secret_outputs import LIVE_OBJECT

IMAGE = "postgres:16.15"
"""The official image (https://hub.docker.com/_/postgres). Another major version does not read this one's files."""

PORT = 5432
DATABASE = "kong"
USER = "kong"
PASSWORD_KEY = "password"
"""The key in the Secret."""

PASSWORD_LENGTH = 32
VOLUME_SIZE = "1Gi"

_MOUNT = "/var/lib/postgresql/data"
_IMAGES_USER = 999
"""User and group `postgres` in the image (https://github.com/docker-library/postgres, 16/bookworm/Dockerfile)."""

_NAME_LIMIT = 52
"""A StatefulSet's name, ten characters more with a revision, is a label of its pods
(https://github.com/kubernetes/kubernetes/issues/64023)."""

_SUFFIX = "-postgres"


def postgres_name(release: str) -> str:
    """The name of the Secret, the Service and the StatefulSet beside Kong's release."""
    return release[: _NAME_LIMIT - len(_SUFFIX)].rstrip("-") + _SUFFIX


@dataclass(frozen=True, kw_only=True)
class ManagedPostgresArgs:
    """What the database is made of.

    `name` is what `postgres_name()` gave, of Secret, Service and StatefulSet in Kong's `namespace`; `labels` tell whose
    they are; `timeout_seconds` is how long its pod may take to be ready. `protect` True refuses to delete the data and
    the password.
    """

    namespace: str
    name: str
    labels: Mapping[str, str]
    timeout_seconds: int
    protect: bool = False

    @property
    def host(self) -> str:
        """Its address in the cluster."""
        return f"{self.name}.{self.namespace}.svc"


def pod_labels(args: ManagedPostgresArgs) -> dict[str, str]:
    """What its pod, and nothing else, is known by."""
    return {"app.kubernetes.io/name": "postgres", "app.kubernetes.io/instance": args.name}


def service_spec(args: ManagedPostgresArgs) -> dict[str, Any]:
    """The Service's `spec`: without an address of its own, as the pods of a StatefulSet want it.

    Source: https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#limitations.
    """
    return {
        "clusterIP": "None",
        "selector": pod_labels(args),
        "ports": [{"name": "postgres", "port": PORT, "targetPort": "postgres", "protocol": "TCP"}],
    }


def stateful_set_spec(args: ManagedPostgresArgs) -> dict[str, Any]:
    """The StatefulSet's `spec`."""
    return {
        "serviceName": args.name,
        "replicas": 1,
        "selector": {"matchLabels": pod_labels(args)},
        "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Delete", "whenScaled": "Retain"},
        "template": {
            "metadata": {"labels": {**args.labels, **pod_labels(args)}},
            "spec": {
                "automountServiceAccountToken": False,
                "securityContext": {
                    "runAsNonRoot": True,
                    "runAsUser": _IMAGES_USER,
                    "runAsGroup": _IMAGES_USER,
                    "fsGroup": _IMAGES_USER,
                    "seccompProfile": {"type": "RuntimeDefault"},
                },
                "containers": [_container(args)],
            },
        },
        "volumeClaimTemplates": [
            {
                "metadata": {"name": "data", "labels": {**args.labels, **pod_labels(args)}},
                "spec": {
                    "accessModes": ["ReadWriteOnce"],
                    "resources": {"requests": {"storage": VOLUME_SIZE}},
                },
            }
        ],
    }


def _container(args: ManagedPostgresArgs) -> dict[str, Any]:
    return {
        "name": "postgres",
        "image": IMAGE,
        "env": [
            {"name": "POSTGRES_DB", "value": DATABASE},
            {"name": "POSTGRES_USER", "value": USER},
            {
                "name": "POSTGRES_PASSWORD",
                "valueFrom": {"secretKeyRef": {"name": args.name, "key": PASSWORD_KEY}},
            },
            # Below the mount: a volume's root is not always empty, and the image then takes it for a database.
            {"name": "PGDATA", "value": f"{_MOUNT}/pgdata"},
        ],
        "ports": [{"name": "postgres", "containerPort": PORT, "protocol": "TCP"}],
        "readinessProbe": {
            # By its address: while the image prepares the database, it answers on its socket only.
            "exec": {
                "command": ["pg_isready", "--host=127.0.0.1", f"--username={USER}", f"--dbname={DATABASE}"],
            },
            "periodSeconds": 5,
            "timeoutSeconds": 5,
        },
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        "volumeMounts": [{"name": "data", "mountPath": _MOUNT}],
    }


class ManagedPostgres(pulumi.ComponentResource):
    """The database. Outputs: `host` (str), `secret` (str: the Secret's name).

    `before` is what happens before its Secret is made.
    """

    def __init__(
        self,
        name: str,
        *,
        args: ManagedPostgresArgs,
        before: pulumi.ResourceHookBinding | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("traceable-kong:index:ManagedPostgres", name, None, opts)
        metadata = k8s.meta.v1.ObjectMetaArgs(name=args.name, namespace=args.namespace, labels=dict(args.labels))
        # Letters and digits only: nothing that a URL, a shell or a file of settings could take for something else.
        password = pulumi_random.RandomPassword(
            f"{name}-password",
            length=PASSWORD_LENGTH,
            special=False,
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
        secret = k8s.core.v1.Secret(
            f"{name}-secret",
            metadata=metadata,
            string_data={PASSWORD_KEY: password.result},
            opts=pulumi.ResourceOptions(
                parent=self, hooks=before, protect=args.protect, additional_secret_outputs=list(LIVE_OBJECT)
            ),
        )
        service = k8s.core.v1.Service(
            f"{name}-service",
            metadata=metadata,
            spec=cast(k8s.core.v1.ServiceSpecArgsDict, service_spec(args)),
            opts=pulumi.ResourceOptions(parent=self),
        )
        k8s.apps.v1.StatefulSet(
            f"{name}-stateful-set",
            metadata=metadata,
            spec=cast(k8s.apps.v1.StatefulSetSpecArgsDict, stateful_set_spec(args)),
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=[secret, service],
                protect=args.protect,
                custom_timeouts=pulumi.CustomTimeouts(
                    create=f"{args.timeout_seconds}s", update=f"{args.timeout_seconds}s"
                ),
            ),
        )
        self.register_outputs({"host": args.host, "secret": args.name})
