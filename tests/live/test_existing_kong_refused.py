"""Kongs that the program cannot take, and objects of its names that somebody else made: refused, nothing changed.

Plain Deployments made with kubectl, which nobody tells a plugin: what a Kong is like is read from its Deployment,
before anything is done.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from local import charts
from tests.live.conftest import Stacks
from tests.live.history import Event
from tests.live.operations import refused_preview
from tests.live.stack import ROLLOUT_TIMEOUT_SECONDS, CommandFailed, LiveStack
from traceable_kong.cluster.ownership import STACK_LABEL

KINDS = "deployments,daemonsets,replicasets,pods,configmaps,secrets,services,serviceaccounts"
CLUSTER_WIDE = (
    "namespaces,kongclusterplugins,validatingadmissionpolicies,validatingadmissionpolicybindings,"
    "validatingwebhookconfigurations,mutatingwebhookconfigurations"
)
WRITTEN_BY_OTHERS = ("resourceVersion", "managedFields")
RECORD = "traceable-installation"
BY_HAND = "live-test/by-hand"


def workload(name: str, *containers: dict[str, Any], kind: str = "Deployment", **spec: Any) -> dict[str, Any]:
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": {"containers": list(containers)}}
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": {"selector": {"matchLabels": labels}, "template": template, **spec},
    }


def kong(name: str = "proxy", env_from: list[dict[str, Any]] | None = None, **env: str) -> dict[str, Any]:
    variables = [{"name": key, "value": value} for key, value in {"KONG_DATABASE": "off", **env}.items()]
    return {"name": name, "image": "kong:3.9", "env": variables, "envFrom": env_from or []}


def controller(*args: str, **env: str) -> dict[str, Any]:
    """A controller whose image is nowhere: what it is told is all that counts."""
    variables = [{"name": key, "value": value} for key, value in env.items()]
    image = "registry.invalid/kubernetes-ingress-controller:3.4"
    return {"name": "ingress-controller", "image": image, "args": list(args), "env": variables}


WORKLOADS = (
    workload("fine", kong()),
    workload("two", kong("first"), kong("proxy")),
    workload("none", kong(), replicas=0),
    workload("everywhere", kong(), kind="DaemonSet"),
    workload("hybrid", kong(KONG_ROLE="data_plane")),
    # As the kong/ingress chart can have its gateway, whose controller runs in a Deployment of its own.
    workload("ingress", kong(KONG_ROLE="traditional", KONG_NGINX_ADMIN_SSL_VERIFY_CLIENT="on")),
    workload("elsewhere", kong(env_from=[{"configMapRef": {"name": "settings"}}])),
    workload("deaf", kong(), controller(CONTROLLER_ENABLE_CONTROLLER_KONGCLUSTERPLUGIN="false")),
    workload("edge", kong(), controller("--ingress-class=edge")),
    # The service account of these has no rights.
    workload("unable", kong(), controller()),
    workload("split", kong()),
    workload("owned", kong()),
    workload(
        "split-controller", controller("--ingress-class=edge", CONTROLLER_KONG_ADMIN_SVC="split-admin"), replicas=0
    ),
)
NEVER_READY = ("ingress", "deaf", "edge", "unable", "split-controller")
"""Without the certificates that it would ask for, or without any right, it does not start."""

ADMIN_SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "split-admin"},
    "spec": {"selector": {"app": "split"}, "ports": [{"port": 8444}]},
}

SETTINGS = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "settings"},
    "data": {"KONG_PLUGINS": "bundled"},
}


def is_not_ours(event: Event, generations: dict[str, Any]) -> bool:
    """A Deployment's and a pod's status are the controllers' work, whatever we do."""
    metadata = event.object["metadata"]
    if BY_HAND in metadata.get("labels", {}):
        return True
    if event.type == "MODIFIED" and event.kind == "Deployment":
        return bool(generations[metadata["name"]] == metadata["generation"])
    return event.kind == "Pod" and event.type == "MODIFIED"


@pytest.fixture(scope="module")
def stack(module_stack: Stacks) -> Iterator[LiveStack]:
    """A stack and Kongs of all kinds. Recorded: a preview that makes something and takes it away is seen as well."""
    made: LiveStack = module_stack(tmeGuard="deny")
    where = ("--namespace", made.kong_namespace)
    made.kubectl("apply", "--filename", str(charts.SOURCE / "kong" / "crds"))
    made.kubectl("wait", "--for=condition=Established", "crd/kongclusterplugins.configuration.konghq.com")
    made.kubectl("create", "namespace", made.kong_namespace)
    made._run(["kubectl", "apply", *where, "-f", "-"], stdin=yaml.safe_dump_all([SETTINGS, ADMIN_SERVICE, *WORKLOADS]))
    owner = made.objects("configmaps", *where, "--field-selector", "metadata.name=settings")[0]["metadata"]
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "settings", "uid": owner["uid"], "controller": True}
    made.kubectl(
        *("patch", "deployment", "owned", *where, "--patch"),
        json.dumps({"metadata": {"ownerReferences": [reference]}}),
    )
    try:
        for item in WORKLOADS:
            if item["metadata"]["name"] not in NEVER_READY:
                name = f"{item['kind'].lower()}/{item['metadata']['name']}"
                made.kubectl("rollout", "status", name, *where, "--timeout=60s")
        generations = {
            item["metadata"]["name"]: item["metadata"]["generation"] for item in made.objects("deployments", *where)
        }
        with made.recorded() as recording:
            yield made
        assert recording.rollouts == 0
        since = [event for event in recording.history.events if event.resource_version > recording.history.start]
        assert [event for event in since if not is_not_ours(event, generations)] == []
    finally:
        made.kubectl("delete", "namespace", made.kong_namespace, "--wait=false")


def points_at(stack: LiveStack, deployment: str, **kong: Any) -> None:
    usual = {
        "install": False,
        "namespace": stack.kong_namespace,
        "deployment": deployment,
        "ingressClass": stack.name,
        "timeoutSeconds": ROLLOUT_TIMEOUT_SECONDS,
    }
    stack.set(kong={**usual, **kong}, kongValues={})


def standing(stack: LiveStack) -> list[dict[str, Any]]:
    """Every object there and every one of the cluster that could be this stack's, without what controllers write."""
    found = stack.objects(KINDS, "--namespace", stack.kong_namespace)
    found += [item for item in stack.objects(CLUSTER_WIDE) if stack.name in json.dumps(item)]
    for item in found:
        item.pop("status", None)
        for key in WRITTEN_BY_OTHERS:
            item["metadata"].pop(key, None)
    return found


def is_refused(stack: LiveStack, *words: str) -> str:
    """A preview says each of these, and changes nothing. Returns all that it says."""
    before = standing(stack)
    said = refused_preview(stack)
    for word in (*words, "Nothing was changed"):
        assert word in said, said
    assert "Traceback" not in said
    assert standing(stack) == before
    return said


def names_of_ours(stack: LiveStack, kind: str) -> set[str]:
    """What a preview of a Kong that can be taken would make of this kind."""
    points_at(stack, "fine")
    made = [step["newState"] for step in json.loads(stack.preview("--json"))["steps"]]
    return {item["inputs"]["metadata"]["name"] for item in made if item["type"].split(":")[-1] == kind}


@pytest.mark.parametrize(
    ("deployment", "changes", "words"),
    [
        ("fine", {"namespace": "nowhere"}, ["deployment fine in namespace nowhere", "so is the namespace"]),
        ("another", {}, ["deployment another", "is missing", "kubectl get deployments --all-namespaces"]),
        ("fine", {"container": "nobody"}, ["has no container nobody (it has proxy)", "kong.container NAME"]),
        ("two", {}, ["runs Kong in 2 containers (first, proxy)", "kong.container NAME"]),
        ("none", {}, ["has zero replicas", "kubectl scale deployment none"]),
        ("everywhere", {}, ["is a DaemonSet", "deployment.daemonset false"]),
        ("hybrid", {}, ["is part of a hybrid gateway (KONG_ROLE=data_plane)"]),
        ("ingress", {}, ["asks for a client certificate", "gateway.admin.tls.client"]),
        ("elsewhere", {}, ["takes KONG_PLUGINS from the ConfigMap settings (envFrom)", "kong.filesMountedBy owner"]),
        ("owned", {}, ["belongs to ConfigMap settings (v1)", "kong.filesMountedBy owner", "traceable-kong:mode async"]),
        ("edge", {"ingressClass": "edge"}, ["the service account default, which may not list or watch"]),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_kong_that_cannot_be_taken(
    stack: LiveStack, deployment: str, changes: dict[str, Any], words: list[str]
) -> None:
    points_at(stack, deployment, **changes)
    is_refused(stack, "found 1 problem", *words)


@pytest.mark.parametrize(
    ("deployment", "words"),
    [
        ("deaf", ["is told not to read KongClusterPlugins (CONTROLLER_ENABLE_CONTROLLER_KONGCLUSTERPLUGIN is false)"]),
        ("unable", ["reads the ingress class 'kong'", "kong.ingressClass kong"]),
        ("split", ["deployment split-controller", "reads the ingress class 'edge' (--ingress-class)"]),
    ],
)
def test_a_controller_that_would_not_read_the_plugin(stack: LiveStack, deployment: str, words: list[str]) -> None:
    """What it is told, its class, and its rights, all at once."""
    points_at(stack, deployment)
    is_refused(stack, "problems. Nothing was changed.", "which may not list or watch KongClusterPlugins", *words)


def test_an_up_is_refused_as_its_preview_is(stack: LiveStack) -> None:
    points_at(stack, "none")
    before = standing(stack)
    with pytest.raises(CommandFailed, match="has zero replicas"):
        stack.up()
    assert standing(stack) == before


def test_objects_of_our_names_that_somebody_else_made(stack: LiveStack) -> None:
    """All in one preview. Their plugin is of another class than the recorded gateway's, which lacks its files."""
    theirs = f"{stack.name}-theirs"
    (files,) = names_of_ours(stack, "ConfigMap") - {RECORD}
    (policy,) = names_of_ours(stack, "ValidatingAdmissionPolicy")
    points_at(stack, "fine", ingressClass=theirs)
    every_pod = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
    made: list[dict[str, Any]] = [
        *({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}} for name in (files, RECORD)),
        *(
            {
                "apiVersion": "configuration.konghq.com/v1",
                "kind": "KongClusterPlugin",
                "metadata": {"name": name, "annotations": {"kubernetes.io/ingress.class": theirs}},
                "plugin": "traceable",
            }
            for name in (f"{stack.name}-plugin", f"{stack.name}-by-hand")
        ),
        {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingAdmissionPolicy",
            "metadata": {"name": policy},
            "spec": {"matchConstraints": {"resourceRules": [every_pod]}, "validations": [{"expression": "true"}]},
        },
    ]
    for item in made:
        item["metadata"]["labels"] = {BY_HAND: "true", "global": "true"}
    where = ("--namespace", stack.kong_namespace)
    stack._run(["kubectl", "apply", *where, "-f", "-"], stdin=yaml.safe_dump_all(made))
    try:
        mine = f"{STACK_LABEL}=traceable-kong.{stack.name}"
        said = is_refused(
            stack,
            "found 5 problems",
            f"kubectl label configmap {files} --namespace {stack.kong_namespace} {mine}",
            f"kubectl label configmap {RECORD} --namespace {stack.kong_namespace} {mine}",
            f"kubectl label kongclusterplugin {stack.name}-plugin {mine}",
            f"kubectl label validatingadmissionpolicy {policy} {mine}",
            "traceable-kong:plugin.name NAME",
            f"kongclusterplugin {stack.name}-by-hand\n",
            f"is another global traceable of the ingress class {theirs}. The ingress controller drops both",
        )
        assert said.count("exists and is not managed by this stack") == 4
    finally:
        stack._run(["kubectl", "delete", *where, "-f", "-"], stdin=yaml.safe_dump_all(made))
