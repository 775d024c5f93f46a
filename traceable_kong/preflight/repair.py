"""Repairs a Helm release that an interrupted operation left stuck, with the `helm` command line tool.

This runs in an `up` only. release_checks.py finds what is stuck; here it is read again right before Helm is called.
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from traceable_kong.cluster.api_objects import labels_of
from traceable_kong.cluster.helm_releases import IN_PROGRESS, NewestRevision, newest_revision, serving
from traceable_kong.cluster.kubernetes_client import ApiError, Document, KubernetesClient, Unreachable
from traceable_kong.common.safe_text import kind_of, without_quoted
from traceable_kong.preflight.finding import Finding, StuckRelease

GRACE_SECONDS = 30
"""How long helm may run after its own timeout, so that it can report the timeout itself."""

INTERVAL_SECONDS = 1.0
SAY_AGAIN_SECONDS = 30.0

_ELSEWHERE = ("HELM_KUBE", "HELM_NAMESPACE", "HELM_DRIVER")
"""Variables that would point helm to another cluster or another release storage (`helm env`)."""

Say = Callable[[str], None]


def repair(
    client: KubernetesClient, stuck: StuckRelease, *, owner: str, kubeconfig: str | None, context: str | None, say: Say
) -> Finding | None:
    """Rolls the release back or uninstalls it. Returns None if Helm can continue now, or the problem.

    Waits for an operation that may still be running, and reports that to `say`. `owner` is this stack's id,
    `kubeconfig` and `context` are as for `kubeconfig.connect()`. Raises nothing.
    """
    try:
        return _repair(client, stuck, owner, kubeconfig, context, say)
    except (ApiError, Unreachable) as problem:
        return _not_repaired(stuck, str(problem))
    except OSError as problem:
        return _not_repaired(stuck, kind_of(problem))


def _repair(
    client: KubernetesClient, stuck: StuckRelease, owner: str, kubeconfig: str | None, context: str | None, say: Say
) -> Finding | None:
    found = _wait_while_it_may_run(client, stuck, say)
    # The operation may have continued after the engine was killed, and have ended since.
    if found is None or (found.revision, found.status) != (stuck.revision, stuck.status):
        return None if found is None or found.status not in IN_PROGRESS else _taken_up(stuck, found)
    if found.owner != owner:
        return Finding(
            subject=stuck.subject,
            problem="was changed by another client after preflight, and its owner is now "
            f"{found.owner or 'no stack'}. This update did not change it",
            fix=f"`{stuck.history_command}` shows its revisions",
        )
    if stuck.restore is None and (pods := serving(client, stuck.release.namespace, stuck.release.name)):
        return Finding(
            subject=stuck.subject,
            problem=f"is {stuck.status}, and {', '.join(pods)} has ready pods. A release that serves is not "
            "uninstalled",
            fix=f"Run `pulumi up` again. If an outage is acceptable: `{stuck.command}`",
        )
    return _run_helm(client, stuck, kubeconfig, context, say)


def _wait_while_it_may_run(client: KubernetesClient, stuck: StuckRelease, say: Say) -> NewestRevision | None:
    """The newest revision, once no operation on it can still be running; None if there is no such release.

    Helm writes the record when an operation begins and when it ends. An operation that was recorded less than its
    maximum duration ago may still be running, for example a colleague's.
    """
    said_at = -SAY_AGAIN_SECONDS
    while True:
        found = newest_revision(client, stuck.release.namespace, stuck.release.name)
        if found is None or found.status not in IN_PROGRESS:
            return found
        now = client.server_time()
        changed = _last_change(found.secret)
        ends = changed + timedelta(seconds=stuck.release.operation_seconds)
        if now >= ends:
            return found
        if time.monotonic() - said_at >= SAY_AGAIN_SECONDS:
            said_at = time.monotonic()
            say(
                f"{stuck.subject} has been {found.status} for {(now - changed).total_seconds():.0f} s, and that "
                f"operation may still be running. Waiting up to {(ends - now).total_seconds():.0f} s for it to end. If "
                f"you know that it was interrupted, run `{stuck.command}` in another terminal."
            )
        time.sleep(INTERVAL_SECONDS)


def _last_change(secret: Document) -> datetime:
    """When Helm last wrote this record: its creation, or the time in its label `modifiedAt` (Unix time, Helm 3)."""
    created = (secret.get("metadata") or {}).get("creationTimestamp")
    times = [datetime.fromisoformat(created)] if created else []
    with suppress(KeyError, ValueError, OverflowError, OSError):
        times.append(datetime.fromtimestamp(int(labels_of(secret)["modifiedAt"]), UTC))
    return max(times, default=datetime.fromtimestamp(0, UTC))


def _run_helm(
    client: KubernetesClient, stuck: StuckRelease, kubeconfig: str | None, context: str | None, say: Say
) -> Finding | None:
    helm = shutil.which("helm")
    if helm is None:
        return Finding(
            subject=stuck.subject,
            problem=f"was left {stuck.status} by an interrupted operation, so Helm refuses every further one. The "
            "command helm, which could repair it, is not on PATH",
            fix=f"Install helm (https://helm.sh/docs/intro/install/), or run `{stuck.command}` where it is installed. "
            "Then run the command again",
        )
    timeout = stuck.release.timeout_seconds + GRACE_SECONDS
    say(f"{stuck.subject} was left {stuck.status} by an interrupted operation. Running `{stuck.command}`.")
    with _environment(kubeconfig) as environment:
        try:
            done = subprocess.run(
                [helm, *stuck.arguments, *(["--kube-context", context] if context else [])],
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=timeout,
                check=False,
            )
            said = without_quoted(done.stderr.strip()) if done.returncode else ""
        except subprocess.TimeoutExpired:
            said = f"no answer within {timeout} seconds"
    after = newest_revision(client, stuck.release.namespace, stuck.release.name)
    if not said and (after is None if stuck.restore is None else after is not None and after.status == "deployed"):
        return None
    return _not_repaired(stuck, said[-500:] or f"it is {after.status if after else 'gone'} now")


def _taken_up(stuck: StuckRelease, found: NewestRevision) -> Finding:
    return Finding(
        subject=stuck.subject,
        problem=f"was {stuck.status} at revision {stuck.revision} and is {found.status} at revision {found.revision} "
        "now: another operation has begun, so it was not changed",
        fix=f"`{stuck.history_command}` shows the operation. Run `pulumi up` again when it has ended",
    )


def _not_repaired(stuck: StuckRelease, why: str) -> Finding:
    return Finding(
        subject=stuck.subject,
        problem=f"was left {stuck.status} by an interrupted operation, and `{stuck.command}` did not repair it: {why}",
        fix=f"`{stuck.history_command}` shows its revisions. Repair it by hand, then run `pulumi up` again",
    )


@contextmanager
def _environment(kubeconfig: str | None) -> Iterator[Mapping[str, str]]:
    """Helm's environment. A kubeconfig that is text is in a private file for the duration of this context."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(_ELSEWHERE)}
    if not kubeconfig:
        yield environment
    elif "\n" in kubeconfig or kubeconfig.lstrip().startswith("{"):
        handle, path = tempfile.mkstemp(prefix="kubeconfig-")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(kubeconfig)
            yield {**environment, "KUBECONFIG": path}
        finally:
            with suppress(FileNotFoundError):
                Path(path).unlink()
    else:
        paths = [str(Path(path).expanduser()) for path in kubeconfig.split(os.pathsep)]
        yield {**environment, "KUBECONFIG": os.pathsep.join(paths)}
