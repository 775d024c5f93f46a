"""The cluster of the gateway in tests/fakes/protected_gateway.py, with Kong and TME answering in every pod."""

import copy
from typing import Any

from tests.fakes.fake_kubernetes import FakeKubernetes
from tests.fakes.pod_servers import admin_api, http
from tests.fakes.protected_gateway import (
    NEWEST,
    PLUGIN_UID,
    agent_pod,
    config_maps,
    desired,
    injection_objects,
    instance,
    pod,
    template,
    written,
)
from traceable_kong.cluster.api_objects import CLUSTER_PLUGINS, MUTATING_WEBHOOKS, POLICIES, POLICY_BINDINGS
from traceable_kong.verification.observation import APPLY_FAILED

Document = dict[str, Any]

DEPLOYMENT = "/apis/apps/v1/namespaces/gw/deployments/edge-kong"
PODS = "/api/v1/namespaces/gw/pods"
CONFIG_MAPS = "/api/v1/namespaces/gw/configmaps"
EVENTS = "/api/v1/namespaces/default/events"
REPLICA_SETS = "/apis/apps/v1/namespaces/gw/replicasets"
AGENT = "/api/v1/namespaces/traceable"
AGENTS_SERVICE = {"spec": {"selector": {"app": "agent"}, "ports": [{"port": port} for port in (5441, 5442, 5443)]}}
REVISION = "deployment.kubernetes.io/revision"

AVAILABLE = {"traceable": {"version": "2.1.2"}}


def cluster(*pods: Document, plugins: list[Document] | None = None) -> FakeKubernetes:
    """The gateway with these pods, by default with one good pod."""
    kube = FakeKubernetes()
    kube.put(
        DEPLOYMENT,
        {
            "metadata": {"uid": "u", "generation": 3, "annotations": {REVISION: "7"}},
            "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "edge"}}, "template": template()},
            "status": {"observedGeneration": 3},
        },
    )
    replica_set(kube, "old", revision="6")
    replica_set(kube, "other", revision="7", owner="another")
    replica_set(kube, NEWEST, revision="7")
    for item in pods or (pod(),):
        add_pod(kube, item, plugins=plugins)
    kube.put(f"{AGENT}/services/agent", copy.deepcopy(AGENTS_SERVICE))
    kube.put(f"{AGENT}/pods/agent-1", agent_pod())
    around = injection_objects()
    kube.put(f"{POLICIES}/the-guard", around["policy"])
    kube.put(f"{POLICY_BINDINGS}/the-guard", around["binding"])
    kube.put("/api/v1/namespaces/gw", around["namespace"])
    kube.put(f"{MUTATING_WEBHOOKS}/the-injector", around["webhook"])
    for name, document in config_maps().items():
        kube.put(f"{CONFIG_MAPS}/{name}", document)
    kube.put(f"{CLUSTER_PLUGINS}/traceable-plugin", written(desired()) or {})
    return kube


def replica_set(kube: FakeKubernetes, revision_hash: str, *, revision: str, owner: str = "u") -> None:
    kube.put(
        f"{REPLICA_SETS}/edge-{revision_hash}-{owner}",
        {
            "metadata": {
                "ownerReferences": [{"uid": owner}],
                "annotations": {REVISION: revision},
                "labels": {"app": "edge", "pod-template-hash": revision_hash},
            }
        },
    )


def add_pod(kube: FakeKubernetes, document: Document, *, plugins: list[Document] | None = None) -> None:
    name = document["metadata"]["name"]
    kube.put(f"{PODS}/{name}", document)
    text = [instance()] if plugins is None else plugins
    kube.listeners[name, 8001] = http(admin_api(text, AVAILABLE))
    kube.listeners[name, 5442] = http(lambda path: (404, b""))


def event(kube: FakeKubernetes, name: str, message: str, **when: str) -> None:
    """An event of the ingress controller about the plugin; `uid` is another object's of the same name."""
    metadata = {"creationTimestamp": when.pop("created", "2026-01-01T00:00:00Z")}
    about = {"kind": "KongClusterPlugin", "name": "traceable-plugin", "uid": when.pop("uid", PLUGIN_UID)}
    reason = when.pop("reason", APPLY_FAILED)
    kube.put(
        f"{EVENTS}/{name}",
        {"metadata": metadata, "involvedObject": about, "reason": reason, "message": message, **when},
    )
