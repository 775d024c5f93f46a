"""The embedded Kubernetes cluster: a real control plane as local processes, with nodes that kwok simulates.

It is created by `kwokctl create cluster --runtime binary` (https://kwok.sigs.k8s.io/docs/user/kwokctl-manage-cluster/).
Each clone has a cluster of its own, with a name and a folder of its own.
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
from local.kubelet.kube_client import ApiError, KubeClient, Object
from local.toolchain import cache_folder

NODES = 2
READY_TIMEOUT_SECONDS = 60
REQUEST_TIMEOUT_SECONDS = 5
POLL_SECONDS = 0.1
COMMAND_TIMEOUT_SECONDS = 180
CREATE_ATTEMPTS = 3

COMPONENTS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok-controller")

API_SERVER_FLAGS = tuple(os.environ.get("TRACEABLE_KONG_API_SERVER", "").split())
"""Additional kube-apiserver flags, each `name=value` without dashes, for example to turn a feature off."""

NAME = f"traceable-kong-{hashlib.sha256(str(paths.STATE).encode()).hexdigest()[:8]}"

_FOLDER = paths.KWOK / "clusters" / NAME
_STAGES = Path(__file__).with_name("kwok_stages.yaml")

_COMPLETE = paths.KWOK / "complete"
"""Written when the cluster is complete. If it is missing or holds another layout, the cluster is recreated."""


class ClusterError(Exception):
    """The cluster cannot be started. The message is for the user."""


def ensure(*, report: Callable[[str], None] = print) -> bool:
    """Starts the cluster, which is not alive. Returns True if its objects are still there.

    If the processes of a complete cluster are gone, after a kill or a reboot, they are started again with the same
    data. A cluster that is incomplete, or that does not start again, is recreated.
    """
    started = time.monotonic()
    if _complete() and _FOLDER.exists():
        report("cluster: its processes are not running; starting them again")
        try:
            _disown_stale_pids()
            _kwokctl("stop", "cluster")
            _kwokctl("start", "cluster")
            _wait_ready()
        except ClusterError as problem:
            report(f"cluster: it does not start again ({problem}); creating a new one")
        else:
            report(f"cluster: running again after {time.monotonic() - started:.0f} s, with its previous objects")
            return True
    for left in reversed(range(CREATE_ATTEMPTS)):
        delete()
        try:
            # kwokctl chooses free ports before it uses them, so clones create their clusters one at a time.
            with _one_at_a_time():
                _create()
            break
        except ClusterError as problem:
            # Another program may have taken a port that kwokctl chose.
            if not left:
                raise
            report(f"cluster: {problem}; trying again")
    report(f"cluster: {NAME}, {NODES} nodes, ready after {time.monotonic() - started:.0f} s")
    return False


def alive() -> bool:
    """Returns True if the cluster is complete, its API server answers and its nodes are ready."""
    return _complete() and _ready_nodes() == NODES


def _complete() -> bool:
    return _COMPLETE.exists() and _COMPLETE.read_text() == _layout()


def _layout() -> str:
    """Returns a digest of the settings that require a new cluster when they change."""
    return hashlib.sha256(_STAGES.read_bytes() + "\n".join(API_SERVER_FLAGS).encode()).hexdigest()


def delete() -> None:
    """Stops the cluster's processes and removes its files, even if it is incomplete."""
    _COMPLETE.unlink(missing_ok=True)
    if _FOLDER.exists():
        _disown_stale_pids()
        try:
            _kwokctl("stop", "cluster")
            _kwokctl("delete", "cluster", "--kubeconfig", str(paths.KUBECONFIG))
        except ClusterError:
            # kwokctl may not be able to read an incomplete cluster. Its processes are known by their pid files.
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
        *("--secure-port", "--disable-qps-limits"),
        # PortForward objects make `kubectl port-forward` work for simulated pods.
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
        # A pod cannot be created before its namespace has the default service account.
        if _ready_nodes() == NODES and _get("/api/v1/namespaces/default/serviceaccounts/default"):
            return
        if len(_pids()) < len(COMPONENTS):
            raise ClusterError(f"a control plane process ended at startup; the logs are in {_FOLDER / 'logs'}")
        time.sleep(POLL_SECONDS)
    raise ClusterError(f"the cluster is not ready after {READY_TIMEOUT_SECONDS} s; the logs are in {_FOLDER / 'logs'}")


def _ready_nodes() -> int:
    nodes = _get("/api/v1/nodes").get("items", [])
    conditions = [item for node in nodes for item in node["status"].get("conditions", [])]
    return sum(item["type"] == "Ready" and item["status"] == "True" for item in conditions)


def _get(path: str) -> Object:
    """Returns the object, or an empty one if there is none or the API server does not answer."""
    try:
        return KubeClient(paths.KUBECONFIG).request("GET", path, timeout=REQUEST_TIMEOUT_SECONDS)
    except (ApiError, OSError):
        return {}


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
    """Returns the process ids of the cluster's own processes by their pid file."""
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
    """Removes pid files whose process id belongs to another program, as after a reboot."""
    own = _pids()
    for file in (_FOLDER / "pids").glob("*.pid"):
        if file not in own:
            file.unlink(missing_ok=True)


def _end(pid: int) -> None:
    try:
        os.kill(pid, 9)
    except ProcessLookupError:
        return
