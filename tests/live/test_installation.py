"""The user's own program on the embedded platform: install, nothing to do, switch, destroy."""

import json
from collections.abc import Callable

from tests.live.setups import MANAGED, follow
from tests.live.stack import TOKEN, LiveStack
from tests.live.standing import containers, everything, gateway_pods, of_charts, plugin, record, tme_count

NOTHING = "--expect-no-changes"
NewStack = Callable[..., LiveStack]


def changes(stack: LiveStack) -> dict[str, str]:
    """What a preview would do, by logical name, without what stays as it is."""
    steps = json.loads(stack.preview("--json"))["steps"]
    return {step["urn"].split("::")[-1]: step["op"] for step in steps if step["op"] != "same"}


def test_a_sync_installation_from_nothing_to_nothing(new_stack: NewStack) -> None:
    stack = new_stack()
    follow(stack, MANAGED)
    stack.let_the_chart_name_the_injector()
    before = everything(stack)
    stack.preview()

    with stack.recorded() as installation:
        stack.up()
    assert installation.rollouts == 2, "one rollout with the files, one with the TME"
    assert containers(stack) >= {"proxy", "ingress-controller"}
    assert tme_count(stack) == len(gateway_pods(stack)) == 1
    assert plugin(stack)["config"]["mode"] == "sync"
    assert plugin(stack)["config"]["ext_cap_endpoint"] == "http://localhost:5442"
    assert record(stack)["mode"] == stack.outputs()["mode"] == "sync"

    with stack.recorded() as nothing:
        stack.preview(NOTHING)
        stack.up(NOTHING)
        stack.pulumi("refresh", "--yes", "--skip-preview", NOTHING)
    assert nothing.rollouts == 0

    with stack.recorded():
        stack.destroy()
    assert {item for item in everything(stack) - before if not of_charts(item)} == set()


def test_an_async_installation_has_no_tme_and_rolls_once(new_stack: NewStack) -> None:
    stack = new_stack(mode="async", failMode="closed", timeoutMs=750)
    with stack.recorded() as installation:
        stack.up()
    assert installation.rollouts == 1
    assert tme_count(stack) == 0
    config = plugin(stack)["config"]
    assert config["mode"] == "async"
    assert config["ext_cap_endpoint"] == f"http://agent.{stack.agent_namespace}:5442"
    assert (config["allow_on_failure"], config["timeout"]) == (False, 750)
    stack.preview(NOTHING)


def test_switching_changes_the_plugin_the_tme_and_the_record_and_rolls_once_each_way(new_stack: NewStack) -> None:
    stack = new_stack(mode="sync")
    stack.up()

    stack.pulumi("config", "set", "traceable-kong:mode", "async")
    changed = changes(stack)
    assert changed == {
        "plugin-kong-cluster-plugin": "update",
        "tme-namespace-label": "update",
        "tme-pod-annotation": "update",
        "installation-record": "update",
    }
    with stack.recorded() as there:
        stack.up()
    assert (tme_count(stack), there.rollouts, plugin(stack)["config"]["mode"]) == (0, 1, "async")
    stack.preview(NOTHING)

    stack.pulumi("config", "set", "traceable-kong:mode", "sync")
    with stack.recorded() as back:
        stack.up()
    assert (tme_count(stack), back.rollouts, plugin(stack)["config"]["mode"]) == (1, 1, "sync")
    stack.preview(NOTHING)


def test_blocking_settings_reach_the_agent_and_the_sidecars(new_stack: NewStack) -> None:
    message = 'No: # "thanks" {you}\nreally'
    stack = new_stack()
    stack.up()
    stack.set(blockingMessage=message)
    stack.pulumi("config", "set", "traceable-kong:blockingStatusCode", "451")
    with stack.recorded() as change:
        stack.up()
    assert change.rollouts == 1, "the TME is configured when it is injected"
    (pod,) = gateway_pods(stack)
    sidecar = next(item for item in pod["spec"]["containers"] if "traceable-agent" in item["image"])
    values = {item.get("value") for item in sidecar["env"]}
    assert {"451", message} <= values
    stack.preview(NOTHING)


def test_switched_off_the_plugin_stands_disabled_and_the_tme_is_gone(new_stack: NewStack) -> None:
    stack = new_stack()
    stack.up()
    stack.pulumi("config", "set", "traceable-kong:enabled", "false")
    with stack.recorded() as off:
        stack.up()
    assert off.rollouts == 1
    assert plugin(stack)["disabled"] is True
    assert tme_count(stack) == 0
    stack.pulumi("config", "set", "traceable-kong:enabled", "true")
    with stack.recorded() as on:
        stack.up()
    assert on.rollouts == 1
    assert plugin(stack).get("disabled", False) is False
    assert tme_count(stack) == 1


def test_the_token_is_only_in_its_secret(new_stack: NewStack) -> None:
    stack = new_stack()
    printed = stack.up() + stack.pulumi("stack", "export") + stack.pulumi("stack", "output", "--json")
    assert TOKEN not in printed
    found = stack.objects("secrets,configmaps,pods,deployments", "--namespace", stack.agent_namespace)
    found += stack.objects("secrets,configmaps,pods,deployments", "--namespace", stack.kong_namespace)
    assert TOKEN not in str(found)
