"""Gateways with the agent of another stack, or with an agent outside the cluster."""

import json
import re
import shlex

from tests.live.cluster_state import gateway_pods, plugin, plugins, tme_count, versions
from tests.live.documented_stacks import (
    AGENT_STACK,
    EXTERNAL_AGENT,
    FIRST_GATEWAY,
    SECOND_GATEWAY,
    WEBHOOK_OF_ANOTHER_GATEWAY,
    documented_config,
    use_documented,
)
from tests.live.stack import NO_CHANGES, NO_DRIFT, PROJECT, UNCHANGED, LiveStack, NewStack
from tests.live.verification import failed_checks

MIRRORED = "registry.example.com:5000/mirror/traceable-agent"

OPTION = {"max_body_size_bytes": 65536}
"""An option of the newer rock, which the first gateway's Kong does not know."""


def gateway_stack(new_stack: NewStack, heading: str, agent: LiveStack) -> LiveStack:
    """A stack with a gateway of docs/several-gateways.md that uses the agent of another stack."""
    stack = new_stack()
    stack.tme_image = MIRRORED
    replaced = {"plugin__name": f"{stack.name}-plugin"} if heading == SECOND_GATEWAY else {}
    use_documented(
        stack,
        heading,
        agent__namespace=agent.agent_namespace,
        kong__namespace=stack.kong_namespace,
        kong__release=stack.name,
        kong__ingressClass=stack.name,
        **replaced,
    )
    return stack


def refused_agent_only(stack: LiveStack) -> str:
    """The output of a preview that makes a stack with a gateway an agent-only stack; restores the stack file."""
    before = stack.file.read_text()
    stack.unset("mode", "plugin", "kong", "kongValues")
    stack.set(gateway=False, agent={"namespace": stack.agent_namespace}, agentTokenSecret={"name": "t", "key": "t"})
    try:
        return stack.failed_preview()
    finally:
        stack.file.write_text(before)


def exempt_from_webhook(stack: LiveStack, preview: str) -> str:
    """Runs the command in a refused preview, which exempts this stack's objects from the first gateway's webhook.

    Returns the webhook's name.
    """
    found = re.search(r"`(kubectl patch validatingwebhookconfiguration (\S+) .*?)`", preview)
    assert found, preview
    stack.kubectl(*shlex.split(found[1])[1:])
    return found[2]


def exempt_by_values(first: LiveStack, second: LiveStack, agent: LiveStack, webhook: str) -> None:
    """Exempts the second stack's objects with the first gateway's chart values of docs/several-gateways.md."""
    first.kubectl("delete", "validatingwebhookconfiguration", webhook)
    selector = "kongValues__ingressController__admissionWebhook__objectSelector__matchExpressions__0__values"
    replaced = {"agent__namespace": agent.agent_namespace, selector: [f"{PROJECT}.{second.name}"]}
    use_documented(first, WEBHOOK_OF_ANOTHER_GATEWAY, **replaced)
    first.up()
    (written,) = [
        item for item in first.objects("validatingwebhookconfigurations") if item["metadata"]["name"] == webhook
    ]
    for item in written["webhooks"]:
        assert f"{PROJECT}.{second.name}" in json.dumps(item["objectSelector"])


def test_two_gateways_and_one_agent_in_stacks_of_their_own(new_stack: NewStack) -> None:
    agent = new_stack()
    use_documented(agent, AGENT_STACK, agent__namespace=agent.agent_namespace)
    # The gateways' stacks read from the cluster that the agent uses images of a mirror.
    agent.update("agentValues", imageCredentials={"registry": "registry.example.com:5000", "registrySuffix": "mirror"})
    output = agent.up()
    assert f"{agent.agent_namespace}/agent: ready. 2 serving pods, every check holds" in output
    outputs = agent.outputs()
    assert outputs == {
        "stackId": outputs["stackId"],
        "gateway": False,
        "agentNamespace": agent.agent_namespace,
        "endpoint": f"http://agent.{agent.agent_namespace}:5442",
        "tmeImage": MIRRORED,
    }
    agent.preview(*NO_DRIFT)

    first = gateway_stack(new_stack, FIRST_GATEWAY, agent)
    with first.recorded():
        first.up()
    output = refused_agent_only(first)
    assert f"has a gateway in namespace {first.kong_namespace}" in output and UNCHANGED in output
    second = gateway_stack(new_stack, SECOND_GATEWAY, agent)
    second.set(pluginConfig=OPTION)

    output = second.failed_preview()
    assert "objectSelector" in output and "max_body_size_bytes" in output and UNCHANGED in output
    webhook = exempt_from_webhook(second, output)
    with first.recorded() as unchanged, second.recorded() as installation:
        second.up()
    assert (installation.rollouts, unchanged.rollouts) == (2, 0)
    second.preview(*NO_DRIFT)
    first.preview(NO_CHANGES)
    for stack, version in ((first, "2.1.2"), (second, "2.2.2")):
        assert tme_count(stack) == len(gateway_pods(stack)) == 1
        assert stack.outputs()["pluginVersion"] == version
        assert stack.verify().returncode == 0, stack.verify().stdout
    assert plugin(second)["config"]["max_body_size_bytes"] == 65536

    # A gateway gets changed settings of the agent with the next update of its own stack.
    agent.set(blockingStatusCode=451)
    with first.recorded() as updated_first, second.recorded() as updated_second:
        agent.up()
        exempt_by_values(first, second, agent, webhook)
        second.up()
    assert (updated_first.rollouts, updated_second.rollouts) == (1, 1)
    (pod,) = gateway_pods(second)
    assert "451" in {variable.get("value") for item in pod["spec"]["containers"] for variable in item.get("env", [])}
    second.preview(NO_CHANGES)

    before = versions(first), versions(agent)
    with first.recorded() as unchanged:
        second.destroy()
    assert (versions(first), versions(agent)) == before and unchanged.rollouts == 0
    assert plugins(second) == []
    assert first.verify().returncode == 0
    first.preview(NO_CHANGES)

    # In async mode the second gateway reports to the same agent; afterwards it gets its TME again.
    second.set(mode="async")
    with first.recorded() as unchanged, second.recorded() as reporting:
        second.up()
    assert (reporting.rollouts, unchanged.rollouts) == (1, 0)
    assert plugin(second)["config"]["ext_cap_endpoint"] == f"http://agent.{agent.agent_namespace}:5442"
    assert plugin(second)["config"]["mode"] == "async" and tme_count(second) == 0
    assert second.verify().returncode == 0, second.verify().stdout
    second.preview(NO_CHANGES)
    second.set(mode="sync")
    with second.recorded() as switched:
        second.up()
    assert switched.rollouts == 1

    # The first gateway is destroyed, and then the agent, before its last gateway: running pods keep their TME.
    before = versions(second), versions(agent)
    with second.recorded() as unchanged:
        first.destroy()
        assert (versions(second), versions(agent)) == before
        agent.destroy()
    assert versions(second) == before[0] and unchanged.rollouts == 0
    assert versions(agent) == {}
    assert tme_count(second) == len(gateway_pods(second)) == 1
    failed = {check["name"]: check["found"] for check in failed_checks(second)}
    assert failed == {"agent": "the agent has no pods", "webhook": "it does not exist"}
    assert f"service agent in namespace {agent.agent_namespace}" in second.failed_preview()
    with second.recorded():
        second.destroy()
    assert plugins(second) == []


def test_an_agent_outside_the_cluster_is_used_in_async_mode_only(new_stack: NewStack) -> None:
    stack = new_stack()
    use_documented(stack, EXTERNAL_AGENT)
    url = documented_config(EXTERNAL_AGENT)["agent"]["url"]
    with stack.recorded() as installation:
        stack.up()
    assert installation.rollouts == 1
    assert plugin(stack)["config"]["ext_cap_endpoint"] == stack.outputs()["endpoint"] == url
    assert tme_count(stack) == 0
    assert stack.objects("namespaces", "--field-selector", f"metadata.name={stack.agent_namespace}") == []
    stack.preview(NO_CHANGES)
    verified = stack.verify()
    assert verified.returncode == 0
    assert f"not checked: whether the agent outside the cluster answers the gateway at {url}" in verified.stdout

    stack.set(mode="sync")
    with stack.recorded() as unchanged:
        assert "does not apply to mode sync" in stack.failed_preview()
    assert unchanged.rollouts == 0
    with stack.recorded():
        stack.destroy()
    assert plugins(stack) == []
