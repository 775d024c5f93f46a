"""Installation: the proof when every step is done, and the record that waits for it."""

import pulumi
import pulumi_kubernetes as k8s
import pytest

from components.installation import Installation, InstallationArgs
from tests.fakes.recording import Recording, record

LABELS = {"traceable-kong/stack": "traceable-kong.test"}


class Proof:
    """Counts; `problem` is what it raises."""

    def __init__(self, problem: Exception | None = None) -> None:
        self.calls = 0
        self.problem = problem

    def __call__(self) -> None:
        self.calls += 1
        if self.problem:
            raise self.problem


def installation(
    proof: Proof, *, stands: bool = True, preview: bool = False, into: Recording | None = None
) -> Recording:
    args = InstallationArgs(
        namespace="gw", record_name="the-record", record={"mode": "sync"} if stands else None, labels=LABELS
    )

    def program() -> None:
        step = k8s.core.v1.ConfigMap("step")
        Installation("installation", args=args, prove=proof, steps=[step])

    return record(program, preview=preview, into=into)


def test_the_record_is_one_config_map() -> None:
    made = installation(Proof())["installation-record"]
    assert made.inputs["data"] == {"mode": "sync"}
    assert made.inputs["metadata"] == {"name": "the-record", "namespace": "gw", "labels": LABELS}
    assert made.parent == "installation"


def test_an_up_proves_once() -> None:
    proof = Proof()
    installation(proof)
    assert proof.calls == 1


@pytest.mark.parametrize("problem", [None, pulumi.RunError("not protected")])
def test_the_digest_is_known_when_the_record_is_written(problem: Exception | None) -> None:
    """Else a stack whose update failed would call its own record a changed one."""
    known: list[str] = []

    def program() -> None:
        step = k8s.core.v1.ConfigMap("step")
        args = InstallationArgs(
            namespace="gw", record_name="the-record", record={"a": "b"}, record_digest="0123", labels=LABELS
        )
        made = Installation("installation", args=args, prove=Proof(problem), steps=[step])
        made.record_digest.apply(known.append)

    if problem is None:
        record(program)
    else:
        with pytest.raises(pulumi.RunError, match="not protected"):
            record(program)
    assert known == ([] if problem else ["0123"])


def test_a_preview_proves_nothing_and_knows_the_record() -> None:
    proof = Proof(pulumi.RunError("asked"))
    assert installation(proof, preview=True)["installation-record"].inputs["data"] == {"mode": "sync"}
    assert proof.calls == 0


def test_the_record_waits_for_the_steps() -> None:
    assert installation(Proof())["installation-record"].dependencies == {"step"}


@pytest.mark.parametrize("stands", [True, False])
def test_a_failed_proof_ends_the_program_without_a_record(stands: bool) -> None:
    made = Recording()
    with pytest.raises(pulumi.RunError, match="not protected"):
        installation(Proof(pulumi.RunError("not protected")), stands=stands, into=made)
    assert "installation-record" not in made.names


def test_where_nothing_is_to_stand_there_is_no_record_and_still_a_proof() -> None:
    proof = Proof()
    assert "installation-record" not in installation(proof, stands=False).names
    assert proof.calls == 1
