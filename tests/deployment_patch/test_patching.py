"""Our part in a live Deployment: one request, awaited, known again, and taken out without a trace."""

import json
from typing import Any

import pytest

from tests.deployment_patch.deployment import Cluster, kong_of, template, variable
from traceable_kong.cluster.kong_deployment import KongDeployment
from traceable_kong.cluster.kubernetes_client import ApiError
from traceable_kong.deployment_patch import patching
from traceable_kong.deployment_patch.patching import NOTE_ANNOTATION, EditFailed, PatchTarget, put, take_out
from traceable_kong.deployment_patch.pod_template import PatchSpec

PART = PatchSpec(container="proxy", files={"/opt/kong/plugins/traceable": "files-a"}, plugins=("traceable",))
NEWER = PatchSpec(container="proxy", files={"/opt/kong/plugins/traceable": "files-b"}, plugins=("traceable",))
TARGET = PatchTarget(
    deployment=KongDeployment(namespace="gw", name="ingress-kong", container="proxy"),
    owner="traceable-kong.dev",
    timeout_seconds=0,
)


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    monkeypatch.setattr(patching, "INTERVAL_SECONDS", 0.0)
    return Cluster(template(("KONG_PLUGINS", "bundled,foo")))


def mounted(cluster: Cluster) -> list[str]:
    return [item["configMap"]["name"] for item in cluster.template["spec"].get("volumes", [])]


def annotations(cluster: Cluster) -> dict[str, str]:
    assert cluster.live is not None
    return dict(cluster.live["metadata"].get("annotations", {}))


def test_it_goes_in_with_one_request_and_out_with_another(cluster: Cluster) -> None:
    before = cluster.get(TARGET.path)
    assert before is not None
    assert put(cluster, TARGET, PART) == 2
    assert mounted(cluster) == ["files-a"] and variable(cluster.template, "KONG_PLUGINS") == "bundled,foo,traceable"
    assert put(cluster, TARGET, PART) == 2, "it is there"
    take_out(cluster, TARGET)
    assert cluster.template == before["spec"]["template"] and annotations(cluster) == {}
    take_out(cluster, TARGET)
    assert len(cluster.patches) == 2


def test_a_newer_part_takes_the_place_of_the_older(cluster: Cluster) -> None:
    before = cluster.template
    put(cluster, TARGET, PART)
    put(cluster, TARGET, NEWER)
    assert mounted(cluster) == ["files-b"] and len(cluster.patches) == 2
    take_out(cluster, TARGET)
    assert cluster.template == before


def test_what_somebody_else_changes_at_the_same_time_stays(cluster: Cluster) -> None:
    def once() -> None:
        cluster.before_patch = lambda: None
        cluster.change(lambda found: kong_of(found)["env"].append({"name": "OWN", "value": "1"}))

    cluster.before_patch = once
    put(cluster, TARGET, PART)
    assert variable(cluster.template, "OWN") == "1" and mounted(cluster) == ["files-a"]


def test_somebody_who_changes_it_all_the_time_is_told_of(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patching.time, "sleep", lambda _: None)
    cluster.before_patch = lambda: cluster.change(lambda _: None)
    with pytest.raises(EditFailed, match="Somebody else changes"):
        put(cluster, TARGET, PART)
    assert mounted(cluster) == []


def test_another_answer_than_a_conflict_is_not_tried_again(cluster: Cluster) -> None:
    def refuse() -> None:
        raise ApiError(403, "Forbidden", "you may not")

    cluster.before_patch = refuse
    with pytest.raises(ApiError, match="you may not"):
        put(cluster, TARGET, PART)


def test_where_the_rollout_does_not_end_what_stood_before_is_put_back(cluster: Cluster) -> None:
    before = cluster.template
    cluster.rolls = False
    with pytest.raises(EditFailed, match=r"1 are new and 2 available.*no quota.*What stood before was put back"):
        put(cluster, TARGET, PART)
    assert cluster.template == before and annotations(cluster) == {}

    cluster.rolls = True
    put(cluster, TARGET, PART)
    stood = cluster.template, annotations(cluster)
    cluster.rolls = False
    with pytest.raises(EditFailed, match="put back"):
        put(cluster, TARGET, NEWER)
    assert (cluster.template, annotations(cluster)) == stood


def test_leaving_waits_for_the_last_old_pod(cluster: Cluster) -> None:
    put(cluster, TARGET, PART)
    cluster.rolls = False
    with pytest.raises(EditFailed, match="did not finish its rollout"):
        take_out(cluster, TARGET)


def test_a_leaving_that_was_interrupted_is_finished_by_waiting(cluster: Cluster) -> None:
    """The next destroy finds the note gone, and old pods that may still have the files."""
    put(cluster, TARGET, PART)
    cluster.rolls = False
    with pytest.raises(EditFailed):
        take_out(cluster, TARGET)
    with pytest.raises(EditFailed, match="did not finish its rollout"):
        take_out(cluster, TARGET)


def test_a_deployment_that_is_gone(cluster: Cluster) -> None:
    cluster.live = None
    take_out(cluster, TARGET)
    with pytest.raises(EditFailed, match="Deployment gw/ingress-kong is not there"):
        put(cluster, TARGET, PART)


def test_another_stacks_part_is_neither_overwritten_nor_taken_out(cluster: Cluster) -> None:
    put(cluster, TARGET, PART)
    other = PatchTarget(
        deployment=KongDeployment(namespace="gw", name="ingress-kong", container="proxy"),
        owner="traceable-kong.prod",
        timeout_seconds=0,
    )
    with pytest.raises(EditFailed, match=r"part of the stack traceable-kong\.dev"):
        put(cluster, other, NEWER)
    take_out(cluster, other)
    assert mounted(cluster) == ["files-a"]


@pytest.mark.parametrize("note", ["", "[]", "{}", json.dumps({"stack": "a", "added": {"variables": 1}})])
def test_a_note_that_was_changed_by_hand_is_told_of(cluster: Cluster, note: str) -> None:
    live: Any = cluster.live
    live["metadata"]["annotations"] = {NOTE_ANNOTATION: note}
    for work in (lambda: put(cluster, TARGET, PART), lambda: take_out(cluster, TARGET)):
        with pytest.raises(EditFailed, match="changed by hand"):
            work()


def test_what_cannot_be_had_is_said(cluster: Cluster) -> None:
    cluster.change(lambda found: found["spec"].update(volumes=[{"name": "kong-plugin-traceable", "emptyDir": {}}]))
    with pytest.raises(EditFailed, match="Deployment gw/ingress-kong has a volume kong-plugin-traceable already"):
        put(cluster, TARGET, PART)


def test_files_that_are_mounted_and_not_noted_any_more_do_not_go(cluster: Cluster) -> None:
    put(cluster, TARGET, PART)
    live: Any = cluster.live
    del live["metadata"]["annotations"]
    with pytest.raises(EditFailed, match="still mounts files-a"):
        take_out(cluster, TARGET, ["files-a", "files-b"])
    take_out(cluster, TARGET, ["files-b"])
