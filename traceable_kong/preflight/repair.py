"""Brings a release that an interrupted operation left back to where Helm can go on, with the `helm` command line tool.

The tool, because the Python client knows nothing of charts. It is pointed at the cluster that everything else goes to.
Runs in an `up` only. What is stuck, and why, is found by releases.py; directly before Helm is called it is read again.
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

from traceable_kong.cluster.kubernetes_client import ApiError, Document, KubernetesClient, Unreachable
from traceable_kong.common.safe_text import kind_of, without_quoted
from traceable_kong.preflight.cached_reader import labels_of
from traceable_kong.preflight.finding import Finding, StuckRelease
from traceable_kong.preflight.helm_releases import IN_PROGRESS, Newest, newest_of, serving

GRACE_SECONDS = 30
"""What helm is given beyond its own time, so that it can say itself that this is over."""

INTERVAL_SECONDS = 2.0
SAY_AGAIN_SECONDS = 30.0

_ELSEWHERE = ("HELM_KUBE", "HELM_NAMESPACE", "HELM_DRIVER")
"""Variables that would send helm to another cluster, or to another place for its releases (`helm env`)."""

Say = Callable[[str], None]


def mend(
    api: KubernetesClient, dead: StuckRelease, *, kubeconfig: str | None, context: str | None, say: Say
) -> Finding | None:
    """Rolls back or removes; None where Helm can go on now, else what stands in the way.

    An operation that may still be running is waited for, and `say` is told so. `kubeconfig` and `context` are as for
    `kube.connect()`. Raises nothing.
    """
    try:
        return _mend(api, dead, kubeconfig, context, say)
    except (ApiError, Unreachable) as problem:
        return _not_mended(dead, str(problem))
    except OSError as problem:
        return _not_mended(dead, kind_of(problem))


def _mend(
    api: KubernetesClient, dead: StuckRelease, kubeconfig: str | None, context: str | None, say: Say
) -> Finding | None:
    found = _wait_while_it_may_run(api, dead, say)
    # The operation may have gone on after the engine was killed, and have ended since.
    if found is None or (found.revision, found.status) != (dead.revision, dead.status):
        return None if found is None or found.status not in IN_PROGRESS else _taken_up(dead, found)
    if found.owner != dead.owner:
        return Finding(
            subject=dead.subject,
            wrong=f"carries another mark than this stack's since it was checked ({found.owner or 'none'}), and was not "
            "touched",
            mend=f"`helm history {dead.name} --namespace {dead.namespace}` shows who changed it",
        )
    if dead.restore is None and (pods := serving(api, dead.namespace, dead.name)):
        return Finding(
            subject=dead.subject,
            wrong=f"is {dead.status}, and {', '.join(pods)} has ready pods: what serves is not uninstalled",
            mend=f"run pulumi up again; or, if it may be down, `{dead.command}`",
        )
    return _run_helm(api, dead, kubeconfig, context, say)


def _wait_while_it_may_run(api: KubernetesClient, dead: StuckRelease, say: Say) -> Newest | None:
    """The newest revision once no operation on it can still be running; None where the release is gone.

    A pending operation writes its record when it begins and when it ends, and takes no longer than its own time in
    between: one that Helm recorded less than that ago may still be running, for example a colleague's.
    """
    said_at = -SAY_AGAIN_SECONDS
    while True:
        found = newest_of(api, dead.namespace, dead.name)
        if found is None or found.status not in IN_PROGRESS:
            return found
        now = api.server_time()
        changed = _last_change(found.secret)
        ends = changed + timedelta(seconds=dead.may_run_seconds)
        if now >= ends:
            return found
        if time.monotonic() - said_at >= SAY_AGAIN_SECONDS:
            said_at = time.monotonic()
            say(
                f"{dead.subject} has been {found.status} for {(now - changed).total_seconds():.0f} s, and that "
                "operation may still be running. Waiting up to "
                f"{(ends - now).total_seconds():.0f} s for it to end. If you know that it was interrupted, "
                f"`{dead.command}` in another terminal ends the wait."
            )
        time.sleep(INTERVAL_SECONDS)


def _last_change(secret: Document) -> datetime:
    """When Helm last wrote this record: it was created then, or the label `modifiedAt` says so (Unix time, Helm 3)."""
    created = (secret.get("metadata") or {}).get("creationTimestamp")
    times = [datetime.fromisoformat(created)] if created else []
    with suppress(KeyError, ValueError, OverflowError, OSError):
        times.append(datetime.fromtimestamp(int(labels_of(secret)["modifiedAt"]), UTC))
    return max(times, default=datetime.fromtimestamp(0, UTC))


def _run_helm(
    api: KubernetesClient, dead: StuckRelease, kubeconfig: str | None, context: str | None, say: Say
) -> Finding | None:
    helm = shutil.which("helm")
    if helm is None:
        return Finding(
            subject=dead.subject,
            wrong=f"was left {dead.status} by an operation that was interrupted, so Helm refuses every further one, "
            "and helm is not on PATH to mend it",
            mend=f"`{dead.command}` where helm is (https://helm.sh/docs/intro/install/), then again",
        )
    timeout = dead.timeout_seconds + GRACE_SECONDS
    say(f"{dead.subject} was left {dead.status} by an interrupted operation. Running `{dead.command}`.")
    with _environment(kubeconfig) as environment:
        try:
            done = subprocess.run(
                [helm, *dead.arguments, *(["--kube-context", context] if context else [])],
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
    after = newest_of(api, dead.namespace, dead.name)
    if not said and (after is None if dead.restore is None else after is not None and after.status == "deployed"):
        return None
    return _not_mended(dead, said[-500:] or f"it is {after.status if after else 'gone'} now")


def _taken_up(dead: StuckRelease, found: Newest) -> Finding:
    return Finding(
        subject=dead.subject,
        wrong=f"was {dead.status} at revision {dead.revision} and is {found.status} at revision {found.revision} now: "
        "another operation has begun on it, and it was not touched",
        mend=f"`helm history {dead.name} --namespace {dead.namespace}` shows it; run pulumi up again when it has ended",
    )


def _not_mended(dead: StuckRelease, why: str) -> Finding:
    return Finding(
        subject=dead.subject,
        wrong=f"was left {dead.status} by an operation that was interrupted, and `{dead.command}` did not mend it: "
        f"{why}",
        mend=f"`helm history {dead.name} --namespace {dead.namespace}`, mend it by hand, then again",
    )


@contextmanager
def _environment(kubeconfig: str | None) -> Iterator[Mapping[str, str]]:
    """Helm's environment; a kubeconfig that is text lies in a file that only we can read, for as long as this lasts."""
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
