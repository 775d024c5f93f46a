"""A Kong and an agent that were installed with Helm by hand become the stack's, as docs/adopting-a-release.md says."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
import yaml

from scripts import preview_reading
from tests.live.holding import helm_held_before_it_ends
from tests.live.operations import refused_preview
from tests.live.owner import Owner
from tests.live.stack import PROJECT, CommandFailed, LiveStack
from tests.live.standing import gateway_pods, plugin, tme_count
from tests.live.test_interrupted import killed_when, release_is
from traceable_kong.plugin import rock

NOTHING = "--expect-no-changes"
OWNERS_TOKEN = "live-test-token-of-somebody-by-hand"
"""Another than the stacks': by hand it stands in an argument, and a test looks for theirs in every process."""
NewStack = Callable[..., LiveStack]

INSTALLED_BY_HAND = ("helm", "upgrade", "--install", "traceable-agent")


@pytest.fixture
def owner(new_stack: NewStack) -> Iterator[Owner]:
    """Who installed Kong by hand, and of whose two Helm releases a stack is to be the owner."""
    made = Owner(new_stack())
    try:
        yield made
    finally:
        try:
            made.stack.pulumi("cancel", "--yes", made.stack.name)
            made.stack.pulumi("state", "unprotect", "--all", "--yes")
            made.stack.destroy()
        finally:
            made.remove()
            made.stack.kubectl("delete", "namespace", made.stack.agent_namespace, "--wait=false", "--ignore-not-found")


def install_by_hand(owner: Owner, **kong_values: Any) -> None:
    """Both, as their owner had them; the stack's config is as it would be for a Kong and an agent of its own."""
    stack = owner.stack
    kong, values = stack.configured("kong"), stack.configured("kongValues")
    owner.install(**kong_values)
    stack.set(kong=kong, kongValues=values)
    upgrade_agent(stack, "--create-namespace", "--set", f"token={OWNERS_TOKEN}", **stack.configured("agentValues"))


def upgrade_agent(stack: LiveStack, *options: str, **values: Any) -> None:
    chart = str(stack.platform.charts / "traceable-agent")
    where = ("--namespace", stack.agent_namespace, "--wait", "--timeout", "60s")
    stack._run([*INSTALLED_BY_HAND, chart, *where, "--values", "-", *options], stdin=yaml.safe_dump(values))


def move_the_token(stack: LiveStack) -> None:
    """Out of the release's values, into a Secret that they name."""
    where = ("--namespace", stack.agent_namespace)
    secret = ("kubectl", "create", "secret", "generic", "traceable-token", *where, "--from-file=token=/dev/stdin")
    stack._run([*secret], stdin=OWNERS_TOKEN)
    named = "token=,externalTokenSecret.name=traceable-token,externalTokenSecret.key=token"
    upgrade_agent(stack, "--reuse-values", "--set", named)
    stack.pulumi("config", "rm", f"{PROJECT}:agentToken")
    stack.set(agentTokenSecret={"name": "traceable-token", "key": "token"})


def give_back(stack: LiveStack) -> None:
    """Kong's release as it stands; the stack forgets it."""
    release = "traceable-kong:index:KongGateway$kubernetes:helm.sh/v3:Release::gateway-release"
    stack.pulumi("state", "delete", "--target-dependents", "--yes", f"urn:pulumi:{stack.name}::{PROJECT}::{release}")
    chart, where = str(stack.platform.charts / "kong"), ("--namespace", stack.kong_namespace)
    stack._run(
        ["helm", "upgrade", stack.name, chart, *where, "--reuse-values", "--set", "global.traceableKong=null"],
    )


def set_in(stack: LiveStack, key: str, **changes: Any) -> None:
    stack.set(**{key: {**stack.configured(key), **changes}})


def values_of(stack: LiveStack, release: str, namespace: str) -> dict[str, Any]:
    return dict(yaml.safe_load(stack._run(["helm", "get", "values", release, "--namespace", namespace, "-o", "yaml"])))


def revisions(stack: LiveStack, release: str, namespace: str) -> int:
    return len(json.loads(stack._run(["helm", "history", release, "--namespace", namespace, "-o", "json"])))


def identities(stack: LiveStack) -> dict[str, str]:
    """The two Deployments, which another installation would make anew."""
    found = [
        *stack.objects("deployments", "--namespace", stack.kong_namespace),
        *stack.objects("deployments", "--namespace", stack.agent_namespace),
    ]
    return {item["metadata"]["name"]: item["metadata"]["uid"] for item in found}


def test_both_releases_become_the_stacks_without_a_rollout_and_traceable_comes_afterwards(owner: Owner) -> None:
    stack = owner.stack
    install_by_hand(owner, replicaCount=2)
    template, before = owner.template(), identities(stack)

    said = refused_preview(stack)
    assert "kong.adopt true" in said and "agent.adopt true" in said and "docs/adopting-a-release.md" in said
    assert "kong.createNamespace false" in said and "agent.createNamespace false" in said

    stack.set(enabled=False, installed=False)
    set_in(stack, "kong", adopt=True, createNamespace=False, protect=False)
    set_in(stack, "agent", adopt=True, createNamespace=False)
    assert "plugins.configMaps, replicaCount" in refused_preview(stack)
    stack.set(kongValues=values_of(stack, stack.name, stack.kong_namespace))
    shown = preview_reading.read(stack.preview("--json"))
    assert {"import", "update"} == {change.op for change in shown.changes if change.name == "gateway-release"}
    with stack.recorded() as taken:
        stack.up()
        stack.preview(NOTHING)
        give_back(stack)
        stack.up()
    assert taken.rollouts == 0
    assert owner.template() == template and identities(stack) == before
    assert revisions(stack, stack.name, stack.kong_namespace) == 4
    stack.preview(NOTHING)

    stack.set(enabled=True, installed=True)
    said = refused_preview(stack)
    assert "has token in its values as plain text" in said and OWNERS_TOKEN not in said
    move_the_token(stack)
    with stack.recorded() as came:
        stack.up()
    assert came.rollouts == 2, "the files, then the TME"
    assert tme_count(stack) == len(gateway_pods(stack)) == 2
    assert owner.variable("KONG_PLUGINS") == "bundled,foo,bar,traceable"
    assert identities(stack) == before
    assert OWNERS_TOKEN not in stack.pulumi("stack", "export")
    stack.pulumi("config", "rm", "--path", f"{PROJECT}:kong.adopt")
    stack.pulumi("config", "set", "--path", f"{PROJECT}:agent.protect", "true")
    stack.pulumi("config", "rm", "--path", f"{PROJECT}:agent.adopt")
    stack.preview(NOTHING)

    stack.set(enabled=False)
    stack.up()
    stack.set(installed=False)
    said = refused_preview(stack)
    assert "with installed false it would be deleted" in said
    stack.set(installed=True)
    stack.pulumi("config", "rm", "--path", f"{PROJECT}:agent.protect")
    stack.up()
    stack.set(installed=False)
    stack.preview()

    stack.destroy()
    assert identities(stack) == {}
    stack.kubectl("get", "namespace", stack.kong_namespace, stack.agent_namespace)


def test_a_take_over_that_was_killed_is_finished_by_the_next(owner: Owner) -> None:
    stack = owner.stack
    install_by_hand(owner)
    template = owner.template()
    stack.set(enabled=False, installed=False, kongValues=values_of(stack, stack.name, stack.kong_namespace))
    set_in(stack, "kong", adopt=True, createNamespace=False, timeoutSeconds=30)
    with stack.recorded() as taken:
        with helm_held_before_it_ends(stack):
            killed_when(stack, release_is(stack, "pending-upgrade"))
        stack.up()
    assert taken.rollouts == 0
    assert owner.template() == template
    stack.preview(NOTHING)


def test_a_gateway_that_was_protected_by_hand_stays_protected_all_the_while(owner: Owner) -> None:
    stack = owner.stack
    files = rock.read(stack.platform.rock.read_bytes()).plugins["traceable"]
    install_by_hand(owner)
    move_the_token(stack)
    protect_by_hand(owner, files)
    assert tme_count(stack) == len(gateway_pods(stack)) == 1
    before, made_by_hand = identities(stack), plugin(stack)

    set_in(stack, "kong", adopt=True, createNamespace=False)
    set_in(stack, "agent", adopt=True, createNamespace=False)
    values = values_of(stack, stack.name, stack.kong_namespace)
    values["plugins"]["configMaps"] = [
        item for item in values["plugins"]["configMaps"] if item["pluginName"] != "traceable"
    ]
    stack.set(kongValues=values)
    mark = f"traceable-kong/stack={PROJECT}.{stack.name}"
    label = ("label", "kongclusterplugin", f"{stack.name}-plugin", mark)
    assert f"`kubectl {' '.join(label)}`" in refused_preview(stack)
    stack.kubectl(*label)
    with stack.recorded() as taken:
        stack.up()
    assert taken.rollouts == 2, "onto files of the stack's, then onto a TME that it asked for"
    assert identities(stack) == before
    assert plugin(stack)["metadata"]["uid"] == made_by_hand["metadata"]["uid"]
    assert plugin(stack)["config"] == made_by_hand["config"]
    stack.preview(NOTHING)
    mounted = {item["configMap"]["name"] for item in owner.template()["spec"]["volumes"] if "configMap" in item}
    assert "by-hand" not in mounted

    with stack.recorded() as refused:
        for options in ((), ("--skip-preview",)):
            said = refused_destroy(stack, *options)
            assert 'DeletionProtection::set-kong.protect-and-agent.protect-to-false" cannot be deleted' in said
            assert "because it is protected" in said and "`pulumi state unprotect 'urn:" in said
    assert refused.rollouts == 0
    assert plugin(stack)["metadata"]["uid"] == made_by_hand["metadata"]["uid"]
    stack.preview(NOTHING)
    assert stack.verify().returncode == 0, stack.verify().stdout

    stack.set(mode="async")
    stack.up()
    assert tme_count(stack) == 1, "what kubectl asked for stays"

    command = stack.outputs()["deletionProtection"].split("`")[-2]
    for part in command.removesuffix(" && pulumi up").split(" && "):
        stack.pulumi(*part.split()[1:])
    stack.up()
    stack.preview(NOTHING)
    stack.destroy()
    assert identities(stack) == {}


def refused_destroy(stack: LiveStack, *options: str) -> str:
    """What is said of a destroy that is refused, and that left every object and the state as they were."""
    before = standing(stack)
    with pytest.raises(CommandFailed) as refused:
        stack.pulumi("destroy", "--yes", *options)
    assert standing(stack) == before
    return str(refused.value)


def standing(stack: LiveStack) -> dict[str, tuple[str, object]]:
    """Identity and generation of everything that the stack has a part in, and what its state holds."""
    kinds = "deployments,configmaps,secrets,services,serviceaccounts,roles"
    found = [
        *stack.objects(kinds, "--namespace", stack.kong_namespace),
        *stack.objects(kinds, "--namespace", stack.agent_namespace),
        *stack.objects("namespaces,kongclusterplugins,validatingadmissionpolicies,clusterroles"),
    ]
    mine = [item for item in found if stack.name in json.dumps(item["metadata"])]
    names = {
        f"{item['kind']} {item['metadata']['name']}": (item["metadata"]["uid"], item["metadata"].get("generation"))
        for item in mine
    }
    exported = json.loads(stack.pulumi("stack", "export"))["deployment"]["resources"]
    return {**names, **{item["urn"]: (item.get("id", ""), item.get("protect", False)) for item in exported}}


def protect_by_hand(owner: Owner, files: Mapping[str, bytes]) -> None:
    """What the manual has people do, step by step, with kubectl and helm."""
    stack = owner.stack
    where = ("--namespace", stack.kong_namespace)
    stack.apply(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "by-hand", "namespace": stack.kong_namespace},
            "data": {name: content.decode() for name, content in files.items()},
        }
    )
    mounts = [{"name": name, "pluginName": name} for name in ("foo", "bar")]
    mounts.append({"name": "by-hand", "pluginName": "traceable"})
    owner.upgrade("--wait", "--timeout", "60s", plugins={"configMaps": mounts})
    stack.kubectl("label", "namespace", stack.kong_namespace, "traceableai-inject-tme=enabled")
    asked = {"spec": {"template": {"metadata": {"annotations": {"tme.traceable.ai/inject": "true"}}}}}
    deployment = f"deployment/{stack.gateway.deployment}"
    stack.kubectl("patch", deployment, *where, "--type", "merge", "--patch", json.dumps(asked))
    stack.kubectl("rollout", "status", deployment, *where, "--timeout=60s")
    stack.apply(
        {
            "apiVersion": "configuration.konghq.com/v1",
            "kind": "KongClusterPlugin",
            "metadata": {
                "name": f"{stack.name}-plugin",
                "annotations": {"kubernetes.io/ingress.class": stack.name},
                "labels": {"global": "true"},
            },
            "plugin": "traceable",
            "config": {
                "ext_cap_endpoint": "http://localhost:5442",
                "mode": "sync",
                "buffer_request_body": True,
                "allow_on_failure": True,
                "timeout": 500,
                "service_name": "kong",
            },
        }
    )
