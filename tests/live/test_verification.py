"""The verification of a live gateway: each check fails, and no other, when its subject is broken.

The tests share one stack with two pods. Each breaks one thing, in the cluster, the record or the simulated containers,
and restores it.
"""

import json
import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.live import shown_output
from tests.live.cluster_state import gateway_pods, plugin, pod_names, record
from tests.live.commands import CommandFailed, wait_until
from tests.live.stack import NO_CHANGES, LiveStack
from tests.live.verification import (
    SECONDS_TO_FOLLOW,
    cronjob_objects,
    documented_rules,
    failed_checks,
    failing,
    fault,
    grant,
    record_changed,
    run_in_pod,
    watching,
)


@pytest.fixture(scope="module")
def stack(module_stack: Any) -> LiveStack:
    created: LiveStack = module_stack()
    created.update("kongValues", replicaCount=2)
    created.up()
    return created


@pytest.fixture(autouse=True)
def protected_afterwards(stack: LiveStack) -> Iterator[None]:
    """Checks that each test leaves a protected gateway."""
    yield
    assert stack.verify("--wait-seconds", str(SECONDS_TO_FOLLOW)).returncode == 0


@pytest.mark.shown_output
def test_the_report_has_a_line_for_every_pod(stack: LiveStack) -> None:
    done = stack.verify()
    assert done.returncode == 0
    header, *lines = done.stdout.split("\n\n")[0].splitlines()
    assert header.split() == ["POD", "READY", "FILES", "TME", "PLUGIN", "VERDICT"]
    assert {line.split()[0] for line in lines} == pod_names(stack)
    assert {tuple(line.split()[1:]) for line in lines} == {("ok", "ok", "ok", "ok", "protected")}
    assert "not checked: the agent's own connection to the Traceable platform" in done.stdout
    shown_output.compare(shown_output.PROTECTED, done.stdout, stack=stack.name)


def test_a_stack_output_is_the_command(stack: LiveStack) -> None:
    options = f"--namespace {stack.kong_namespace} --deployment {stack.gateway.deployment}"
    assert stack.outputs()["verify"] == f".venv/bin/python verify.py {options}"


def test_a_changed_record_is_refused(stack: LiveStack) -> None:
    """With --stack it is refused; without, the report says that it trusts the record, for this Deployment only."""
    assert stack.run_verify("--stack", stack.name).returncode == 0
    assert "was read from the record" in stack.verify().stdout
    with record_changed(stack, deployment="another"):
        changed = stack.run_verify("--stack", stack.name)
        assert changed.returncode == 2 and "it was changed" in changed.stderr
        other = stack.verify()
        assert other.returncode == 2 and "is about deployment" in other.stderr


def test_the_digest_is_that_of_the_record_in_the_cluster(stack: LiveStack) -> None:
    """Also after an update that does not write the record."""
    stack.update("agent", protect=True)
    try:
        before = record(stack)
        stack.up("--target", "**traceable-stack-id")
        assert record(stack) == before
        assert stack.run_verify("--stack", stack.name).returncode == 0
    finally:
        stack.update("agent", protect=False)
        stack.up(NO_CHANGES)


def test_files_fails_for_other_files(stack: LiveStack) -> None:
    with record_changed(stack, files=json.dumps({"/opt/kong/plugins/traceable": "kong-plugin-traceable-other"})):
        assert failing(stack) == {"files"}


def test_files_fails_for_changed_content_until_pods_are_replaced(stack: LiveStack) -> None:
    """The fix in the report repairs it; until pods are replaced, their files cannot be determined."""
    (name,) = json.loads(record(stack)["files"]).values()
    place = ("configmap", name, "--namespace", stack.kong_namespace)
    changed = json.loads(stack.kubectl("get", *place, "--output", "json"))
    changed["data"]["handler.lua"] = "return { PRIORITY = 2000, VERSION = '2.1.2' }"
    changed["metadata"] = {key: changed["metadata"][key] for key in ("name", "namespace", "labels")}
    stack.kubectl("delete", *place)
    stack.apply(changed)
    assert failing(stack) == {"files"}
    with pytest.raises(CommandFailed, match="has other content"):
        stack.up()
    assert "not checked: the files of" in stack.up("--refresh")
    done = stack.verify("--output", "json")
    assert (done.returncode, json.loads(done.stdout)["verdict"]) == (2, "not checked")
    deployment = ("deployment", f"{stack.name}-kong", "--namespace", stack.kong_namespace)
    stack.kubectl("rollout", "restart", *deployment)
    stack.kubectl("rollout", "status", *deployment)


def test_policy_label_and_webhook_fail_when_they_are_removed(stack: LiveStack) -> None:
    """The engine sees no change, and `up` fails nevertheless; the commands in the report repair it."""
    policy = json.loads(record(stack)["policy"])["name"]
    webhook = json.loads(record(stack)["injection"])["webhook"]
    stack.kubectl("delete", "validatingadmissionpolicybinding", policy)
    weaker = '{"spec": {"failurePolicy": "Ignore"}}'
    stack.kubectl("patch", "validatingadmissionpolicy", policy, "--type=merge", "--patch", weaker)
    stack.kubectl("label", "namespace", stack.kong_namespace, "traceableai-inject-tme-")
    stack.kubectl("delete", "mutatingwebhookconfiguration", webhook)
    assert failing(stack) == {"policy", "label", "webhook"}
    output = stack.failed("up", "--yes", "--skip-preview")
    assert "the policy has another spec.failurePolicy; the binding does not exist" in output
    assert "`pulumi up --refresh`" in output
    (command,) = set(re.findall(r"`helm (rollback traceable-agent [^`]*)`", output))
    with pytest.raises(CommandFailed):
        stack.helm(*shlex.split(command))
    shown = stack.helm("history", "traceable-agent", "--namespace", stack.agent_namespace, "--output", "json")
    (deployed,) = [item["revision"] for item in json.loads(shown) if item["status"] == "deployed"]
    stack.helm(*shlex.split(command.replace("REVISION", str(deployed))))
    stack.up("--refresh")
    stack.preview(NO_CHANGES)


def test_policy_fails_for_added_conditions(stack: LiveStack) -> None:
    """Server-side apply keeps them, so a refresh does not repair it; the commands in the report do."""
    policy = json.loads(record(stack)["policy"])["name"]
    never = {"name": "never", "expression": "false"}
    first = [{"op": "add", "path": f"/spec/{field}/0", "value": never} for field in ("matchConditions", "variables")]
    stack.kubectl("patch", "validatingadmissionpolicy", policy, "--type=json", "--patch", json.dumps(first))
    nowhere = '{"spec": {"matchResources": {"namespaceSelector": {"matchLabels": {"no": "where"}}}}}'
    stack.kubectl("patch", "validatingadmissionpolicybinding", policy, "--type=merge", "--patch", nowhere)
    with pytest.raises(CommandFailed, match=r"spec\.matchConditions\[never\]"):
        stack.up("--refresh")
    failed = failed_checks(stack)
    assert [check["name"] for check in failed] == ["policy"]
    commands = re.findall(r"`(kubectl [^`]*)`", failed[0]["fix"])
    assert len(commands) == 2
    for command in commands:
        stack.kubectl(*shlex.split(command)[1:])
    stack.up("--refresh")
    stack.preview(NO_CHANGES)


def test_tme_fails_for_another_image(stack: LiveStack) -> None:
    with record_changed(stack, tmeImage="evil.example/traceable-agent"):
        assert failing(stack) == {"tme"}


@pytest.mark.parametrize("how", [pytest.param("silent", marks=pytest.mark.shown_output), "closed"])
def test_tme_fails_for_the_pod_whose_tme_does_not_answer(stack: LiveStack, how: Any) -> None:
    name = max(pod_names(stack))
    with fault(stack, name, tme=how):
        if how == "silent":
            printed = stack.verify("--wait-seconds", "0").stdout
            shown_output.compare(shown_output.NOT_PROTECTED, printed, stack=stack.name)
        failed = failed_checks(stack)
        assert [(check["pod"], check["name"]) for check in failed] == [(name, "tme")]


def test_loaded_fails_for_another_version(stack: LiveStack) -> None:
    with record_changed(stack, loadedVersion="2.0.0"):
        assert failing(stack) == {"loaded"}


def test_loaded_fails_for_the_pod_whose_admin_api_is_closed(stack: LiveStack) -> None:
    name = gateway_pods(stack)[0]["metadata"]["name"]
    with fault(stack, name, kong_admin="closed"):
        failed = failed_checks(stack)
        assert [(check["pod"], check["name"]) for check in failed] == [(name, "loaded")]


def test_plugin_fails_for_a_configuration_that_kong_rejects(stack: LiveStack) -> None:
    """The KongClusterPlugin is as recorded, and Kong keeps its previous configuration."""
    name = plugin(stack)["metadata"]["name"]
    before = plugin(stack)["config"]["timeout"]
    with fault(stack, kong_config="schema violation (planted)"):
        patch = json.dumps({"config": {"timeout": before + 1}})
        stack.kubectl("patch", "kongclusterplugin", name, "--type=merge", "--patch", patch)
        with record_changed(stack, pluginConfig=json.dumps(plugin(stack)["config"])):
            assert failing(stack) == {"plugin"}
        stack.kubectl(
            "patch", "kongclusterplugin", name, "--type=merge", "--patch", json.dumps({"config": {"timeout": before}})
        )


def test_object_fails_for_a_disabled_plugin_and_a_watch_sees_it(stack: LiveStack) -> None:
    place = ("kongclusterplugin", plugin(stack)["metadata"]["name"], "--type=merge", "--patch")
    with watching(stack) as lines:
        (first,) = lines("protected")
        assert f"{stack.gateway.namespace}/{stack.gateway.deployment}: protected." in first
        stack.kubectl("patch", *place, '{"disabled": true}')
        try:
            lines("NOT AS CONFIGURED", "the gateway: object: expected:")
        finally:
            stack.kubectl("patch", *place, '{"disabled": false}')
        # The object is right at once, the pods when the ingress controller has given the plugin to each of them.
        lines(": protected.", "the gateway: object: no longer fails")


def answering_routes(stack: LiveStack, **responses: tuple[int, str]) -> list[dict[str, Any]]:
    """Ingresses with a plugin that answers in place of the upstream, which the platform does not run."""
    objects: list[dict[str, Any]] = []
    for path, (status, message) in responses.items():
        metadata = {"name": f"{stack.name}-{path}", "namespace": stack.kong_namespace}
        backend = {"service": {"name": f"{stack.name}-kong-proxy", "port": {"number": 80}}}
        paths = [{"path": f"/{path}", "pathType": "Prefix", "backend": backend}]
        objects.append(
            {
                "apiVersion": "configuration.konghq.com/v1",
                "kind": "KongPlugin",
                "metadata": {**metadata, "annotations": {"kubernetes.io/ingress.class": stack.name}},
                "plugin": "request-termination",
                "config": {"status_code": status, "message": message},
            }
        )
        objects.append(
            {
                "apiVersion": "networking.k8s.io/v1",
                "kind": "Ingress",
                "metadata": {**metadata, "annotations": {"konghq.com/plugins": metadata["name"]}},
                "spec": {
                    "ingressClassName": stack.name,
                    "rules": [{"host": "api.example.com", "http": {"paths": paths}}],
                },
            }
        )
    return objects


def test_requests_through_kong(stack: LiveStack) -> None:
    """Every pod's Kong answers, and the record has the status and the message of a blocked request."""
    stack.apply(*answering_routes(stack, orders=(200, "hello"), attack=(403, "Access Forbidden")))
    send = ("--smoke-route", "/orders", "--smoke-host", "api.example.com", "--output", "json")
    try:
        done = wait_until(
            lambda: [found for found in [stack.verify(*send, "--smoke-blocked", "/attack")] if found.returncode == 0],
            "the routes do not answer",
            seconds=SECONDS_TO_FOLLOW,
        )
        results = json.loads(done[0].stdout)["smoke"]
        assert {result["server"] for result in results} == pod_names(stack)
        assert {(result["target"], result["status"]) for result in results} == {("/orders", 200), ("/attack", 403)}
        assert all(result["kong_headers"]["X-Kong-Response-Latency"] for result in results)
        assert "blocked with status 403 and the configured message" in results[-1]["found"]

        not_blocked = stack.verify(*send, "--smoke-blocked", "/orders?id=1")
        assert not_blocked.returncode == 1 and "It was not blocked: HTTP 200." in not_blocked.stdout
        no_route = stack.verify("--smoke-route", "/orders")
        assert no_route.returncode == 2 and "no plugin decided about the request" in no_route.stdout
    finally:
        stack.kubectl("delete", "ingress,kongplugin", "--all", "--namespace", stack.kong_namespace)


def test_the_cronjob_of_the_example_verifies_with_its_own_permissions(stack: LiveStack, tmp_path: Path) -> None:
    objects = cronjob_objects(stack)
    stack.apply(*objects)
    try:
        done = run_in_pod(stack, tmp_path, objects[-1])
        report = json.loads(done.stdout)
        assert (done.returncode, report["verdict"]) == (0, "protected"), done.stdout + done.stderr
        assert done.stderr == ""
    finally:
        for item in objects:
            if item["kind"] in ("ClusterRole", "ClusterRoleBinding"):
                stack.kubectl("delete", item["kind"], item["metadata"]["name"])
        stack.kubectl("delete", "namespace", f"{stack.name}-verify", "--wait=false")


def test_object_and_plugin_fail_for_an_added_field(stack: LiveStack) -> None:
    """The engine keeps fields of other managers, so the report has a command that repairs it."""
    name = plugin(stack)["metadata"]["name"]
    stack.kubectl("patch", "kongclusterplugin", name, "--type=merge", "--patch", '{"protocols": ["tcp"]}')
    wait_until(lambda: failing(stack) == {"object", "plugin"}, seconds=SECONDS_TO_FOLLOW)
    failed = {check["name"]: check for check in failed_checks(stack)}
    assert failed["plugin"]["found"] == "protocols is ['tcp'] instead of ['grpc', 'grpcs', 'http', 'https']"
    command = shlex.split(failed["object"]["fix"].split("`")[1])
    assert command[0] == "kubectl"
    stack.kubectl(*command[1:])


@contextmanager
def tenants_plugin(stack: LiveStack, **config: Any) -> Iterator[None]:
    """A tenant's KongPlugin on the tenant's route meanwhile."""
    namespace, name = stack.kong_namespace, f"{stack.name}-tenant"
    tenant_plugin = {
        "apiVersion": "configuration.konghq.com/v1",
        "kind": "KongPlugin",
        "metadata": {"name": name, "namespace": namespace, "annotations": {"kubernetes.io/ingress.class": stack.name}},
        "plugin": "traceable",
        "config": {**plugin(stack)["config"], **config},
    }
    backend = {"service": {"name": f"{stack.name}-kong-proxy", "port": {"number": 80}}}
    paths = [{"path": "/tenant", "pathType": "Prefix", "backend": backend}]
    route = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": name, "namespace": namespace, "annotations": {"konghq.com/plugins": name}},
        "spec": {"ingressClassName": stack.name, "rules": [{"http": {"paths": paths}}]},
    }
    stack.apply(tenant_plugin, route)
    try:
        yield
    finally:
        stack.kubectl("delete", "ingress,kongplugin", name, "--namespace", namespace)


def test_override_fails_for_a_plugin_on_one_route(stack: LiveStack) -> None:
    with tenants_plugin(stack, allow_on_failure=False):
        assert failing(stack) == {"override"}


def test_with_scope_selected_a_tenants_plugin_does_not_count(stack: LiveStack) -> None:
    """With scope `global` it fails the verification, which shows that Kong has loaded it."""
    with tenants_plugin(stack, timeout=1000):
        assert failing(stack) == {"override"}
        stack.set(scope="selected")
        try:
            assert "0 routes protected" in stack.up()
            done = stack.verify("--output", "json")
            assert (done.returncode, json.loads(done.stdout)["verdict"]) == (0, "no route selected"), done.stdout
        finally:
            stack.set(scope="global")
            with pytest.raises(CommandFailed, match="timeout is 1000"):
                stack.up()
    stack.up()


def test_agent_fails_without_an_agent(stack: LiveStack) -> None:
    with record_changed(stack, agentNamespace="default"):
        assert failing(stack) == {"agent"}


def test_with_a_network_policy_the_connection_to_the_agent_is_not_checked(stack: LiveStack) -> None:
    """The connection cannot be observed, so it is not checked; the policy in the preview allows it."""
    metadata = {"name": "deny", "namespace": stack.kong_namespace}
    spec = {"podSelector": {}, "policyTypes": ["Egress"]}
    stack.apply({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec})
    try:
        done = stack.verify("--output", "json")
        report = json.loads(done.stdout)
        assert (done.returncode, report["ok"], report["verdict"]) == (2, True, "not checked")
        assert f"NetworkPolicy {stack.kong_namespace}/deny selects the gateway's pods" in report["not_checked"][0]
        (command,) = set(re.findall(r"`(echo .*kubectl apply --filename -)`", stack.preview()))
        stack.run("sh", "-c", command)
        assert stack.verify().returncode == 0
    finally:
        stack.kubectl("delete", "networkpolicies", "--all", "--namespace", stack.kong_namespace)


def test_deployment_fails_if_it_does_not_exist(stack: LiveStack) -> None:
    with record_changed(stack, deployment="another"):
        done = stack.run_verify("--namespace", stack.kong_namespace, "--output", "json")
        failed = [check["name"] for check in json.loads(done.stdout)["checks"] if not check["ok"]]
        assert (done.returncode, failed) == (1, ["deployment"])


def test_rollout_fails_for_an_old_pod_that_never_gets_ready(stack: LiveStack) -> None:
    """It does not serve, and it has files and settings of another revision."""
    labels = gateway_pods(stack)[0]["metadata"]["labels"]
    container = {"name": "proxy", "image": "registry.invalid/kong:3.9"}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "left-over",
            "namespace": stack.kong_namespace,
            "labels": {**labels, "pod-template-hash": "older"},
        },
        "spec": {"containers": [container]},
    }
    stack.apply(pod)
    try:
        assert failing(stack) == {"rollout"}
    finally:
        stack.kubectl("delete", "pod", "left-over", "--namespace", stack.kong_namespace)


def test_object_fails_alone_for_a_change_that_kong_does_not_load(stack: LiveStack) -> None:
    place = ("kongclusterplugin", plugin(stack)["metadata"]["name"], "--type=merge", "--patch")
    with fault(stack, kong_config="schema violation (planted)"):
        stack.kubectl("patch", *place, '{"disabled": true}')
        assert failing(stack) == {"object"}
        stack.kubectl("patch", *place, '{"disabled": false}')


def test_ready_fails_for_a_gateway_that_is_scaled_to_zero(stack: LiveStack) -> None:
    scale = ("scale", "deployment", f"{stack.name}-kong", "--namespace", stack.kong_namespace, "--replicas")
    stack.kubectl(*scale, "0")
    try:
        wait_until(lambda: not gateway_pods(stack), seconds=SECONDS_TO_FOLLOW)
        assert failing(stack) == {"ready"}
    finally:
        stack.kubectl(*scale, "2")


def test_a_missing_permission_is_named_and_its_subject_is_not_checked(stack: LiveStack, tmp_path: Path) -> None:
    in_kong, in_agent, of_cluster = documented_rules()
    stack.kubectl("create", "serviceaccount", "auditor", "--namespace", stack.kong_namespace)
    config = yaml.safe_load(stack.platform.kubeconfig.read_text())
    token = stack.kubectl("create", "token", "auditor", "--namespace", stack.kong_namespace).strip()
    for user in config["users"]:
        user["user"] = {"token": token}
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(config))
    as_auditor = ("--kubeconfig", str(tmp_path / "kubeconfig"))
    try:
        grant(stack, "Role", stack.kong_namespace, in_kong)
        grant(stack, "Role", stack.agent_namespace, in_agent)
        grant(stack, "ClusterRole", "", of_cluster)
        done = stack.verify(*as_auditor)
        assert done.returncode == 0, done.stdout + done.stderr
        for rule in in_kong:
            rule["resources"] = [resource for resource in rule["resources"] if resource != "namespaces"]
        grant(stack, "Role", stack.kong_namespace, in_kong)
        grant(stack, "ClusterRole", "", [rule for rule in of_cluster if "kongclusterplugins" in rule["resources"]])
        done = stack.verify(*as_auditor)
        assert done.returncode == 2 and done.stdout.splitlines()[1].endswith("not checked"), done.stdout + done.stderr
        for missing in (
            *("namespaces", "validatingadmissionpolicies", "validatingadmissionpolicybindings"),
            "mutatingwebhookconfigurations",
        ):
            assert f"the permission to get {missing}" in done.stdout
    finally:
        stack.kubectl("delete", "clusterrole,clusterrolebinding", f"{stack.name}-auditor", "--ignore-not-found")


def test_without_a_record_nothing_is_checked(stack: LiveStack) -> None:
    done = stack.verify("--namespace", "default", "--output", "json")
    assert done.returncode == 2
    assert json.loads(done.stdout)["ok"] is False
    assert "ConfigMap default/traceable-installation does not exist" in done.stderr
