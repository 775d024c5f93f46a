"""Records what happens to a gateway while something is done to it: a watch of every kind that matters, not a poll.

    with Recorder(kubeconfig, namespace) as history:
        ...
    for event in history.events: ...

On the way out it waits, one to three seconds, until everything that has happened is recorded, and compares with what
stands then; whatever could have been missed is a Gap.
"""

import time
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.live.history import History
from tests.live.watching import PATIENCE_SECONDS, Api, Gap, Reads, Refused, Stream

NAMESPACED = {
    "ConfigMap": "/api/v1/namespaces/{}/configmaps",
    "Deployment": "/apis/apps/v1/namespaces/{}/deployments",
    "Pod": "/api/v1/namespaces/{}/pods",
    "ReplicaSet": "/apis/apps/v1/namespaces/{}/replicasets",
}
PLUGIN_KIND = "KongClusterPlugin"
PLUGINS = "/apis/configuration.konghq.com/v1/kongclusterplugins"
PLUGIN_CRD = "kongclusterplugins.configuration.konghq.com"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


class Recorder:
    """Watches these namespaces, which need not exist yet, and the cluster's KongClusterPlugins."""

    def __init__(self, kubeconfig: Path, *namespaces: str, api: Reads | None = None) -> None:
        self.history = History()
        api = api or Api(kubeconfig)
        self._streams = [
            Stream(api, self.history, kind=kind, path=path.format(namespace), namespace=namespace)
            for namespace in namespaces
            for kind, path in NAMESPACED.items()
        ]
        self._streams.append(LateStream(api, self.history, kind=PLUGIN_KIND, path=PLUGINS, crd=PLUGIN_CRD))

    def __enter__(self) -> History:
        try:
            self.history.start = max([stream.start() for stream in self._streams])
        except BaseException:
            self._stop()
            raise
        return self.history

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            # What went wrong inside is the better story than a recording of it.
            if problem is None:
                for stream, stands in [(stream, stream.look()) for stream in self._streams]:
                    stream.drain(stands)
        finally:
            self._stop()

    def _stop(self) -> None:
        for stream in self._streams:
            stream.stop()


class LateStream(Stream):
    """A kind that may not be there yet, as the plugins' before Kong's chart: until it is, its CRD is waited for.

    Between the CRD's first day and the first list there is a moment that no watch reaches back to: the server tells
    a kind's events from its own first list on. What was made in it is seen by the list, what was changed in it is a
    Gap.
    """

    def __init__(self, api: Reads, history: History, *, kind: str, path: str, crd: str) -> None:
        super().__init__(api, history, kind=kind, path=path)
        self._late_path = path
        self._crd = crd

    def start(self) -> int:
        try:
            return super().start()
        except Refused as problem:
            if problem.code != 404:
                raise
        self.path = CRDS
        self.reached = int(self.api.list(CRDS)["metadata"]["resourceVersion"])
        self.begin()
        return self.reached

    def work(self) -> None:
        if self.path == CRDS:
            self._await_kind()
        super().work()

    def look(self) -> dict[str, Any]:
        if self.path == CRDS and self._is_served():
            deadline = time.monotonic() + PATIENCE_SECONDS
            while self.path == CRDS:
                if self.failure or time.monotonic() > deadline:
                    raise Gap(f"{self._crd} is served, and not watched: {self.failure}") from self.failure
                time.sleep(0.02)
        return super().look()

    def drain(self, stands: dict[str, Any]) -> None:
        # CRDs are followed, not recorded: there is nothing to compare.
        super().drain(stands if stands["kind"] == f"{self.kind}List" else {**stands, "items": []})

    def _await_kind(self) -> None:
        if not self._is_served():
            for event in self.follow():
                if self._serves(event["object"]):
                    break
            else:
                return
        listed = self._first_list()
        for item in listed["items"]:
            if item["metadata"]["generation"] != 1:
                raise Gap(f"{item['metadata']['name']} was changed before its kind could be watched")
            self.take("ADDED", item)
        self.reached = int(listed["metadata"]["resourceVersion"])
        self.path = self._late_path

    def _first_list(self) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return self.api.list(self._late_path)
            except Refused as problem:
                # Established, and yet not served: the server takes a moment to follow its own word.
                if problem.code != 404 or time.monotonic() > deadline:
                    raise
                time.sleep(0.02)

    def _is_served(self) -> bool:
        return any(self._serves(item) for item in self.api.list(CRDS)["items"])

    def _serves(self, crd: dict[str, Any]) -> bool:
        conditions = crd.get("status", {}).get("conditions") or []
        return crd["metadata"]["name"] == self._crd and any(
            item["type"] == "Established" and item["status"] == "True" for item in conditions
        )
