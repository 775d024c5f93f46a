"""A stack adopts Helm releases of Kong and the agent, as docs/adopting-a-release.md says."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts import gateway_forecast, preview_reading
from tests.live.cluster_state import gateway_pods, plugin, tme_count, versions
from tests.live.commands import run
from tests.live.interruption import helm_paused_before_completion, kill_when, release_has_status
from tests.live.kong_owner import PLUGINS, KongOwner
from tests.live.stack import NO_CHANGES, NO_DRIFT, PROJECT, LiveStack, NewStack

MANUAL_STEPS = Path(__file__).parents[2] / "bench" / "manual_steps.sh"

OWNERS_TOKEN = "live-test-token-of-an-owner"
"""Not the token of the stacks: this one is an argument of helm, and test_secrets.py searches all processes for it."""


@pytest.fixture
def owner(new_stack: NewStack) -> Iterator[KongOwner]:
    """The owner of the two Helm releases, with a stack that is to adopt them."""
    created = KongOwner(new_stack())
    stack = created.stack
    try:
        yield created
    finally:
        try:
            stack.pulumi("cancel", "--yes", stack.name)
            stack.pulumi("state", "unprotect", "--all", "--yes")
            stack.destroy()
        finally:
            created.remove()
            stack.kubectl("delete", "namespace", stack.agent_namespace, "--wait=false", "--ignore-not-found")


def install_releases(owner: KongOwner, **kong_values: Any) -> None:
    """Installs Kong and the agent with Helm; the stack's config is that for a managed Kong and agent."""
    stack = owner.stack
    kong, values = stack.configured("kong"), stack.configured("kongValues")
    owner.install(**kong_values)
    stack.set(kong=kong, kongValues=values)
    upgrade_agent(stack, "--create-namespace", "--set", f"token={OWNERS_TOKEN}", **stack.configured("agentValues"))


def upgrade_agent(stack: LiveStack, *options: str, **values: Any) -> None:
    stack.helm(
        *("upgrade", "--install", "traceable-agent", str(stack.platform.charts / "traceable-agent")),
        *("--namespace", stack.agent_namespace, "--wait", "--timeout", "60s", "--values", "-", *options),
        stdin=yaml.safe_dump(values),
    )


def move_token_to_secret(stack: LiveStack) -> None:
    """Moves the token from the release's values to a Secret that they name."""
    secret = ("create", "secret", "generic", "traceable-token", "--namespace", stack.agent_namespace)
    stack.run("kubectl", *secret, "--from-file=token=/dev/stdin", stdin=OWNERS_TOKEN)
    named = "token=,externalTokenSecret.name=traceable-token,externalTokenSecret.key=token"
    upgrade_agent(stack, "--reuse-values", "--set", named)
    stack.pulumi("config", "rm", f"{PROJECT}:agentToken")
    stack.set(agentTokenSecret={"name": "traceable-token", "key": "token"})


def release_kong(stack: LiveStack) -> None:
    """Removes Kong's release from the state, and the stack's mark from its values; the release stays."""
    parents = "traceable-kong:index:TraceableOnKong$traceable-kong:index:KongGateway"
    release = f"{parents}$kubernetes:helm.sh/v3:Release::traceable-gateway-release"
    stack.pulumi("state", "delete", "--target-dependents", "--yes", f"urn:pulumi:{stack.name}::{PROJECT}::{release}")
    chart, namespace = str(stack.platform.charts / "kong"), ("--namespace", stack.kong_namespace)
    stack.helm("upgrade", stack.name, chart, *namespace, "--reuse-values", "--set", "global.traceableKong=null")


def kong_values(stack: LiveStack) -> dict[str, Any]:
    """The values of Kong's release."""
    return dict(
        yaml.safe_load(stack.helm("get", "values", stack.name, "--namespace", stack.kong_namespace, "-o", "yaml"))
    )


def kong_revisions(stack: LiveStack) -> int:
    return len(json.loads(stack.helm("history", stack.name, "--namespace", stack.kong_namespace, "-o", "json")))


def deployment_uids(stack: LiveStack) -> dict[str, str]:
    """The uids of the Deployments, which a new installation would change."""
    found = [
        *stack.objects("deployments", "--namespace", stack.kong_namespace),
        *stack.objects("deployments", "--namespace", stack.agent_namespace),
    ]
    return {item["metadata"]["name"]: item["metadata"]["uid"] for item in found}


def test_both_releases_are_adopted_without_a_rollout_and_traceable_is_installed_afterwards(owner: KongOwner) -> None:
    stack = owner.stack
    install_releases(owner, replicaCount=2)
    template, before = owner.template(), deployment_uids(stack)

    output = stack.failed_preview()
    assert "kong.adopt true" in output and "agent.adopt true" in output and "docs/adopting-a-release.md" in output
    assert "kong.createNamespace false" in output and "agent.createNamespace false" in output

    stack.set(enabled=False, installed=False)
    stack.update("kong", adopt=True, createNamespace=False, protect=False)
    stack.update("agent", adopt=True, createNamespace=False)
    assert "plugins.configMaps, replicaCount" in stack.failed_preview()
    stack.set(kongValues=kong_values(stack))
    shown = preview_reading.read(stack.preview("--json", "--show-sames"))
    assert {"import", "update"} == {change.op for change in shown.changes if change.name == "traceable-gateway-release"}
    (forecast,) = gateway_forecast.forecasts(shown)
    assert not any(rollout.certain for rollout in forecast.rollouts), "only Helm knows that there is none"
    with stack.recorded() as adopted:
        stack.up()
        stack.preview(NO_CHANGES)
        release_kong(stack)
        stack.up()
    assert adopted.rollouts == 0
    assert owner.template() == template and deployment_uids(stack) == before
    assert kong_revisions(stack) == 4
    stack.preview(NO_CHANGES)

    stack.set(enabled=True, installed=True)
    output = stack.failed_preview()
    assert "has token in its values as plain text" in output and OWNERS_TOKEN not in output
    move_token_to_secret(stack)
    with stack.recorded() as installed:
        stack.up()
    assert installed.rollouts == 2, "the files, then the TME"
    assert tme_count(stack) == len(gateway_pods(stack)) == 2
    assert owner.variable("KONG_PLUGINS") == "bundled,foo,bar,traceable"
    assert deployment_uids(stack) == before
    assert OWNERS_TOKEN not in stack.pulumi("stack", "export")
    stack.pulumi("config", "rm", "--path", f"{PROJECT}:kong.adopt")
    stack.pulumi("config", "set", "--path", f"{PROJECT}:agent.protect", "true")
    stack.pulumi("config", "rm", "--path", f"{PROJECT}:agent.adopt")
    stack.preview(*NO_DRIFT)

    stack.set(enabled=False)
    stack.up()
    stack.set(installed=False)
    output = stack.failed_preview()
    assert "with installed false it would be deleted" in output
    stack.set(installed=True)
    stack.pulumi("config", "rm", "--path", f"{PROJECT}:agent.protect")
    stack.up()
    stack.set(installed=False)
    stack.preview()

    stack.destroy()
    assert deployment_uids(stack) == {}
    stack.kubectl("get", "namespace", stack.kong_namespace, stack.agent_namespace)


def test_an_interrupted_adoption_is_completed_by_the_next_update(owner: KongOwner) -> None:
    stack = owner.stack
    install_releases(owner)
    template = owner.template()
    stack.set(enabled=False, installed=False, kongValues=kong_values(stack))
    stack.update("kong", adopt=True, createNamespace=False, timeoutSeconds=30)
    with stack.recorded() as adopted:
        with helm_paused_before_completion(stack):
            kill_when(stack, release_has_status(stack, "pending-upgrade"))
        stack.up()
    assert adopted.rollouts == 0
    assert owner.template() == template
    stack.preview(NO_CHANGES)


def test_a_gateway_that_was_protected_manually_stays_protected_during_the_adoption(owner: KongOwner) -> None:
    stack = owner.stack
    install_releases(owner)
    move_token_to_secret(stack)
    protect_manually(stack)
    assert tme_count(stack) == len(gateway_pods(stack)) == 1
    before, manual_plugin = deployment_uids(stack), plugin(stack)

    stack.update("kong", adopt=True, createNamespace=False)
    stack.update("agent", adopt=True, createNamespace=False)
    values = kong_values(stack)
    values["plugins"]["configMaps"] = [
        item for item in values["plugins"]["configMaps"] if item["pluginName"] != "traceable"
    ]
    stack.set(kongValues=values)
    label = ("label", "kongclusterplugin", f"{stack.name}-plugin", f"traceable-kong/stack={PROJECT}.{stack.name}")
    assert f"`kubectl {' '.join(label)}`" in stack.failed_preview()
    stack.kubectl(*label)
    with stack.recorded() as adopted:
        stack.up()
    assert adopted.rollouts == 2, "the stack's files, then its annotation for the TME"
    assert deployment_uids(stack) == before
    assert plugin(stack)["metadata"]["uid"] == manual_plugin["metadata"]["uid"]
    assert plugin(stack)["config"] == manual_plugin["config"]
    stack.preview(NO_CHANGES)
    mounted = {item["configMap"]["name"] for item in owner.template()["spec"]["volumes"] if "configMap" in item}
    assert "by-hand" not in mounted

    with stack.recorded() as refused:
        for options in ((), ("--skip-preview",)):
            output = refused_destroy(stack, *options)
            assert (
                'DeletionProtection::traceable-set-kong.protect-and-agent.protect-to-false" cannot be deleted' in output
            )
            assert "because it is protected" in output and "`pulumi state unprotect 'urn:" in output
    assert refused.rollouts == 0
    assert plugin(stack)["metadata"]["uid"] == manual_plugin["metadata"]["uid"]
    stack.preview(NO_CHANGES)
    assert stack.verify().returncode == 0, stack.verify().stdout

    stack.set(mode="async")
    stack.up()
    assert tme_count(stack) == 1, "the annotation of kubectl stays"

    command = stack.outputs()["deletionProtection"].split("`")[-2]
    for part in command.removesuffix(" && pulumi up").split(" && "):
        stack.pulumi(*part.split()[1:])
    stack.up()
    stack.preview(NO_CHANGES)
    stack.destroy()
    assert deployment_uids(stack) == {}


def refused_destroy(stack: LiveStack, *options: str) -> str:
    """The output of a destroy that must fail and change neither an object nor the state."""
    before = versions(stack), state(stack)
    output = stack.failed("destroy", "--yes", *options)
    assert (versions(stack), state(stack)) == before
    return output


def state(stack: LiveStack) -> dict[str, tuple[str, bool]]:
    """`{urn: (id, protect)}` of the stack's state."""
    exported = json.loads(stack.pulumi("stack", "export"))["deployment"]["resources"]
    return {item["urn"]: (item.get("id", ""), item.get("protect", False)) for item in exported}


def protect_manually(stack: LiveStack) -> None:
    """The steps of the guides for a Kong and an agent that exist, and a look at the plugin in Kong."""
    mounts = [{"name": name, "pluginName": name} for name in PLUGINS]
    mounts.append({"name": "by-hand", "pluginName": "traceable"})
    values = {**kong_values(stack), "plugins": {"configMaps": mounts}}
    choices = {
        "FILES": "by-hand",
        "INGRESS_CLASS": stack.name,
        "KONG_CHART": str(stack.platform.charts / "kong"),
        "KONG_NAMESPACE": stack.kong_namespace,
        "KONG_RELEASE": stack.name,
        "KONG_VALUES": "-",
        "PLUGIN": f"{stack.name}-plugin",
        "ROCK_URL": stack.platform.rock.as_uri(),
    }
    steps = ("files", "kong", "inject", "plugin", "check")
    run(MANUAL_STEPS, *steps, environment={**stack.environment(), **choices}, stdin=yaml.safe_dump(values))
