"""Medians and ratios of records."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from bench.records import COUNTED, Actor, Record, Traffic

Value = Callable[[Record], float | None]


def seconds(record: Record) -> float:
    return record.seconds


def checking(record: Record) -> float | None:
    return record.checking


def processor(record: Record) -> float:
    return record.processor_seconds


def without_checking(record: Record) -> float:
    return record.seconds - (record.checking or 0.0)


def lag(record: Record) -> float | None:
    return record.lag


@dataclass(frozen=True)
class Figures:
    """The records of one setting of the cluster."""

    records: Sequence[Record]

    def where(self, *, gateways: int, pods: int = 1, unrelated: int = 0) -> "Figures":
        wanted = (gateways, pods, unrelated)
        return Figures([item for item in self.records if (item.gateways, item.pods, item.unrelated) == wanted])

    def median(self, work: str, actor: Actor, value: Value = seconds) -> float | None:
        """The median of the timed rounds, or None if none has the value."""
        found = [value(item) for item in self._timed(work, actor)]
        return median(numbers) if (numbers := [item for item in found if item is not None]) else None

    def ratio(self, work: str, actor: Actor, to: Actor, value: Value = seconds) -> float | None:
        """The median of the ratios of the rounds: what slows a whole round does not change it."""
        others = {item.round: value(item) for item in self._timed(work, to)}
        ratios = [
            own / other
            for item in self._timed(work, actor)
            if (own := value(item)) is not None and (other := others.get(item.round))
        ]
        return median(ratios) if ratios else None

    def rounds(self, work: str, actor: Actor) -> int:
        """How many rounds were timed."""
        return len(list(self._timed(work, actor)))

    def traffic(self, work: str, actor: Actor) -> Traffic | None:
        """What the counted round counted."""
        return next((item.traffic for item in self._of(work, actor) if item.round == COUNTED), None)

    def rollouts(self, work: str, actor: Actor) -> list[int]:
        """The numbers of rollouts that occurred in a round, each once."""
        return sorted({item.rollouts for item in self._of(work, actor) if item.rollouts is not None})

    def _of(self, work: str, actor: Actor) -> Iterable[Record]:
        return (item for item in self.records if (item.work, item.actor) == (work, actor))

    def _timed(self, work: str, actor: Actor) -> Iterable[Record]:
        return (item for item in self._of(work, actor) if item.round != COUNTED)


def settings(records: Iterable[Record]) -> list[tuple[int, int, int]]:
    """Every number of gateways, pods and unrelated objects, from small to large."""
    found = {(item.gateways, item.pods, item.unrelated) for item in records}
    return sorted(found, key=lambda item: (item[2], item[1], item[0]))
