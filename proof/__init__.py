"""The proof: is every gateway pod protected as configured? One meaning for `up`, `verify` and the tests.

Asks the cluster and every Kong; changes nothing; knows no Pulumi. What is expected is proof/expectation.py, what is
asked proof/asking.py, what it means proof/judging.py, what people read proof/report.py.
"""

import time
from datetime import UTC, datetime

import kube
from proof.asking import Look, look
from proof.expectation import Expectation
from proof.judging import judge
from proof.report import Report

__all__ = ["Expectation", "Report", "prove"]

DEADLINE_SECONDS = 30.0
"""How long a gateway may take until its controller has handed over what stands: KIC does so every three seconds (its
`--proxy-sync-seconds`), and once more after a pod has become ready."""

INTERVAL_SECONDS = 0.5

REFUSED_FOR_SECONDS = 4.0
"""How long Kong must go on refusing until that is the answer: longer than one round of the controller."""


def prove(api: kube.Kube, expected: Expectation, *, deadline_seconds: float = DEADLINE_SECONDS) -> Report:
    """The report as soon as everything holds, or the last one at the deadline; one look where that is 0.

    It ends sooner where something is wrong that stays so, or the ingress controller says that Kong refuses the plugin.
    Raises kube.ApiError or
    kube.Unreachable.
    """
    started = time.monotonic()
    began = datetime.now(UTC)
    while True:
        seen = look(api, expected)
        report = judge(expected, seen)
        waited = time.monotonic() - started
        if report.ok or waited >= deadline_seconds or _lasting(report) or _refused(seen, began):
            return report
        time.sleep(INTERVAL_SECONDS)


def _lasting(report: Report) -> bool:
    """True where something is wrong that no waiting mends. While pods of an older revision go, it may be theirs."""
    return any(check.lasting for check in report.failed) and all(check.name != "rollout" for check in report.failed)


def _refused(seen: Look, began: datetime) -> bool:
    """True where the controller went on reporting a refusal after the first look."""
    if not seen.events:
        return False
    last = datetime.fromisoformat(seen.events[-1][0].replace("Z", "+00:00"))
    return (last - began).total_seconds() >= REFUSED_FOR_SECONDS
