"""Writes a preview as one comment for a pull request: the summary first, then what changes, then the details.

    python -m scripts.preview_comment --stack dev --exit-code 0 --errors preview.err preview.json > comment.md

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

from scripts.preview_reading import Change, Field, Preview, read

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
    text = _summary(preview, stack)
    room -= size(text) + size(OMITTED)
    complete = True
    for section in _sections(preview):
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


def _summary(preview: Preview, stack: str) -> str:
    title = f"### Preview of {code(stack)}: "
    if preview.failed:
        return title + f"{WARNING} **failed**\n"
    if not preview.changes:
        facts = ", ".join(f"{label} {_fact(now)}" for label, now, _ in _facts(preview) if now is not None)
        return f"{title}nothing changes ({facts})\n"
    counts = Counter(change.op for change in preview.changes)
    text = title + ", ".join(f"{count} to {escaped(op)}" for op, count in sorted(counts.items())) + "\n\n"
    for op in DANGEROUS:
        names = [code(change.name) for change in preview.changes if change.op == op]
        if names:
            more = f" and {len(names) - NAMES_IN_SUMMARY} more" if len(names) > NAMES_IN_SUMMARY else ""
            text += f"{WARNING} **This {op}s {', '.join(names[:NAMES_IN_SUMMARY])}{more}.**\n\n"
    if preview.now and preview.then == {}:
        text += f"{WARNING} **This uninstalls Traceable, and the gateway is then unprotected.**\n\n"
    text += "| | now | then |\n|---|---|---|\n"
    for label, now, then in _facts(preview):
        text += f"| {label} | {_fact(now)} | {_fact(then) if now == then else f'**{_fact(then)}**'} |\n"
    reasons = f": {'; '.join(preview.rollouts)}" if preview.rollouts else ""
    return text + f"\nGateway rollouts to expect: **{len(preview.rollouts)}**{reasons}.\n"


def _facts(preview: Preview) -> list[tuple[str, str | None, str | None]]:
    """Label, now, then."""
    now, then = preview.now, preview.then or {}
    facts = [
        ("mode", now.get("mode"), then.get("mode")),
        ("plugin version", now.get("rockVersion"), then.get("rockVersion")),
        ("protection", _protection(now), _protection(then)),
    ]
    return facts + ([("admission policy (tmeGuard)", *preview.guard)] if preview.guard else [])


def _protection(entries: Mapping[str, str]) -> str:
    """In a word. Without a record, and by the outputs after an uninstall, there is none."""
    if entries.get("gateway") == "false":
        return "no gateway here"
    # Only the outputs say `installed`: a record exists only while Traceable is installed.
    if entries.get("installed", "true") != "true" or "enabled" not in entries:
        return "not installed"
    return "enabled" if entries.get("enabled") == "true" else "disabled"


def _fact(value: str | None) -> str:
    return ABSENT if value is None else code(value)


def _sections(preview: Preview) -> list[Section]:
    changed = [change for change in preview.changes if change.op not in ("create", "delete")]
    whole = [change for change in preview.changes if change.op in ("create", "delete")]
    return [
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
                    f"| {code(field.path)} | {_fact(field.old if change.op == 'delete' else field.new)} |\n"
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


def _line(change: Change) -> str:
    """A resource that is created or deleted: its fields are in the details."""
    return f"| {_mark(change.op)} | {_resource(change)} | {len(change.fields)} fields, below | | |\n"


def _rows(change: Change) -> Iterable[str]:
    """One row for each field; the first has the resource."""
    head = f"{_mark(change.op)} | {_resource(change)}"
    for field in change.fields or (Field(path="", old=None, new=None),):
        sign = f"{WARNING} " if field.replaces else ""
        yield f"| {head} | {sign}{code(field.path)} | {_fact(field.old)} | {_fact(field.new)} |\n"
        head = " | "


def _mark(op: str) -> str:
    return f"{WARNING} **{op}**" if op in DANGEROUS else escaped(op)


def _resource(change: Change) -> str:
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
