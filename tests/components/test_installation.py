"""Installation: the verification when every step is done, and the record that waits for it."""

from typing import Any

import pulumi
import pulumi_kubernetes as k8s
import pytest

from tests.fakes.plans import plan
from tests.fakes.recording import Recording, record
from traceable_kong.components import DeploymentStep, Installation
from traceable_kong.plan.state_record import record_data, record_digest

UNINSTALLED: dict[str, Any] = {"installed": False, "enabled": False}


class Verification:
    """Counts its calls; `problem` is what it raises."""

    def __init__(self, problem: Exception | None = None) -> None:
        self.calls = 0
        self.problem = problem

    def __call__(self) -> None:
        self.calls += 1
        if self.problem:
            raise self.problem


class Step(DeploymentStep):
    def __init__(self) -> None:
        super().__init__("test:index:Step", "the-step")
        self.resources = [k8s.core.v1.ConfigMap("step")]


def installation(
    verify: Verification, *, preview: bool = False, into: Recording | None = None, **config: Any
) -> tuple[Recording, list[str]]:
    """What is registered, and the digests of the record that became known."""
    digests: list[str] = []

    def program() -> None:
        made = Installation(
            "installation",
            plan=plan(**config),
            verify=verify,
            steps=[Step()],
            kept=pulumi.Output.from_input("kept"),
        )
        if made.record_digest is not None:
            made.record_digest.apply(digests.append)

    return record(program, preview=preview, into=into), digests


def test_the_record_is_one_config_map() -> None:
    registered = installation(Verification())[0]["installation-record"]
    assert registered.inputs["data"] == record_data(plan())
    assert registered.inputs["metadata"] == {
        "name": "traceable-installation",
        "namespace": "kong",
        "labels": plan().labels,
    }
    assert registered.parent == "installation"


def test_an_update_verifies_once() -> None:
    verify = Verification()
    installation(verify)
    assert verify.calls == 1


def test_the_digest_is_known_when_the_record_is_written() -> None:
    """Otherwise a stack whose update failed would report its own record as a changed one."""
    assert installation(Verification())[1] == [record_digest(record_data(plan()) or {})]
    assert installation(Verification(), gateway="false", plugin=None)[1] == []


DATA = record_data(plan()) or {}


@pytest.mark.parametrize(
    ("in_state", "digest"),
    [
        pytest.param({**DATA, "mode": "async"}, "kept", id="not a target"),
        pytest.param({**DATA, "added": "x"}, record_digest(DATA), id="a key that another client added"),
    ],
)
def test_the_digest_is_that_of_the_record_that_a_stack_wrote(in_state: dict[str, str], digest: str) -> None:
    """Not of what a refresh found: the record in the cluster could have been changed."""
    state = Recording(not_targets={"installation-record": {"data": in_state}})
    assert installation(Verification(), into=state)[1] == [digest]


def test_a_preview_verifies_nothing_and_shows_the_record() -> None:
    verify = Verification(pulumi.RunError("verified"))
    assert installation(verify, preview=True)[0]["installation-record"].inputs["data"] == record_data(plan())
    assert verify.calls == 0


def test_the_record_waits_for_the_steps() -> None:
    assert installation(Verification())[0]["installation-record"].dependencies == {"step"}


@pytest.mark.parametrize("config", [{}, UNINSTALLED])
def test_a_failed_verification_ends_the_program_without_a_record(config: dict[str, Any]) -> None:
    registered = Recording()
    with pytest.raises(pulumi.RunError, match="not protected"):
        installation(Verification(pulumi.RunError("not protected")), into=registered, **config)
    assert "installation-record" not in registered.names


def test_an_uninstalled_traceable_has_no_record_and_is_still_verified() -> None:
    verify = Verification()
    registered, digests = installation(verify, **UNINSTALLED)
    assert "installation-record" not in registered.names
    assert verify.calls == 1 and digests == []
