"""The events of a recording, of all kinds in one order.

Every write in a cluster gets a number from etcd, the resourceVersion. It orders events of different kinds, which come
from different watches (https://kubernetes.io/docs/reference/using-api/api-concepts/, "Resource versions").
"""

import bisect
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

EventType = Literal["LISTED", "ADDED", "MODIFIED", "DELETED"]

Name = tuple[str, str]
"""Namespace ("" without one) and name of an object."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """One change of one object.

    `type` is LISTED for an object that existed before the recording; `time` is when the recorder received the event.
    `object` is the object after the event; after DELETED it is the last state, with the deletion's resourceVersion.
    """

    time: datetime
    kind: str
    type: EventType
    object: Mapping[str, Any] = field(repr=False)

    @property
    def name(self) -> Name:
        metadata = self.object["metadata"]
        return metadata.get("namespace", ""), metadata["name"]

    @property
    def resource_version(self) -> int:
        return int(self.object["metadata"]["resourceVersion"])


class World:
    """The objects that exist at one moment, by kind and name."""

    def __init__(self) -> None:
        self._kinds: dict[str, dict[Name, Mapping[str, Any]]] = {}

    def apply(self, event: Event) -> None:
        objects = self._kinds.setdefault(event.kind, {})
        if event.type == "DELETED":
            objects.pop(event.name, None)
        else:
            objects[event.name] = event.object

    def all(self, kind: str) -> Mapping[Name, Mapping[str, Any]]:
        return self._kinds.get(kind, {})


class History:
    """Events in order; several threads may add to it.

    `start` is the resourceVersion from which the history is complete. The kinds are listed one after the other, so
    before `start` it has a newer state of one kind than of another, and that combination may never have existed.
    """

    def __init__(self) -> None:
        self.start = 0
        self._events: list[Event] = []
        self._lock = threading.Lock()

    def add(self, event: Event) -> None:
        with self._lock:
            bisect.insort(self._events, event, key=lambda item: item.resource_version)

    @property
    def events(self) -> list[Event]:
        """All events so far, in order."""
        with self._lock:
            return list(self._events)

    def replay(self) -> Iterator[tuple[Event | None, World]]:
        """The objects at the start (with no event), and after each event since."""
        world = World()
        events = self.events
        begun = bisect.bisect_right([event.resource_version for event in events], self.start)
        for event in events[:begun]:
            world.apply(event)
        yield None, world
        for event in events[begun:]:
            world.apply(event)
            yield event, world

    def versions(self, kind: str, namespace: str, until: int) -> dict[Name, int]:
        """The resourceVersion of each object of a kind that existed at `until`; `namespace` "" is all namespaces."""
        world = World()
        for event in self.events:
            if event.resource_version <= until:
                world.apply(event)
        return {
            name: int(item["metadata"]["resourceVersion"])
            for name, item in world.all(kind).items()
            if namespace in ("", name[0])
        }
