"""Writes a preview as one comment for a pull request: the summary first, then what changes, then the details.

    python -m scripts.preview_comment --stack dev --exit-code 0 --errors preview.err preview.json > comment.md

Everything that comes from the preview stands in `<code>` or `<pre>` with its punctuation as HTML entities: it can end
no table, block or comment, and mentions nobody (GitHub looks for mentions outside of code only,
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
"""The longest comment that GitHub takes, in characters; bytes are counted here, which are never fewer."""

LONGEST_MESSAGE = 4_000
LONGEST_CODE = 200
NAMES_IN_SUMMARY = 10
WARNING = "⚠️"
ABSENT = "-"
FIELDS = "| field | value |\n|---|---|\n"
LEFT_OUT = "\n_The rest did not fit into a comment: `pulumi preview --diff` shows all of it._\n"

DANGEROUS = ("delete", "replace")


@dataclass(frozen=True, kw_only=True)
class Section:
    """`rows` between `opening` and `closing`: as many as there is room for."""

    opening: str
    rows: Sequence[str]
    closing: str = ""


def marker(stack: str) -> str:
    """The hidden first line by which the comment of this stack is found again."""
    return f"<!-- traceable-kong preview: {stack} -->"


def comment(preview: Preview, *, stack: str) -> str:
    """The whole comment, never longer than LIMIT."""
    text = f"{marker(stack)}\n{_summary(preview, stack)}"
    room = LIMIT - _size(text) - _size(LEFT_OUT)
    complete = True
    for section in _sections(preview):
        taken, used = [], _size(section.opening) + _size(section.closing)
        for row in section.rows:
            used += _size(row)
            if used > room:
                complete = False
                break
            taken.append(row)
        if taken:
            block = section.opening + "".join(taken) + section.closing
            text, room = text + block, room - _size(block)
    return text if complete else text + LEFT_OUT


def _size(text: str) -> int:
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
        text += f"{WARNING} **Traceable leaves this gateway: nothing protects it then.**\n\n"
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
    return facts + ([("guard of the TME", *preview.guard)] if preview.guard else [])


def _protection(entries: Mapping[str, str]) -> str:
    """In a word; without a record, and by the outputs of a stack that Traceable has left, there is none."""
    if entries.get("gateway") == "false":
        return "no gateway here"
    if entries.get("installed") != "true":
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
            opening="\n<details><summary>What was printed</summary>\n\n",
            rows=[pre(note) for note in preview.notes],
            closing="\n</details>\n",
        ),
    ]


def _line(change: Change) -> str:
    """A resource that comes or goes as a whole: its fields are in the details."""
    return f"| {_mark(change.op)} | {_resource(change)} | {len(change.fields)} fields, below | | |\n"


def _rows(change: Change) -> Iterable[str]:
    """One row for each field; the first one carries the resource."""
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
    """`text` as code within a line; a very long one is cut."""
    return f"<code>{escaped(text if len(text) <= LONGEST_CODE else text[:LONGEST_CODE] + '...')}</code>"


def pre(text: str) -> str:
    """`text` as a block, its lines kept; a very long one is cut."""
    cut = text if len(text) <= LONGEST_MESSAGE else f"{text[:LONGEST_MESSAGE]}\n({len(text)} characters in all)"
    return "<pre>" + "\n".join(escaped(line) for line in cut.splitlines()) + "</pre>\n\n"


def escaped(text: str) -> str:
    """Nothing in the result means anything to Markdown or HTML; what cannot be seen is written as an escape."""
    visible = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)
    return "".join(char if char.isalnum() or char in " .,-/" else f"&#{ord(char)};" for char in visible)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m scripts.preview_comment")
    parser.add_argument("preview", type=Path, help="what `pulumi preview --json` wrote")
    parser.add_argument("--stack", required=True)
    parser.add_argument("--exit-code", type=int, default=0, help="what the preview ended with")
    parser.add_argument("--errors", type=Path, help="what the preview wrote beside the JSON")
    options = parser.parse_args()
    error_output = options.errors.read_text(errors="replace") if options.errors else ""
    text = options.preview.read_text(errors="replace")
    preview = read(text, exit_code=options.exit_code, error_output=error_output)
    sys.stdout.write(comment(preview, stack=options.stack))


if __name__ == "__main__":
    main()
