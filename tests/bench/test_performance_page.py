"""The generated part of the page, and the picture."""

import xml.etree.ElementTree
from pathlib import Path

import pytest

from bench import bar_chart, performance_page, records, tables
from bench.bar_chart import Bar, Group
from bench.figures import Figures, settings
from bench.records import Record
from bench.works import INSTALL
from tests.bench.measured import MACHINE, RECORDS

ALONE = Figures(RECORDS).where(gateways=1)
DOCS = Path(__file__).parents[2] / "docs"


def row(text: str, *cells: str) -> list[str]:
    """The cells of the only row that begins with these."""
    (found,) = [line for line in text.splitlines() if line.startswith(f"| {' | '.join(cells)} |")]
    return [cell.strip() for cell in found.strip("|").split("|")]


def test_a_goal_is_met_or_not() -> None:
    text = tables.nothing_to_do(ALONE)
    assert row(text, "preview, nothing to do", "this program")[-2] == "1.50; at most 1.5: met"
    assert row(text, "`up`, nothing to do", "this program")[-2] == "2.00; at most 1.5: **not met**"
    assert row(tables.changes(ALONE, [(1, 1, 0)]), INSTALL, "1")[2:9] == [
        "0",
        "3",
        "13.0 s",
        "2.0 s",
        "12.0 s",
        "1.0 s",
        "1.00; at most 1: met",
    ]


def test_requests_are_counted_by_verb() -> None:
    assert row(tables.counts(ALONE), INSTALL, "this program", "4")[3:] == [
        "3",
        "1",
        "10 KiB",
        "1 KiB",
        "200 MiB",
    ]


def test_growth_has_a_row_for_each_setting() -> None:
    text = tables.growth(Figures(RECORDS), settings(RECORDS))
    assert row(text, "1", "50", "5,000")[3:7] == ["1", "1.8 s (0.0 s)", "-", "4, 10 KiB"]


def test_the_origin_says_how_many_rounds_there_were() -> None:
    assert "medians of 3 rounds" in tables.figures(MACHINE, RECORDS)


def test_every_row_has_the_cells_of_its_header() -> None:
    for table in tables.figures(MACHINE, RECORDS).split("\n\n"):
        assert len({line.count("|") for line in table.splitlines() if line.startswith("|")}) <= 1


@pytest.mark.parametrize("lag, goal", [(1.04, "met"), (1.06, "**not met**")])
def test_the_end_of_a_rollout_is_seen_within_a_second(lag: float, goal: str) -> None:
    record = Record(work=INSTALL, actor="program", round=1, seconds=5.0, lag=lag, rollouts=2)
    cells = row(tables.changes(Figures([record]), [(1, 1, 0)]), INSTALL, "1")
    assert cells[10] == "2 / -" and cells[11].endswith(f"at most 1 s: {goal}")


def test_only_the_marked_part_of_the_page_is_replaced() -> None:
    page = (DOCS / "performance.md").read_text(encoding="utf-8")
    once = performance_page.with_figures(page, "figures\n")
    assert once.startswith(page.split(performance_page.START)[0])
    assert once.endswith(page.split(performance_page.END)[1])
    assert performance_page.with_figures(once, "figures\n") == once


def test_the_picture_has_a_bar_for_each_figure() -> None:
    picture = performance_page.picture(Figures(RECORDS))
    texts = [item.text for item in xml.etree.ElementTree.fromstring(picture) if item.tag.endswith("text")]
    assert {"preview, nothing to do", INSTALL, "13.0 s", "this program"} <= set(texts)


def test_bars_are_to_scale_and_labels_are_escaped() -> None:
    groups = [Group(label="a<b", bars=[Bar(series="x", seconds=4.0, light=1.0), Bar(series="x", seconds=2.0)])]
    root = xml.etree.ElementTree.fromstring(bar_chart.svg("t", groups, {"x": "#000000"}, light="part"))
    widths = [float(item.get("width", 0)) for item in root if item.tag.endswith("rect")][3:]
    assert widths[0] == pytest.approx(3 * widths[1], abs=0.2) and widths[2] == pytest.approx(2 * widths[1], abs=0.2)


def test_records_survive_their_file(tmp_path: Path) -> None:
    file = tmp_path / "records"
    file.write_text(records.header(MACHINE))
    for record in RECORDS:
        records.append(file, record)
    assert records.read(file) == (MACHINE, RECORDS)
