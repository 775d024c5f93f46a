"""The life of a container, with a fake process and a fake clock."""

from typing import Any

import pytest

from local.kubelet import container_lifecycle, readiness_probes
from local.kubelet.container_config import MissingSource
from local.kubelet.container_lifecycle import ContainerRun
from local.kubelet.container_processes import ProcessCompleted, ProcessFailed
from local.kubelet.pod_status import pod_status


class ContainerProcess:
    """Starts, or raises the exceptions that the test sets."""

    def __init__(self) -> None:
        self.endpoints: dict[int, readiness_probes.Endpoint] = {}
        self.problem: Exception | None = None
        self.end: Exception | None = None
        self.running = False

    def start(self) -> None:
        if self.problem:
            raise self.problem
        self.running = True

    def check(self) -> None:
        if self.end:
            raise self.end

    def stop(self) -> None:
        self.running = False


@pytest.fixture
def process() -> ContainerProcess:
    return ContainerProcess()


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """The probe's results. The last one repeats."""
    given = [True]
    monkeypatch.setattr(
        readiness_probes, "passes", lambda spec, endpoints: given.pop(0) if len(given) > 1 else given[0]
    )
    return given


def run(process: ContainerProcess, **spec: Any) -> ContainerRun:
    return ContainerRun({"name": "c", "image": "i", **spec}, process)


def state(item: ContainerRun) -> Any:
    ((kind, value),) = item.status()["state"].items()
    return kind, value.get("reason")


def test_a_container_is_ready_only_when_its_probe_passes(process: ContainerProcess, answers: list[bool]) -> None:
    answers[:] = [False, True]
    item = run(process)
    item.tick(0)
    assert state(item) == ("running", None) and not item.ready
    item.tick(1)
    assert not item.ready
    item.tick(2)
    assert item.ready


def test_a_container_becomes_unready_at_the_failure_threshold(process: ContainerProcess, answers: list[bool]) -> None:
    item = run(process, readinessProbe={"failureThreshold": 2})
    item.tick(0)
    item.tick(1)
    assert item.ready
    answers[:] = [False]
    item.tick(3)
    assert item.ready
    item.tick(5)
    assert not item.ready


def test_a_container_waits_for_a_missing_source(process: ContainerProcess, answers: list[bool]) -> None:
    process.problem = MissingSource("CreateContainerConfigError", 'secret "s" not found')
    item = run(process)
    item.tick(0)
    assert item.status()["state"] == {
        "waiting": {"reason": "CreateContainerConfigError", "message": 'secret "s" not found'}
    }
    process.problem = None
    item.tick(container_lifecycle.RETRY_SECONDS)
    assert state(item) == ("running", None)
    assert item.restarts == 0


def test_a_failed_container_is_restarted_at_once_and_then_with_an_increasing_delay(
    process: ContainerProcess, answers: list[bool]
) -> None:
    process.problem = ProcessFailed("Error: no such plugin")
    item = run(process)
    item.tick(0)
    assert (item.restarts, state(item)) == (1, ("waiting", "CrashLoopBackOff")), "the second failure"
    last = item.status()["lastState"]["terminated"]
    assert (last["exitCode"], last["message"]) == (1, "Error: no such plugin")
    item.tick(9.9)
    assert item.restarts == 1
    item.tick(10)
    assert item.restarts == 2
    item.tick(29)
    assert item.restarts == 2, "the pause has doubled"
    process.problem = None
    item.tick(30)
    assert (item.restarts, state(item)) == (3, ("running", None))


def test_a_process_that_ends_later_is_noticed(process: ContainerProcess, answers: list[bool]) -> None:
    item = run(process)
    item.tick(0)
    item.tick(1)
    assert item.ready
    process.end = ProcessFailed("killed")
    item.tick(2)
    assert not item.ready
    assert (item.restarts, state(item)) == (1, ("running", None)), "it is restarted at once"


def test_an_image_that_cannot_be_pulled(process: ContainerProcess, answers: list[bool]) -> None:
    item = run(process, image="registry.invalid/a:1")
    item.tick(1)
    assert state(item) == ("waiting", "ErrImagePull")
    assert "lookup registry.invalid: no such host" in item.status()["state"]["waiting"]["message"]
    item.tick(2)
    assert state(item) == ("waiting", "ErrImagePull")
    item.tick(11)
    assert state(item) == ("waiting", "ImagePullBackOff")
    assert not process.running and not item.ready


def test_a_completed_container_is_not_restarted_if_the_policy_says_so(
    process: ContainerProcess, answers: list[bool]
) -> None:
    item = ContainerRun({"name": "c", "image": "i"}, process, policy="OnFailure")
    process.problem = ProcessFailed("not yet")
    item.tick(0)
    assert state(item) == ("waiting", "CrashLoopBackOff")
    process.problem = ProcessCompleted()
    item.tick(10)
    assert state(item) == ("terminated", "Completed") and item.succeeded and not item.ready
    assert item.status()["state"]["terminated"]["exitCode"] == 0
    item.tick(1000)
    assert state(item) == ("terminated", "Completed"), "it is not started again"
    assert status(item)["phase"] == "Succeeded"
    assert condition(status(item), "Ready")["reason"] == "PodCompleted"


def test_a_failed_container_is_not_restarted_with_the_policy_never(
    process: ContainerProcess, answers: list[bool]
) -> None:
    item = ContainerRun({"name": "c", "image": "i"}, process, policy="Never")
    item.tick(0)
    assert status(item)["phase"] == "Running"
    process.end = ProcessFailed("Error: no")
    item.tick(1)
    assert state(item) == ("terminated", "Error") and not item.succeeded
    assert status(item)["phase"] == "Failed"


def test_a_completed_container_is_restarted_with_the_policy_always(
    process: ContainerProcess, answers: list[bool]
) -> None:
    item = run(process)
    item.tick(0)
    process.end = ProcessCompleted()
    item.tick(1)
    assert (item.restarts, state(item)) == (1, ("running", None))
    assert item.status()["lastState"]["terminated"]["exitCode"] == 0
    item.tick(2)
    assert state(item) == ("waiting", "CrashLoopBackOff")
    assert not item.succeeded


def test_a_completed_init_container_is_ready(process: ContainerProcess) -> None:
    process.problem = ProcessCompleted()
    item = ContainerRun({"name": "i", "image": "i"}, process, policy="OnFailure", init=True)
    item.tick(0)
    assert item.status()["ready"]
    assert condition(status(run(ContainerProcess()), init=(item,)), "Initialized")["status"] == "True"


def status(*containers: ContainerRun, init: tuple[ContainerRun, ...] = (), **current: Any) -> dict[str, Any]:
    return pod_status(
        current=current,
        containers=[item.status() for item in containers],
        init_containers=[item.status() for item in init],
        pod_ip="10.1.2.3",
        host_ip="10.0.0.1",
        now="now",
    )


def condition(status: dict[str, Any], name: str) -> dict[str, Any]:
    return next(dict(item) for item in status["conditions"] if item["type"] == name)


def test_a_pod_is_ready_when_all_its_containers_are(process: ContainerProcess, answers: list[bool]) -> None:
    one, two = run(process), run(ContainerProcess(), name="d")
    one.tick(0)
    one.tick(1)
    shown = status(one, two)
    assert shown["phase"] == "Running"
    assert condition(shown, "Ready")["status"] == "False"
    assert "['d']" in condition(shown, "Ready")["message"]
    two.tick(0)
    two.tick(1)
    assert condition(status(one, two), "Ready")["status"] == "True"


def test_a_pod_waits_for_its_init_containers(process: ContainerProcess, answers: list[bool]) -> None:
    stuck = run(ContainerProcess(), image="registry.invalid/a:1")
    stuck.tick(1)
    shown = status(ContainerRun({"name": "c", "image": "i"}, process, waits_for="PodInitializing"), init=(stuck,))
    assert (shown["phase"], condition(shown, "Initialized")["status"]) == ("Pending", "False")
    assert shown["containerStatuses"][0]["state"] == {"waiting": {"reason": "PodInitializing"}}
    late = run(ContainerProcess())
    late.tick(0)
    late.tick(1)
    assert late.ready and condition(status(late, init=(stuck,)), "Ready")["status"] == "False"


def test_a_condition_keeps_its_transition_time_and_other_conditions_stay(process: ContainerProcess) -> None:
    before = [
        {"type": "Ready", "status": "False", "lastTransitionTime": "then"},
        {"type": "PodScheduled", "status": "True", "lastTransitionTime": "then"},
    ]
    shown = status(run(process), conditions=before)
    assert condition(shown, "Ready")["lastTransitionTime"] == "then"
    assert condition(shown, "ContainersReady")["lastTransitionTime"] == "now"
    assert condition(shown, "PodScheduled") == before[1]
