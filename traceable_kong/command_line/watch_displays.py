"""How a watch is shown: a table that is redrawn on a terminal, lines in a log, and JSON lines for programs."""

import io
import json
import os
import shutil
import sys
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import TextIO

from traceable_kong.command_line.output_formats import document
from traceable_kong.command_line.verify_outcome import NOT_OBSERVED
from traceable_kong.command_line.watch import Display, Watched
from traceable_kong.common.safe_text import printable
from traceable_kong.verification.report import Check, Report

HEARTBEAT = timedelta(minutes=5)
"""How long a log is silent while nothing changes."""

RED, GREEN, YELLOW = "\x1b[31m", "\x1b[32m", "\x1b[33m"
RESET = "\x1b[0m"
COLORS = {0: GREEN, 1: RED, NOT_OBSERVED: YELLOW}


def display_for(
    output: str, *, interval: float, stream: TextIO | None = None, environment: Mapping[str, str] = os.environ
) -> Display:
    """The display for an output. A terminal without cursor movement (TERM=dumb) is a log."""
    # None where the output was closed.
    stream = stream or sys.stdout or io.StringIO()
    if output == "json":
        return JsonLines(stream)
    if not stream.isatty() or environment.get("TERM", "dumb") == "dumb":
        return LogLines(stream, interval)
    # https://no-color.org: any value but the empty one.
    return Terminal(stream, interval, colors=not environment.get("NO_COLOR"))


class Terminal:
    """One frame, which the next one replaces. At the end, the whole report stays."""

    def __init__(self, stream: TextIO, interval: float, *, colors: bool) -> None:
        self._stream = stream
        self._interval = interval
        self._colors = colors
        self._height = 0
        self._columns = 0

    def show(self, watched: Watched) -> None:
        columns, rows = shutil.get_terminal_size()
        every = f"Observed at {_clock(watched.at)}, every {self._interval:g} s. Ctrl-C ends."
        state = list(fitted(_lasting(watched), columns))
        rest = [part for line in (every, "", *_report_lines(watched)) for part in fitted(line, columns)]
        room = max(1, rows - len(state) - 1)
        if len(rest) > room:
            # A frame that is higher than the terminal cannot be replaced: its first lines have scrolled away.
            rest = [*rest[: room - 1], "..."]
        self._draw([*(self._colored(line, watched) for line in state), *rest], columns)

    def end(self, watched: Watched | None) -> None:
        if watched is None:
            self._stream.write("\nInterrupted before the first observation.\n")
            self._stream.flush()
            return
        state = self._colored(_lasting(watched), watched)
        self._draw([*_report_lines(watched), "", state, _last_line(watched)], self._columns)

    def _colored(self, line: str, watched: Watched) -> str:
        return f"{COLORS[watched.outcome.exit_code]}{line}{RESET}" if self._colors else line

    def _draw(self, lines: list[str], columns: int) -> None:
        if self._columns not in (0, columns):
            # The terminal was resized, and has broken the lines of the last frame at other places.
            self._stream.write("\x1b[2J\x1b[H")
        elif self._height:
            self._stream.write(f"\x1b[{self._height}F\x1b[J")
        self._stream.write("".join(f"{line}\n" for line in lines))
        self._stream.flush()
        self._height, self._columns = len(lines), columns


class LogLines:
    """A line for each change, and one now and then. Each has the time, and no escape codes."""

    def __init__(self, stream: TextIO, interval: float) -> None:
        self._stream = stream
        self._interval = interval
        self._written: datetime | None = None
        self._failed: dict[tuple[str, str], Check] = {}

    def show(self, watched: Watched) -> None:
        if watched.changed:
            for line in [_state(watched), *self._changes(watched.outcome.report)]:
                self._line(watched, line)
            if watched.outcome.error and watched.outcome.passes:
                self._line(watched, f"Trying again every {self._interval:g} s.")
        elif self._written and watched.at - self._written >= HEARTBEAT:
            self._line(watched, f"Unchanged: {_lasting(watched)} {watched.summary}.")

    def end(self, watched: Watched | None) -> None:
        if watched is None:
            self._stream.write("Interrupted before the first observation.\n")
        else:
            self._line(watched, _last_line(watched))
        self._stream.flush()

    def _changes(self, report: Report | None) -> Iterator[str]:
        if report is None:
            return
        failed = {(check.pod, check.name): check for check in report.failed}
        for key, check in failed.items():
            if key not in self._failed or self._failed[key].found != check.found:
                fix = f"; fix: {check.fix}" if check.fix else ""
                yield f"  {_where(report, check)}: expected: {check.expected}; found: {check.found}{fix}"
        for key, check in self._failed.items():
            if key not in failed:
                yield f"  {_where(report, check)}: no longer fails"
        yield from (f"  not checked: {reason}" for reason in report.not_checked)
        yield from (f"  warning: {warning}" for warning in report.warnings)
        self._failed = failed

    def _line(self, watched: Watched, text: str) -> None:
        self._stream.write(f"{_clock(watched.at)} {printable(text)}\n")
        self._stream.flush()
        self._written = watched.at


class JsonLines:
    """The JSON of `verify --output json` on one line, for each change and now and then."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._written: datetime | None = None

    def show(self, watched: Watched) -> None:
        if watched.changed or (self._written and watched.at - self._written >= HEARTBEAT):
            self._written = watched.at
            found = {"time": _clock(watched.at), "changed": watched.changed, **document(watched.outcome)}
            self._stream.write(f"{json.dumps(found)}\n")
            self._stream.flush()

    def end(self, watched: Watched | None) -> None:
        """Writes nothing: every line is a document of its own."""


def fitted(line: str, columns: int) -> Iterator[str]:
    """The line in parts that each fit into so many columns."""
    part, used = "", 0
    for char in line:
        width = 2 if unicodedata.east_asian_width(char) in "WF" else 1
        if used + width > columns and part:
            yield part
            part, used = "", 0
        part, used = part + char, used + width
    yield part


def _lasting(watched: Watched) -> str:
    """What is so now, and since when."""
    return _state(watched, f" since {_clock(watched.since)} ({_duration(watched.at - watched.since)})")


def _state(watched: Watched, lasted: str = "") -> str:
    report = watched.outcome.report
    if report is None:
        return printable(f"Not observed{lasted}: {watched.outcome.error.rstrip('.')}.")
    failed = ", ".join(_where(report, check) for check in report.failed)
    return printable(f"{report.name}: {report.verdict}{lasted}.{f' Failed: {failed}.' if failed else ''}")


def _report_lines(watched: Watched) -> list[str]:
    report = watched.report
    if report is None:
        return []
    old = [f"The last report, from {_clock(watched.reported)}:", ""] if watched.outcome.report is None else []
    return [*old, *report.table().splitlines()]


def _last_line(watched: Watched) -> str:
    lasted = _duration(watched.at - watched.started)
    return f"Ended after {lasted}: {watched.summary}. Exit code {watched.outcome.exit_code}."


def _where(report: Report, check: Check) -> str:
    return f"{check.pod or f'the {report.subject}'}: {check.name}"


def _clock(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment else ""


def _duration(time: timedelta) -> str:
    seconds = int(time.total_seconds())
    hours, minutes = divmod(seconds // 60, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds % 60} s" if minutes else f"{seconds} s"
