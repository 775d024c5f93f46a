"""A watch: what it shows on a terminal, in a log and for programs, how it ends, and its exit code."""

import io
import json
import os
import re
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from tests.command_line.reports import outcome
from tests.fakes.clock import Clock
from traceable_kong.command_line import watch as watching
from traceable_kong.command_line.verify_outcome import VerifyOutcome
from traceable_kong.command_line.watch import watch
from traceable_kong.command_line.watch_displays import HEARTBEAT, Terminal, display_for, fitted

GOOD, BAD = outcome(), outcome(("gw-2", "tme"))
AWAY = VerifyOutcome(error="https://a:6443: refused", passes=True)
REFUSED = VerifyOutcome(error="the record was changed")
START = datetime(2026, 11, 28, 21, 0, tzinfo=UTC)

Run = Callable[..., tuple[int, str]]


class Screen(io.StringIO):
    """A terminal, or a log."""

    def __init__(self, *, is_terminal: bool) -> None:
        super().__init__()
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        return self._is_terminal


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Watches these outcomes, one each interval, until an interrupt. Returns the exit code and what was written."""
    clock = Clock()
    monkeypatch.setattr(watching, "time", clock)
    monkeypatch.setattr(watching, "now", lambda: START + timedelta(seconds=clock.now))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", "30")

    def watched(
        *outcomes: VerifyOutcome,
        output: str = "table",
        terminal: bool = False,
        interval: float = 10,
        **environment: str,
    ) -> tuple[int, str]:
        left = list(outcomes)

        def observe() -> VerifyOutcome:
            if not left:
                raise KeyboardInterrupt
            return left.pop(0)

        screen = Screen(is_terminal=terminal)
        display = display_for(output, interval=interval, stream=screen, environment={"TERM": "xterm", **environment})
        code = watch(observe, display, interval=interval)
        assert not left or code == 2, "it ended early"
        return code, screen.getvalue()

    return watched


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [
        ([GOOD], 0),
        ([BAD, GOOD], 0),
        ([GOOD, BAD], 1),
        ([GOOD, AWAY], 2),
        ([GOOD, REFUSED], 2),
        ([], 2),
        ([AWAY, GOOD], 0),
    ],
)
@pytest.mark.parametrize("terminal", [False, True])
def test_the_exit_code_is_that_of_the_last_observation(
    run: Run, outcomes: list[VerifyOutcome], code: int, terminal: bool
) -> None:
    assert run(*outcomes, terminal=terminal)[0] == code


def test_an_error_at_the_start_that_stays_ends_the_watch(run: Run) -> None:
    code, text = run(REFUSED, GOOD)
    assert code == 2 and "the record was changed" in text and "protected" not in text


def test_a_log_has_a_line_for_each_change(run: Run) -> None:
    _, text = run(GOOD, GOOD, BAD, BAD, AWAY, AWAY, GOOD)
    assert text == (
        "2026-11-28T21:00:00Z gw/edge-kong: protected.\n"
        "2026-11-28T21:00:20Z gw/edge-kong: NOT AS CONFIGURED. Failed: gw-2: tme.\n"
        "2026-11-28T21:00:20Z   gw-2: tme: expected: good tme; found: bad tme; fix: `kubectl get tme`\n"
        "2026-11-28T21:00:40Z Not observed: https://a:6443: refused.\n"
        "2026-11-28T21:00:40Z Trying again every 10 s.\n"
        "2026-11-28T21:01:00Z gw/edge-kong: protected.\n"
        "2026-11-28T21:01:00Z   gw-2: tme: no longer fails\n"
        "2026-11-28T21:01:00Z Ended after 1 min 0 s: 7 observations, 2 of them not as configured, "
        "2 of them not observed, or not completely. Exit code 0.\n"
    )


def test_a_log_shows_now_and_then_that_the_watch_is_alive(run: Run) -> None:
    _, text = run(*[GOOD] * 5, interval=HEARTBEAT.total_seconds() / 2)
    assert [line.split("Z ")[1].split(":")[0] for line in text.splitlines()] == [
        "gw/edge-kong",
        "Unchanged",
        "Unchanged",
        "Ended after 10 min 0 s",
    ]
    assert "protected since 2026-11-28T21:00:00Z (5 min 0 s). 3 observations." in text


@pytest.mark.parametrize("environment", [{}, {"TERM": "dumb"}])
def test_a_log_has_no_escape_codes(run: Run, environment: dict[str, str]) -> None:
    assert "\x1b" not in run(GOOD, BAD, AWAY, terminal=bool(environment), **environment)[1]


def test_a_terminal_is_redrawn_in_place(run: Run) -> None:
    _, text = run(GOOD, BAD, terminal=True, NO_COLOR="1")
    first, second, last = re.split(r"\x1b\[\d+F\x1b\[J", text)
    heights = [int(found) for found in re.findall(r"\x1b\[(\d+)F", text)]
    assert heights == [first.count("\n"), second.count("\n")], "each frame replaces the one before, and no more"
    assert "protected" in first and "gw-2  ok     ok     FAILED  ok" in second
    assert "\x1b" not in first + second + last and "`kubectl get tme`" in last and "Exit code 1" in last


def test_colors(run: Run) -> None:
    assert "\x1b[32m" in run(GOOD, terminal=True)[1] and "\x1b[31m" in run(BAD, terminal=True)[1]
    assert not re.search(r"\x1b\[\d*m", run(GOOD, terminal=True, NO_COLOR="1")[1])
    assert re.search(r"\x1b\[\d*m", run(GOOD, terminal=True, NO_COLOR="")[1])


def test_a_terminal_shows_the_last_report_while_the_api_server_is_away(run: Run) -> None:
    _, text = run(GOOD, AWAY, terminal=True, NO_COLOR="1")
    frame = re.split(r"\x1b\[\d+F\x1b\[J", text)[1]
    assert "Not observed since 2026-11-28T21:00:10Z (0 s): https://a:6443: refused." in frame
    assert "The last report, from 2026-11-28T21:00:00Z:" in frame and "gw-1  ok" in frame


def test_a_frame_is_never_higher_or_wider_than_the_terminal(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    monkeypatch.setenv("LINES", "8")
    _, text = run(BAD, BAD, terminal=True, NO_COLOR="1")
    frame = re.split(r"\x1b\[\d+F\x1b\[J", text)[1]
    assert frame.count("\n") < 8 and frame.endswith("...\n")
    assert all(len(line) <= 20 for line in frame.splitlines())


def test_after_a_resize_the_screen_is_cleared(monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    screen = Screen(is_terminal=True)
    display = Terminal(screen, 10, colors=False)
    seen = watching.Watched(started=START, outcome=GOOD, at=START, since=START)
    seen.add(GOOD, START)
    for columns in ("80", "80", "60"):
        monkeypatch.setenv("COLUMNS", columns)
        display.show(seen)
    assert screen.getvalue().count("\x1b[2J") == 1


def test_wide_characters_have_two_columns() -> None:
    assert list(fitted("漢字kan", 4)) == ["漢字", "kan"]
    assert list(fitted("", 4)) == [""] and list(fitted("漢", 1)) == ["漢"]


def test_programs_get_a_document_for_each_change(run: Run) -> None:
    _, text = run(GOOD, GOOD, BAD, output="json", terminal=True)
    lines = [json.loads(line) for line in text.splitlines()]
    assert [(line["time"][11:19], line["exit_code"], line["changed"]) for line in lines] == [
        ("21:00:00", 0, True),
        ("21:00:20", 1, True),
    ]


@pytest.mark.parametrize("lines", [0, 2])
def test_a_reader_that_ends_is_no_error(lines: int) -> None:
    """Also where only the last line cannot be written any more."""

    class Closed(Screen):
        def flush(self) -> None:
            if self.getvalue().count("\n") > lines:
                raise BrokenPipeError

    calls = iter([BAD])

    def observe() -> VerifyOutcome:
        for found in calls:
            return found
        raise KeyboardInterrupt

    assert watch(observe, display_for("table", interval=0.01, stream=Closed(is_terminal=False)), interval=0.01) == 1


def test_an_observation_without_an_end_is_no_success(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "OBSERVATION_SECONDS", 0.05)
    screen = Screen(is_terminal=False)
    started = datetime.now(UTC)

    def observe() -> VerifyOutcome:
        if datetime.now(UTC) - started > timedelta(seconds=0.3):
            raise KeyboardInterrupt
        time.sleep(0.2)
        return GOOD

    assert watch(observe, display_for("table", interval=0.01, stream=screen), interval=0.01) == 2
    assert "no complete observation within" in screen.getvalue()


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_watch(sent: signal.Signals) -> None:
    before = signal.getsignal(signal.SIGTERM)
    screen = Screen(is_terminal=False)
    calls = 0

    def observe() -> VerifyOutcome:
        nonlocal calls
        calls += 1
        if calls == 2:
            os.kill(os.getpid(), sent)
            time.sleep(5)
        return BAD

    assert watch(observe, display_for("table", interval=0.01, stream=screen), interval=0.01) == 1
    assert screen.getvalue().endswith("Exit code 1.\n") and signal.getsignal(signal.SIGTERM) is before
