"""The Deployment, its pods and the agent: each check fails alone, with its own reason."""

from typing import Any

import pytest

from tests.fakes.protected_gateway import (
    ASYNC,
    agent_pod,
    answer,
    desired,
    evaluate,
    failure,
    instance,
    observed,
    observed_pod,
    pod,
    template,
    without_volume,
)
from traceable_kong.verification.kong_observation import KongAnswer
from traceable_kong.verification.rollout_checks import waiting_reasons

Document = dict[str, Any]


def test_a_deployment_that_does_not_exist() -> None:
    found = failure(observed(deployment=None))
    assert (found.name, found.expected, found.found) == ("deployment", "deployment gw/edge-kong", "it does not exist")


def test_an_existing_kong_has_no_release_to_roll_back() -> None:
    for broken in (observed(deployment=None), observed(without_volume(pod(), 1))):
        fix = failure(broken).fix
        assert "`helm history edge --namespace gw`" in fix
        assert "`helm rollback edge REVISION --namespace gw`" in fix, "without one Helm goes back to older files"
        (theirs,) = evaluate(desired(release_name=None), broken).failed
        assert "helm " not in theirs.fix and "`pulumi up --refresh`" in theirs.fix


def test_no_serving_pod() -> None:
    found = failure(observed(serving=[]))
    assert (found.name, found.found) == ("ready", "0 of 1")
    assert "`kubectl describe pods --namespace gw --selector app=edge`" in found.fix


def test_no_serving_pod_because_pods_are_not_created() -> None:
    deployment = {
        "spec": {"replicas": 2, "template": template()},
        "status": {"conditions": [{"type": "ReplicaFailure", "message": "denied by policy"}, {"type": "Available"}]},
    }
    assert failure(observed(deployment=deployment, serving=[], pods=[])).found == "0 of 2 (denied by policy)"


def test_no_serving_pod_because_containers_do_not_run() -> None:
    broken = pod(ready=False)
    broken["status"]["containerStatuses"][0]["state"] = {"waiting": {"reason": "ImagePullBackOff", "message": "no"}}
    broken["status"]["containerStatuses"][1]["state"] = {"waiting": {"reason": "ContainerCreating"}}
    assert failure(observed(serving=[], pods=[broken, broken])).found == (
        "0 of 1 (gw-1: ingress-controller: ImagePullBackOff: no)"
    )
    assert waiting_reasons({"metadata": {"name": "p"}}) == []


@pytest.mark.parametrize(("reason", "shown"), [("OOMKilled", "137, OOMKilled"), ("Error", "137"), (None, "137")])
def test_the_last_exit_code_of_a_container_that_does_not_run(reason: str | None, shown: str) -> None:
    broken = pod(ready=False)
    broken["status"]["containerStatuses"][0] |= {
        "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s"}},
        "lastState": {"terminated": {"exitCode": 137, "reason": reason}},
    }
    assert waiting_reasons(broken) == [
        f"gw-1: ingress-controller: CrashLoopBackOff: back-off 10s (last exit code: {shown})"
    ]


def test_a_pod_of_an_older_revision() -> None:
    old = pod("gw-0", revision="old")
    found = failure(observed(pods=[pod(), old]))
    assert (found.name, found.found) == ("rollout", "also gw-0")
    assert "`kubectl rollout status deployment edge-kong --namespace gw`" in found.fix


@pytest.mark.parametrize("change", [{"metadata": {"deletionTimestamp": "now"}}, {"status": {"phase": "Failed"}}])
def test_an_older_pod_that_is_terminating_is_ignored(change: Document) -> None:
    old = pod("gw-0", revision="old")
    for key, more in change.items():
        old[key].update(more)
    assert evaluate(desired(), observed(pods=[pod(), old])).ok


def in_async() -> KongAnswer:
    return answer(instance(config=ASYNC["config"]))


@pytest.mark.parametrize("ready", [0, 1])
def test_in_sync_the_agent_has_a_ready_pod(ready: int) -> None:
    observation = observed(
        agent_pods=[agent_pod(ready=False), *[agent_pod()] * ready], agent_problem="not asked in sync"
    )
    report = evaluate(desired(), observation)
    assert report.ok is bool(ready)
    if not ready:
        found = failure(observation)
        assert (found.name, found.found) == ("agent", "0 of 1 ready")
        assert found.expected == "a ready pod of the agent, in namespace traceable"


def test_in_async_the_agent_answers() -> None:
    observation = observed(
        observed_pod(pod(tme=False), kong=in_async()), agent_problem="agent-1: port 5442 does not answer"
    )
    found = failure(observation, **ASYNC)
    assert (found.name, found.found) == ("agent", "agent-1: port 5442 does not answer")
    assert found.expected == "an agent that answers on port 5442, in namespace traceable"


def test_an_agent_without_pods() -> None:
    assert failure(observed(agent_pods=[])).found == "the agent has no pods"


def test_a_disabled_plugin_needs_no_agent() -> None:
    observation = observed(
        observed_pod(pod(tme=False), kong=answer(instance(enabled=False))), agent_pods=[], agent_problem="away"
    )
    assert evaluate(desired(enabled=False, injection=None), observation).ok
