"""Verifies that every gateway pod is protected as configured; the same in `up`, in verify.py and in the tests.

Changes nothing and uses no Pulumi.
"""

from datetime import datetime

from traceable_kong.cluster.kubernetes_client import KubernetesClient
from traceable_kong.cluster.shared_reads import SharedReads
from traceable_kong.plan.model import DesiredState
from traceable_kong.verification import deadline
from traceable_kong.verification.evaluation import evaluate, pods_without_route
from traceable_kong.verification.observation import Observation, observe
from traceable_kong.verification.report import Report

REFUSED_FOR_SECONDS = 4.0
"""How long Kong must refuse the configuration, or list no route with the plugin, until that is the result: longer than
one round of the controller."""


def verify_gateway(
    api: KubernetesClient, desired: DesiredState, *, deadline_seconds: float = deadline.SECONDS
) -> Report:
    """The report as soon as every check holds, or the last one by the deadline; a single observation if that is 0.

    Ends early if a failure is permanent, or the ingress controller reports that Kong refuses the plugin. Raises
    ApiError or Unreachable.
    """
    refusals = _Refusals()

    def attempt(reads: SharedReads, waited: float) -> tuple[Report, bool]:
        observed = observe(reads, desired)
        report = evaluate(desired, observed)
        settled = waited >= REFUSED_FOR_SECONDS or not pods_without_route(desired, observed)
        refusals.add(observed)
        return report, (report.ok and settled) or _is_permanent(report) or refusals.persist

    return deadline.final_report(api, attempt, seconds=deadline_seconds)


def _is_permanent(report: Report) -> bool:
    """True if waiting cannot fix a failure. A failure during a rollout may be one of the old pods."""
    return any(check.permanent for check in report.failed) and all(check.name != "rollout" for check in report.failed)


class _Refusals:
    """The refusals that the ingress controller reports after the first observation, by the cluster's clock."""

    def __init__(self) -> None:
        self._newest_before: str | None = None
        self._times: list[datetime] = []

    def add(self, observed: Observation) -> None:
        newest = observed.events[-1][0] if observed.events else ""
        if self._newest_before is None:
            self._newest_before = newest
        elif newest > self._newest_before:
            self._times.append(datetime.fromisoformat(newest))

    @property
    def persist(self) -> bool:
        """True if refusals were reported repeatedly."""
        return bool(self._times) and (self._times[-1] - self._times[0]).total_seconds() >= REFUSED_FOR_SECONDS
