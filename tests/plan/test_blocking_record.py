"""What the record says of the response to a blocked request."""

import dataclasses

import pytest

from tests.fakes.plans import plan
from traceable_kong.plan.blocking_record import Blocking, blocking_data, blocking_of
from traceable_kong.plan.state_record import record_data


def test_it_is_recorded_and_read_back() -> None:
    data = record_data(plan(blockingStatusCode=451, blockingMessage='say "no"'))
    assert data is not None and blocking_of(data) == Blocking(status=451, message='say "no"')
    assert blocking_of(record_data(plan()) or {}) == Blocking(status=403, message="Access Forbidden")


def test_an_agent_that_is_not_managed_configures_it() -> None:
    assert blocking_data(plan(agent={"install": False}, agentToken=None)) == {}
    assert blocking_of({}) is None


def test_a_secret_is_not_recorded() -> None:
    wanted = dataclasses.replace(plan(blockingMessage="planted"), secrets=frozenset({"planted"}))
    assert blocking_of(blocking_data(wanted)) == Blocking(status=403)


@pytest.mark.parametrize("status", ["", "40", "4030", "4x3", "4\u0660\u0663", "-03", "200", "503", "403\n"])
def test_a_status_that_is_none_is_ignored(status: str) -> None:
    assert blocking_of({"blockingStatusCode": status, "blockingMessage": "x"}) is None
