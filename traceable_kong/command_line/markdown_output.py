"""The outcome of `verify` as Markdown, for the summary of a CI job or an issue. Pure.

All foreign text is in `<code>` or `<pre>` with its punctuation as HTML entities, so that it cannot end a table or a
block, and mentions no user.
"""

from collections.abc import Iterable, Iterator

from traceable_kong.command_line.verify_outcome import MEANINGS, VerifyOutcome
from traceable_kong.common.safe_text import printable
from traceable_kong.smoke.smoke_model import LIMIT_NOTE, SmokeReport
from traceable_kong.verification.report import Check, Report

LIMIT = 30_000
"""Characters. The body of an issue on GitHub has at most 65,536, and there is more in it."""

LONGEST_TEXT = 1_500

WARNING = "&#9888;&#65039;"
"""A warning sign."""

OMITTED = "_The rest did not fit. `--output table` shows everything._\n"


def markdown(outcome: VerifyOutcome) -> str:
    """A heading, the meaning of the exit code, and as much of the rest as fits."""
    about, verdict = (outcome.report.name, outcome.report.verdict) if outcome.report else ("the gateway", "not run")
    if outcome.smoke and outcome.smoke.is_failed:
        verdict += ", but a request through Kong failed"
    mark = "" if outcome.exit_code == 0 else f"{WARNING} "
    taken = [
        f"### {mark}Verification of {_code(about)}: {verdict}\n",
        f"Exit code {outcome.exit_code}: {MEANINGS[outcome.exit_code]}.\n",
    ]
    room = LIMIT - sum(map(len, taken))
    for block in _blocks(outcome):
        room -= len(block) + 1
        if room < 0:
            taken.append(OMITTED)
            break
        taken.append(block)
    return "\n".join(taken)


def _blocks(outcome: VerifyOutcome) -> Iterator[str]:
    if outcome.report is None:
        yield _pre([outcome.error])
        return
    yield from _report(outcome.report)
    if outcome.smoke:
        yield from _smoke(outcome.smoke)


def _report(report: Report) -> Iterator[str]:
    rows = report.rows()
    if len(rows) > 1:
        yield _table(rows)
    for check in report.failed:
        yield f"**{_where(report, check)}: {_code(check.name)} does not hold**\n"
        yield _pre(
            [f"expected: {check.expected}", f"found:    {check.found}", *([f"fix:      {check.fix}"] * bool(check.fix))]
        )
    if report.cause:
        yield "**The ingress controller reports**\n"
        yield _pre([report.cause])
    for title, texts in (("Not checked", report.not_checked), ("Warnings", report.warnings)):
        if texts:
            yield f"**{title}**\n"
            yield "".join(f"- {_code(text)}\n" for text in texts)
    if report.notes:
        yield f"<details><summary>Notes</summary>\n\n{''.join(f'- {_code(text)}{chr(10)}' for text in report.notes)}"
        yield "</details>\n"


def _smoke(smoke: SmokeReport) -> Iterator[str]:
    yield "**Requests through Kong**\n"
    yield _table(smoke.rows())
    for result in smoke.distinct():
        yield _pre(result.details())
    yield f"{LIMIT_NOTE[0].upper()}{LIMIT_NOTE[1:]}.\n"


def _where(report: Report, check: Check) -> str:
    return _code(check.pod) if check.pod else f"The {report.subject}"


def _table(rows: list[tuple[str, ...]]) -> str:
    header, *body = rows
    lines = [_row(header), _row("---" for _ in header)]
    return "".join([*lines, *(_row(map(_code, cells)) for cells in body)])


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


def _code(text: str) -> str:
    return f"<code>{_escaped(text)}</code>"


def _pre(lines: Iterable[str]) -> str:
    # No blank line within: it would end the block.
    return "<pre>" + "\n".join(map(_escaped, filter(str.strip, lines))) + "</pre>\n"


def _escaped(text: str) -> str:
    shown = printable(text)
    shown = shown if len(shown) <= LONGEST_TEXT else f"{shown[:LONGEST_TEXT]}..."
    return "".join(
        char if (char.isascii() and char.isalnum()) or char in " -./=" else f"&#{ord(char)};" for char in shown
    )
