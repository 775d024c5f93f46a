"""Preflight refuses existing Kongs that the program cannot use, and objects that the stack does not manage.

The Kongs are plain Deployments without a working ingress controller: preflight reads only the objects.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from local import charts
from tests.live.commands import CommandFailed
from tests.live.conftest import Stacks
from tests.live.stack import ROLLOUT_TIMEOUT_SECONDS, UNCHANGED, LiveStack
from tests.recorder.history import Event
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
    """A controller whose image cannot be pulled: only its arguments and variables matter."""
    variables = [{"name": key, "value": value} for key, value in env.items()]
    image = "registry.invalid/kubernetes-ingress-controller:3.4"
    return {"name": "ingress-controller", "image": image, "args": list(args), "env": variables}


WORKLOADS = (
    workload("usable", kong()),
    workload("two", kong("first"), kong("proxy")),
    workload("none", kong(), replicas=0),
    workload("everywhere", kong(), kind="DaemonSet"),
    workload("hybrid", kong(KONG_ROLE="data_plane")),
    # Like the gateway of the kong/ingress chart, whose controller has a Deployment of its own.
    workload("ingress", kong(KONG_ROLE="traditional", KONG_NGINX_ADMIN_SSL_VERIFY_CLIENT="on")),
    workload("env-from", kong(env_from=[{"configMapRef": {"name": "settings"}}])),
    workload("no-plugins", kong(), controller(CONTROLLER_ENABLE_CONTROLLER_KONGCLUSTERPLUGIN="false")),
    workload("edge", kong(), controller("--ingress-class=edge")),
    # The ServiceAccount of these has no permissions.
    workload("forbidden", kong(), controller()),
    workload("split", kong()),
    workload("owned", kong()),
    workload(
        "split-controller", controller("--ingress-class=edge", CONTROLLER_KONG_ADMIN_SVC="split-admin"), replicas=0
    ),
)
NEVER_READY = ("ingress", "no-plugins", "edge", "forbidden", "split-controller")
"""These do not start: they lack certificates or permissions."""

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


def is_unrelated(event: Event, generations: dict[str, Any]) -> bool:
    """Whether the event is the test's own or a change of a status, which controllers write."""
    metadata = event.object["metadata"]
    if BY_HAND in metadata.get("labels", {}):
        return True
    if event.type == "MODIFIED" and event.kind == "Deployment":
        return bool(generations[metadata["name"]] == metadata["generation"])
    return event.kind == "Pod" and event.type == "MODIFIED"


@pytest.fixture(scope="module")
def stack(module_stack: Stacks) -> Iterator[LiveStack]:
    """A stack and all the Kongs; the recording also finds an object that a preview creates and deletes again."""
    created: LiveStack = module_stack(tmeGuard="deny")
    namespace = ("--namespace", created.kong_namespace)
    created.kubectl("apply", "--filename", str(charts.SOURCE / "kong" / "crds"))
    created.kubectl("wait", "--for=condition=Established", "crd/kongclusterplugins.configuration.konghq.com")
    created.kubectl("create", "namespace", created.kong_namespace)
    apply(created, SETTINGS, ADMIN_SERVICE, *WORKLOADS)
    owner = created.objects("configmaps", *namespace, "--field-selector", "metadata.name=settings")[0]["metadata"]
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "settings", "uid": owner["uid"], "controller": True}
    created.kubectl(
        *("patch", "deployment", "owned", *namespace, "--patch"),
        json.dumps({"metadata": {"ownerReferences": [reference]}}),
    )
    try:
        for item in WORKLOADS:
            if item["metadata"]["name"] not in NEVER_READY:
                name = f"{item['kind'].lower()}/{item['metadata']['name']}"
                created.kubectl("rollout", "status", name, *namespace, "--timeout=60s")
        generations = {
            item["metadata"]["name"]: item["metadata"]["generation"]
            for item in created.objects("deployments", *namespace)
        }
        with created.recorded() as recording:
            yield created
        assert recording.rollouts == 0
        since = [event for event in recording.history.events if event.resource_version > recording.history.start]
        assert [event for event in since if not is_unrelated(event, generations)] == []
    finally:
        created.kubectl("delete", "namespace", created.kong_namespace, "--wait=false")


def apply(stack: LiveStack, *documents: dict[str, Any], command: str = "apply") -> None:
    """Applies (or deletes) objects in Kong's namespace."""
    namespace = ("--namespace", stack.kong_namespace)
    stack.run("kubectl", command, *namespace, "-f", "-", stdin=yaml.safe_dump_all(documents))


def use_deployment(stack: LiveStack, deployment: str, **kong: Any) -> None:
    defaults = {
        "install": False,
        "namespace": stack.kong_namespace,
        "deployment": deployment,
        "ingressClass": stack.name,
        "timeoutSeconds": ROLLOUT_TIMEOUT_SECONDS,
    }
    stack.unset("kongValues")
    stack.set(kong={**defaults, **kong})


def current_objects(stack: LiveStack) -> list[dict[str, Any]]:
    """Every object in Kong's namespace and every cluster-wide one of the stack, without what controllers write."""
    found = stack.objects(KINDS, "--namespace", stack.kong_namespace)
    found += [item for item in stack.objects(CLUSTER_WIDE) if stack.name in json.dumps(item)]
    for item in found:
        item.pop("status", None)
        for key in WRITTEN_BY_OTHERS:
            item["metadata"].pop(key, None)
    return found


def preview_is_refused(stack: LiveStack, *texts: str) -> str:
    """Checks that a preview fails with these texts and changes nothing, and returns its output."""
    before = current_objects(stack)
    output = stack.failed_preview()
    for text in (*texts, UNCHANGED):
        assert text in output, output
    assert "Traceback" not in output
    assert current_objects(stack) == before
    return output


def planned_names(stack: LiveStack, kind: str) -> set[str]:
    """The names of the objects of this kind in a preview for the usable Kong."""
    use_deployment(stack, "usable")
    planned = [step["newState"] for step in json.loads(stack.preview("--json"))["steps"]]
    return {item["inputs"]["metadata"]["name"] for item in planned if item["type"].split(":")[-1] == kind}


@pytest.mark.parametrize(
    ("deployment", "changes", "texts"),
    [
        ("usable", {"namespace": "nowhere"}, ["deployment usable in namespace nowhere", "so is the namespace"]),
        ("another", {}, ["deployment another", "is missing", "kubectl get deployments --all-namespaces"]),
        ("usable", {"container": "other"}, ["has no container other (it has proxy)", "kong.container NAME"]),
        ("two", {}, ["runs Kong in 2 containers (first, proxy)", "kong.container NAME"]),
        ("none", {}, ["has zero replicas", "kubectl scale deployment none"]),
        ("everywhere", {}, ["is a DaemonSet", "deployment.daemonset false"]),
        ("hybrid", {}, ["is part of a hybrid gateway (KONG_ROLE is 'data_plane')"]),
        ("ingress", {}, ["asks for a client certificate", "gateway.admin.tls.client"]),
        ("env-from", {}, ["takes KONG_PLUGINS from the ConfigMap settings (envFrom)", "kong.filesMountedBy owner"]),
        ("owned", {}, ["belongs to ConfigMap settings (v1)", "kong.filesMountedBy owner", "traceable-kong:mode async"]),
        ("edge", {"ingressClass": "edge"}, ["the service account default, which may not list or watch"]),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_kong_that_cannot_be_used_is_refused(
    stack: LiveStack, deployment: str, changes: dict[str, Any], texts: list[str]
) -> None:
    use_deployment(stack, deployment, **changes)
    preview_is_refused(stack, "found 1 problem", *texts)


@pytest.mark.parametrize(
    ("deployment", "texts"),
    [
        (
            "no-plugins",
            ["does not read KongClusterPlugins (CONTROLLER_ENABLE_CONTROLLER_KONGCLUSTERPLUGIN is false)"],
        ),
        ("forbidden", ["reads the ingress class 'kong'", "kong.ingressClass kong"]),
        ("split", ["deployment split-controller", "reads the ingress class 'edge' (--ingress-class)"]),
    ],
)
def test_a_controller_that_would_not_read_the_plugin_is_refused(
    stack: LiveStack, deployment: str, texts: list[str]
) -> None:
    """One preview reports its variables, its class, and its permissions."""
    use_deployment(stack, deployment)
    preview_is_refused(stack, f"problems. {UNCHANGED}.", "which may not list or watch KongClusterPlugins", *texts)


def test_an_up_is_refused_like_its_preview(stack: LiveStack) -> None:
    use_deployment(stack, "none")
    before = current_objects(stack)
    with pytest.raises(CommandFailed, match="has zero replicas"):
        stack.up()
    assert current_objects(stack) == before


def test_unmanaged_objects_with_the_names_of_the_stacks_are_refused(stack: LiveStack) -> None:
    """One preview reports all. The plugin's class is not the recorded gateway's, whose pods lack the files."""
    ingress_class = f"{stack.name}-other"
    (files,) = planned_names(stack, "ConfigMap") - {RECORD}
    (policy,) = planned_names(stack, "ValidatingAdmissionPolicy")
    use_deployment(stack, "usable", ingressClass=ingress_class)
    every_pod = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
    unmanaged: list[dict[str, Any]] = [
        *({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}} for name in (files, RECORD)),
        *(
            {
                "apiVersion": "configuration.konghq.com/v1",
                "kind": "KongClusterPlugin",
                "metadata": {"name": name, "annotations": {"kubernetes.io/ingress.class": ingress_class}},
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
    for item in unmanaged:
        item["metadata"]["labels"] = {BY_HAND: "true", "global": "true"}
    apply(stack, *unmanaged)
    try:
        label = f"{STACK_LABEL}=traceable-kong.{stack.name}"
        output = preview_is_refused(
            stack,
            "found 5 problems",
            f"kubectl label configmap {files} --namespace {stack.kong_namespace} {label}",
            f"kubectl label configmap {RECORD} --namespace {stack.kong_namespace} {label}",
            f"kubectl label kongclusterplugin {stack.name}-plugin {label}",
            f"kubectl label validatingadmissionpolicy {policy} {label}",
            "traceable-kong:plugin.name NAME",
            f"kongclusterplugin {stack.name}-by-hand\n",
            f"is another global traceable of the ingress class {ingress_class}. The ingress controller drops both",
        )
        assert output.count("exists and is not managed by this stack") == 4
    finally:
        apply(stack, *unmanaged, command="delete")
