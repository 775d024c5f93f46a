"""The user's own program after a run that was killed, and before a change that takes two steps."""

import shutil
import subprocess
import time
from collections.abc import Callable

import pytest

from local import rock
from tests.live.holding import helm_held_before_it_ends
from tests.live.pods import serving
from tests.live.sessions import end_session
from tests.live.stack import PROJECT, CommandFailed, LiveStack
from tests.live.standing import everything, gateway_pods, of_charts, plugin, plugins, tme_count

NOTHING = "--expect-no-changes"
DEADLINE_SECONDS = 90
NewStack = Callable[..., LiveStack]


def killed_when(stack: LiveStack, holds: Callable[[], bool], *command: str) -> None:
    """Runs `pulumi`, kills it and all that it started as soon as something holds, and releases the stack."""
    said = stack.directory / "killed.log"
    with said.open("w") as log:
        process = subprocess.Popen(
            ["pulumi", *(command or ("up",)), "--yes", "--skip-preview"],
            cwd=stack.directory,
            env=stack.environment(),
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not holds():
            assert process.poll() is None, f"the run has ended:\n{said.read_text()}"
            assert time.monotonic() < deadline, "it never came so far"
    finally:
        process.kill()
        process.wait()
        end_session(process.pid)
    mend_checkpoint(stack)
    stack.pulumi("cancel", "--yes")


def mend_checkpoint(stack: LiveStack) -> None:
    """A backend of files that is killed while it writes a checkpoint leaves it empty, and the one before beside it."""
    checkpoint = stack.directory / "state" / ".pulumi" / "stacks" / PROJECT / f"{stack.name}.json"
    if not checkpoint.read_bytes().strip():
        shutil.copyfile(checkpoint.with_name(f"{checkpoint.name}.bak"), checkpoint)


def release_is(stack: LiveStack, status: str) -> Callable[[], bool]:
    selector = f"owner=helm,name={stack.name},status={status}"
    return lambda: bool(stack.objects("secrets", "--namespace", stack.kong_namespace, "--selector", selector))


def test_a_run_that_was_killed_in_helm_is_finished_by_the_next(new_stack: NewStack) -> None:
    stack = new_stack(mode="async")
    # So long it may take, and so long a killed operation counts as one that may still be running.
    stack.set(kong={**stack.configured("kong"), "timeoutSeconds": 30})
    installing = release_is(stack, "pending-install")
    with helm_held_before_it_ends(stack):
        killed_when(stack, lambda: installing() and any(map(serving, gateway_pods(stack))))
    assert f"helm rollback {stack.name} 1" in stack.preview(), "its pods serve, so it is completed"
    with stack.recorded() as completed:
        said = stack.up()
    assert "may still be running. Waiting up to" in said
    assert "interrupted operation. Running `helm rollback" in said
    assert completed.rollouts == 0
    stack.preview(NOTHING)

    stack.set(kongValues={"proxy": {"type": "NodePort"}, "env": {"log_level": "debug"}})
    killed_when(stack, release_is(stack, "pending-upgrade"))
    assert "helm rollback" in stack.preview()
    stack.up()
    stack.preview(NOTHING)


def test_a_run_that_was_killed_while_the_plugin_is_written(new_stack: NewStack) -> None:
    stack = new_stack()
    killed_when(stack, lambda: bool(plugins(stack)))
    with stack.recorded() as recording:
        stack.up()
    assert recording.rollouts == 0
    stack.preview(NOTHING)

    stack.pulumi("config", "set", "traceable-kong:mode", "async")
    killed_when(stack, lambda: plugin(stack)["config"]["mode"] == "async")
    with stack.recorded():
        stack.up()
    assert tme_count(stack) == 0
    stack.preview(NOTHING)


def test_a_release_that_serves_and_is_not_in_the_state_is_imported(new_stack: NewStack) -> None:
    """Helm ended, and the run was killed before it was written down: Helm would refuse the name for ever."""
    stack = new_stack(mode="async")
    killed_when(stack, lambda: bool(plugins(stack)))
    (pod,) = gateway_pods(stack)
    for release in ("gateway-release", "agent-release"):
        urns = stack.pulumi("stack", "--show-urns").split()
        forgotten = next(urn for urn in urns if urn.endswith(f"::{release}"))
        stack.pulumi("state", "delete", "--yes", "--force", "--target-dependents", forgotten)
    with stack.recorded() as imported:
        stack.up()
    assert imported.rollouts == 0
    assert [item["metadata"]["uid"] for item in gateway_pods(stack)] == [pod["metadata"]["uid"]]
    stack.preview(NOTHING)
    the_stack_goes_where_its_state_goes(stack)


def the_stack_goes_where_its_state_goes(stack: LiveStack) -> None:
    """Renamed or moved, it keeps its objects; one of the same name with another state may not touch them."""
    id_ = stack.outputs()["stackId"]
    state, new = stack.directory / "state", stack.name.replace("live", "renamed")
    with stack.recorded() as untouched:
        state.rename(stack.directory / "elsewhere")
        stack.pulumi("stack", "init", stack.name)
        for command in (stack.preview, stack.up):
            with pytest.raises(CommandFailed) as refusal:
                command()
            said = str(refusal.value)
            assert id_ in said and "pulumi stack import --file BACKUP.json" in said and "Nothing was changed" in said
        shutil.rmtree(state)
        (stack.directory / "elsewhere").rename(state)

        exported = stack.pulumi("stack", "export")
        stack.pulumi("stack", "rename", new)
        stack.pulumi("preview", NOTHING)
        stack.pulumi("stack", "rename", stack.name)

        state.rename(stack.directory / "elsewhere")
        stack.pulumi("stack", "init", stack.name)
        stack.pulumi("stack", "import", stdin=exported)
        stack.preview(NOTHING)
        assert stack.outputs()["stackId"] == id_
    assert untouched.rollouts == 0


def test_a_destroy_that_was_killed_is_finished_by_the_next(new_stack: NewStack) -> None:
    stack = new_stack()
    before = everything(stack)
    stack.up()
    with stack.recorded():
        killed_when(stack, lambda: not plugins(stack), "destroy")
        assert "pulumi:index:Stash" in stack.pulumi("stack", "export"), "an up in its place knows its objects"
        stack.destroy()
    assert {item for item in everything(stack) - before if not of_charts(item)} == set()


def test_an_older_rock_without_an_option_that_stands_takes_two_steps(new_stack: NewStack) -> None:
    stack = new_stack(mode="async")
    names = {"name": f"{stack.name}-plugin"}
    newer = {**names, "version": "2.2.2-1", "rock": str(rock.make(stack.directory, version="2.2.2-1"))}
    older = {**names, "version": "2.1.2-1", "rock": str(rock.make(stack.directory, version="2.1.2-1"))}
    stack.set(plugin=newer, pluginConfig={"max_body_size_bytes": 1024})
    stack.up()

    stack.set(plugin=older, pluginConfig={})
    with pytest.raises(CommandFailed) as refusal:
        stack.preview()
    text = str(refusal.value)
    assert "max_body_size_bytes, which 2.1.2-1 does not know" in text
    assert text.index("plugin.version 2.2.2-1") < text.index("plugin.version 2.1.2-1")

    stack.set(plugin=newer)
    stack.up()
    stack.set(plugin=older)
    stack.up()
    assert stack.outputs()["rockVersion"] == "2.1.2-1"
    stack.preview(NOTHING)
