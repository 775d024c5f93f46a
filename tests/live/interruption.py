"""Kills commands of a stack at a chosen moment, and pauses Helm so that the moment lasts."""

import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.live.commands import kill_session
from tests.live.stack import LiveStack

DEADLINE_SECONDS = 90
WEBHOOK_TIMEOUT_SECONDS = 30
"""The longest that an API server waits for a webhook; then it refuses the write."""


def kill_when(stack: LiveStack, condition: Callable[[], bool], command: str = "up") -> None:
    """Runs `pulumi up` (or another command), kills it with all its processes once `condition` holds, and unlocks
    the stack."""
    output = stack.directory / "killed.log"
    with output.open("w") as log:
        process = subprocess.Popen(
            ["pulumi", command, "--yes", "--skip-preview"],
            cwd=stack.directory,
            env=stack.environment(),
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not condition():
            assert process.poll() is None, f"{command} ended before the condition was true:\n{output.read_text()}"
            assert time.monotonic() < deadline, f"the condition was not true within {DEADLINE_SECONDS} s"
    finally:
        process.kill()
        process.wait()
        kill_session(process.pid)
    stack.pulumi("cancel", "--yes")


def release_has_status(stack: LiveStack, status: str) -> Callable[[], bool]:
    """A condition: Kong's Helm release has a revision with this status."""
    selector = f"owner=helm,name={stack.name},status={status}"
    return lambda: bool(stack.objects("secrets", "--namespace", stack.kong_namespace, "--selector", selector))


@contextmanager
def helm_paused_before_completion(stack: LiveStack) -> Iterator[None]:
    """Pauses Helm's operations on Kong while they are `pending-install` or `pending-upgrade`.

    Helm creates the Secret of the new revision, does its work, and then updates the Secrets. The API server asks a
    webhook before it writes that update, and this webhook accepts the connection and never answers.
    """
    with socket.create_server(("127.0.0.1", 0)) as silent:
        name = f"{stack.name}-paused"
        rule = {"apiGroups": [""], "apiVersions": ["v1"], "resources": ["secrets"], "operations": ["UPDATE"]}
        stack.apply(
            {
                "apiVersion": "admissionregistration.k8s.io/v1",
                "kind": "ValidatingWebhookConfiguration",
                "metadata": {"name": name},
                "webhooks": [
                    {
                        "name": "paused.live-tests.example.com",
                        "clientConfig": {"url": f"https://127.0.0.1:{silent.getsockname()[1]}/"},
                        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": stack.kong_namespace}},
                        "objectSelector": {"matchLabels": {"owner": "helm"}},
                        "rules": [rule],
                        "failurePolicy": "Fail",
                        "timeoutSeconds": WEBHOOK_TIMEOUT_SECONDS,
                        "sideEffects": "None",
                        "admissionReviewVersions": ["v1"],
                    }
                ],
            }
        )
        try:
            yield
        finally:
            stack.kubectl("delete", "validatingwebhookconfiguration", name)
