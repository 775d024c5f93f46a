"""Gateways whose agent another stack installed, or nobody in this cluster."""

import json
import re
import shlex
from typing import Any

from tests.live.operations import refused_preview
from tests.live.setups import (
    AGENT_STACK,
    FIRST_GATEWAY,
    OTHERS_WEBHOOK,
    OUTSIDE_AGENT,
    SECOND_GATEWAY,
    config,
    follow,
)
from tests.live.stack import PROJECT, LiveStack
from tests.live.standing import gateway_pods, plugin, plugins, tme_count
from tests.live.test_installation import NOTHING, NewStack

MIRRORED = "registry.example.com:5000/mirror/traceable-agent"

OPTION = {"max_body_size_bytes": 65536}
"""An option of the newer rock: the first gateway's Kong does not know it."""


def first_gateway(new_stack: NewStack, agent: LiveStack) -> LiveStack:
    """A stack that uses the agent of another, as docs/several-gateways.md shows it."""
    stack = new_stack()
    stack.tme_image = MIRRORED
    follow(
        stack,
        FIRST_GATEWAY,
        agent__namespace=agent.agent_namespace,
        kong__namespace=stack.kong_namespace,
        kong__release=stack.name,
        kong__ingressClass=stack.name,
    )
    return stack


def second_gateway(new_stack: NewStack, agent: LiveStack) -> LiveStack:
    """The same with a newer rock than the first one's, as docs/several-gateways.md shows it."""
    stack = new_stack()
    stack.tme_image = MIRRORED
    follow(
        stack,
        SECOND_GATEWAY,
        plugin__name=f"{stack.name}-plugin",
        agent__namespace=agent.agent_namespace,
        kong__namespace=stack.kong_namespace,
        kong__release=stack.name,
        kong__ingressClass=stack.name,
    )
    stack.set(pluginConfig=OPTION)
    return stack


def becomes_the_agent_alone(stack: LiveStack) -> str:
    """What a stack with a gateway is told that shall be the agent alone; its config is as before then."""
    path = stack.directory / f"Pulumi.{stack.name}.yaml"
    before = path.read_text()
    stack.unset("mode", "plugin", "kong", "kongValues")
    stack.set(gateway=False, agent={"namespace": stack.agent_namespace}, agentTokenSecret={"name": "t", "key": "t"})
    try:
        return refused_preview(stack)
    finally:
        path.write_text(before)


def left_alone(stack: LiveStack, preview: str) -> str:
    """Runs the command that a refused preview names: the first gateway's webhook leaves this stack's objects alone.

    Returns that webhook's name.
    """
    found = re.search(r"`(kubectl patch validatingwebhookconfiguration (\S+) .*?)`", preview)
    assert found, preview
    stack.kubectl(*shlex.split(found[1])[1:])
    return found[2]


def select_by_values(first: LiveStack, second: LiveStack, agent: LiveStack, webhook: str) -> None:
    """The values of docs/several-gateways.md make the first gateway's webhook ignore the second's objects."""
    first.kubectl("delete", "validatingwebhookconfiguration", webhook)
    selector = "kongValues__ingressController__admissionWebhook__objectSelector__matchExpressions__0__values"
    instead = {"agent__namespace": agent.agent_namespace, selector: [f"{PROJECT}.{second.name}"]}
    follow(first, OTHERS_WEBHOOK, **instead)
    first.up()
    (written,) = [
        item for item in first.objects("validatingwebhookconfigurations") if item["metadata"]["name"] == webhook
    ]
    for judge in written["webhooks"]:
        assert f"{PROJECT}.{second.name}" in json.dumps(judge["objectSelector"])


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
    agent = new_stack()
    follow(agent, AGENT_STACK, agent__namespace=agent.agent_namespace)
    # Its images come from elsewhere, and the gateways' stacks find that out by themselves.
    mirror = {"registry": "registry.example.com:5000", "registrySuffix": "mirror"}
    agent.set(agentValues={**agent.configured("agentValues"), "imageCredentials": mirror})
    said = agent.up()
    assert f"{agent.agent_namespace}/agent: ready. 2 serving pods, every check holds" in said
    outputs = agent.outputs()
    assert outputs == {
        "stackId": outputs["stackId"],
        "gateway": False,
        "agentNamespace": agent.agent_namespace,
        "endpoint": f"http://agent.{agent.agent_namespace}:5442",
        "tmeImage": MIRRORED,
    }
    agent.preview(NOTHING)

    first = first_gateway(new_stack, agent)
    with first.recorded():
        first.up()
    said = becomes_the_agent_alone(first)
    assert f"has a gateway in namespace {first.kong_namespace}" in said and "Nothing was changed" in said
    second = second_gateway(new_stack, agent)

    said = refused_preview(second)
    assert "objectSelector" in said and "max_body_size_bytes" in said and "Nothing was changed" in said
    webhook = left_alone(second, said)
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

    # The agent's settings are its own stack's: a gateway finds them with its own next run.
    agent.set(blockingStatusCode=451)
    with first.recorded() as changed, second.recorded() as followed:
        agent.up()
        select_by_values(first, second, agent, webhook)
        second.up()
    assert (changed.rollouts, followed.rollouts) == (1, 1)
    (pod,) = gateway_pods(second)
    assert "451" in {variable.get("value") for item in pod["spec"]["containers"] for variable in item.get("env", [])}
    second.preview(NOTHING)

    before = standing(first), standing(agent)
    with first.recorded() as untouched:
        second.destroy()
    assert (standing(first), standing(agent)) == before and untouched.rollouts == 0
    assert plugins(second) == []
    assert first.verify().returncode == 0
    first.preview(NOTHING)

    # In async the second's reports go to the same agent; then it asks for its TME again.
    second.set(mode="async")
    with first.recorded() as untouched, second.recorded() as reporting:
        second.up()
    assert (reporting.rollouts, untouched.rollouts) == (1, 0)
    assert plugin(second)["config"]["ext_cap_endpoint"] == f"http://agent.{agent.agent_namespace}:5442"
    assert plugin(second)["config"]["mode"] == "async" and tme_count(second) == 0
    assert second.verify().returncode == 0, second.verify().stdout
    second.preview(NOTHING)
    second.set(mode="sync")
    with second.recorded() as switched:
        second.up()
    assert switched.rollouts == 1

    # The first goes, and then the agent, out of turn: what runs keeps its TME.
    before = standing(second), standing(agent)
    with second.recorded() as alone:
        first.destroy()
        assert (standing(second), standing(agent)) == before
        agent.destroy()
    assert standing(second) == before[0] and alone.rollouts == 0
    assert standing(agent) == {}
    assert tme_count(second) == len(gateway_pods(second)) == 1
    gone = {"agent": "the agent is gone: none is there", "webhook": "it does not exist"}
    assert failed_checks(second) == gone
    assert f"service agent in namespace {agent.agent_namespace}" in refused_preview(second)
    with second.recorded():
        second.destroy()
    assert plugins(second) == []


def test_an_agent_outside_the_cluster_is_asked_by_its_address_in_async_only(new_stack: NewStack) -> None:
    stack = new_stack()
    follow(stack, OUTSIDE_AGENT)
    url = config(OUTSIDE_AGENT)["agent"]["url"]
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

    stack.set(mode="sync")
    with stack.recorded() as untouched:
        assert "is set with mode sync" in refused_preview(stack)
    assert untouched.rollouts == 0
    with stack.recorded():
        stack.destroy()
    assert plugins(stack) == []
