"""The generated part of docs/performance.md, and docs/performance.svg."""

from pathlib import Path

from bench import bar_chart, records, tables
from bench.bar_chart import Bar, Group
from bench.figures import Figures, checking
from bench.records import Actor
from bench.works import CHANGES, NOTHING_TO_DO, VERIFY

START, END = "<!-- figures: `make bench` writes this part -->", "<!-- end of the figures -->"

SERIES: dict[Actor, str] = {
    "empty": "empty program",
    "configmap": "one ConfigMap",
    "program": "this program",
    "manual": "manual's steps",
}
COLORS = {
    "empty program": "#999999",
    "one ConfigMap": "#555555",
    "this program": "#1f6feb",
    "manual's steps": "#d1761a",
}


def write(folder: Path, results: Path) -> None:
    """Writes the figures of a file of records into the page, and the picture beside it."""
    machine, found = records.read(results)
    page = folder / "performance.md"
    page.write_text(with_figures(page.read_text(encoding="utf-8"), tables.figures(machine, found)), encoding="utf-8")
    (folder / "performance.svg").write_text(picture(Figures(found)), encoding="utf-8")


def with_figures(page: str, text: str) -> str:
    """The page with `text` between its markers."""
    before, rest = page.split(START)
    _, after = rest.split(END)
    return f"{before}{START}\n\n{text}\n{END}{after}"


def picture(found: Figures) -> str:
    """The bars of everything that was measured with one gateway of one pod in the cluster."""
    alone = found.where(gateways=1)
    groups = []
    for work in (*NOTHING_TO_DO, *CHANGES):
        bars = [
            Bar(series=name, seconds=time, light=(alone.median(work, actor, checking) or 0.0))
            for actor, name in SERIES.items()
            if (time := alone.median(work, actor)) is not None
        ]
        # verify.py does nothing but verify.
        if work != VERIFY and bars:
            groups.append(Group(label=work.replace("`", ""), bars=bars))
    return bar_chart.svg("One gateway: seconds, medians", groups, COLORS, light="of that, looking at Kong")
