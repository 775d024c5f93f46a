"""The operations on a gateway, in an order in which one stack can run all of them (test_operations.py).

Each function changes the stack's config, runs the commands that a person would run, and checks what is specific to the
operation.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from local import rock
from tests.live import shown_output
from tests.live.cluster_state import config_maps, gateway_pods, mounted_files, plugin, plugins, record, tme_count
from tests.live.commands import CommandFailed
from tests.live.stack import UNCHANGED, LiveStack


@dataclass(frozen=True, kw_only=True)
class Operation:
    """`rollouts` is how often the gateway's pods are replaced; `keeps_stack` is False where nothing exists after it."""

    name: str
    run: Callable[[LiveStack], None]
    rollouts: int
    keeps_stack: bool


OPERATIONS: list[Operation] = []


def operation(
    name: str, *, rollouts: int, keeps_stack: bool = True
) -> Callable[[Callable[[LiveStack], None]], Callable[[LiveStack], None]]:
    """Makes a function the next operation."""

    def add(run: Callable[[LiveStack], None]) -> Callable[[LiveStack], None]:
        OPERATIONS.append(Operation(name=name, run=run, rollouts=rollouts, keeps_stack=keeps_stack))
        return run

    return add


@operation("install (sync)", rollouts=2)
def install(stack: LiveStack) -> None:
    stack.up()
    assert record(stack)["mode"] == plugin(stack)["config"]["mode"] == "sync"
    assert tme_count(stack) == len(gateway_pods(stack)) == stack.configured("kongValues")["replicaCount"]


@operation("no changes", rollouts=0)
def change_nothing(stack: LiveStack) -> None:
    stack.up("--expect-no-changes")


@operation("sync -> async", rollouts=1)
def to_async(stack: LiveStack) -> None:
    stack.set(mode="async")
    shown(stack, shown_output.SWITCH, stack.up())
    assert record(stack)["mode"] == plugin(stack)["config"]["mode"] == "async"
    assert tme_count(stack) == 0


@operation("blocking status code, in async", rollouts=0)
def blocking_status_code(stack: LiveStack) -> None:
    stack.set(blockingStatusCode=451)
    stack.up()


@operation("enabled: false, in async", rollouts=0)
def disable_in_async(stack: LiveStack) -> None:
    stack.set(enabled=False)
    stack.up()
    assert plugin(stack)["disabled"] is True


@operation("enabled: true, in async", rollouts=0)
def enable_in_async(stack: LiveStack) -> None:
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
    message = "No: # \"thanks\" {you}\nreally 'ask' us"
    stack.set(blockingMessage=message)
    stack.up()
    for pod in gateway_pods(stack):
        sidecar = next(item for item in pod["spec"]["containers"] if "traceable-agent" in item["image"])
        values = {variable.get("value") for variable in sidecar["env"]}
        assert {"451", message} <= values, "the TME gets its settings when it is injected"


@operation("upgrade of the agent, in sync", rollouts=1)
def upgrade_agent(stack: LiveStack) -> None:
    stack.update("agentValues", logLevel="debug")
    stack.up()


@operation("failMode, timeoutMs, buffer, scope", rollouts=0)
def plugin_settings(stack: LiveStack) -> None:
    stack.set(failMode="closed", timeoutMs=750, bufferRequestBody=False, scope="selected")
    stack.up()
    found = plugin(stack)
    assert "global" not in found["metadata"].get("labels", {})
    options = [found["config"][key] for key in ("allow_on_failure", "timeout", "buffer_request_body")]
    assert options == [False, 750, False]


@operation("newer rock, with a new option", rollouts=1)
def newer_rock(stack: LiveStack) -> None:
    new_rock(stack, "2.2.2-1")
    stack.set(pluginConfig={"max_body_size_bytes": 65536})
    stack.up()
    assert plugin(stack)["config"]["max_body_size_bytes"] == 65536
    assert mounted_files(stack) == set(stack.outputs()["configMaps"])


@operation("newer rock, with a second plugin", rollouts=1)
def rock_with_a_second_plugin(stack: LiveStack) -> None:
    new_rock(stack, "2.3.0-1")
    stack.up()
    assert len(stack.outputs()["configMaps"]) == 2
    assert mounted_files(stack) == set(stack.outputs()["configMaps"])


@operation("older rock and an option that it does not know: refused", rollouts=0)
def older_rock_refused(stack: LiveStack) -> None:
    before = stack.configured("plugin"), stack.configured("pluginConfig")
    new_rock(stack, "2.1.2-1")
    stack.set(pluginConfig={})
    output = stack.failed_preview()
    shown(stack, shown_output.REFUSED_UPDATE, output)
    assert "max_body_size_bytes, which version 2.1.2-1 does not know" in output and UNCHANGED in output
    # The two updates that the message asks for.
    assert output.index("plugin.version 2.3.0-1") < output.index("plugin.version 2.1.2-1")
    stack.set(plugin=before[0], pluginConfig=before[1])


@operation("older rock, after the option was removed", rollouts=1)
def older_rock(stack: LiveStack) -> None:
    stack.set(pluginConfig={})
    stack.up()
    new_rock(stack, "2.1.2-1")
    stack.up()
    assert stack.outputs()["rockVersion"] == "2.1.2-1"
    assert "max_body_size_bytes" not in plugin(stack)["config"]
    assert mounted_files(stack) == set(stack.outputs()["configMaps"])


@operation("kong.release and kong.namespace: refused", rollouts=0)
def another_gateway(stack: LiveStack) -> None:
    before = stack.configured("kong")
    for change in ({"release": f"{stack.name}-b"}, {"namespace": f"{stack.name}-b"}):
        stack.set(kong={**before, **change})
        assert "a second gateway" in stack.failed_preview()
    stack.set(kong=before)


@operation("enabled: false, in sync", rollouts=1)
def disable_in_sync(stack: LiveStack) -> None:
    stack.set(enabled=False)
    stack.up()
    assert plugin(stack)["disabled"] is True
    assert tme_count(stack) == 0


@operation("enabled: true, in sync", rollouts=1)
def enable_in_sync(stack: LiveStack) -> None:
    stack.set(enabled=True)
    stack.up()
    assert not plugin(stack).get("disabled")
    assert tme_count(stack) == len(gateway_pods(stack))


@operation("plugin.name", rollouts=0)
def rename_the_plugin(stack: LiveStack) -> None:
    stack.update("plugin", name=f"{stack.name}-renamed")
    stack.up()
    assert plugin(stack)["metadata"]["name"] == f"{stack.name}-renamed"


@operation("Kong's chart values", rollouts=1)
def kong_values(stack: LiveStack) -> None:
    stack.update("kongValues", env={"nginx_worker_processes": "1"})
    stack.up()
    assert tme_count(stack) == len(gateway_pods(stack))


@operation("installed: false while enabled: refused", rollouts=0)
def uninstall_refused(stack: LiveStack) -> None:
    stack.set(installed=False, blockingStatusCode="600", tmeGaurd="warn")
    output = stack.failed_preview()
    assert "is false while enabled is true" in output
    shown(stack, shown_output.REFUSED_CONFIG, output)
    stack.unset("tmeGaurd")
    stack.set(blockingStatusCode=451)
    stack.set(enabled=False)
    assert UNCHANGED in stack.failed_preview(), "the plugin in the cluster is still enabled"
    stack.set(installed=True, enabled=True)


@operation("enabled: false, then installed: false", rollouts=2)
def uninstall(stack: LiveStack) -> None:
    stack.set(enabled=False)
    stack.up()
    stack.set(installed=False)
    stack.up()
    assert plugins(stack) == []
    assert mounted_files(stack) == set()
    assert config_maps(stack) == {"kube-root-ca.crt"}
    assert tme_count(stack) == 0 and gateway_pods(stack), "Kong stays"
    assert stack.objects("namespaces", "--field-selector", f"metadata.name={stack.agent_namespace}") == []


@operation("installed: true, enabled: true", rollouts=2)
def reinstall(stack: LiveStack) -> None:
    stack.set(installed=True, enabled=True)
    stack.up()
    assert tme_count(stack) == len(gateway_pods(stack))
    assert not plugin(stack).get("disabled")


@operation("destroy", rollouts=0, keeps_stack=False)
def destroy(stack: LiveStack) -> None:
    stack.destroy()
    for namespace in (stack.kong_namespace, stack.agent_namespace):
        with pytest.raises(CommandFailed, match="NotFound"):
            stack.kubectl("get", "namespace", namespace)


def shown(stack: LiveStack, heading: str, output: str) -> None:
    """Compares an output with the page, which shows it for one replica."""
    if stack.configured("kongValues")["replicaCount"] == 1:
        shown_output.compare(heading, output, stack=stack.name)


def new_rock(stack: LiveStack, version: str) -> None:
    """Configures a rock of this version."""
    path = rock.make(stack.directory / "rocks", version=version)
    before = {key: value for key, value in stack.configured("plugin").items() if key != "sha256"}
    stack.set(plugin={**before, "rock": str(path), "version": version})
