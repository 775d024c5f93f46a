"""The outcome of `verify`: a report, or why there is none, and the exit code that says which."""

import dataclasses
from dataclasses import dataclass

from traceable_kong.common.commands import on_cluster, on_stack
from traceable_kong.smoke.smoke_model import SmokeReport
from traceable_kong.verification.report import Report

AS_RECORDED = 0
NOT_AS_RECORDED = 1
NOT_OBSERVED = 2
USAGE = 64
"""Python's own code for wrong options is 2. This one is EX_USAGE of sysexits.h."""
INTERRUPTED = 130
"""As a shell reports a program that SIGINT ended."""

MEANINGS = {
    AS_RECORDED: "every serving gateway pod is as recorded",
    NOT_AS_RECORDED: "a check does not hold, or a request had a response that it must not have",
    NOT_OBSERVED: "something could not be observed",
    USAGE: "the options cannot be used",
    INTERRUPTED: "interrupted before the end",
}


@dataclass(frozen=True, kw_only=True)
class VerifyOutcome:
    """`report` is None where the verification could not run; `error` says why, and `passes` whether that may change.

    `smoke` is None where no requests were asked for.
    """

    report: Report | None = None
    error: str = ""
    passes: bool = False
    smoke: SmokeReport | None = None

    @property
    def is_ok(self) -> bool:
        """True if every check that could be made holds, and no request failed."""
        return self.report is not None and self.exit_code != NOT_AS_RECORDED

    @property
    def exit_code(self) -> int:
        if self.report is None:
            return NOT_OBSERVED
        if not self.report.ok or (self.smoke and self.smoke.is_failed):
            return NOT_AS_RECORDED
        if self.report.not_checked or (self.smoke and not self.smoke.is_observed):
            return NOT_OBSERVED
        return AS_RECORDED


def with_targets(report: Report, *, cluster: str, stack: str | None) -> Report:
    """The report with commands for the cluster (`cluster_options()`) and for the stack, if it has a name."""

    def named(text: str) -> str:
        return on_stack(on_cluster(text, cluster), stack)

    def all_of(texts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(named, texts))

    checks = tuple(
        dataclasses.replace(check, found=named(check.found), fix=named(check.fix)) for check in report.checks
    )
    return dataclasses.replace(
        report,
        checks=checks,
        not_checked=all_of(report.not_checked),
        warnings=all_of(report.warnings),
        notes=all_of(report.notes),
    )
