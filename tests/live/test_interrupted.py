"""Updates after one that was interrupted."""

import shutil
import time

import pytest

from tests.live.cluster_state import all_objects, created_since, gateway_pods, plugin, plugins, tme_count
from tests.live.commands import CommandFailed
from tests.live.interruption import helm_paused_before_completion, kill_when, release_has_status
from tests.live.stack import NO_CHANGES, UNCHANGED, LiveStack, NewStack
from tests.recorder.pods import serving


@pytest.mark.cold
def test_an_update_killed_during_a_helm_operation_is_completed_by_the_next(new_stack: NewStack) -> None:
    stack = new_stack(mode="async")
    installing = release_has_status(stack, "pending-install")
    began = time.monotonic()
    with helm_paused_before_completion(stack):
        kill_when(stack, lambda: installing() and any(map(serving, gateway_pods(stack))))
    assert f"helm rollback {stack.name} 1" in stack.preview(), "its pods serve, so it is completed"
    # For this long the program takes an interrupted operation for one that may still be running.
    stack.update("kong", timeoutSeconds=int(time.monotonic() - began) + 12)
    with stack.recorded() as completed:
        output = stack.up()
    assert "may still be running. Waiting up to" in output
    assert "interrupted operation. Running `helm rollback" in output
    assert completed.rollouts == 0
    stack.preview(NO_CHANGES)

    stack.set(kongValues={"proxy": {"type": "NodePort"}, "env": {"log_level": "debug"}})
    kill_when(stack, release_has_status(stack, "pending-upgrade"))
    assert "helm rollback" in stack.preview()
    stack.up()
    stack.preview(NO_CHANGES)


@pytest.mark.cold
def test_an_update_killed_while_the_plugin_is_written_is_completed_by_the_next(new_stack: NewStack) -> None:
    stack = new_stack()
    kill_when(stack, lambda: bool(plugins(stack)))
    with stack.recorded() as recording:
        stack.up()
    assert recording.rollouts == 0
    stack.preview(NO_CHANGES)

    stack.pulumi("config", "set", "traceable-kong:mode", "async")
    kill_when(stack, lambda: plugin(stack)["config"]["mode"] == "async")
    with stack.recorded():
        stack.up()
    assert tme_count(stack) == 0
    stack.preview(NO_CHANGES)


def test_a_release_that_serves_and_is_not_in_the_state_is_imported(new_stack: NewStack) -> None:
    """As after an update that was killed between the end of Helm and the write of the state."""
    stack = new_stack(mode="async")
    kill_when(stack, lambda: bool(plugins(stack)))
    (pod,) = gateway_pods(stack)
    for release in ("traceable-gateway-release", "traceable-agent-release"):
        urns = stack.pulumi("stack", "--show-urns").split()
        urn = next(urn for urn in urns if urn.endswith(f"::{release}"))
        stack.pulumi("state", "delete", "--yes", "--force", "--target-dependents", urn)
    with stack.recorded() as imported:
        stack.up()
    assert imported.rollouts == 0
    assert [item["metadata"]["uid"] for item in gateway_pods(stack)] == [pod["metadata"]["uid"]]
    stack.preview(NO_CHANGES)
    only_its_state_makes_a_stack_the_owner(stack)


def only_its_state_makes_a_stack_the_owner(stack: LiveStack) -> None:
    """A renamed or moved stack keeps its objects; another stack of that name with an empty state is refused."""
    id_ = stack.outputs()["stackId"]
    state, new = stack.directory / "state", stack.name.replace("live", "renamed")
    with stack.recorded() as untouched:
        state.rename(stack.directory / "elsewhere")
        stack.pulumi("stack", "init", stack.name)
        for command in (stack.preview, stack.up):
            with pytest.raises(CommandFailed) as refusal:
                command()
            output = str(refusal.value)
            assert id_ in output and "pulumi stack import --file BACKUP.json" in output and UNCHANGED in output
        shutil.rmtree(state)
        (stack.directory / "elsewhere").rename(state)

        exported = stack.pulumi("stack", "export")
        stack.pulumi("stack", "rename", new)
        stack.pulumi("preview", NO_CHANGES)
        stack.pulumi("stack", "rename", stack.name)

        state.rename(stack.directory / "elsewhere")
        stack.pulumi("stack", "init", stack.name)
        stack.pulumi("stack", "import", stdin=exported)
        stack.preview(NO_CHANGES)
        assert stack.outputs()["stackId"] == id_
    assert untouched.rollouts == 0


@pytest.mark.cold
def test_a_killed_destroy_is_completed_by_the_next(new_stack: NewStack) -> None:
    stack = new_stack()
    before = all_objects(stack)
    stack.up()
    with stack.recorded():
        kill_when(stack, lambda: not plugins(stack), "destroy")
        assert "pulumi:index:Stash" in stack.pulumi("stack", "export"), "an up instead would still own the objects"
        stack.destroy()
    assert created_since(stack, before) == set()
