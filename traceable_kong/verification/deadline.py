"""Repeats a verification until its report is final, or the deadline is reached."""

from collections.abc import Callable
from typing import TypeVar

from traceable_kong.cluster.kubernetes_client import ApiError, KubernetesClient, Unreachable
from traceable_kong.cluster.shared_reads import SharedReads
from traceable_kong.common.safe_text import PlainError
from traceable_kong.common.waiting import NotYet, wait_until
from traceable_kong.verification.report import Report

SECONDS = 30.0
"""How long a gateway or an agent may take until it is as configured.

Helm has waited for the pods. The ingress controller hands the configuration to Kong every three seconds (KIC's
`--proxy-sync-seconds`), and once more after a pod has become ready.
"""


T = TypeVar("T")


class _DeadlineReached(PlainError):
    pass


def once_answered(read: Callable[[], T], *, seconds: float, on_wait: Callable[[Exception], None]) -> T:
    """What `read` returns; it is repeated while the API server is away or overloaded.

    `on_wait` is given the first such problem. Raises it where it is still so by the deadline.
    """
    said: list[Exception] = []

    def attempt(_: float) -> T | NotYet:
        try:
            return read()
        except (ApiError, Unreachable) as problem:
            not_yet = _later(problem)
            if seconds and not said:
                said.append(problem)
                on_wait(problem)
            return not_yet

    return wait_until(attempt, seconds=seconds)


def final_report(
    api: KubernetesClient, attempt: Callable[[SharedReads, float], tuple[Report, bool]], *, seconds: float
) -> Report:
    """The first report that is final, or the last one by the deadline.

    `attempt` is given reads of its own and the seconds waited so far, and returns a report and whether it is final.
    Only the first attempt shares what `api` has read before. It is repeated where the API server is away or overloaded;
    raises ApiError or Unreachable where that is still so by the deadline.
    """
    reports: list[Report] = []
    reads = SharedReads.of(api)

    def verify(waited: float) -> Report | NotYet:
        nonlocal reads
        current, reads = reads, SharedReads(reads.client)
        try:
            report, is_final = attempt(current, waited)
        except (ApiError, Unreachable) as problem:
            return _later(problem)
        reports.append(report)
        return report if is_final else NotYet(lambda: _DeadlineReached("not as configured"))

    try:
        return wait_until(verify, seconds=seconds)
    except _DeadlineReached:
        return reports[-1]


def _later(problem: ApiError | Unreachable) -> NotYet:
    """Raises a problem that does not pass by itself."""
    if isinstance(problem, ApiError) and not problem.is_temporary:
        raise problem
    return NotYet(lambda: problem)
