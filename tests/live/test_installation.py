"""Install, update without changes, switch the mode, and destroy."""

import pytest

from scripts.gateway_forecast import Forecast, forecasts
from scripts.preview_comment import comment
from scripts.preview_reading import Preview, read
from tests.live import shown_output
from tests.live.cluster_state import all_objects, containers, created_since, gateway_pods, plugin, record, tme_count
from tests.live.documented_stacks import MANAGED_KONG, use_documented
from tests.live.stack import NO_CHANGES, NO_DRIFT, TOKEN, LiveStack, NewStack

SWITCHED = {
    "traceable-plugin-kong-cluster-plugin": {"config.ext_cap_endpoint", "config.mode"},
    "traceable-tme-namespace-label": {"metadata.labels.traceableai-inject-tme"},
    "traceable-tme-pod-annotation": {
        'spec.template.metadata.annotations["tme.traceable.ai/inject"]',
        "spec.template.metadata.annotations.traceable-kong/tme-settings",
    },
    "traceable-installation-record": {
        "data.endpoint",
        "data.injection",
        "data.mode",
        "data.pluginConfig",
        "data.tmeImage",
    },
    "traceable-verified": {"input"},
}
"""What a change of the mode updates, with the fields."""


def preview(stack: LiveStack) -> Preview:
    return read(stack.preview("--json", "--show-sames"))


def forecast(shown: Preview) -> Forecast:
    (found,) = forecasts(shown)
    return found


@pytest.mark.cold
@pytest.mark.shown_output
def test_a_sync_installation_and_its_removal(new_stack: NewStack) -> None:
    stack = new_stack()
    use_documented(stack, MANAGED_KONG)
    stack.use_injector_of_chart()
    before = all_objects(stack)
    shown_output.compare(shown_output.PREVIEW, stack.preview(), stack=stack.name)

    with stack.recorded() as installation:
        printed = stack.up()
    shown_output.compare(shown_output.INSTALLATION, printed, stack=stack.name)
    assert installation.rollouts == 2, "one rollout with the files, one with the TME"
    assert containers(stack) >= {"proxy", "ingress-controller"}
    assert tme_count(stack) == len(gateway_pods(stack)) == 1
    assert plugin(stack)["config"]["mode"] == "sync"
    assert plugin(stack)["config"]["ext_cap_endpoint"] == "http://localhost:5442"
    assert record(stack)["mode"] == stack.outputs()["mode"] == "sync"

    with stack.recorded() as unchanged:
        stack.preview(*NO_DRIFT)
        stack.up(NO_CHANGES)
        stack.refresh(NO_CHANGES)
    assert unchanged.rollouts == 0

    with stack.recorded():
        printed = stack.destroy()
    shown_output.compare(shown_output.REMOVAL, printed, stack=stack.name)
    assert created_since(stack, before) == set()


def test_an_async_installation_and_both_switches_of_the_mode(new_stack: NewStack) -> None:
    """The comment on a pull request predicts each. Operations (operations.py) switch a stack that starts in sync."""
    stack = new_stack(mode="async", failMode="closed", timeoutMs=750)
    fresh = preview(stack)
    expected = forecast(fresh)
    assert (expected.now, (expected.then or {})["mode"]) == ({}, "async")
    text = comment(fresh, stack=stack.name)
    assert "<code>&#91;secret&#93;</code>" in text and TOKEN not in text
    assert "characters in" in text and "local Handler" not in text
    with stack.recorded() as installation:
        printed = stack.up()
    assert (tme_count(stack), installation.rollouts) == (0, 1)
    assert installation.rollouts == len(expected.rollouts)
    config = plugin(stack)["config"]
    assert config["mode"] == "async"
    assert config["ext_cap_endpoint"] == f"http://agent.{stack.agent_namespace}:5442"
    assert (config["allow_on_failure"], config["timeout"]) == (False, 750)
    stack.preview(*NO_DRIFT)
    assert "nothing changes" in comment(preview(stack), stack=stack.name)
    the_token_is_only_in_its_secret(stack, printed)

    for mode, tme in (("sync", 1), ("async", 0)):
        stack.pulumi("config", "set", "traceable-kong:mode", mode)
        switch = preview(stack)
        assert {change.name: {field.path for field in change.fields} for change in switch.changes} == SWITCHED
        with stack.recorded() as switching:
            stack.up()
        assert (tme_count(stack), switching.rollouts, plugin(stack)["config"]["mode"]) == (tme, 1, mode)
        assert switching.rollouts == len(forecast(switch).rollouts)
        stack.preview(NO_CHANGES)


def the_token_is_only_in_its_secret(stack: LiveStack, printed: str) -> None:
    printed += stack.pulumi("stack", "export") + stack.pulumi("stack", "output", "--json")
    assert TOKEN not in printed
    for namespace in (stack.agent_namespace, stack.kong_namespace):
        assert TOKEN not in str(stack.objects("secrets,configmaps,pods,deployments", "--namespace", namespace))
