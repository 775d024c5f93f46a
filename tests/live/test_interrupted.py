"""The user's own program after a run that was killed, and before a change that takes two steps."""

import subprocess
import time
from collections.abc import Callable

import pytest

from local import rock
from tests.live.sessions import end_session
from tests.live.stack import CommandFailed, LiveStack

NOTHING = "--expect-no-changes"
DEADLINE_SECONDS = 90
NewStack = Callable[..., LiveStack]


def killed_when(stack: LiveStack, status: str) -> None:
    """Runs `pulumi up`, and kills it and all that it started when the gateway's release is in this state."""
    process = subprocess.Popen(
        ["pulumi", "up", "--yes", "--skip-preview"],
        cwd=stack.directory,
        env=stack.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    selector = f"owner=helm,name={stack.name},status={status}"
    try:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not stack.objects("secrets", "--namespace", stack.kong_namespace, "--selector", selector):
            assert process.poll() is None, "the run has ended"
            assert time.monotonic() < deadline, f"the release never was {status}"
    finally:
        process.kill()
        process.wait()
        end_session(process.pid)
    stack.pulumi("cancel", "--yes")


def test_a_run_that_was_killed_in_helm_is_finished_by_the_next(new_stack: NewStack) -> None:
    stack = new_stack(mode="async")
    killed_when(stack, "pending-install")
    assert "helm uninstall" in stack.preview()
    stack.up()
    stack.preview(NOTHING)

    stack.set(kongValues={"proxy": {"type": "NodePort"}, "env": {"log_level": "debug"}})
    killed_when(stack, "pending-upgrade")
    assert "helm rollback" in stack.preview()
    stack.up()
    stack.preview(NOTHING)


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
