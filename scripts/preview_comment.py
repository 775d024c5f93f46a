"""Writes a preview as one comment for a pull request: the summary first, then what changes, then the details.

    pulumi preview --stack dev --json --show-sames > preview.json 2> preview.err
    python -m scripts.preview_comment --stack dev --exit-code $? --errors preview.err preview.json > comment.md

All text from the preview is in `<code>` or `<pre>` with its punctuation as HTML entities, so that it cannot end a
table, block or comment, and mentions no user (GitHub ignores mentions in code,
https://github.com/gjtorikian/html-pipeline).
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.gateway_forecast import Forecast, Rollout, forecasts
from scripts.preview_reading import Preview, Step, read

LIMIT = 65_536
"""The longest comment that GitHub accepts, in characters; this program counts bytes, which are never fewer."""

LONGEST_MESSAGE = 4_000
LONGEST_CODE = 200
NAMES_IN_SUMMARY = 10
WARNING = "⚠️"
ABSENT = "-"
FIELDS = "| field | value |\n|---|---|\n"
OMITTED = "\n_The rest did not fit into a comment. `pulumi preview --diff` shows everything._\n"

DANGEROUS = ("delete", "replace")
NO_FIELDS = "the preview does not show what changes"

WHOLE = ("create", "delete", "forget")

NOT_SHOWN = (
    "Its arguments are not known before the update, so this preview does not show what it installs, and checks nothing."
)


@dataclass(frozen=True, kw_only=True)
class Section:
    """As many `rows` as fit, between `opening` and `closing`."""

    opening: str
    rows: Sequence[str]
    closing: str = ""


def marker(stack: str) -> str:
    """The hidden first line by which the workflow finds the comment of this stack."""
    return f"<!-- traceable-kong preview: {stack} -->"


def comment(preview: Preview, *, stack: str) -> str:
    """The comment, never longer than LIMIT."""
    first = f"{marker(stack)}\n"
    return first + body(preview, stack=stack, room=LIMIT - size(first))


def body(preview: Preview, *, stack: str, room: int) -> str:
    """The summary, and as much of the rest as fits into `room` bytes."""
    found = forecasts(preview)
    text = _summary(preview, stack, found)
    room -= size(text) + size(OMITTED)
    complete = True
    for section in _sections(preview, found):
        taken, used = [], size(section.opening) + size(section.closing)
        for row in section.rows:
            used += size(row)
            if used > room:
                complete = False
                break
            taken.append(row)
        if taken:
            block = section.opening + "".join(taken) + section.closing
            text, room = text + block, room - size(block)
    return text if complete else text + OMITTED


def size(text: str) -> int:
    return len(text.encode())


def _summary(preview: Preview, stack: str, found: Sequence[Forecast]) -> str:
    title = f"### Preview of {code(stack)}: "
    if preview.failed:
        return title + f"{WARNING} **failed**\n"
    if preview.changes or any(forecast.is_change for forecast in found):
        return title + f"{_counts(preview.changes)}\n"
    return title + "nothing changes" + (f" ({_state(found[0])})" if len(found) == 1 else "") + "\n"


def _counts(changes: Iterable[Step]) -> str:
    counts = Counter(change.op for change in changes)
    return ", ".join(f"{count} to {escaped(op)}" for op, count in sorted(counts.items())) or "no changes shown"


def _gateways(preview: Preview, found: Sequence[Forecast]) -> Iterable[str]:
    """One block for each gateway that changes, one for the rest of the program, and a line for each other gateway."""
    rest = [change for change in preview.changes if change.component is None]
    for forecast in found:
        if forecast.is_change:
            removed = "removed, " if forecast.removed else ""
            title = f"\n#### {code(forecast.name)}: {removed}{_counts(forecast.changes)}\n"
            heading = title if rest or len(found) > 1 else ""
            yield heading + _gateway(forecast)
    if rest and not preview.failed:
        heading = f"\n#### The rest of the program: {_counts(rest)}\n" if found else ""
        yield heading + _lost(rest)
    same = [f"- {code(other.name)}: nothing changes ({_state(other)})\n" for other in found if not other.is_change]
    if same and (rest or len(found) > 1):
        yield "\n"
        yield from same


def _gateway(forecast: Forecast) -> str:
    text = "".join(f"\n{WARNING} **{loss}.**\n" for loss in forecast.losses) + _lost(forecast.changes)
    if forecast.hidden:
        return text + f"\n{WARNING} **{NOT_SHOWN}**\n"
    if forecast.removed and forecast.then is None:
        return text
    if forecast.agent_only:
        return text + "\nAn agent without a gateway.\n"
    text += "\n| | now | then |\n|---|---|---|\n"
    for label, now, then in _facts(forecast):
        text += f"| {label} | {_fact(now)} | {_fact(then) if now == then else f'**{_fact(then)}**'} |\n"
    if forecast.removed and not forecast.rollouts:
        return text
    reasons = f": {'; '.join(rollout.reason for rollout in forecast.rollouts)}" if forecast.rollouts else ""
    return text + f"\nGateway rollouts to expect: **{_number(forecast.rollouts)}**{reasons}.\n"


def _lost(changes: Iterable[Step]) -> str:
    """A line for everything that is deleted, and one for everything that is replaced."""
    text = ""
    for op in DANGEROUS:
        names = [code(change.name) for change in changes if change.op == op]
        if names:
            more = f" and {len(names) - NAMES_IN_SUMMARY} more" if len(names) > NAMES_IN_SUMMARY else ""
            text += f"\n{WARNING} **This {op}s {', '.join(names[:NAMES_IN_SUMMARY])}{more}.**\n"
    return text


def _number(rollouts: Sequence[Rollout]) -> str:
    certain, all_of_them = sum(rollout.certain for rollout in rollouts), len(rollouts)
    if certain == all_of_them:
        return str(certain)
    return f"{certain} {'or' if all_of_them == certain + 1 else 'to'} {all_of_them}"


def _state(forecast: Forecast) -> str:
    if forecast.agent_only:
        return "an agent without a gateway"
    return ", ".join(f"{label} {_fact(now)}" for label, now, _ in _facts(forecast) if now is not None)


def _facts(forecast: Forecast) -> list[tuple[str, str | None, str | None]]:
    """Label, now, then."""
    now, then = forecast.now or {}, forecast.then or {}
    facts = [
        ("mode", now.get("mode"), then.get("mode")),
        ("plugin version", now.get("rockVersion"), then.get("rockVersion")),
        ("protection", _protection(forecast.now), _protection(forecast.then)),
    ]
    modes = now.get("failMode"), then.get("failMode")
    if all(modes) and modes[0] != modes[1]:
        facts.append(("failMode", *modes))
    return facts + ([("admission policy (tmeGuard)", *forecast.guard)] if forecast.guard else [])


def _protection(entries: Mapping[str, str] | None) -> str:
    """In a word. A record exists only while Traceable is installed."""
    if entries is None:
        return "not known"
    if entries.get("gateway") == "false":
        return "no gateway here"
    if "enabled" not in entries:
        return "not installed"
    return "enabled" if entries["enabled"] == "true" else "disabled"


def _fact(value: str | None) -> str:
    return ABSENT if value is None else code(value)


def _sections(preview: Preview, found: Sequence[Forecast]) -> list[Section]:
    changed = [change for change in preview.changes if change.op not in WHOLE]
    whole = [change for change in preview.changes if change.op in WHOLE]
    return [
        Section(opening="", rows=[*_gateways(preview, found)]),
        Section(opening="\n", rows=[pre(message) for message in preview.errors]),
        Section(
            opening="\n| | resource | field | now | then |\n|---|---|---|---|---|\n",
            rows=[*(row for change in changed for row in _rows(change)), *(_line(change) for change in whole)],
        ),
        Section(opening="\nWarnings:\n\n", rows=[pre(message) for message in preview.warnings]),
        *(
            Section(
                opening=f"\n<details><summary>{change.op} {code(change.name)}</summary>\n\n{FIELDS}",
                rows=[
                    f"| {code(field.path)} | {_fact(field.new if change.op == 'create' else field.old)} |\n"
                    for field in change.fields
                ],
                closing="\n</details>\n",
            )
            for change in whole
        ),
        Section(
            opening="\n<details><summary>Output of the preview</summary>\n\n",
            rows=[pre(note) for note in preview.notes],
            closing="\n</details>\n",
        ),
    ]


def _line(change: Step) -> str:
    """A resource that is created or deleted: its fields are in the details."""
    count = len(change.fields)
    return f"| {_mark(change.op)} | {_resource(change)} | {count} field{'' if count == 1 else 's'}, below | | |\n"


def _rows(change: Step) -> Iterable[str]:
    """One row for each field; the first has the resource."""
    head = f"{_mark(change.op)} | {_resource(change)}"
    if not change.fields:
        yield f"| {head} | {NO_FIELDS} | | |\n"
    for field in change.fields:
        sign = f"{WARNING} " if field.replaces else ""
        yield f"| {head} | {sign}{code(field.path)} | {_fact(field.old)} | {_fact(field.new)} |\n"
        head = " | "


def _mark(op: str) -> str:
    return f"{WARNING} **{op}**" if op in DANGEROUS else escaped(op)


def _resource(change: Step) -> str:
    return f"{code(change.kind)} {code(change.name)}"


def code(text: str) -> str:
    """The text as code within a line, shortened where it is very long."""
    return f"<code>{escaped(text if len(text) <= LONGEST_CODE else text[:LONGEST_CODE] + '...')}</code>"


def pre(text: str, *, limit: int = LONGEST_MESSAGE) -> str:
    """The text as a block with its lines, shortened where it is longer than `limit` characters."""
    cut = text if len(text) <= limit else f"{text[:limit]}\n({len(text)} characters in all)"
    return "<pre>" + "\n".join(escaped(line) for line in cut.splitlines()) + "</pre>\n\n"


def escaped(text: str) -> str:
    """The text without a meaning in Markdown or HTML; invisible characters become escapes."""
    visible = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)
    return "".join(char if char.isalnum() or char in " .,-/" else f"&#{ord(char)};" for char in visible)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m scripts.preview_comment")
    parser.add_argument("preview", type=Path, help="the output of `pulumi preview --json`")
    parser.add_argument("--stack", required=True)
    parser.add_argument("--exit-code", type=int, default=0, help="the exit code of the preview")
    parser.add_argument("--errors", type=Path, help="the error output of the preview")
    options = parser.parse_args()
    error_output = options.errors.read_text(errors="replace") if options.errors else ""
    text = options.preview.read_text(errors="replace")
    preview = read(text, exit_code=options.exit_code, error_output=error_output)
    sys.stdout.write(comment(preview, stack=options.stack))


if __name__ == "__main__":
    main()
