"""Install, update without changes, switch the mode, and destroy."""

import json

import pytest

from tests.live.cluster_state import all_objects, containers, created_since, gateway_pods, plugin, record, tme_count
from tests.live.documented_stacks import MANAGED_KONG, use_documented
from tests.live.stack import NO_CHANGES, TOKEN, LiveStack, NewStack


def changes(stack: LiveStack) -> dict[str, str]:
    """The operations in a preview by logical name, without those that change nothing."""
    steps = json.loads(stack.preview("--json"))["steps"]
    return {step["urn"].split("::")[-1]: step["op"] for step in steps if step["op"] != "same"}


@pytest.mark.cold
def test_a_sync_installation_and_its_removal(new_stack: NewStack) -> None:
    stack = new_stack()
    use_documented(stack, MANAGED_KONG)
    stack.use_injector_of_chart()
    before = all_objects(stack)
    stack.preview()

    with stack.recorded() as installation:
        stack.up()
    assert installation.rollouts == 2, "one rollout with the files, one with the TME"
    assert containers(stack) >= {"proxy", "ingress-controller"}
    assert tme_count(stack) == len(gateway_pods(stack)) == 1
    assert plugin(stack)["config"]["mode"] == "sync"
    assert plugin(stack)["config"]["ext_cap_endpoint"] == "http://localhost:5442"
    assert record(stack)["mode"] == stack.outputs()["mode"] == "sync"

    with stack.recorded() as unchanged:
        stack.preview(NO_CHANGES)
        stack.up(NO_CHANGES)
        stack.refresh(NO_CHANGES)
    assert unchanged.rollouts == 0

    with stack.recorded():
        stack.destroy()
    assert created_since(stack, before) == set()


def test_an_async_installation_and_both_switches_of_the_mode(new_stack: NewStack) -> None:
    """Operations (operations.py) switch a stack that was installed in sync mode."""
    stack = new_stack(mode="async", failMode="closed", timeoutMs=750)
    with stack.recorded() as installation:
        printed = stack.up()
    assert (tme_count(stack), installation.rollouts) == (0, 1)
    config = plugin(stack)["config"]
    assert config["mode"] == "async"
    assert config["ext_cap_endpoint"] == f"http://agent.{stack.agent_namespace}:5442"
    assert (config["allow_on_failure"], config["timeout"]) == (False, 750)
    stack.preview(NO_CHANGES)
    the_token_is_only_in_its_secret(stack, printed)

    stack.pulumi("config", "set", "traceable-kong:mode", "sync")
    with stack.recorded() as to_sync:
        stack.up()
    assert (tme_count(stack), to_sync.rollouts, plugin(stack)["config"]["mode"]) == (1, 1, "sync")
    stack.preview(NO_CHANGES)

    stack.pulumi("config", "set", "traceable-kong:mode", "async")
    changed = changes(stack)
    assert changed == {
        "plugin-kong-cluster-plugin": "update",
        "tme-namespace-label": "update",
        "tme-pod-annotation": "update",
        "installation-record": "update",
    }
    with stack.recorded() as to_async:
        stack.up()
    assert (tme_count(stack), to_async.rollouts, plugin(stack)["config"]["mode"]) == (0, 1, "async")
    stack.preview(NO_CHANGES)


def the_token_is_only_in_its_secret(stack: LiveStack, printed: str) -> None:
    printed += stack.pulumi("stack", "export") + stack.pulumi("stack", "output", "--json")
    assert TOKEN not in printed
    for namespace in (stack.agent_namespace, stack.kong_namespace):
        assert TOKEN not in str(stack.objects("secrets,configmaps,pods,deployments", "--namespace", namespace))
