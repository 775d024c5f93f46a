"""Checks of the pod template in Kong's Deployment, an existing one or one that a chart will create: pods can start."""

from collections import Counter
from collections.abc import Iterator

from traceable_kong.cluster.kubernetes_client import Document
from traceable_kong.cluster.tme import INJECT_ANNOTATION
from traceable_kong.common.commands import config_remove
from traceable_kong.deployment_patch.pod_template import blocks_folder, covers_part, mount_path
from traceable_kong.helm_values.ingress_controller import is_controller
from traceable_kong.plan.kong_model import ManagedKong
from traceable_kong.plan.model import Gateway, Plan
from traceable_kong.preflight.cached_reader import CachedReader
from traceable_kong.preflight.finding import Finding, deployment_subject
from traceable_kong.preflight.kong_pod import kong_container, kong_variables, setting_of

TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"
"""Where a client in a pod finds its token
(https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/#directly-accessing-the-rest-api)."""

DEFAULT_PREFIX = "/usr/local/kong"
"""Kong's working directory (KONG_PREFIX; kong.conf.default of Kong 3.9)."""

VOLUME_VALUES = (
    "kongValues.plugins, kongValues.extraConfigMaps, kongValues.extraSecrets, kongValues.secretVolumes and "
    "kongValues.deployment.userDefinedVolumes"
)
"""The values from which the chart makes volumes and mounts (kong chart 3.4.1)."""


def annotation_is_not_a_chart_value(reader: CachedReader, plan: Plan, gateway: Gateway) -> Iterator[Finding]:
    """The chart's pods do not request the TME: the stack does that itself, after the injector."""
    template = _managed_template(reader, gateway)
    if template and INJECT_ANNOTATION in ((template.get("metadata") or {}).get("annotations") or {}):
        key = f'kongValues.podAnnotations["{INJECT_ANNOTATION}"]'
        yield Finding(
            subject=deployment_subject(gateway.kong.deployment),
            problem="would request the TME (kongValues.podAnnotations). This program sets that annotation itself, "
            "after the injector and before the plugin. In the chart values it would be set and removed too early",
            fix=f"Remove it: `{config_remove(key)}`",
        )


def volumes_are_mounted_once(reader: CachedReader, plan: Plan, gateway: Gateway) -> Iterator[Finding]:
    """The API server accepts the chart's volumes and mounts: no name and no path occurs twice.

    Source: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/ (volumes, volumeMounts).
    """
    template = _managed_template(reader, gateway)
    if template is None:
        return
    spec, where = template["spec"], deployment_subject(gateway.kong.deployment)
    names = [item["name"] for item in spec.get("volumes") or []]
    for name in _repeated(names):
        yield Finding(
            subject=where,
            problem=f"would have the volume {name} twice. The API server refuses such a Deployment",
            fix=f"Name it once in {VOLUME_VALUES}",
        )
    for container in [*(spec.get("initContainers") or []), *spec["containers"]]:
        mounts = container.get("volumeMounts") or []
        for path in _repeated([mount_path(item) for item in mounts]):
            yield Finding(
                subject=f"container {container['name']} of {where}",
                problem=f"would mount two volumes at {path}. The API server refuses such a Deployment",
                fix=f"Mount one of them elsewhere, or remove it from {VOLUME_VALUES}",
            )
        for item in mounts:
            if item["name"] not in names:
                yield Finding(
                    subject=f"container {container['name']} of {where}",
                    problem=f"would mount the volume {item['name']}, which the pod does not have. The API server "
                    "refuses such a Deployment",
                    fix="Add it to kongValues.deployment.userDefinedVolumes, or remove the mount",
                )


def plugin_files_are_mounted(reader: CachedReader, plan: Plan, gateway: Gateway) -> Iterator[Finding]:
    """A managed Kong mounts the plugin's files, and nothing is mounted over, under or read-only around them."""
    container, template = kong_container(reader, gateway), _managed_template(reader, gateway)
    if container is None or template is None:
        return
    where = deployment_subject(gateway.kong.deployment)
    volumes = {item["name"]: item for item in template["spec"].get("volumes") or []}
    mounts = container.get("volumeMounts") or []
    for path, name in gateway.files.items():
        there = [volumes.get(item["name"], {}) for item in mounts_at(mounts, path)]
        if name not in [(item.get("configMap") or {}).get("name") for item in there]:
            yield Finding(
                subject=where,
                problem=f"would not mount the plugin's files at {path} (configmap {name}). Kong would not start, or "
                "load other files",
                fix="Remove what replaces them from kongValues. This stack adds them to kongValues.plugins.configMaps",
            )
        for item in mounts:
            if covers_part(item, path):
                problem = f"over a part of the plugin's files at {path}. Kong would load others in their place"
            elif blocks_folder(item, volumes.get(item["name"], {}), path):
                problem = (
                    f"read-only around the plugin's files at {path}. The container runtime could not create their "
                    "folder, and no pod would start"
                )
            else:
                continue
            volume = item["name"] + _volume_value(gateway, item["name"])
            yield Finding(
                subject=where,
                problem=f"would mount the volume {volume} at {mount_path(item)}, {problem}",
                fix="Mount that volume elsewhere",
            )


def _volume_value(gateway: Gateway, name: str) -> str:
    """The chart value that makes a volume, for a message; "" where it is not one of the documented ones."""
    values = gateway.kong.release.values if isinstance(gateway.kong, ManagedKong) else {}
    plugins, deployment = values.get("plugins") or {}, values.get("deployment") or {}
    lists = {
        "extraConfigMaps": values.get("extraConfigMaps"),
        "extraSecrets": values.get("extraSecrets"),
        "secretVolumes": values.get("secretVolumes"),
        "deployment.userDefinedVolumes": deployment.get("userDefinedVolumes"),
        "plugins.configMaps": plugins.get("configMaps"),
        "plugins.secrets": plugins.get("secrets"),
    }
    for path, items in lists.items():
        for item in items if isinstance(items, list) else ():
            made = {item} if isinstance(item, str) else {item.get("name"), f"kong-plugin-{item.get('pluginName')}"}
            if name in made:
                return f" (kongValues.{path})"
    return ""


def mounts_at(mounts: list[Document], path: str) -> list[Document]:
    return [item for item in mounts if mount_path(item) == path]


def prefix_is_writable(reader: CachedReader, plan: Plan, gateway: Gateway) -> Iterator[Finding]:
    """With a read-only root filesystem, Kong's working directory is on a volume."""
    container, environment = kong_container(reader, gateway), kong_variables(reader, gateway) or {}
    if container is None or not (container.get("securityContext") or {}).get("readOnlyRootFilesystem"):
        return
    prefix = (environment.get("KONG_PREFIX", DEFAULT_PREFIX) or "").rstrip("/")
    writable = [mount_path(item) for item in container.get("volumeMounts") or [] if not item.get("readOnly")]
    if prefix and not any(prefix == path or prefix.startswith(f"{path}/") for path in writable):
        yield Finding(
            subject=deployment_subject(gateway.kong.deployment),
            problem=f"runs Kong with a read-only root filesystem, and its working directory {prefix} "
            f"({setting_of(gateway, 'KONG_PREFIX')}) is not on a writable volume. Kong would not start",
            fix="Leave KONG_PREFIX as the chart sets it, or mount an emptyDir there",
        )


def probes_have_their_ports(reader: CachedReader, plan: Plan, gateway: Gateway) -> Iterator[Finding]:
    """Every port that a probe of Kong's container names exists: without it, the pod never becomes ready."""
    container = kong_container(reader, gateway)
    if container is None:
        return
    names = {item.get("name") for item in container.get("ports") or []}
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        check = container.get(probe) or {}
        port = next((check[kind].get("port") for kind in ("httpGet", "tcpSocket") if check.get(kind)), None)
        if isinstance(port, str) and not port.isdigit() and port not in names:
            yield Finding(
                subject=deployment_subject(gateway.kong.deployment),
                problem=f"has a {probe} for the port {port!r}, which Kong's container does not have. Its pods would "
                "never become ready",
                fix="Enable kongValues.status.http, or change the probe"
                if isinstance(gateway.kong, ManagedKong)
                else "Correct the probe",
            )


def controller_has_a_token(reader: CachedReader, plan: Plan, gateway: Gateway) -> Iterator[Finding]:
    """The ingress controller in a managed Kong's pods has the token of a service account."""
    template = _managed_template(reader, gateway)
    if template is None or template["spec"].get("automountServiceAccountToken", True) is not False:
        return
    for container in template["spec"]["containers"]:
        if is_controller(container) and not mounts_at(container.get("volumeMounts") or [], TOKEN_PATH):
            yield Finding(
                subject=f"container {container['name']} of {deployment_subject(gateway.kong.deployment)}",
                problem="would have no token for the Kubernetes API. The ingress controller would not start, and Kong "
                "would get neither routes nor the plugin",
                fix="Let the chart create a service account (kongValues.deployment.serviceAccount.create), or name an "
                "existing one in kongValues.deployment.serviceAccount.name",
            )


def _managed_template(reader: CachedReader, gateway: Gateway) -> Document | None:
    """The pod template that the chart of a managed Kong renders. The API server has accepted an existing one."""
    found = reader.next_deployment(gateway.kong) if isinstance(gateway.kong, ManagedKong) else None
    return found["spec"]["template"] if found else None


def _repeated(items: list[str]) -> list[str]:
    return [item for item, count in Counter(items).items() if count > 1]
