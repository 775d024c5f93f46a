"""Watches a Deployment: how often it was rolled out, and when each rollout ended."""

import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any

from local.kubelet.kube_client import ApiError, KubeClient

REVISION = "deployment.kubernetes.io/revision"
START_SECONDS, DRAIN_SECONDS = 10, 0.5


class Rollouts:
    """What follows from the states of a Deployment. Those before `begin` are from before the operation."""

    def __init__(self) -> None:
        self.completions: list[float] = []
        self._begun = False
        self._revisions: tuple[set[str], set[str]] = (set(), set())
        self._completed: set[tuple[str, int]] = set()

    def begin(self) -> None:
        self._begun = True

    @property
    def count(self) -> int:
        """How often the pod template changed."""
        before, after = self._revisions
        return len(after - before)

    def take(self, now: float, deployment: dict[str, Any]) -> None:
        metadata, spec, status = deployment["metadata"], deployment["spec"], deployment.get("status", {})
        if revision := metadata.get("annotations", {}).get(REVISION):
            self._revisions[self._begun].add(f"{metadata['uid']} {revision}")
        counts = [status.get(f"{name}eplicas", 0) for name in ("r", "updatedR", "availableR")]
        generation = (metadata["uid"], metadata["generation"])
        is_complete = status.get("observedGeneration") == metadata["generation"] and set(counts) == {spec["replicas"]}
        if is_complete and generation not in self._completed:
            self._completed.add(generation)
            if self._begun:
                self.completions.append(now)


class RolloutWatch:
    """Watches while a `with` block runs. The Deployment may be created or deleted meanwhile."""

    def __init__(self, kubeconfig: Path, namespace: str, deployment: str) -> None:
        self.rollouts = Rollouts()
        self._api = KubeClient(kubeconfig)
        self._path, self._name = f"/apis/apps/v1/namespaces/{namespace}/deployments", deployment
        self._listed, self._over = threading.Event(), threading.Event()

    def __enter__(self) -> Rollouts:
        threading.Thread(target=self._watch, daemon=True).start()
        if not self._listed.wait(START_SECONDS):
            raise RuntimeError(f"{self._path} cannot be watched")
        self.rollouts.begin()
        return self.rollouts

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        time.sleep(DRAIN_SECONDS)
        self._over.set()

    def _watch(self) -> None:
        while not self._over.is_set():
            try:
                for kind, item in self._api.watch(self._path):
                    found = item["items"] if kind == "LISTED" else [item]
                    if self._over.is_set():
                        return
                    for deployment in found:
                        if deployment["metadata"]["name"] == self._name and kind != "DELETED":
                            self.rollouts.take(time.monotonic(), deployment)
                    self._listed.set()
            except ApiError:
                time.sleep(DRAIN_SECONDS)
