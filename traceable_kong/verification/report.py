"""The result of a verification, check by check and pod by pod: as text, as a table, and as a document."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from traceable_kong.common.safe_text import printable_lines

PROTECTED = "protected"
DISABLED = "disabled"
NO_ROUTE_SELECTED = "no route selected"
REMOVED = "removed"
NOT_CHECKED = "not checked"
NOT_AS_CONFIGURED = "NOT AS CONFIGURED"

COLUMNS = ("ready", "files", "tme", "plugin")
"""The table's columns; the checks `loaded` and `override` are in the column `plugin`."""

_COLUMN_OF = {"loaded": "plugin", "override": "plugin"}


@dataclass(frozen=True, kw_only=True)
class Check:
    """The result of one check.

    `pod` is "" for a check of the whole gateway. `name` is one of `deployment`, `rollout`, `ready`, `object`, `files`,
    `tme`, `loaded`, `plugin`, `override`, `agent`, `policy`, `label`, `annotation`, `webhook`. `fix` says what to do if
    the check is not `ok`. `permanent` is True if waiting cannot make it hold.
    """

    pod: str
    name: str
    ok: bool
    expected: str
    found: str
    fix: str = ""
    permanent: bool = False


@dataclass(frozen=True, kw_only=True)
class Report:
    """The checks of one observation.

    `name` is `namespace/name`; `subject` says what it is (`gateway` or `agent`). `workspace` is the workspace of
    Kong's database that was observed, "" without a database. `state` is the verdict if every check holds (`protected`,
    `disabled`, ...), `states` the same by pod. `not_checked` are reasons why something could not be observed, such as a
    missing permission; `notes` are what no verification can observe; `warnings` need attention although no check
    failed. `cause` is what the ingress controller reported, "" if it reported nothing.
    """

    name: str
    checks: tuple[Check, ...]
    state: str = PROTECTED
    states: Mapping[str, str] = field(default_factory=dict)
    not_checked: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    cause: str = field(default="")
    subject: str = "gateway"
    workspace: str = ""

    @property
    def ok(self) -> bool:
        """True if there is at least one check and every check holds."""
        return bool(self.checks) and all(check.ok for check in self.checks)

    @property
    def failed(self) -> list[Check]:
        """The checks that do not hold."""
        return [check for check in self.checks if not check.ok]

    @property
    def verdict(self) -> str:
        """The verdict on the whole gateway."""
        return self.verdict_of("")

    def verdict_of(self, pod: str) -> str:
        """The verdict on a pod. A failed check of the whole gateway counts for each pod."""
        if any(check.pod in ("", pod) for check in self.failed) if pod else not self.ok:
            return NOT_AS_CONFIGURED
        state = self.states.get(pod, self.state)
        # What is off was observed to be off; what is reported as on must have been observed completely.
        return state if state in (DISABLED, NO_ROUTE_SELECTED) or not self.not_checked else NOT_CHECKED

    def text(self) -> str:
        """What failed, where, and what to do; or that every check holds."""
        pods = self._pods()
        if self.ok:
            possible = " that could be made" if self.not_checked else ""
            where = f" in workspace {self.workspace}" if self.workspace else ""
            lines = [f"{self.name}: {self.verdict}{where}. {_pods(len(pods))}, every check{possible} holds."]
        else:
            bad = {check.pod for check in self.failed if check.pod}
            lines = [f"The {self.subject} {self.name} is not as configured{_summary(len(bad), len(pods))}:"]
            for check in self.failed:
                lines += [
                    "",
                    f"  {check.pod or f'the {self.subject}'}: {check.name}",
                    f"    expected: {check.expected}",
                    f"    found:    {check.found}",
                ]
                if check.fix:
                    lines.append(f"    fix:      {check.fix}")
            if self.cause:
                lines += ["", f"  The ingress controller reports: {self.cause}"]
        lines += [f"  not checked: {reason}" for reason in self.not_checked]
        lines += [f"  warning: {warning}" for warning in self.warnings]
        lines += [f"  note: {note}" for note in self.notes]
        return printable_lines(lines)

    def table(self) -> str:
        """A table with one line for each pod, followed by the text."""
        rows = self.rows()
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
        return "\n".join([printable_lines(lines), "", self.text()])

    def rows(self) -> list[tuple[str, ...]]:
        """The table: its header, and a row for each pod."""
        return [("POD", *(column.upper() for column in COLUMNS), "VERDICT"), *map(self._row, self._pods())]

    def document(self) -> dict[str, Any]:
        """The report for programs."""
        return {
            "gateway": self.name,
            "verdict": self.verdict,
            "workspace": self.workspace,
            "pods": {pod: self.verdict_of(pod) for pod in self._pods()},
            "checks": [dict(vars(check)) for check in self.checks],
            "not_checked": list(self.not_checked),
            "warnings": list(self.warnings),
            "notes": list(self.notes),
            "cause": self.cause,
        }

    def _row(self, pod: str) -> tuple[str, ...]:
        own = [check for check in self.checks if check.pod == pod]
        cells = [_cell(check for check in own if _COLUMN_OF.get(check.name, check.name) == name) for name in COLUMNS]
        return (pod, *cells, self.verdict_of(pod))

    def _pods(self) -> list[str]:
        return sorted({check.pod for check in self.checks if check.pod})


def _cell(checks: Iterable[Check]) -> str:
    found = list(checks)
    if not found:
        return "-"
    return "ok" if all(check.ok for check in found) else "FAILED"


def _pods(count: int) -> str:
    return "One serving pod" if count == 1 else f"{count} serving pods"


def _summary(bad: int, pods: int) -> str:
    if not bad:
        return ""
    return f", in {bad} of {_pods(pods)}" if pods > 1 else ", in its only serving pod"
