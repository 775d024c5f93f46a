"""The operations of a gateway's life, in the order in which one stack can walk through them.

Each is one function: it changes the stack's config, runs what a person would run, and looks at what is particular to
it. With it stands how often the gateway may roll meanwhile. What holds for every operation (the promises, an empty
preview afterwards) is asked by whoever runs them.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from local import rock
from tests.live.stack import CommandFailed, LiveStack
from tests.live.standing import gateway_pods, plugin, plugins, record, tme_count


@dataclass(frozen=True, kw_only=True)
class Operation:
    """`rollouts` is how often the gateway rolls; `leaves_a_stack` is False where nothing stands afterwards."""

    name: str
    run: Callable[[LiveStack], None]
    rollouts: int
    leaves_a_stack: bool


WALK: list[Operation] = []


def operation(
    name: str, *, rollouts: int, leaves_a_stack: bool = True
) -> Callable[[Callable[[LiveStack], None]], Callable[[LiveStack], None]]:
    """Makes a function the next step of the walk."""

    def add(run: Callable[[LiveStack], None]) -> Callable[[LiveStack], None]:
        WALK.append(Operation(name=name, run=run, rollouts=rollouts, leaves_a_stack=leaves_a_stack))
        return run

    return add


@operation("install (sync)", rollouts=2)
def install(stack: LiveStack) -> None:
    stack.up()
    assert record(stack)["mode"] == plugin(stack)["config"]["mode"] == "sync"
    assert tme_count(stack) == len(gateway_pods(stack)) == stack.configured("kongValues")["replicaCount"]


@operation("nothing changed", rollouts=0)
def change_nothing(stack: LiveStack) -> None:
    stack.up("--expect-no-changes")


@operation("sync -> async", rollouts=1)
def to_async(stack: LiveStack) -> None:
    stack.set(mode="async")
    stack.up()
    assert record(stack)["mode"] == plugin(stack)["config"]["mode"] == "async"
    assert tme_count(stack) == 0


@operation("blocking code, in async", rollouts=0)
def blocking_code(stack: LiveStack) -> None:
    stack.set(blockingStatusCode=451)
    stack.up()


@operation("enabled: false, in async", rollouts=0)
def off_in_async(stack: LiveStack) -> None:
    stack.set(enabled=False)
    stack.up()
    assert plugin(stack)["disabled"] is True


@operation("enabled: true, in async", rollouts=0)
def on_in_async(stack: LiveStack) -> None:
    stack.set(enabled=True)
    stack.up()
    assert not plugin(stack).get("disabled")


@operation("async -> sync", rollouts=1)
def to_sync(stack: LiveStack) -> None:
    stack.set(mode="sync")
    stack.up()
    assert record(stack)["mode"] == plugin(stack)["config"]["mode"] == "sync"
    assert tme_count(stack) == len(gateway_pods(stack))


@operation("blocking message, in sync", rollouts=1)
def blocking_message(stack: LiveStack) -> None:
    stack.set(blockingMessage="Not here: # 'ask' {us}")
    stack.up()
    for pod in gateway_pods(stack):
        given = {variable.get("value") for item in pod["spec"]["containers"] for variable in item.get("env", [])}
        assert "Not here: # 'ask' {us}" in given, "the TME is configured when it is injected"


@operation("agent upgraded, in sync", rollouts=1)
def agent(stack: LiveStack) -> None:
    stack.set(agentValues={**stack.configured("agentValues"), "logLevel": "debug"})
    stack.up()


@operation("failMode, timeoutMs, buffer, scope", rollouts=0)
def plugin_settings(stack: LiveStack) -> None:
    stack.set(failMode="closed", timeoutMs=750, bufferRequestBody=False, scope="selected")
    stack.up()
    found = plugin(stack)
    assert "global" not in found["metadata"].get("labels", {})
    said = [found["config"][key] for key in ("allow_on_failure", "timeout", "buffer_request_body")]
    assert said == [False, 750, False]


@operation("newer rock, with an option of its own", rollouts=1)
def newer_rock(stack: LiveStack) -> None:
    new_rock(stack, "2.2.2-1")
    stack.set(pluginConfig={"max_body_size_bytes": 65536})
    stack.up()
    assert plugin(stack)["config"]["max_body_size_bytes"] == 65536
    assert mounted(stack) == set(stack.outputs()["configMaps"])


@operation("newer rock, with a second plugin", rollouts=1)
def rock_with_a_second_plugin(stack: LiveStack) -> None:
    new_rock(stack, "2.3.0-1")
    stack.up()
    assert len(stack.outputs()["configMaps"]) == 2
    assert mounted(stack) == set(stack.outputs()["configMaps"])


@operation("older rock, refused while an option stands that goes with it", rollouts=0)
def older_rock_refused(stack: LiveStack) -> None:
    standing = stack.configured("plugin"), stack.configured("pluginConfig")
    new_rock(stack, "2.1.2-1")
    stack.set(pluginConfig={})
    said = refused_preview(stack)
    assert "max_body_size_bytes" in said and "Nothing was changed" in said
    stack.set(plugin=standing[0], pluginConfig=standing[1])


@operation("older rock, the option taken back first", rollouts=1)
def older_rock(stack: LiveStack) -> None:
    stack.set(pluginConfig={})
    stack.up()
    new_rock(stack, "2.1.2-1")
    stack.up()
    assert "max_body_size_bytes" not in plugin(stack)["config"]
    assert mounted(stack) == set(stack.outputs()["configMaps"])


@operation("kong.release and kong.namespace, refused", rollouts=0)
def another_gateway(stack: LiveStack) -> None:
    standing = stack.configured("kong")
    stack.set(kong={**standing, "release": f"{stack.name}-b"})
    assert "a second gateway" in refused_preview(stack)
    stack.set(kong={**standing, "namespace": f"{stack.name}-b"})
    assert "a second gateway" in refused_preview(stack)
    stack.set(kong=standing)


@operation("enabled: false, in sync", rollouts=1)
def off_in_sync(stack: LiveStack) -> None:
    stack.set(enabled=False)
    stack.up()
    assert plugin(stack)["disabled"] is True
    assert tme_count(stack) == 0


@operation("enabled: true, in sync", rollouts=1)
def on_in_sync(stack: LiveStack) -> None:
    stack.set(enabled=True)
    stack.up()
    assert not plugin(stack).get("disabled")
    assert tme_count(stack) == len(gateway_pods(stack))


@operation("plugin.name", rollouts=0)
def rename_the_plugin(stack: LiveStack) -> None:
    stack.set(plugin={**stack.configured("plugin"), "name": f"{stack.name}-renamed"})
    stack.up()
    assert plugin(stack)["metadata"]["name"] == f"{stack.name}-renamed"


@operation("Kong's chart values", rollouts=1)
def kong_values(stack: LiveStack) -> None:
    stack.set(kongValues={**stack.configured("kongValues"), "env": {"nginx_worker_processes": "1"}})
    stack.up()
    assert tme_count(stack) == len(gateway_pods(stack))


@operation("installed: false, refused while enabled", rollouts=0)
def leave_too_early(stack: LiveStack) -> None:
    stack.set(installed=False)
    assert "is false while enabled is true" in refused_preview(stack)
    stack.set(enabled=False)
    assert "Nothing was changed" in refused_preview(stack), "the plugin that stands is still enabled"
    stack.set(installed=True, enabled=True)


@operation("enabled: false, then installed: false", rollouts=2)
def leave(stack: LiveStack) -> None:
    stack.set(enabled=False)
    stack.up()
    stack.set(installed=False)
    stack.up()
    assert plugins(stack) == []
    assert mounted(stack) == set(), "no files of ours are left, and no pod mounts any"
    names = {item["metadata"]["name"] for item in stack.objects("configmaps", "--namespace", stack.kong_namespace)}
    assert names == {"kube-root-ca.crt"}
    assert tme_count(stack) == 0 and gateway_pods(stack), "Kong stays"
    assert stack.objects("namespaces", "--field-selector", f"metadata.name={stack.agent_namespace}") == []


@operation("installed: true, enabled: true", rollouts=2)
def come_back(stack: LiveStack) -> None:
    stack.set(installed=True, enabled=True)
    stack.up()
    assert tme_count(stack) == len(gateway_pods(stack))
    assert not plugin(stack).get("disabled")


@operation("destroy", rollouts=0, leaves_a_stack=False)
def destroy(stack: LiveStack) -> None:
    stack.destroy()
    for namespace in (stack.kong_namespace, stack.agent_namespace):
        try:
            stack.kubectl("get", "namespace", namespace)
        except CommandFailed as problem:
            assert "NotFound" in str(problem)
        else:
            raise AssertionError(f"{namespace} is still there")


def refused_preview(stack: LiveStack) -> str:
    """What a preview says that must fail."""
    with pytest.raises(CommandFailed) as refusal:
        stack.preview()
    return str(refusal.value)


def new_rock(stack: LiveStack, version: str) -> None:
    path = rock.make(stack.directory / "rocks", version=version)
    standing = {key: value for key, value in stack.configured("plugin").items() if key != "sha256"}
    stack.set(plugin={**standing, "rock": str(path), "version": version})


def mounted(stack: LiveStack) -> set[str]:
    """The ConfigMaps of plugin files that the serving pods mount; those of the rock are all that are left."""
    maps = stack.objects("configmaps", "--namespace", stack.kong_namespace)
    stand = {item["metadata"]["name"] for item in maps if item["metadata"]["name"].startswith("kong-plugin-")}
    for pod in gateway_pods(stack):
        assert stand == {item["configMap"]["name"] for item in pod["spec"]["volumes"] if "configMap" in item}
    return stand
