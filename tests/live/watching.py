"""One kind of object, watched without a gap: a list, and then every event since that list's resourceVersion.

A watch is never started from "now": where it ends it goes on from the last resourceVersion that it is known to have
reached, by an event or by a bookmark (https://kubernetes.io/docs/reference/using-api/api-concepts/, "Efficient
detection of changes"). What the server can no longer tell is a Gap, never a new list.
"""

import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import urllib3
from kubernetes import config

from tests.live.history import Event, EventType, History

WATCH_SECONDS = 3
"""How long one watch lasts. The server sends a bookmark two seconds before the end, so a drained stream is known to be
so within that time, and every recording goes on from a resourceVersion many times."""

CONNECT_SECONDS = 5
PATIENCE_SECONDS = 20
"""How long a server may be out of reach, or a stream behind, until it is a Gap."""

GONE = 410


class Gap(Exception):
    """Something may have happened that was not seen: the recording proves nothing."""


class Refused(Exception):
    """The server answered with an error; `code` is its HTTP status."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code


class Reads(Protocol):
    """The two questions of a stream. Both raise Refused, or OSError where nobody answers."""

    def list(self, path: str) -> dict[str, Any]: ...

    def watch(self, path: str, resource_version: int) -> Iterator[dict[str, Any]]: ...


class Api:
    """Reads from a cluster, with the official client's login and connections."""

    def __init__(self, kubeconfig: Path) -> None:
        self._client = config.new_client_from_config(str(kubeconfig))

    def list(self, path: str) -> dict[str, Any]:
        return dict(json.loads(self._get(path, {}).data))

    def watch(self, path: str, resource_version: int) -> Iterator[dict[str, Any]]:
        answer = self._get(
            path,
            {
                "watch": "true",
                "resourceVersion": str(resource_version),
                "allowWatchBookmarks": "true",
                "timeoutSeconds": str(WATCH_SECONDS),
            },
        )
        rest = b""
        try:
            for part in answer.stream(amt=None):
                *lines, rest = (rest + part).split(b"\n")
                yield from (json.loads(line) for line in lines)
        except urllib3.exceptions.HTTPError as problem:
            raise OSError(str(problem)) from problem
        finally:
            answer.close()

    def _get(self, path: str, query: dict[str, str]) -> Any:
        request = self._client.param_serialize(
            "GET", path, query_params=list(query.items()), auth_settings=["BearerToken"]
        )
        try:
            timeout = (CONNECT_SECONDS, WATCH_SECONDS + PATIENCE_SECONDS)
            answer = self._client.call_api(*request, _request_timeout=timeout).response
            if answer.status != 200:
                raise Refused(answer.status, answer.data.decode(errors="replace"))
        except urllib3.exceptions.HTTPError as problem:
            raise OSError(str(problem)) from problem
        return answer


class Stream:
    """All objects of one kind below one path, into a history.

    `reached` is the resourceVersion up to which everything of it is known; `failure` is what ended it early.
    """

    def __init__(self, api: Reads, history: History, *, kind: str, path: str, namespace: str = "") -> None:
        self.api = api
        self.history = history
        self.kind = kind
        self.path = path
        self.namespace = namespace
        self.reached = 0
        self.failure: Exception | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"recorder {path}", daemon=True)

    def start(self) -> int:
        """Records what is there and starts to watch. Returns the resourceVersion from which all is seen."""
        listed = self.api.list(self.path)
        for item in listed["items"]:
            self.take("LISTED", item)
        self.reached = int(listed["metadata"]["resourceVersion"])
        self.begin()
        return self.reached

    def begin(self) -> None:
        """Watches from `reached` on."""
        self._thread.start()

    def stop(self) -> None:
        """Takes nothing more. The thread ends with its watch, soon after."""
        self._stop.set()

    def look(self) -> dict[str, Any]:
        """What stands now."""
        return self.api.list(self.path)

    def drain(self, stands: dict[str, Any]) -> None:
        """Waits until everything is recorded that had happened when this was looked at. Raises Gap where it is not."""
        now = int(stands["metadata"]["resourceVersion"])
        self._wait_for(now)
        expected = {
            (item["metadata"].get("namespace", ""), item["metadata"]["name"]): int(item["metadata"]["resourceVersion"])
            for item in stands["items"]
        }
        recorded = self.history.versions(self.kind, self.namespace, now)
        if recorded != expected:
            raise Gap(f"{self.path} at {now}: {recorded} was recorded, {expected} stands")

    def take(self, event_type: EventType, item: dict[str, Any]) -> None:
        """Records one event."""
        # They are half of every object, and no rule asks who wrote what.
        item["metadata"].pop("managedFields", None)
        self.history.add(Event(time=datetime.now(UTC), kind=self.kind, type=event_type, object=item))

    def follow(self) -> Iterator[dict[str, Any]]:
        """Every event since `reached`, over as many watches as it takes. Raises Gap."""
        lost: float | None = None
        while True:
            try:
                for event in self.api.watch(self.path, self.reached):
                    lost = None
                    if event["type"] == "ERROR":
                        raise Refused(event["object"].get("code", 0), event["object"].get("message", ""))
                    version = int(event["object"]["metadata"]["resourceVersion"])
                    if event["type"] != "BOOKMARK":
                        if version <= self.reached:
                            raise Gap(f"{self.path}: {version} came after {self.reached}")
                        yield event
                    self.reached = version
            except (Refused, OSError) as problem:
                if isinstance(problem, Refused) and problem.code in (GONE, 404):
                    raise Gap(f"{self.path}: nothing can be told since {self.reached}: {problem}") from problem
                lost = lost or time.monotonic()
                if time.monotonic() - lost > PATIENCE_SECONDS:
                    raise Gap(f"{self.path}: no watch since {self.reached}: {problem}") from problem
                time.sleep(0.2)
            if self._stop.is_set():
                return

    def work(self) -> None:
        """What the thread does, until it is stopped or fails."""
        for event in self.follow():
            if self._stop.is_set():
                return
            self.take(event["type"], event["object"])

    def _wait_for(self, now: int) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.reached < now:
            if self.failure:
                raise Gap(f"{self.path}: {self.failure}") from self.failure
            if time.monotonic() > deadline:
                raise Gap(f"{self.path}: only {self.reached} of {now} was reached within {PATIENCE_SECONDS} s")
            time.sleep(0.02)

    def _run(self) -> None:
        try:
            self.work()
        except Exception as problem:
            # Whatever it is: a stream that has ended must not look like one that has nothing to tell.
            self.failure = problem
