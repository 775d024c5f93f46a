"""The properties that cannot be changed in place, so that a change replaces the object.

Based on provider/pkg/provider/diff.go of the official plugin: name and namespace of every object, the data of a
ConfigMap or Secret unless the provider treats them as mutable (and always if the object is `immutable`), and the fields
that are immutable at the API server.
"""

from collections.abc import Mapping
from typing import Any

from local.provider.kubernetes.provider_config import ProviderConfig

IDENTITY = ("metadata.name", "metadata.namespace")

_ROLE_BINDING = ("roleRef",)
_DAEMON_SET = ("spec.selector",)
_VOLUME_SOURCES = (
    *("awsElasticBlockStore", "azureDisk", "azureFile", "cephfs", "cinder", "csi", "fc", "flexVolume", "flocker"),
    *("gcePersistentDisk", "glusterfs", "hostPath", "iscsi", "local", "nfs", "photonPersistentDisk"),
    *("portworxVolume", "quobyte", "rbd", "scaleIO", "storageos", "vsphereVolume"),
)
_POD_FIELDS = (
    *("affinity", "automountServiceAccountToken", "dnsConfig", "dnsPolicy", "enableServiceLinks", "hostAliases"),
    *("hostIPC", "hostNetwork", "hostPID", "hostname", "imagePullSecrets", "nodeName", "nodeSelector", "overhead"),
    *("preemptionPolicy", "priority", "priorityClassName", "readinessGates", "restartPolicy", "runtimeClassName"),
    *("schedulerName", "securityContext", "serviceAccount", "serviceAccountName", "shareProcessNamespace"),
    *("subdomain", "terminationGracePeriodSeconds", "volumes"),
)
_CONTAINER_FIELDS = (
    *("args", "command", "env", "image", "imagePullPolicy", "lifecycle", "livenessProbe", "ports", "readinessProbe"),
    *("resources", "securityContext", "stdin", "stdinOnce", "terminationMessagePath", "terminationMessagePolicy"),
    *("tty", "volumeDevices", "volumeMounts", "workingDir"),
)

_FIELDS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("apps/v1", "DaemonSet"): _DAEMON_SET,
    ("apps/v1", "Deployment"): ("spec.selector",),
    ("apps/v1", "StatefulSet"): (
        *("spec.podManagementPolicy", "spec.revisionHistoryLimit", "spec.selector", "spec.serviceName"),
        "spec.volumeClaimTemplates",
    ),
    ("batch/v1", "Job"): ("spec.completions", "spec.parallelism", "spec.selector", "spec.template"),
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"): _ROLE_BINDING,
    ("rbac.authorization.k8s.io/v1", "RoleBinding"): _ROLE_BINDING,
    ("storage.k8s.io/v1", "StorageClass"): ("parameters", "provisioner"),
    ("v1", "PersistentVolume"): tuple(f"spec.{source}" for source in _VOLUME_SOURCES),
    ("v1", "PersistentVolumeClaim"): (
        *("spec.accessModes", "spec.selector", "spec.storageClassName", "spec.volumeName"),
    ),
    ("v1", "Pod"): (
        *(f"spec.{name}" for name in _POD_FIELDS),
        *(f"spec.{list_}[*].{name}" for list_ in ("containers", "initContainers") for name in _CONTAINER_FIELDS),
    ),
    ("v1", "ResourceQuota"): ("spec.scopes",),
    ("v1", "Secret"): ("type",),
    ("v1", "Service"): ("spec.clusterIP",),
}


def fields(document: Mapping[str, Any], settings: ProviderConfig) -> tuple[str, ...]:
    """Returns the paths of the properties that replace this object. `[*]` matches every item."""
    kind = (str(document.get("apiVersion", "")), str(document.get("kind", "")))
    immutable = document.get("immutable") is True
    if kind == ("v1", "Secret") and (immutable or not settings.enable_secret_mutable):
        return (*IDENTITY, "type", "stringData", "data")
    if kind == ("v1", "ConfigMap") and (immutable or not settings.enable_config_map_mutable):
        return (*IDENTITY, "binaryData", "data")
    return (*IDENTITY, *_FIELDS.get(kind, ()))
