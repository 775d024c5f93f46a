"""One observation of a Deployment, a pod, or a custom condition."""

from typing import Any

import pytest

from local.provider.kubernetes.await_custom import expressions, json_path
from local.provider.kubernetes.await_deployment import assess
from local.provider.kubernetes.await_pods import pod_problems

_REVISION = "deployment.kubernetes.io/revision"


def _deployment(revision: str = "2", *, observed: int = 2, reason: str = "NewReplicaSetAvailable") -> dict[str, Any]:
    return {
        "metadata": {"name": "it", "uid": "u", "generation": 2, "annotations": {_REVISION: revision}},
        "status": {
            "observedGeneration": observed,
            "conditions": [
                {"type": "Available", "status": "True"},
                {"type": "Progressing", "status": "True", "reason": reason},
            ],
        },
    }


def _replica_set(revision: str = "2", *, ready: int | None = 1) -> dict[str, Any]:
    status = {} if ready is None else {"readyReplicas": ready}
    return {"metadata": {"uid": "r", "annotations": {_REVISION: revision}}, "spec": {"replicas": 1}, "status": status}


def _done(deployment: dict[str, Any], *sets: dict[str, Any]) -> bool:
    return assess(deployment, sets, list, []).done


def test_rolled_out() -> None:
    assert _done(_deployment(), _replica_set())


def test_not_yet() -> None:
    assert not _done(_deployment(observed=1), _replica_set())
    assert not _done(_deployment(reason="ReplicaSetUpdated"), _replica_set())
    assert not _done(_deployment(), _replica_set(ready=None))
    assert not _done(_deployment(), _replica_set("1"))


def test_the_first_revision_needs_no_progress() -> None:
    assert _done(_deployment("1", reason="ReplicaSetUpdated"), _replica_set("1"))


def test_unbound_claims_are_a_problem() -> None:
    claim = {"metadata": {"name": "disk"}, "status": {"phase": "Pending"}}
    progress = assess(_deployment(), [_replica_set()], list, [claim])

    assert not progress.done
    assert progress.problems == ['Failed to bind PersistentVolumeClaim(s): "disk"']


def _pod(*statuses: dict[str, Any], scheduled: str = "True") -> dict[str, Any]:
    conditions = [
        {"type": "PodScheduled", "status": scheduled, "reason": "Unschedulable", "message": "no node"},
        {"type": "Initialized", "status": "True"},
        {"type": "Ready", "status": "False"},
    ]
    return {
        "metadata": {"name": "p", "namespace": "n"},
        "status": {"conditions": conditions, "containerStatuses": list(statuses)},
    }


def test_pod_problems() -> None:
    waiting = {"name": "c", "state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}}
    ended = {"name": "c", "state": {"terminated": {"reason": "Error", "exitCode": 3}}}

    assert pod_problems(_pod(waiting)) == ["[Pod n/p]: [ImagePullBackOff] no such image"]
    assert pod_problems(_pod(ended)) == ['[Pod n/p]: container "c" completed with exit code 3']
    assert pod_problems(_pod({"name": "c", "state": {"waiting": {"reason": "ContainerCreating"}}})) == []
    assert pod_problems(_pod(waiting, scheduled="False")) == []


@pytest.mark.parametrize(
    ("expression", "holds"),
    [
        *(("{.status.a}", True), ("{.status.a}=1", True), ("{.status.a}=2", False), ("{.status.nothing}", False)),
        *(("{.status.list[0].name}=x", True), ('{.status.list[?(@.name=="y")].value}=true', True)),
        ('{.metadata["labels"]["a.b"]}=c', True),
    ],
)
def test_json_path(expression: str, holds: bool) -> None:
    live = {
        "metadata": {"labels": {"a.b": "c"}},
        "status": {"a": 1, "list": [{"name": "x"}, {"name": "y", "value": True}]},
    }

    assert json_path(expression)(live) is holds


def test_json_path_waits_for_the_controller() -> None:
    live = {"metadata": {"generation": 2}, "status": {"observedGeneration": 1, "a": 1}}

    assert not json_path("{.status.a}")(live)


def test_several_expressions() -> None:
    assert expressions('["a", "b"]') == ["a", "b"]
    assert expressions("condition=Ready") == ["condition=Ready"]
    with pytest.raises(ValueError, match="at least one condition"):
        expressions("[]")
    with pytest.raises(ValueError, match="format should be"):
        json_path(".status.a=1")
