"""verify_gateway(): observes again until every check holds, and ends early if that is pointless."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.fakes.clock import Clock
from tests.fakes.fake_kubernetes import FakeKubernetes, forbidden
from tests.fakes.protected_cluster import DEPLOYMENT, add_pod, cluster, event
from tests.fakes.protected_gateway import desired, pod, written
from traceable_kong.cluster.api_objects import CLUSTER_PLUGINS
from traceable_kong.cluster.kubernetes_client import ApiError, Unreachable
from traceable_kong.common import waiting
from traceable_kong.verification import deadline, verifier
from traceable_kong.verification.verifier import verify_gateway

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()

    class Now(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            return BEGAN + timedelta(seconds=made.now)

    monkeypatch.setattr(waiting, "time", made)
    monkeypatch.setattr(verifier, "datetime", Now)
    return made


def unprotected() -> FakeKubernetes:
    return cluster(plugins=[])


def at(seconds: float) -> str:
    return (BEGAN + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def test_a_good_gateway_is_reported_at_once(clock: Clock) -> None:
    assert verify_gateway(cluster(), desired()).ok
    assert clock.now == 0


def test_it_waits_until_every_check_holds(clock: Clock) -> None:
    fake = unprotected()
    clock.then = lambda now: add_pod(fake, pod()) if now >= 3 else None
    assert verify_gateway(fake, desired()).ok
    assert clock.now == 3


def test_at_the_deadline_the_last_report_is_returned(clock: Clock) -> None:
    report = verify_gateway(unprotected(), desired(), deadline_seconds=7)
    assert [check.name for check in report.failed] == ["plugin"]
    assert clock.now == 7


def test_the_default_deadline(clock: Clock) -> None:
    verify_gateway(unprotected(), desired())
    assert clock.now == deadline.SECONDS


def test_a_deadline_of_zero_is_a_single_observation(clock: Clock) -> None:
    assert not verify_gateway(unprotected(), desired(), deadline_seconds=0).ok
    assert clock.now == 0


def test_it_ends_early_if_the_controller_keeps_reporting_a_refusal(clock: Clock) -> None:
    fake = unprotected()
    clock.then = lambda now: event(fake, "e", "plugin 'traceable' not enabled", lastTimestamp=at(now))
    report = verify_gateway(fake, desired())
    assert verifier.REFUSED_FOR_SECONDS <= clock.now < deadline.SECONDS
    assert report.cause == "plugin 'traceable' not enabled"


def test_an_old_or_a_single_refusal_does_not_end_it(clock: Clock) -> None:
    fake = unprotected()
    event(fake, "old", "long ago", lastTimestamp=at(-3600))
    clock.then = lambda now: event(fake, "new", "while it changed", lastTimestamp=at(now)) if now == 1 else None
    assert not verify_gateway(fake, desired(), deadline_seconds=20).ok
    assert clock.now == 20


def test_selected_no_route_is_reported_after_a_round_of_the_controller(clock: Clock) -> None:
    fake = cluster(plugins=[])
    fake.put(f"{CLUSTER_PLUGINS}/traceable-plugin", written(desired(everywhere=False)) or {})
    assert verify_gateway(fake, desired(everywhere=False)).ok
    assert clock.now == verifier.REFUSED_FOR_SECONDS


def test_it_waits_for_a_missing_deployment(clock: Clock) -> None:
    fake = cluster()
    gone = fake.objects.pop(DEPLOYMENT)
    clock.then = lambda now: fake.objects.__setitem__(DEPLOYMENT, gone) if now >= 1 else None
    assert verify_gateway(fake, desired()).ok


@pytest.mark.parametrize("problem", [forbidden(), Unreachable("away")])
def test_an_unreachable_cluster_is_an_error(clock: Clock, problem: Exception) -> None:
    fake = cluster()
    fake.problems[DEPLOYMENT] = problem
    with pytest.raises(type(problem)):
        verify_gateway(fake, desired())


@pytest.mark.parametrize("problem", [Unreachable("away"), ApiError(503, "", "later"), ApiError(429, "", "later")])
def test_an_api_server_that_is_away_in_between_is_waited_for(clock: Clock, problem: Exception) -> None:
    fake = cluster()
    fake.problems[DEPLOYMENT] = problem
    clock.then = lambda now: fake.problems.pop(DEPLOYMENT, None) if now >= 3 else None
    assert verify_gateway(fake, desired()).ok
    assert clock.now == 3


def test_an_api_server_that_stays_away_is_an_error_at_the_deadline(clock: Clock) -> None:
    fake = cluster()
    fake.problems[DEPLOYMENT] = Unreachable("away")
    with pytest.raises(Unreachable):
        verify_gateway(fake, desired(), deadline_seconds=7)
    assert clock.now == 7
