"""The life of one container: waiting, running, ready, terminated; restarted at once, then with an increasing delay.

Based on https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#container-states and
https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#restart-policy. Images are not pulled, and no signals
are sent.
"""

import datetime
from dataclasses import InitVar, dataclass, field
from typing import Any, Literal

from local.kubelet import pod_roles, readiness_probes
from local.kubelet.container_config import MissingSource
from local.kubelet.container_processes import ContainerProcess, ProcessCompleted, ProcessFailed

RETRY_SECONDS = 1.0
FIRST_BACKOFF_SECONDS = 10.0
MAX_BACKOFF_SECONDS = 300.0
RESET_SECONDS = 600.0
"""A container that ran this long is restarted as if for the first time: at once, then with the first delay."""

PROBE_UNREADY_SECONDS = 0.25
PROBE_READY_SECONDS = 1.0
MESSAGE_BYTES = 2048

Policy = Literal["Always", "OnFailure", "Never"]


@dataclass
class ContainerRun:
    """A container of a pod. `tick()` advances it, `status()` is its entry in the pod's status.

    `succeeded` is True if it has completed and is not restarted.
    """

    spec: pod_roles.Container
    process: ContainerProcess
    policy: Policy = "Always"
    init: bool = False
    ready: bool = False
    succeeded: bool = False
    restarts: int = 0
    waits_for: InitVar[str] = "ContainerCreating"
    _state: dict[str, Any] = field(default_factory=dict)
    _last: dict[str, Any] = field(default_factory=dict)
    _running_since: float | None = None
    _next_start: float = 0.0
    _next_ask: float = 0.0
    _backoff: float = 0.0
    _failures: int = 0
    _ended: bool = False
    _over: bool = False

    def __post_init__(self, waits_for: str) -> None:
        self._state = {"waiting": {"reason": waits_for}}

    def tick(self, now: float) -> None:
        """Starts the process when it is due, checks it, and runs its readiness probe."""
        if self._over:
            return
        if not pod_roles.is_pullable(str(self.spec["image"])):
            self._cannot_pull(now)
        elif self._running_since is None:
            if now >= self._next_start:
                self._start(now)
        else:
            self._watch(now)

    def stop(self) -> None:
        self.process.stop()
        self.ready = False

    def status(self) -> dict[str, Any]:
        """Returns the entry for the pod's `containerStatuses`."""
        image = str(self.spec["image"])
        return {
            "name": self.spec["name"],
            "image": image,
            "imageID": "",
            "ready": self.ready or (self.init and self.succeeded),
            "started": self._running_since is not None,
            "restartCount": self.restarts,
            "state": self._state,
            "lastState": self._last,
        }

    def _start(self, now: float) -> None:
        if self._ended:
            self.restarts += 1
            self._ended = False
        try:
            self.process.start()
        except MissingSource as problem:
            self._state = {"waiting": {"reason": problem.reason, "message": str(problem)}}
            self._next_start = now + RETRY_SECONDS
            return
        except ProcessFailed as problem:
            self._crashed(str(problem), now)
            return
        except ProcessCompleted:
            self._completed(now)
            return
        self._running_since = now
        self._state = {"running": {"startedAt": timestamp()}}
        self._failures, self._next_ask = 0, now

    def _watch(self, now: float) -> None:
        try:
            self.process.check()
        except ProcessFailed as problem:
            if self._running_since is not None and now - self._running_since > RESET_SECONDS:
                self._backoff = 0.0
            self._crashed(str(problem), now)
            return
        except ProcessCompleted:
            self._completed(now)
            return
        if now < self._next_ask:
            return
        if readiness_probes.passes(self.spec, self.process.endpoints):
            self.ready, self._failures = True, 0
        else:
            self._failures += 1
            threshold = (self.spec.get("readinessProbe") or {}).get("failureThreshold", 3)
            self.ready = self.ready and self._failures < threshold
        self._next_ask = now + (PROBE_READY_SECONDS if self.ready else PROBE_UNREADY_SECONDS)

    def _completed(self, now: float) -> None:
        self._end({"exitCode": 0, "reason": "Completed"}, now, over=self.policy != "Always")
        self.succeeded = self._over

    def _crashed(self, message: str, now: float) -> None:
        ended = {"exitCode": 1, "reason": "Error", "message": message[-MESSAGE_BYTES:]}
        self._end(ended, now, over=self.policy == "Never")

    def _end(self, ended: dict[str, Any], now: float, *, over: bool) -> None:
        self.process.stop()
        self.ready, self._running_since, self._ended, self._over = False, None, True, over
        moment = timestamp()
        terminated = {"terminated": {**ended, "startedAt": moment, "finishedAt": moment}}
        if over:
            self._state = terminated
            return
        self._last = terminated
        if not self._backoff:
            self._backoff = FIRST_BACKOFF_SECONDS
            self._start(now)
            return
        self._next_start = now + self._backoff
        text = f"back-off {self._backoff:.0f}s restarting failed container={self.spec['name']}"
        self._state = {"waiting": {"reason": "CrashLoopBackOff", "message": text}}
        self._backoff = min(2 * self._backoff, MAX_BACKOFF_SECONDS)

    def _cannot_pull(self, now: float) -> None:
        """Shows ErrImagePull first and ImagePullBackOff later, as a kubelet does."""
        image = str(self.spec["image"])
        host = image.split("/")[0].split(":")[0]
        if not self._next_start:
            message = (
                f'failed to pull and unpack image "{image}": failed to resolve reference "{image}": '
                f"dial tcp: lookup {host}: no such host"
            )
            self._state = {"waiting": {"reason": "ErrImagePull", "message": message}}
            self._next_start = now + FIRST_BACKOFF_SECONDS
        elif now >= self._next_start:
            message = f'Back-off pulling image "{image}": ErrImagePull: lookup {host}: no such host'
            self._state = {"waiting": {"reason": "ImagePullBackOff", "message": message}}


def timestamp() -> str:
    """Returns the current time in the format of Kubernetes."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
