"""What was measured: one record for each command or operation of each round, as lines of JSON in a file."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

Actor = Literal["empty", "configmap", "program", "manual"]
"""An empty Pulumi program, one with a single ConfigMap, this program, and the manual's steps."""

COUNTED = 0
"""The first round also warms caches. It counts requests, bytes and memory, which takes time: its times are not used."""


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """What a command did with the API server, and the memory of its processes. Requests are by verb."""

    requests: dict[str, int] = field(default_factory=dict)
    received_bytes: int = 0
    sent_bytes: int = 0
    peak_bytes: int = 0


@dataclass(frozen=True, kw_only=True)
class Record:
    """`checking` is the part of `seconds` in which the gateway was verified; `lag` the longest time from the end of a
    rollout to the end of the step that waited for it. `gateways` is their number in the cluster, `pods` the number of
    pods of the measured gateway, `unrelated` the number of pods, of ConfigMaps and of Secrets beside them.
    """

    work: str
    actor: Actor
    round: int
    seconds: float
    processor_seconds: float = 0.0
    gateways: int = 1
    pods: int = 1
    unrelated: int = 0
    checking: float | None = None
    lag: float | None = None
    rollouts: int | None = None
    traffic: Traffic | None = None


def append(file: Path, record: Record) -> None:
    with file.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(asdict(record)) + "\n")


def header(machine: Mapping[str, str]) -> str:
    """The first line of a file of records: the machine that they are from."""
    return json.dumps(dict(machine)) + "\n"


def read(file: Path) -> tuple[dict[str, str], list[Record]]:
    """The machine and the records."""
    first, *lines = file.read_text(encoding="utf-8").splitlines()
    return json.loads(first), [_record(json.loads(line)) for line in lines]


def _record(document: dict[str, Any]) -> Record:
    traffic = document.pop("traffic")
    return Record(**document, traffic=Traffic(**traffic) if traffic else None)
