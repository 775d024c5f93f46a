"""The outcome of `verify` as a JUnit report, for the test pages of CI systems. Pure.

There is no standard. This is what GitLab, Jenkins and the usual GitHub actions read
(https://github.com/testmoapp/junitxml): a test case for each check of each pod, and one for each thing that was not
checked.
"""

from collections import Counter
from dataclasses import dataclass
from xml.etree import ElementTree

from traceable_kong.command_line.verify_outcome import VerifyOutcome
from traceable_kong.common.safe_text import printable, printable_lines
from traceable_kong.smoke.smoke_model import SmokeResult
from traceable_kong.verification.report import Check, Report

SUITE = "traceable-kong verify"


@dataclass(frozen=True, kw_only=True)
class _Case:
    """`kind` is `failure`, `error`, `skipped`, or "" for a test that passed."""

    group: str
    test: str
    kind: str = ""
    message: str = ""
    lines: tuple[str, ...] = ()
    seconds: float | None = None


def junit(outcome: VerifyOutcome) -> str:
    """The XML document."""
    report = outcome.report
    cases = _cases_of(report) if report else [_Case(group=SUITE, test="verify", kind="error", message=outcome.error)]
    if outcome.smoke:
        cases += [_smoke_case(report.name if report else SUITE, result) for result in outcome.smoke.results]
    kinds = Counter(case.kind for case in cases)
    counts = {"tests": len(cases), "failures": kinds["failure"], "errors": kinds["error"], "skipped": kinds["skipped"]}
    totals = {name: str(count) for name, count in counts.items()}
    root = ElementTree.Element("testsuites", {"name": SUITE, **totals})
    suite = ElementTree.SubElement(root, "testsuite", {"name": printable(report.name) if report else SUITE, **totals})
    seen: Counter[tuple[str, str]] = Counter()
    for case in cases:
        # CI systems know a test by its two names.
        seen[case.group, case.test] += 1
        number = seen[case.group, case.test]
        suite.append(_element(case, f"{case.test} ({number})" if number > 1 else case.test))
    if report and (report.warnings or report.notes or report.cause):
        said = [f"the ingress controller reports: {report.cause}"] if report.cause else []
        said += [f"warning: {text}" for text in report.warnings] + [f"note: {text}" for text in report.notes]
        ElementTree.SubElement(suite, "system-out").text = printable_lines(said)
    ElementTree.indent(root)
    # Character references in place of other letters: the encoding of the output is not known here.
    document: bytes = ElementTree.tostring(root, encoding="us-ascii")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + document.decode()


def _cases_of(report: Report) -> list[_Case]:
    cases = [_case(report, check) for check in report.checks]
    return cases + [
        _Case(group=report.name, test="not checked", kind="skipped", message=reason) for reason in report.not_checked
    ]


def _case(report: Report, check: Check) -> _Case:
    group = f"{report.name}/{check.pod}" if check.pod else report.name
    if check.ok:
        return _Case(group=group, test=check.name)
    lines = (f"expected: {check.expected}", f"found:    {check.found}", *([f"fix:      {check.fix}"] * bool(check.fix)))
    return _Case(group=group, test=check.name, kind="failure", message=check.found, lines=lines)


def _smoke_case(name: str, result: SmokeResult) -> _Case:
    kind = {"passed": "", "failed": "failure", "not observed": "skipped"}[result.verdict]
    seconds = result.response.milliseconds / 1000 if result.response else None
    group, test = f"{name}/smoke/{result.server}", result.request.label
    return _Case(
        group=group, test=test, kind=kind, message=result.found, lines=tuple(result.details()), seconds=seconds
    )


def _element(case: _Case, name: str) -> ElementTree.Element:
    names = {"classname": printable(case.group), "name": printable(name)}
    if case.seconds is not None:
        names["time"] = f"{case.seconds:.3f}"
    found = ElementTree.Element("testcase", names)
    if case.kind:
        inner = ElementTree.SubElement(found, case.kind, {"message": printable(case.message)})
        inner.text = printable_lines(case.lines) or None
    elif case.lines:
        ElementTree.SubElement(found, "system-out").text = printable_lines(case.lines)
    return found
