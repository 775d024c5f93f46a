"""A gateway that is protected as configured, and helpers that break one thing in it."""

import copy
import dataclasses
from typing import Any

from tests.fakes.plugin_schemas import HTTP, SCHEMA
from traceable_kong.cluster.kong_deployment import KongDeployment
from traceable_kong.cluster.secret_key import SecretKey
from traceable_kong.common.image_references import parse_image
from traceable_kong.kong_admin.admin_endpoint import AdminEndpoint
from traceable_kong.kong_admin.plugin_target import PluginTarget
from traceable_kong.plan.model import AdmissionPolicy, DesiredState, Injection
from traceable_kong.plan.plugin_model import KongClusterPlugin, Plugin, PluginEntity
from traceable_kong.plugin.config_maps import mount_paths, plugin_config_maps
from traceable_kong.verification import evaluation
from traceable_kong.verification.injection_objects import InjectionObjects
from traceable_kong.verification.kong_observation import KongAnswer
from traceable_kong.verification.observation import Observation
from traceable_kong.verification.pod_observation import PodObservation
from traceable_kong.verification.report import Check, Report

Document = dict[str, Any]

CONFIG = {"mode": "sync", "ext_cap_endpoint": "http://localhost:5442", "allow_on_failure": True, "timeout": 500}
_CONFIG_MAPS = plugin_config_maps({"traceable": {"handler.lua": b"return {}", "x.so": b"\xff", "utils/a.lua": b""}})
FILES = mount_paths(_CONFIG_MAPS)
FILE_DIGESTS = {item.name: item.digest for item in _CONFIG_MAPS}
OLDEST, OLDER, YOUNGER = (f"2026-01-01T00:00:0{second}Z" for second in (0, 1, 2))
NEWEST = "new"
PLUGIN_UID = "plugin-uid"


POLICY = AdmissionPolicy(
    name="the-guard",
    action="deny",
    spec={
        "failurePolicy": "Fail",
        "matchConstraints": {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "gw"}},
            "resourceRules": [
                {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
            ],
        },
        "variables": [{"name": "hasTme", "expression": "object.spec.containers.exists(c, true)"}],
        "validations": [{"expression": "variables.hasTme", "message": "no TME"}],
    },
)
INJECTION = Injection(
    image=parse_image("docker.io/traceableai/traceable-agent"),
    label={"traceableai-inject-tme": "enabled"},
    annotations={"tme.traceable.ai/inject": "true", "traceable-kong/tme-settings": "digest"},
    webhook="the-injector",
    agent_release="traceable-agent",
    webhook_domain="",
)


def injection_objects() -> dict[str, Document]:
    """The policy, its binding, the namespace and the webhook as the API server shows them, with its defaults."""
    policy: Document = copy.deepcopy(dict(POLICY.spec))
    policy["matchConstraints"] |= {"matchPolicy": "Equivalent", "objectSelector": {}}
    policy["matchConstraints"]["resourceRules"][0]["scope"] = "*"
    rules = [{"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "scope": "*"}]
    client = {"service": {"name": "agent", "namespace": "traceable", "path": "/injector/v1/inject-tme", "port": 5443}}
    webhook = {"namespaceSelector": {"matchLabels": dict(INJECTION.label)}, "objectSelector": {}, "rules": rules}
    webhook["clientConfig"] = client
    return {
        "policy": {"metadata": {"name": POLICY.name}, "spec": policy},
        "binding": {
            "metadata": {"name": POLICY.name},
            "spec": {"policyName": POLICY.name, "validationActions": ["Deny"]},
        },
        "namespace": {
            "metadata": {"name": "gw", "labels": {"kubernetes.io/metadata.name": "gw", **INJECTION.label}},
        },
        "webhook": {"metadata": {"name": INJECTION.webhook}, "webhooks": [webhook]},
    }


def template() -> Document:
    """The pod template of the gateway's Deployment."""
    return {"metadata": {"labels": {"app": "edge"}, "annotations": {**INJECTION.annotations, "others": "too"}}}


TARGET = PluginTarget(workspace="default", plugin="traceable", owner="traceable-kong.test")
DEPLOYMENT = KongDeployment(namespace="gw", name="edge-kong", container="proxy")
ENTITY = PluginEntity(
    target=TARGET,
    endpoint=AdminEndpoint(deployment=DEPLOYMENT, token_secret=SecretKey(name="kong-admin", key="token")),
)


def desired(**changes: Any) -> DesiredState:
    """The desired state of a gateway in sync; `changes` are fields of it or of its plugin."""
    plugin: Document = {
        "name": "traceable",
        "version": "2.1.2",
        "enabled": True,
        "everywhere": True,
        "config": CONFIG,
        "backend": KongClusterPlugin(name="traceable-plugin", ingress_class="kong"),
    }
    state: Document = {
        "deployment": DEPLOYMENT,
        "release_name": "edge",
        "files": FILES,
        "file_digests": FILE_DIGESTS,
        "injection": INJECTION,
        "policy": POLICY,
        "agent_namespace": "traceable",
    }
    plugin |= {key: value for key, value in changes.items() if key in plugin}
    state |= {key: value for key, value in changes.items() if key not in plugin}
    return DesiredState(plugin=Plugin(**plugin), **state)


IN_DATABASE: Document = {"backend": ENTITY}
"""The changes for a Kong with a database."""

ASYNC: Document = {"injection": None, "config": {**CONFIG, "mode": "async"}}
"""The changes for async."""


def pod(name: str = "gw-1", *, revision: str = NEWEST, tme: bool = True, ready: bool = True) -> Document:
    """A gateway pod as the API server shows it."""
    containers = [
        {
            "name": "ingress-controller",
            "image": "kong/kubernetes-ingress-controller:3.4",
            "env": [{"name": "CONTROLLER_INGRESS_CLASS", "value": "kong"}],
        },
        {
            "name": "proxy",
            "image": "kong:3.9",
            "env": [{"name": "KONG_ADMIN_LISTEN", "value": "127.0.0.1:8001"}],
            "volumeMounts": [
                {"name": f"volume-{index}", "mountPath": path} for index, path in enumerate([*FILES, "/etc/other"])
            ],
        },
    ]
    if tme:
        containers.append({"name": "tme", "image": "docker.io/traceableai/traceable-agent:1.58.0"})
    volumes = [{"name": f"volume-{index}", "configMap": {"name": held}} for index, held in enumerate(FILES.values())]
    return {
        "metadata": {
            "name": name,
            "namespace": "gw",
            "creationTimestamp": YOUNGER,
            "labels": {"app": "edge", "pod-template-hash": revision},
        },
        "spec": {"containers": containers, "volumes": [*volumes, {"name": f"volume-{len(FILES)}", "emptyDir": {}}]},
        "status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": str(ready)}],
            "containerStatuses": [{"name": item["name"], "ready": ready} for item in containers],
        },
    }


def config_maps() -> dict[str, Document]:
    """The ConfigMaps with the plugin's files, as this stack writes them."""
    return {
        item.name: {
            "metadata": {"name": item.name, "namespace": "gw", "creationTimestamp": OLDER},
            "immutable": True,
            "data": dict(item.data),
            "binaryData": dict(item.binary_data),
        }
        for item in _CONFIG_MAPS
    }


def instance(**changes: Any) -> Document:
    """The plugin as Kong's Admin API lists it, for all routes."""
    base = {"name": "traceable", "enabled": True, "route": None, "service": None, "consumer": None, "protocols": HTTP}
    return {**base, "config": {**CONFIG, "service_name": "kong"}, **changes}


def answer(*plugins: Document, version: str | None = "2.1.2", **more: Any) -> KongAnswer:
    """What a Kong reports, by default the plugin as configured."""
    available = {"cors": "3.9.0", **({"traceable": version} if version else {})}
    return KongAnswer(
        available, list(plugins or [instance()]), **{"schema": SCHEMA, "lua_path": "/opt/?.lua;;", **more}
    )


def agent_pod(*, ready: bool = True) -> Document:
    return {
        "metadata": {"name": "agent-1", "namespace": "traceable", "labels": {"app": "agent"}},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": str(ready)}]},
    }


def observed(*serving: PodObservation | Document, **changes: Any) -> Observation:
    """An observation of a gateway with these pods, by default with one good pod."""
    pods = [item if isinstance(item, PodObservation) else observed_pod(item) for item in serving or (pod(),)]
    fields: Document = {
        "deployment": {
            "metadata": {"name": "edge-kong"},
            "spec": {
                "replicas": len(pods),
                "selector": {"matchLabels": {"app": "edge"}},
                "template": template(),
            },
            "status": {},
        },
        "current": NEWEST,
        "pods": [item.document for item in pods],
        "serving": pods,
        "agent_pods": [agent_pod()],
        "plugin": AS_WRITTEN,
        "config_maps": config_maps(),
        "injection_objects": InjectionObjects(**injection_objects()),
    }
    return Observation(**{**fields, **changes})


def observed_pod(
    document: Document, *, kong: KongAnswer | str | None = None, tme_problem: str | None = None
) -> PodObservation:
    return PodObservation(document=document, kong=answer() if kong is None else kong, tme_problem=tme_problem)


AS_WRITTEN: Document = {}
"""In an observation: the KongClusterPlugin as a stack with the desired state writes it."""


def written(state: DesiredState) -> Document | None:
    """The KongClusterPlugin that a stack with this desired state writes."""
    resource = state.plugin.custom_resource
    if resource is None or not state.installed:
        return None
    document = state.plugin.document(resource, {})
    document["metadata"]["uid"] = PLUGIN_UID
    return document


def evaluate(state: DesiredState, observation: Observation) -> Report:
    """The report, with the KongClusterPlugin as written unless the observation says otherwise."""
    if observation.plugin is AS_WRITTEN:
        observation = dataclasses.replace(observation, plugin=written(state))
    return evaluation.evaluate(state, observation)


def without_volume(document: Document, number: int, config_map: str | None = None) -> Document:
    """The pod with another ConfigMap in a volume, or without that volume."""
    changed = copy.deepcopy(document)
    if config_map is None:
        del changed["spec"]["volumes"][number]
    else:
        changed["spec"]["volumes"][number]["configMap"]["name"] = config_map
    return changed


def only_failure(report: Report) -> Check:
    """The single check that does not hold."""
    assert [check.name for check in report.failed] and len(report.failed) == 1, report.text()
    assert not report.ok
    return report.failed[0]


def failure(observation: Observation, **changes: Any) -> Check:
    """The single check that does not hold; `changes` are of the desired state."""
    return only_failure(evaluate(desired(**changes), observation))
