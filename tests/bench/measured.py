"""Records as a run of the bench writes them."""

from typing import Any

from bench.records import COUNTED, Actor, Record, Traffic
from bench.works import DESTROY, INSTALL, PREVIEW, UP, VERIFY

MACHINE = {
    "date": "2026-01-01",
    "commit": "abc1234",
    "cores": "2",
    "memory": "24 GiB",
    "python": "3.11.7",
    "provider": "stand-in",
}


def rounds(work: str, actor: Actor, *times: float, checking: float | None = None, **rest: Any) -> list[Record]:
    """A counted round, and a timed round for each time."""
    traffic = Traffic(requests={"get": 3, "watch": 1}, received_bytes=10240, sent_bytes=1024, peak_bytes=200 << 20)
    counted = Record(work=work, actor=actor, round=COUNTED, seconds=99.0, traffic=traffic, **rest)
    timed = [
        Record(work=work, actor=actor, round=number, seconds=seconds, checking=checking, **rest)
        for number, seconds in enumerate(times, start=1)
    ]
    return [counted, *timed]


RECORDS = [
    *rounds(PREVIEW, "empty", 1.0, 2.0, 1.0),
    *rounds(PREVIEW, "program", 1.5, 3.0, 1.6),
    *rounds(UP, "empty", 1.0, 1.0, 1.0),
    *rounds(UP, "program", 2.0, 2.0, 2.0),
    *rounds(VERIFY, "program", 0.5, 0.5, 0.5),
    *rounds(INSTALL, "program", 12.0, 14.0, 13.0, checking=2.0),
    *rounds(INSTALL, "manual", 11.0, 13.0, 12.0, checking=1.0),
    *rounds(DESTROY, "program", 8.0),
    *rounds(PREVIEW, "program", 1.7, gateways=3),
    *rounds(PREVIEW, "program", 1.8, pods=50, unrelated=5000),
]
