"""The tables of the figures, as Markdown."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from bench.figures import Figures, checking, lag, processor, seconds, settings, without_checking
from bench.records import Actor, Record, Traffic
from bench.works import CHANGES, DESTROY, INSTALL, NOTHING_TO_DO, PREVIEW, UP, VERIFY

NOTHING_TO_DO_GOAL = 1.5
CHANGES_GOAL = 1.0
LAG_GOAL = 1.0

NAMES: dict[Actor, str] = {
    "empty": "an empty program",
    "configmap": "one ConfigMap",
    "program": "this program",
    "manual": "the manual's steps",
}
NONE = "-"
PICTURE = "![Seconds of each operation, as bars](performance.svg)"


def figures(machine: Mapping[str, str], records: Sequence[Record]) -> str:
    """All tables, with what they were measured on."""
    found = Figures(records)
    parts = [
        _origin(machine, found.where(gateways=1).rounds(PREVIEW, "program")),
        PICTURE,
        "### Nothing to do",
        nothing_to_do(found.where(gateways=1)),
        "### Changes",
        changes(found, settings(item for item in records if item.work in CHANGES)),
        "### Requests, bytes and memory",
        counts(found.where(gateways=1)),
        "### Growth",
        growth(found, settings(item for item in records if item.work in NOTHING_TO_DO)),
    ]
    return "\n\n".join(parts) + "\n"


def nothing_to_do(found: Figures) -> str:
    rows = []
    for work in NOTHING_TO_DO:
        for actor in NAMES:
            time = found.median(work, actor)
            if time is not None:
                ratio = found.ratio(work, actor, "empty") if work != VERIFY else None
                goal = _goal(ratio, NOTHING_TO_DO_GOAL) if actor == "program" else NONE
                verified = _seconds(found.median(work, actor, checking))
                used = _seconds(found.median(work, actor, processor))
                rows.append([work, NAMES[actor], _seconds(time), verified, _number(ratio), goal, used])
    header = ["command", "of", "time", "of that, verification", "ratio to the empty program", "goal", "processor time"]
    return _table(header, rows)


def changes(found: Figures, wanted: Iterable[tuple[int, int, int]]) -> str:
    """Program and manual's steps beside each other; the ratio is that without the verification and the look at Kong."""
    rows = []
    for gateways, pods, unrelated in wanted:
        setting = found.where(gateways=gateways, pods=pods, unrelated=unrelated)
        for work in CHANGES:
            ratio = setting.ratio(work, "program", "manual", without_checking)
            if setting.median(work, "program") is None:
                continue
            rows.append(
                [
                    work,
                    str(gateways),
                    f"{unrelated:,}",
                    str(setting.rounds(work, "program")),
                    *(_seconds(setting.median(work, actor, value)) for actor, value in _TIMES),
                    _goal(ratio, CHANGES_GOAL) if work in (INSTALL, DESTROY) else _number(ratio),
                    " / ".join(_seconds(setting.median(work, actor, processor)) for actor in _PAIR),
                    " / ".join(_rollouts(setting.rollouts(work, actor)) for actor in _PAIR),
                    _lag(setting.median(work, "program", lag), goal=LAG_GOAL),
                    _lag(setting.median(work, "manual", lag)),
                ]
            )
    header = [
        "operation",
        "gateways in the cluster",
        "unrelated objects",
        "rounds",
        "this program",
        "of that, verification",
    ]
    header += [
        "the manual's steps",
        "of that, looking at Kong",
        "ratio without both; goal",
        "processor time, program / manual",
    ]
    header += [
        "rollouts, program / manual",
    ]
    header += ["rollout's end seen after; goal", "the same, manual"]
    return _table(header, rows)


def counts(found: Figures) -> str:
    """One row for each command: requests by verb, bytes, peak memory."""
    counted = [
        (work, actor, traffic)
        for work in (*NOTHING_TO_DO, *CHANGES)
        for actor in NAMES
        if (traffic := found.traffic(work, actor))
    ]
    verbs = sorted({verb for _, _, traffic in counted for verb in traffic.requests})
    rows = [
        [
            work,
            NAMES[actor],
            str(requests(traffic)),
            *(str(traffic.requests.get(verb, 0)) for verb in verbs),
            *_sizes(traffic),
        ]
        for work, actor, traffic in counted
    ]
    return _table(["command", "of", "requests", *verbs, "received", "sent", "peak memory"], rows)


def growth(found: Figures, wanted: Iterable[tuple[int, int, int]]) -> str:
    """Preview, `up` and verify.py in clusters and on gateways of different sizes."""
    rows = []
    for gateways, pods, unrelated in wanted:
        setting = found.where(gateways=gateways, pods=pods, unrelated=unrelated)
        row = [str(gateways), str(pods), f"{unrelated:,}", str(setting.rounds(PREVIEW, "program"))]
        for work in NOTHING_TO_DO:
            traffic = setting.traffic(work, "program")
            row += [
                f"{_seconds(setting.median(work, 'program'))} ({_seconds(setting.median(work, 'program', processor))})"
            ]
            if work != VERIFY:
                row += [_number(setting.ratio(work, "program", "empty"))]
            row += [f"{requests(traffic)}, {_kib(traffic.received_bytes)}" if traffic else NONE]
        rows.append(row)
    header = ["gateways", "pods of the gateway", "unrelated objects", "rounds"]
    for work in (PREVIEW, UP):
        header += [work.removesuffix(", nothing to do"), "ratio to the empty program", "requests, received"]
    return _table([*header, VERIFY, "requests, received"], rows)


def requests(traffic: Traffic) -> int:
    return sum(traffic.requests.values())


_PAIR: tuple[Actor, Actor] = ("program", "manual")
_TIMES: tuple[tuple[Actor, Callable[[Record], float | None]], ...] = (
    ("program", seconds),
    ("program", checking),
    ("manual", seconds),
    ("manual", checking),
)


def _origin(machine: Mapping[str, str], rounds: int) -> str:
    provider = (
        "the official kubernetes plugin" if machine["provider"] == "official" else "the stand-in kubernetes plugin"
    )
    return (
        f"Measured on {machine['date']} at commit {machine['commit']}, with {machine['cores']} cores,\n"
        f"{machine['memory']} of memory, Python {machine['python']} and {provider}.\n"
        f"Times and ratios are medians of {rounds} rounds, or of as many as the table says.\n"
        "Unrelated objects: so many pods, and as many ConfigMaps and Secrets, in other namespaces.\n"
        "Processor time is in parentheses where it has no column."
    )


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _goal(value: float | None, goal: float) -> str:
    if value is None:
        return NONE
    return f"{value:.2f}; at most {goal:g}: {'met' if round(value, 2) <= goal else '**not met**'}"


def _lag(value: float | None, *, goal: float | None = None) -> str:
    if value is None:
        return NONE
    if goal is None:
        return _seconds(value)
    return f"{_seconds(value)}; at most {goal:g} s: {'met' if round(value, 1) <= goal else '**not met**'}"


def _seconds(value: float | None) -> str:
    return NONE if value is None else f"{value:.1f} s"


def _number(value: float | None) -> str:
    return NONE if value is None else f"{value:.2f}"


def _rollouts(numbers: Sequence[int]) -> str:
    return " or ".join(map(str, numbers)) or NONE


def _sizes(traffic: Traffic) -> list[str]:
    return [_kib(traffic.received_bytes), _kib(traffic.sent_bytes), f"{traffic.peak_bytes / 2**20:,.0f} MiB"]


def _kib(count: int) -> str:
    return f"{count / 1024:,.0f} KiB"
