"""Failed updates: the error names the pod, the cause and the fix, running pods stay, and the next update repairs it.

The tests share one stack, and each leaves it protected. Failures break no promise either.
"""

import time
from collections.abc import Iterator
from typing import Any

import pytest

import local.injector
from local import rock
from tests.live.cluster_state import gateway_pods, plugin, pod_names, record, tme_count
from tests.live.stack import NO_CHANGES, UNCHANGED, LiveStack

KNOWN_CAUSE_SECONDS = 60.0

SHORT_ROLLOUT_SECONDS = 20
"""How long a rollout may take, and after it pods of an older revision may exist."""


@pytest.fixture(scope="module")
def stack(module_stack: Any) -> LiveStack:
    """A stack in sync mode with the only agent in the cluster: the injector of another agent would serve it too."""
    created: LiveStack = module_stack(tmeGuard="deny")
    others = [item["metadata"]["name"] for item in created.objects("mutatingwebhookconfigurations")]
    if others:
        pytest.skip(f"another agent is in the cluster ({', '.join(others)}): run make down and try again")
    created.up()
    return created


@pytest.fixture(autouse=True)
def protected_afterwards(stack: LiveStack) -> Iterator[None]:
    """Checks that each test leaves the gateway as configured."""
    yield
    stack.up(NO_CHANGES)
    assert tme_count(stack) == len(gateway_pods(stack)) == 1


def fails_fast(stack: LiveStack) -> str:
    """The output of an `up` that must fail within the time that a known cause may take."""
    started = time.monotonic()
    output = stack.failed("up", "--yes", "--skip-preview")
    assert time.monotonic() - started < KNOWN_CAUSE_SECONDS
    return output


def repair(stack: LiveStack) -> None:
    """Runs the commands that the errors name."""
    stack.refresh()
    stack.up()


def test_an_update_stops_before_the_gateway_while_the_injector_is_down(stack: LiveStack) -> None:
    before = pod_names(stack), record(stack)
    local.injector.stop(stack.directory / "injector")
    with stack.recorded() as recording:
        stack.set(blockingStatusCode=451)
        output = fails_fast(stack)
    assert "would not get the TME" in output and "the injector's webhook" in output
    assert "The gateway was not changed" in output
    assert (pod_names(stack), record(stack)) == before
    assert recording.rollouts == 0

    stack.start_injector()
    with stack.recorded() as recording:
        stack.up()
    assert recording.rollouts == 1
    stack.set(blockingStatusCode=403)
    stack.up()


def test_an_update_stops_before_the_gateway_if_the_injector_does_not_inject(stack: LiveStack) -> None:
    """Its webhook selects namespaces with another label."""
    webhook = f"traceable-agent-injector-{stack.agent_namespace}"
    before = pod_names(stack)
    elsewhere = '[{"op": "replace", "path": "/webhooks/0/namespaceSelector/matchLabels", "value": {"other": "label"}}]'
    stack.kubectl("patch", "mutatingwebhookconfiguration", webhook, "--type=json", "--patch", elsewhere)
    stack.update("kongValues", env={"nginx_worker_processes": "1"})
    with stack.recorded() as recording:
        output = fails_fast(stack)
    assert "would not get the TME" in output and "answered without it" in output
    assert (pod_names(stack), recording.rollouts) == (before, 0)

    back = (
        '[{"op": "replace", "path": "/webhooks/0/namespaceSelector/matchLabels", '
        '"value": {"traceableai-inject-tme": "enabled"}}]'
    )
    stack.kubectl("patch", "mutatingwebhookconfiguration", webhook, "--type=json", "--patch", back)
    with stack.recorded():
        stack.up()
    stack.set(kongValues={"proxy": {"type": "NodePort"}})
    stack.up()


def test_verify_finds_a_changed_ingress_class_and_refresh_restores_it(stack: LiveStack) -> None:
    name = plugin(stack)["metadata"]["name"]
    stack.kubectl("annotate", "kongclusterplugin", name, "kubernetes.io/ingress.class=elsewhere", "--overwrite")
    found = stack.verify("--wait-seconds", "10")
    assert found.returncode == 1
    assert "Kong lists no traceable for all routes" in found.stdout
    assert gateway_pods(stack)[0]["metadata"]["name"] in found.stdout
    repair(stack)


def test_a_second_global_plugin_of_the_class_is_named(stack: LiveStack) -> None:
    own = plugin(stack)
    name = f"{stack.name}-second"
    second = {
        **{key: own[key] for key in ("apiVersion", "kind", "plugin", "config")},
        "metadata": {
            "name": name,
            "labels": {"global": "true"},
            "annotations": {"kubernetes.io/ingress.class": stack.name},
        },
    }
    stack.apply(second)
    try:
        output = fails_fast(stack)
        assert name in output and "drops both" in output and UNCHANGED in output
        verified = stack.verify("--wait-seconds", "10")
        assert verified.returncode == 1, "the controller has dropped both"
        assert "Kong lists no traceable" in verified.stdout
    finally:
        stack.kubectl("delete", "kongclusterplugin", name)


def test_the_error_has_the_reason_why_kong_refuses_the_plugin(stack: LiveStack) -> None:
    """A rock whose schema lacks an option of the plugin's config: the error has Kong's own text."""
    configured, before = stack.configured("plugin"), record(stack)
    contents = rock.plugins("2.1.2-1")
    contents["traceable"]["schema.lua"] = contents["traceable"]["schema.lua"].replace("service_name", "servicename")
    path = rock.make(stack.directory / "refusing", version="2.1.2-1", contents=contents)
    stack.set(plugin={**configured, "rock": str(path)})
    output = stack.failed("up", "--yes", "--skip-preview")
    assert "is blocked" in output and "service_name: unknown field" in output
    stack.set(plugin=configured)
    stack.up()
    assert record(stack) == before


def test_an_image_that_cannot_be_pulled_is_named_and_running_pods_stay(stack: LiveStack) -> None:
    configured, before = stack.configured("kongValues"), pod_names(stack)
    stack.set(kongValues={**configured, "image": {"repository": "registry.invalid/kong", "tag": "3.9"}})
    with stack.recorded():
        output = stack.failed("up", "--yes", "--skip-preview")
    assert "registry.invalid/kong" in output and "is blocked" in output
    assert pod_names(stack) == before, "running pods stay"
    stack.set(kongValues=configured)
    with stack.recorded() as recording:
        stack.up()
    assert recording.rollouts == 0, "the earlier pod template is current again"


def test_a_deleted_plugin_fails_the_update_and_refresh_restores_it(stack: LiveStack) -> None:
    stack.kubectl("delete", "kongclusterplugin", plugin(stack)["metadata"]["name"])
    output = fails_fast(stack)
    assert "Kong lists no traceable for all routes" in output and "`pulumi up --refresh`" in output
    repair(stack)


def test_a_removed_annotation_fails_the_update_and_other_managers_are_named(stack: LiveStack) -> None:
    """The new pods have no TME; the check before the plugin names the other managers of the pod template."""
    patch = '[{"op": "remove", "path": "/spec/template/metadata/annotations/tme.traceable.ai~1inject"}]'
    deployment = f"{stack.name}-kong"
    stack.kubectl("patch", "deployment", deployment, "--namespace", stack.kong_namespace, "--type=json", "-p", patch)
    stack.kubectl("rollout", "status", f"deployment/{deployment}", "--namespace", stack.kong_namespace)
    output = fails_fast(stack)
    assert 'the annotation tme.traceable.ai/inject is not "true"' in output
    assert "Other field managers of its pod template, newest first: " in output
    assert "Nothing about the plugin was changed" in output
    repair(stack)


def test_the_plugin_is_not_replaced_while_a_pod_of_another_revision_exists(stack: LiveStack) -> None:
    """With another `plugin.name` the engine deletes the old object first; the gateway must be ready for that."""
    labels = {**stack.gateway.selector, "pod-template-hash": "by-hand"}
    old_pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "left", "namespace": stack.kong_namespace, "labels": labels},
        "spec": {"containers": [{"name": "proxy", "image": "registry.invalid/kong:3.9"}]},
    }
    configured = {key: stack.configured(key) for key in ("plugin", "kong", "kongValues")}
    before = plugin(stack)
    stack.apply(old_pod)
    try:
        stack.set(
            plugin={**configured["plugin"], "name": f"{stack.name}-renamed"},
            kong={**configured["kong"], "timeoutSeconds": SHORT_ROLLOUT_SECONDS},
            kongValues={**configured["kongValues"], "env": {"nginx_worker_processes": "1"}},
        )
        with stack.recorded() as recording:
            output = fails_fast(stack)
    finally:
        stack.kubectl("delete", "pod", "left", "--namespace", stack.kong_namespace)
    assert "pods of an older revision (left)" in output and "Nothing about the plugin was changed" in output
    assert recording.rollouts == 1
    assert [event.type for event in recording.history.events if event.kind == "KongClusterPlugin"] == ["LISTED"]
    assert plugin(stack) == before
    stack.set(**configured)
    stack.up()


def test_an_update_stops_if_the_controller_would_not_read_the_plugin(stack: LiveStack) -> None:
    """The next pods would serve without it."""
    before, values = pod_names(stack), stack.configured("kongValues")
    stack.set(kongValues={**values, "ingressController": {"env": {"enable_controller_kongclusterplugin": "false"}}})
    with stack.recorded() as recording:
        assert "its controller does not read KongClusterPlugins" in fails_fast(stack)
    assert (pod_names(stack), recording.rollouts) == (before, 0)
    stack.set(kongValues=values)


def test_a_full_quota_is_named_before_the_gateway_changes(stack: LiveStack) -> None:
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "full", "namespace": stack.kong_namespace},
        "spec": {"hard": {"pods": "1"}},
    }
    stack.apply(quota)
    try:
        stack.set(blockingStatusCode=452)
        output = fails_fast(stack)
        assert "exceeded quota: full" in output and "The gateway was not changed" in output
    finally:
        stack.kubectl("delete", "resourcequota", "full", "--namespace", stack.kong_namespace)
        stack.set(blockingStatusCode=403)
        stack.up()
