"""The proof: is every gateway pod protected as configured? One meaning for `up`, `verify` and the tests.

Asks the cluster and every Kong; changes nothing; knows no Pulumi. What is expected is verification/desired_state.py,
what is asked verification/observation.py, what it means verification/checks.py, what people read
verification/report.py.
"""

import time
from datetime import datetime

from traceable_kong.cluster.kubernetes_client import KubernetesClient
from traceable_kong.verification.checks import judge, without_route
from traceable_kong.verification.desired_state import DesiredState
from traceable_kong.verification.observation import Observation, look
from traceable_kong.verification.report import Report

DEADLINE_SECONDS = 30.0
"""How long a gateway may take until its controller has handed over what stands.

KIC does so every three seconds (its `--proxy-sync-seconds`), and once more after a pod has become ready.
"""

INTERVAL_SECONDS = 0.5

REFUSED_FOR_SECONDS = 4.0
"""How long Kong must go on refusing until that is the answer, or list nothing until nothing is what there is: longer
than one round of the controller."""


def prove(api: KubernetesClient, expected: DesiredState, *, deadline_seconds: float = DEADLINE_SECONDS) -> Report:
    """The report as soon as everything holds, or the last one at the deadline; one look where that is 0.

    It ends sooner where something is wrong that stays so, or the ingress controller says that Kong refuses the plugin.
    Raises kube.ApiError or kube.Unreachable.
    """
    started = time.monotonic()
    refusals = _Refusals()
    while True:
        seen = look(api, expected)
        report = judge(expected, seen)
        waited = time.monotonic() - started
        settled = waited >= REFUSED_FOR_SECONDS or not without_route(expected, seen)
        refusals.see(seen)
        if (report.ok and settled) or waited >= deadline_seconds or _lasting(report) or refusals.go_on:
            return report
        time.sleep(INTERVAL_SECONDS)


def _lasting(report: Report) -> bool:
    """True where something is wrong that no waiting mends. While pods of an older revision go, it may be theirs."""
    return any(check.lasting for check in report.failed) and all(check.name != "rollout" for check in report.failed)


class _Refusals:
    """What the controller reports from the first look on; by the cluster's own clock."""

    def __init__(self) -> None:
        self._before: str | None = None
        self._times: list[datetime] = []

    def see(self, seen: Observation) -> None:
        newest = seen.events[-1][0] if seen.events else ""
        if self._before is None:
            self._before = newest
        elif newest > self._before:
            self._times.append(datetime.fromisoformat(newest))

    @property
    def go_on(self) -> bool:
        """True where refusals were reported again and again."""
        return bool(self._times) and (self._times[-1] - self._times[0]).total_seconds() >= REFUSED_FOR_SECONDS
