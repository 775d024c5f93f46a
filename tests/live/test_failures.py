"""When it goes wrong: `up` says which pod, why and what to do; what ran keeps running; and the next `up` mends it.

One stack stands for the whole file; each test leaves it whole. Recorded all the while: a failure breaks no promise
either.
"""

import time
from collections.abc import Iterator
from typing import Any

import pytest

import local.injector
from local import rock
from tests.live.stack import CommandFailed, LiveStack
from tests.live.standing import gateway_pods, plugin, record, tme_count

NOTHING = "--expect-no-changes"
KNOWN_CAUSE_SECONDS = 60.0

SHORT_ROLLOUT_SECONDS = 20
"""How long a rollout may take, and then a pod of an older revision may stay."""


@pytest.fixture(scope="module")
def stack(module_stack: Any) -> LiveStack:
    """A stack in sync whose guard denies, and whose agent is the only one: another's injector would serve it too."""
    made: LiveStack = module_stack(tmeGuard="deny")
    others = [item["metadata"]["name"] for item in made.objects("mutatingwebhookconfigurations")]
    if others:
        pytest.skip(f"another agent is in the cluster ({', '.join(others)}): make down, then again")
    made.up()
    return made


@pytest.fixture(autouse=True)
def whole_afterwards(stack: LiveStack) -> Iterator[None]:
    """Each test begins with, and leaves, a gateway that serves as configured."""
    yield
    stack.up(NOTHING)
    assert tme_count(stack) == len(gateway_pods(stack)) == 1


def refused(stack: LiveStack, *options: str) -> str:
    """What an `up` says that must fail, within the time that a known cause may take."""
    started = time.monotonic()
    with pytest.raises(CommandFailed) as failed:
        stack.up(*options)
    assert time.monotonic() - started < KNOWN_CAUSE_SECONDS
    return str(failed.value)


def mend(stack: LiveStack) -> None:
    """As the errors say."""
    stack.pulumi("refresh", "--yes", "--skip-preview")
    stack.up()


def names(stack: LiveStack) -> set[str]:
    return {pod["metadata"]["name"] for pod in gateway_pods(stack)}


def test_the_injector_is_down(stack: LiveStack) -> None:
    before, standing = names(stack), record(stack)
    local.injector.stop(stack.directory / "injector")
    with stack.recorded() as recording:
        stack.set(blockingStatusCode=451)
        said = refused(stack)
    assert "would not get the TME" in said and "the injector's webhook" in said
    assert "The gateway was not changed" in said
    assert (names(stack), record(stack), recording.rollouts) == (before, standing, 0)

    stack.start_injector()
    with stack.recorded() as recording:
        stack.up()
    assert recording.rollouts == 1
    stack.set(blockingStatusCode=403)
    stack.up()


def test_the_injector_is_up_and_does_not_inject(stack: LiveStack) -> None:
    """Its webhook looks at other namespaces than the one that is labelled."""
    webhook = f"traceable-agent-injector-{stack.agent_namespace}"
    before = names(stack)
    elsewhere = '[{"op": "replace", "path": "/webhooks/0/namespaceSelector/matchLabels", "value": {"nobody": "has"}}]'
    stack.kubectl("patch", "mutatingwebhookconfiguration", webhook, "--type=json", "--patch", elsewhere)
    stack.set(kongValues={**stack.configured("kongValues"), "env": {"nginx_worker_processes": "1"}})
    with stack.recorded() as recording:
        said = refused(stack)
    assert "would not get the TME" in said and "answered without it" in said
    assert (names(stack), recording.rollouts) == (before, 0)

    back = (
        '[{"op": "replace", "path": "/webhooks/0/namespaceSelector/matchLabels", '
        '"value": {"traceableai-inject-tme": "enabled"}}]'
    )
    stack.kubectl("patch", "mutatingwebhookconfiguration", webhook, "--type=json", "--patch", back)
    with stack.recorded():
        stack.up()
    stack.set(kongValues={"proxy": {"type": "NodePort"}})
    stack.up()


def test_the_plugin_got_another_ingress_class_by_hand(stack: LiveStack) -> None:
    name = plugin(stack)["metadata"]["name"]
    stack.kubectl("annotate", "kongclusterplugin", name, "kubernetes.io/ingress.class=elsewhere", "--overwrite")
    found = stack.verify("--wait-seconds", "10")
    assert found.returncode == 1
    assert "Kong lists no traceable for all routes" in found.stdout
    assert gateway_pods(stack)[0]["metadata"]["name"] in found.stdout
    mend(stack)


def test_a_second_global_plugin_of_the_same_class(stack: LiveStack) -> None:
    ours = plugin(stack)
    name = f"{stack.name}-second"
    theirs = {
        **{key: ours[key] for key in ("apiVersion", "kind", "plugin", "config")},
        "metadata": {
            "name": name,
            "labels": {"global": "true"},
            "annotations": {"kubernetes.io/ingress.class": stack.name},
        },
    }
    stack.apply(theirs)
    try:
        said = refused(stack)
        assert name in said and "drops both" in said and "Nothing was changed" in said
        verified = stack.verify("--wait-seconds", "10")
        assert verified.returncode == 1, "the controller has dropped both"
        assert "Kong lists no traceable" in verified.stdout
    finally:
        stack.kubectl("delete", "kongclusterplugin", name)


def test_kong_refuses_the_plugin(stack: LiveStack) -> None:
    """A rock whose schema does not know an option that is sent: Kong's own words, and the way back by going back."""
    standing, before = stack.configured("plugin"), record(stack)
    contents = rock.plugins("2.1.2-1")
    contents["traceable"]["schema.lua"] = contents["traceable"]["schema.lua"].replace("service_name", "servicename")
    path = rock.make(stack.directory / "refusing", version="2.1.2-1", contents=contents)
    stack.set(plugin={**standing, "rock": str(path)})
    with pytest.raises(CommandFailed) as failed:
        stack.up()
    said = str(failed.value)
    assert "is blocked" in said and "service_name: unknown field" in said
    stack.set(plugin=standing)
    stack.up()
    assert record(stack) == before


def test_an_image_that_cannot_be_pulled(stack: LiveStack) -> None:
    standing, before = stack.configured("kongValues"), names(stack)
    stack.set(kongValues={**standing, "image": {"repository": "registry.invalid/kong", "tag": "3.9"}})
    with stack.recorded(), pytest.raises(CommandFailed) as failed:
        stack.up()
    said = str(failed.value)
    assert "registry.invalid/kong" in said and "is blocked" in said
    assert names(stack) == before, "what ran keeps running"
    stack.set(kongValues=standing)
    with stack.recorded() as recording:
        stack.up()
    assert recording.rollouts == 0, "changed, failed and changed back ends where it began"


def test_the_plugin_was_removed_by_hand(stack: LiveStack) -> None:
    stack.kubectl("delete", "kongclusterplugin", plugin(stack)["metadata"]["name"])
    said = refused(stack)
    assert "Kong lists no traceable for all routes" in said and "`pulumi up --refresh`" in said
    mend(stack)


def test_the_annotation_was_removed_by_hand(stack: LiveStack) -> None:
    """The TME goes with the pods that the change makes; the step before the plugin says who did it."""
    patch = '[{"op": "remove", "path": "/spec/template/metadata/annotations/tme.traceable.ai~1inject"}]'
    deployment = f"{stack.name}-kong"
    stack.kubectl("patch", "deployment", deployment, "--namespace", stack.kong_namespace, "--type=json", "-p", patch)
    stack.kubectl("rollout", "status", f"deployment/{deployment}", "--namespace", stack.kong_namespace)
    said = refused(stack)
    assert 'the annotation tme.traceable.ai/inject is not "true"' in said
    assert "Other field managers of its pod template, newest first: " in said
    assert "Nothing about the plugin was changed" in said
    mend(stack)


def test_another_plugin_name_while_a_pod_of_another_revision_is_left(stack: LiveStack) -> None:
    """The engine deletes the old object before it makes the new one: not before the gateway is ready for that."""
    labels = {**stack.gateway.selector, "pod-template-hash": "by-hand"}
    left = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "left", "namespace": stack.kong_namespace, "labels": labels},
        "spec": {"containers": [{"name": "proxy", "image": "registry.invalid/kong:3.9"}]},
    }
    usual = {key: stack.configured(key) for key in ("plugin", "kong", "kongValues")}
    before = plugin(stack)
    stack.apply(left)
    try:
        stack.set(
            plugin={**usual["plugin"], "name": f"{stack.name}-renamed"},
            kong={**usual["kong"], "timeoutSeconds": SHORT_ROLLOUT_SECONDS},
            kongValues={**usual["kongValues"], "env": {"nginx_worker_processes": "1"}},
        )
        with stack.recorded() as recording:
            said = refused(stack)
    finally:
        stack.kubectl("delete", "pod", "left", "--namespace", stack.kong_namespace)
    assert "pods of an older revision (left)" in said and "Nothing about the plugin was changed" in said
    assert recording.rollouts == 1
    assert [event.type for event in recording.history.events if event.kind == "KongClusterPlugin"] == ["LISTED"]
    assert plugin(stack) == before
    stack.set(**usual)
    stack.up()


def test_a_controller_that_would_read_no_plugin(stack: LiveStack) -> None:
    """Its next pods would serve without it."""
    before, values = names(stack), stack.configured("kongValues")
    stack.set(kongValues={**values, "ingressController": {"env": {"enable_controller_kongclusterplugin": "false"}}})
    with stack.recorded() as recording:
        assert "the controller would not read KongClusterPlugins" in refused(stack)
    assert (names(stack), recording.rollouts) == (before, 0)
    stack.set(kongValues=values)


def test_no_room_for_another_pod(stack: LiveStack) -> None:
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "full", "namespace": stack.kong_namespace},
        "spec": {"hard": {"pods": "1"}},
    }
    stack.apply(quota)
    try:
        stack.set(blockingStatusCode=452)
        said = refused(stack)
        assert "exceeded quota: full" in said and "The gateway was not changed" in said
    finally:
        stack.kubectl("delete", "resourcequota", "full", "--namespace", stack.kong_namespace)
        stack.set(blockingStatusCode=403)
        stack.up()
