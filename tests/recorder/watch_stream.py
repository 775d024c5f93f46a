"""Watches one kind of object without a gap: a list, and then every event since that list's resourceVersion.

A watch that ends is continued from the last resourceVersion of an event or a bookmark, never from "now"
(https://kubernetes.io/docs/reference/using-api/api-concepts/, "Efficient detection of changes"). Where the server no
longer has the events since then, that is a Gap, and not a reason for a new list.
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

from tests.recorder.history import Event, EventType, History

WATCH_SECONDS = 3
"""How long one watch lasts. The server sends a bookmark two seconds before its end, so a stream knows within that time
that it has received everything, and every recording tests many times that a watch continues."""

CONNECT_SECONDS = 5
PATIENCE_SECONDS = 60
"""How long a server may be unreachable, or a stream behind, before that is a Gap."""

GONE = 410


class Gap(Exception):
    """The recording may lack an event, so nothing follows from it."""


class Refused(Exception):
    """The API server returned an error; `code` is its HTTP status."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code


class Reads(Protocol):
    """The two requests of a stream. Both raise Refused, or OSError where the server does not answer."""

    def list(self, path: str) -> dict[str, Any]: ...

    def watch(self, path: str, resource_version: int) -> Iterator[dict[str, Any]]: ...


class Api:
    """Reads from a cluster with the official client's authentication and connections."""

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
    """Records all objects of one kind below one path in a history.

    `reached` is the resourceVersion up to which it is complete; `failure` is the error that ended it early.
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
        """Records the existing objects and starts to watch. Returns the resourceVersion from which it is complete."""
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
        """Stops recording. The thread ends with its watch, soon after."""
        self._stop.set()

    def list(self) -> dict[str, Any]:
        """The current objects."""
        return self.api.list(self.path)

    def drain(self, listed: dict[str, Any]) -> None:
        """Waits until every event up to this list is recorded. Raises Gap where the recording differs from it."""
        now = int(listed["metadata"]["resourceVersion"])
        self._wait_for(now)
        expected = {
            (item["metadata"].get("namespace", ""), item["metadata"]["name"]): int(item["metadata"]["resourceVersion"])
            for item in listed["items"]
        }
        recorded = self.history.versions(self.kind, self.namespace, now)
        if recorded != expected:
            raise Gap(f"{self.path} at {now}: {recorded} was recorded, {expected} exists")

    def take(self, event_type: EventType, item: dict[str, Any]) -> None:
        """Records one event."""
        # managedFields are half of every object, and no promise depends on them.
        item["metadata"].pop("managedFields", None)
        self.history.add(Event(time=datetime.now(UTC), kind=self.kind, type=event_type, object=item))

    def follow(self) -> Iterator[dict[str, Any]]:
        """Every event since `reached`, from as many watches as that takes. Raises Gap."""
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
                    raise Gap(f"{self.path}: the server has no events since {self.reached}: {problem}") from problem
                lost = lost or time.monotonic()
                if time.monotonic() - lost > PATIENCE_SECONDS:
                    raise Gap(f"{self.path}: no watch since {self.reached}: {problem}") from problem
                time.sleep(0.2)
            if self._stop.is_set():
                return

    def work(self) -> None:
        """Records events until it is stopped or fails; the thread's work."""
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
            # A stream that ended with any error must not look like one without events.
            self.failure = problem
