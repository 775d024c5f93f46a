"""Records every change of a gateway's objects with watches, which miss nothing, unlike polling.

    with Recorder(kubeconfig, namespace) as history:
        ...
    for event in history.events: ...

At the end it waits, one to three seconds, until every event so far is recorded, and compares the result with the
objects in the cluster. It raises Gap where it may have missed an event.
"""

import time
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.recorder.history import History
from tests.recorder.watch_stream import PATIENCE_SECONDS, Api, Gap, Reads, Refused, Stream

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
    """Watches these namespaces, which may not exist yet, and the cluster's KongClusterPlugins."""

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
            # An error inside the block is worth more than a gap in its recording.
            if problem is None:
                for stream, listed in [(stream, stream.list()) for stream in self._streams]:
                    stream.drain(listed)
        finally:
            self._stop()

    def _stop(self) -> None:
        for stream in self._streams:
            stream.stop()


class LateStream(Stream):
    """A stream of a kind whose CRD may not exist yet, such as the plugin's before Kong's chart is installed.

    Until the CRD is established it watches CRDs. No watch covers the moment between that and the first list: the
    server sends a kind's events from its own first list on. An object that was created in that moment is in the
    list; one that was changed in it is a Gap.
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

    def list(self) -> dict[str, Any]:
        if self.path == CRDS and self._is_served():
            deadline = time.monotonic() + PATIENCE_SECONDS
            while self.path == CRDS:
                if self.failure or time.monotonic() > deadline:
                    raise Gap(f"{self._crd} is served, and not watched: {self.failure}") from self.failure
                time.sleep(0.02)
        return super().list()

    def drain(self, listed: dict[str, Any]) -> None:
        # CRDs are watched, not recorded: there is nothing to compare.
        super().drain(listed if listed["kind"] == f"{self.kind}List" else {**listed, "items": []})

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
                # The CRD is established, and the server takes a moment until it serves the kind.
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
