"""The embedded Kubernetes: a real control plane as processes of this machine, nodes and kubelets simulated by kwok.

Made by `kwokctl create cluster --runtime binary` (https://kwok.sigs.k8s.io/docs/user/kwokctl-manage-cluster/), under a
name and in a folder of this clone's own. Leaves out everything that runs on it.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from local import paths
from local.toolchain import cache_folder

NODES = 2
READY_TIMEOUT_SECONDS = 60
COMMAND_TIMEOUT_SECONDS = 180
CREATE_ATTEMPTS = 3

COMPONENTS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok-controller")

API_SERVER_FLAGS = tuple(os.environ.get("TRACEABLE_KONG_API_SERVER", "").split())
"""More flags of kube-apiserver, `name=value` each, without the dashes: for a cluster that lacks what others have."""

NAME = f"traceable-kong-{hashlib.sha256(str(paths.STATE).encode()).hexdigest()[:8]}"

_FOLDER = paths.KWOK / "clusters" / NAME
_STAGES = Path(__file__).with_name("kwok_stages.yaml")

_COMPLETE = paths.KWOK / "complete"
"""Written when the cluster has been made whole; without it, or with other stages in it, it is made anew."""


class ClusterError(Exception):
    """The cluster cannot be had; the text is for the person at the terminal."""


def ensure(*, report: Callable[[str], None] = print) -> bool:
    """Makes the cluster available; True where what was in it is still there.

    A cluster whose processes are gone (killed, or the machine was restarted) is started again with what it held; one
    that was never finished, or does not come back, is made anew.
    """
    if alive():
        return True
    started = time.monotonic()
    if _complete() and _FOLDER.exists():
        report("cluster: its processes are gone; starting it again")
        try:
            _disown_stale_pids()
            _kwokctl("stop", "cluster")
            _kwokctl("start", "cluster", "--wait", f"{READY_TIMEOUT_SECONDS}s")
            _wait_ready()
        except ClusterError as problem:
            report(f"cluster: it does not come back ({problem}); making a new one")
        else:
            report(f"cluster: running again after {time.monotonic() - started:.0f} s, with what it held")
            return True
    for left in reversed(range(CREATE_ATTEMPTS)):
        delete()
        try:
            # kwokctl looks for free ports before it uses them: one cluster at a time, whosever it is.
            with _one_at_a_time():
                _create()
            break
        except ClusterError as problem:
            # Something else than a cluster of ours may have been faster.
            if not left:
                raise
            report(f"cluster: {problem}; trying again")
    report(f"cluster: {NAME}, {NODES} nodes, ready after {time.monotonic() - started:.0f} s")
    return False


def alive() -> bool:
    """True when the API server says that it is ready, the nodes are, and all of it was made to the end."""
    return _complete() and _ready_nodes() == NODES


def _complete() -> bool:
    return _COMPLETE.exists() and _COMPLETE.read_text() == _layout()


def _layout() -> str:
    """Changes with what a running cluster cannot be given afterwards."""
    return hashlib.sha256(_STAGES.read_bytes() + "\n".join(API_SERVER_FLAGS).encode()).hexdigest()


def delete() -> None:
    """Stops the cluster's processes and removes it, whatever is left of it."""
    _COMPLETE.unlink(missing_ok=True)
    if _FOLDER.exists():
        _disown_stale_pids()
        try:
            _kwokctl("stop", "cluster")
            _kwokctl("delete", "cluster", "--kubeconfig", str(paths.KUBECONFIG))
        except ClusterError:
            # Half a cluster may have no settings that kwokctl could read; its processes are known by their pids.
            for pid in _pids().values():
                _end(pid)
    shutil.rmtree(paths.KWOK, ignore_errors=True)
    paths.KUBECONFIG.unlink(missing_ok=True)


def _create() -> None:
    paths.KWOK.mkdir(parents=True, exist_ok=True)
    tools = paths.TOOLS
    _kwokctl(
        *("create", "cluster", "--runtime", "binary", "--kubeconfig", str(paths.KUBECONFIG)),
        *("--etcd-binary", str(tools / "etcd")),
        *("--kube-apiserver-binary", str(tools / "kube-apiserver")),
        *("--kube-controller-manager-binary", str(tools / "kube-controller-manager")),
        *("--kube-scheduler-binary", str(tools / "kube-scheduler")),
        *("--kwok-controller-binary", str(tools / "kwok")),
        *("--secure-port", "--disable-qps-limits", "--wait", f"{READY_TIMEOUT_SECONDS}s"),
        # With PortForward objects the gateways' pods are reached as any pod is; without them there is no way in.
        *("--config", str(_STAGES), "--enable-crds", "PortForward"),
        *(word for flag in API_SERVER_FLAGS for word in ("--extra-args", f"kube-apiserver={flag}")),
    )
    _kwokctl("scale", "node", "--replicas", str(NODES))
    _wait_ready()
    _COMPLETE.write_text(_layout())


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "cluster-lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _wait_ready() -> None:
    deadline = time.monotonic() + READY_TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        # A pod cannot be made before its namespace has the default service account.
        if _ready_nodes() == NODES and _kubectl("get", "serviceaccount", "default", "--namespace", "default"):
            return
        if len(_pids()) < len(COMPONENTS):
            raise ClusterError(f"one of its processes ended at once; the logs are in {_FOLDER / 'logs'}")
        time.sleep(0.2)
    raise ClusterError(f"the cluster is not ready after {READY_TIMEOUT_SECONDS} s; its logs are in {_FOLDER / 'logs'}")


def _ready_nodes() -> int:
    shown = _kubectl(
        *("get", "nodes", "--request-timeout", "5s", "--output"),
        'jsonpath={range .items[*]}{.status.conditions[?(@.type=="Ready")].status}{"\\n"}{end}',
    )
    return shown.split().count("True")


def _kubectl(*arguments: str) -> str:
    """What kubectl printed, nothing where it failed."""
    if not paths.KUBECONFIG.exists():
        return ""
    done = subprocess.run(
        [paths.TOOLS / "kubectl", "--kubeconfig", paths.KUBECONFIG, "--cache-dir", paths.KUBECTL_CACHE, *arguments],
        capture_output=True,
        text=True,
        timeout=COMMAND_TIMEOUT_SECONDS,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    return done.stdout if done.returncode == 0 else ""


def _kwokctl(*arguments: str) -> None:
    try:
        done = subprocess.run(
            [paths.TOOLS / "kwokctl", "--name", NAME, *arguments],
            env={**os.environ, "KWOK_WORKDIR": str(paths.KWOK), "KUBECACHEDIR": str(paths.KUBECTL_CACHE)},
            capture_output=True,
            text=True,
            timeout=COMMAND_TIMEOUT_SECONDS,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except subprocess.TimeoutExpired as problem:
        raise ClusterError(f"`kwokctl {' '.join(arguments[:2])}` took longer than {problem.timeout:.0f} s") from None
    if done.returncode != 0:
        raise ClusterError(f"`kwokctl {' '.join(arguments[:2])}` failed:\n{done.stderr[-2000:]}")


def _pids() -> dict[Path, int]:
    """The cluster's own processes, by the file that each is written in; those of other programs are left out."""
    result = {}
    for file in (_FOLDER / "pids").glob("*.pid"):
        try:
            pid = int(file.read_text())
            words = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (OSError, ValueError):
            continue
        if str(_FOLDER).encode() in words:
            result[file] = pid
    return result


def _disown_stale_pids() -> None:
    """After a restart of the machine a written process id can belong to somebody else's process: forget those."""
    own = _pids()
    for file in (_FOLDER / "pids").glob("*.pid"):
        if file not in own:
            file.unlink(missing_ok=True)


def _end(pid: int) -> None:
    try:
        os.kill(pid, 9)
    except ProcessLookupError:
        return
