"""Gateways whose agent another stack installed, or nobody in this cluster."""

import json
import re
import shlex
from typing import Any

from tests.live.operations import new_rock, refused_preview
from tests.live.stack import PROJECT, LiveStack
from tests.live.standing import gateway_pods, plugin, plugins, tme_count
from tests.live.test_installation import NOTHING, NewStack

OPTION = {"max_body_size_bytes": 65536}
"""An option of the newer rock: the first gateway's Kong does not know it."""


def second_gateway(new_stack: NewStack, first: LiveStack) -> LiveStack:
    """A stack with a newer rock than the first one's, and with the first one's agent."""
    stack = new_stack()
    use(stack, agent={"install": False, "namespace": first.agent_namespace})
    new_rock(stack, "2.2.2-1")
    stack.set(pluginConfig=OPTION)
    return stack


def use(stack: LiveStack, *, agent: dict[str, Any]) -> None:
    """Takes the stack's own agent out of its config, and names another."""
    for key in ("agentToken", "agentValues"):
        stack.pulumi("config", "rm", f"{PROJECT}:{key}")
    stack.set(agent=agent)


def left_alone(stack: LiveStack, preview: str) -> None:
    """Runs the command that a refused preview names: the first gateway's webhook leaves this stack's objects alone."""
    found = re.search(r"`(kubectl patch validatingwebhookconfiguration .*?)`", preview)
    assert found, preview
    stack.kubectl(*shlex.split(found[1])[1:])


def standing(stack: LiveStack) -> dict[tuple[str, str, str], tuple[str, Any]]:
    """Identity and generation of everything in the stack's namespaces and of what is cluster-wide and its own."""
    found = []
    for namespace in (stack.kong_namespace, stack.agent_namespace):
        found += stack.objects("deployments,pods,configmaps,secrets,services,replicasets", "--namespace", namespace)
    found += stack.objects(
        "namespaces,validatingadmissionpolicies", "--selector", f"traceable-kong/stack={PROJECT}.{stack.name}"
    )
    found += plugins(stack)
    return {
        (item["kind"], item["metadata"].get("namespace", ""), item["metadata"]["name"]): (
            item["metadata"]["uid"],
            item["metadata"].get("generation"),
        )
        for item in found
    }


def failed_checks(stack: LiveStack) -> dict[str, str]:
    """What `verify` says does not hold: `{check: found}`."""
    report = json.loads(stack.verify("--json").stdout)
    return {check["name"]: check["found"] for check in report["checks"] if not check["ok"]}


def test_two_gateways_and_one_agent_whichever_goes_first(new_stack: NewStack) -> None:
    first = new_stack()
    with first.recorded():
        first.up()
    second = second_gateway(new_stack, first)

    said = refused_preview(second)
    assert "objectSelector" in said and "max_body_size_bytes" in said and "Nothing was touched" in said
    left_alone(second, said)
    with first.recorded() as beside, second.recorded() as installation:
        second.up()
    assert (installation.rollouts, beside.rollouts) == (2, 0)
    second.preview(NOTHING)
    first.preview(NOTHING)
    for stack, version in ((first, "2.1.2"), (second, "2.2.2")):
        assert tme_count(stack) == len(gateway_pods(stack)) == 1
        assert stack.outputs()["pluginVersion"] == version
        assert stack.verify().returncode == 0, stack.verify().stdout
    assert plugin(second)["config"]["max_body_size_bytes"] == 65536

    # The agent's settings are the first stack's: the other gateway finds them with its own next run.
    first.set(blockingStatusCode=451)
    first.up()
    with second.recorded() as followed:
        second.up()
    assert followed.rollouts == 1
    (pod,) = gateway_pods(second)
    assert "451" in {variable.get("value") for item in pod["spec"]["containers"] for variable in item.get("env", [])}
    second.preview(NOTHING)

    before = standing(first)
    with first.recorded() as untouched:
        second.destroy()
    assert standing(first) == before and untouched.rollouts == 0
    assert plugins(second) == []
    assert first.verify().returncode == 0
    first.preview(NOTHING)

    second.up()
    before = standing(second)
    with second.recorded() as alone:
        first.destroy()
    assert standing(second) == before and alone.rollouts == 0
    assert tme_count(second) == len(gateway_pods(second)) == 1
    assert failed_checks(second) == {"agent": "the agent is gone: none is there"}
    assert f"service agent in namespace {first.agent_namespace}" in refused_preview(second)
    with second.recorded():
        second.destroy()
    assert plugins(second) == []


def test_an_agent_outside_the_cluster_is_asked_by_its_address_in_async_only(new_stack: NewStack) -> None:
    stack = new_stack(mode="sync")
    url = "https://agent.example.com:5442"
    use(stack, agent={"install": False, "url": url})
    assert "is set with mode sync" in refused_preview(stack)

    stack.set(mode="async")
    with stack.recorded() as installation:
        stack.up()
    assert installation.rollouts == 1
    assert plugin(stack)["config"]["ext_cap_endpoint"] == stack.outputs()["endpoint"] == url
    assert tme_count(stack) == 0
    assert stack.objects("namespaces", "--field-selector", f"metadata.name={stack.agent_namespace}") == []
    stack.preview(NOTHING)
    verified = stack.verify()
    assert verified.returncode == 0
    assert f"not checked: whether the agent outside the cluster answers the gateway at {url}" in verified.stdout
