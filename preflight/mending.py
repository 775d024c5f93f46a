"""Brings a release that an interrupted operation left back to where Helm can go on, with the `helm` command line tool.

The tool, because the Python client knows nothing of charts. It is pointed at the cluster that everything else goes to.
Runs in an `up` only. Leaves out what is dead, and why (releases.py).
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from kube import ApiError, Kube, Unreachable
from preflight.finding import DeadRelease, Finding
from preflight.looks import labels_of, secrets

GRACE_SECONDS = 30
"""What helm is given beyond its own time, so that it can say itself that this is over."""

_ELSEWHERE = ("HELM_KUBE", "HELM_NAMESPACE", "HELM_DRIVER")
"""Variables that would send helm to another cluster, or to another place for its releases (`helm env`)."""


def mend(api: Kube, dead: DeadRelease, *, kubeconfig: str | None, context: str | None) -> Finding | None:
    """Rolls back or removes; None where Helm can go on now, else what stands in the way.

    `kubeconfig` and `context` are as for `kube.connect()`. Raises nothing.
    """
    try:
        return _mend(api, dead, kubeconfig, context)
    except (ApiError, Unreachable, OSError) as problem:
        return _not_mended(dead, str(problem))


def _mend(api: Kube, dead: DeadRelease, kubeconfig: str | None, context: str | None) -> Finding | None:
    # The operation may have gone on after the engine was killed, and have ended since.
    if _status(api, dead) != (dead.revision, dead.status):
        return None
    helm = shutil.which("helm")
    if helm is None:
        return Finding(
            subject=dead.subject,
            wrong=f"was left {dead.status} by an operation that was interrupted, so Helm refuses every further one, "
            "and helm is not on PATH to mend it",
            mend=f"`{dead.command}` where helm is (https://helm.sh/docs/intro/install/), then again",
        )
    timeout = dead.timeout_seconds + GRACE_SECONDS
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
            said = done.stderr.strip() if done.returncode else ""
        except subprocess.TimeoutExpired:
            said = f"no answer within {timeout} seconds"
    after = _status(api, dead)
    if not said and (after is None if dead.restore is None else after is not None and after[1] == "deployed"):
        return None
    return _not_mended(dead, said[-500:] or f"it is {after[1] if after else 'gone'} now")


def _not_mended(dead: DeadRelease, why: str) -> Finding:
    return Finding(
        subject=dead.subject,
        wrong=f"was left {dead.status} by an operation that was interrupted, and `{dead.command}` did not mend it: "
        f"{why}",
        mend=f"`helm history {dead.name} --namespace {dead.namespace}`, mend it by hand, then again",
    )


def _status(api: Kube, dead: DeadRelease) -> tuple[int, str] | None:
    """The newest revision and its status; None where no release is left."""
    found = api.list(secrets(dead.namespace), metadata_only=True, labelSelector=f"owner=helm,name={dead.name}")
    return max(
        ((int(labels_of(item).get("version", "0")), labels_of(item).get("status", "")) for item in found),
        default=None,
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
