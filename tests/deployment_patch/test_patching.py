"""A patch of a live Deployment: one request, awaited, recorded, and reverted completely."""

import json
from typing import Any

import pytest

from tests.deployment_patch.deployment import Cluster, kong_of, template, variable
from tests.fakes.clock import Clock
from traceable_kong.cluster.kong_deployment import KongDeployment
from traceable_kong.cluster.kubernetes_client import ApiError
from traceable_kong.common import waiting
from traceable_kong.deployment_patch.patching import PATCH_ANNOTATION, PatchFailed, PatchTarget, apply, revert
from traceable_kong.deployment_patch.pod_template import PatchSpec

SPEC = PatchSpec(container="proxy", files={"/opt/kong/plugins/traceable": "files-a"}, plugins=("traceable",))
NEWER = PatchSpec(container="proxy", files={"/opt/kong/plugins/traceable": "files-b"}, plugins=("traceable",))
TARGET = PatchTarget(
    deployment=KongDeployment(namespace="gw", name="ingress-kong", container="proxy"),
    owner="traceable-kong.dev",
    timeout_seconds=0,
)


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    monkeypatch.setattr(waiting, "time", Clock())
    return Cluster(template(("KONG_PLUGINS", "bundled,foo")))


def mounted(cluster: Cluster) -> list[str]:
    return [item["configMap"]["name"] for item in cluster.template["spec"].get("volumes", [])]


def annotations(cluster: Cluster) -> dict[str, str]:
    assert cluster.live is not None
    return dict(cluster.live["metadata"].get("annotations", {}))


def test_apply_and_revert_are_one_request_each(cluster: Cluster) -> None:
    before = cluster.get(TARGET.path)
    assert before is not None
    assert apply(cluster, TARGET, SPEC) == 2
    assert mounted(cluster) == ["files-a"] and variable(cluster.template, "KONG_PLUGINS") == "bundled,foo,traceable"
    assert apply(cluster, TARGET, SPEC) == 2, "nothing to do"
    revert(cluster, TARGET, [])
    assert cluster.template == before["spec"]["template"] and annotations(cluster) == {}
    revert(cluster, TARGET, [])
    assert len(cluster.patches) == 2


def test_a_newer_patch_replaces_the_applied_one(cluster: Cluster) -> None:
    before = cluster.template
    apply(cluster, TARGET, SPEC)
    apply(cluster, TARGET, NEWER)
    assert mounted(cluster) == ["files-b"] and len(cluster.patches) == 2
    revert(cluster, TARGET, [])
    assert cluster.template == before


def test_a_change_of_another_client_at_the_same_time_stays(cluster: Cluster) -> None:
    def once() -> None:
        cluster.before_patch = lambda: None
        cluster.change(lambda found: kong_of(found)["env"].append({"name": "OWN", "value": "1"}))

    cluster.before_patch = once
    apply(cluster, TARGET, SPEC)
    assert variable(cluster.template, "OWN") == "1" and mounted(cluster) == ["files-a"]


def test_a_client_that_changes_it_all_the_time_is_reported(cluster: Cluster) -> None:
    cluster.before_patch = lambda: cluster.change(lambda _: None)
    with pytest.raises(PatchFailed, match="changed by another client during every attempt"):
        apply(cluster, TARGET, SPEC)
    assert mounted(cluster) == []


def test_only_a_conflict_is_retried(cluster: Cluster) -> None:
    def refuse() -> None:
        raise ApiError(403, "Forbidden", "you may not")

    cluster.before_patch = refuse
    with pytest.raises(ApiError, match="you may not"):
        apply(cluster, TARGET, SPEC)


def test_the_earlier_template_is_restored_if_the_rollout_does_not_finish(cluster: Cluster) -> None:
    before = cluster.template
    cluster.rolls = False
    with pytest.raises(
        PatchFailed, match=r"1 are updated and 2 available.*no quota.*earlier pod template was restored"
    ):
        apply(cluster, TARGET, SPEC)
    assert cluster.template == before and annotations(cluster) == {}

    cluster.rolls = True
    apply(cluster, TARGET, SPEC)
    before_newer = cluster.template, annotations(cluster)
    cluster.rolls = False
    with pytest.raises(PatchFailed, match="earlier pod template was restored"):
        apply(cluster, TARGET, NEWER)
    assert (cluster.template, annotations(cluster)) == before_newer


def test_revert_waits_for_the_last_old_pod(cluster: Cluster) -> None:
    apply(cluster, TARGET, SPEC)
    cluster.rolls = False
    with pytest.raises(PatchFailed, match="did not finish its rollout"):
        revert(cluster, TARGET, [])


def test_revert_waits_also_if_an_interrupted_one_left_old_pods(cluster: Cluster) -> None:
    """The next destroy finds no annotation, and old pods that may still use the files."""
    apply(cluster, TARGET, SPEC)
    cluster.rolls = False
    with pytest.raises(PatchFailed):
        revert(cluster, TARGET, [])
    with pytest.raises(PatchFailed, match="did not finish its rollout"):
        revert(cluster, TARGET, [])


def test_a_deployment_that_does_not_exist(cluster: Cluster) -> None:
    cluster.live = None
    revert(cluster, TARGET, [])
    with pytest.raises(PatchFailed, match="Deployment gw/ingress-kong does not exist"):
        apply(cluster, TARGET, SPEC)


def test_the_patch_of_another_stack_is_neither_replaced_nor_reverted(cluster: Cluster) -> None:
    apply(cluster, TARGET, SPEC)
    other = PatchTarget(
        deployment=KongDeployment(namespace="gw", name="ingress-kong", container="proxy"),
        owner="traceable-kong.prod",
        timeout_seconds=0,
    )
    with pytest.raises(PatchFailed, match=r"already patched by the stack traceable-kong\.dev"):
        apply(cluster, other, NEWER)
    revert(cluster, other, [])
    assert mounted(cluster) == ["files-a"]


@pytest.mark.parametrize("text", ["", "[]", "{}", "[" * 100_000, json.dumps({"stack": "a", "patch": {"variables": 1}})])
def test_an_annotation_that_was_changed_by_hand_is_reported(cluster: Cluster, text: str) -> None:
    live: Any = cluster.live
    live["metadata"]["annotations"] = {PATCH_ANNOTATION: text}
    for work in (lambda: apply(cluster, TARGET, SPEC), lambda: revert(cluster, TARGET, [])):
        with pytest.raises(PatchFailed, match="changed by another client"):
            work()


def test_a_conflict_is_reported(cluster: Cluster) -> None:
    cluster.change(lambda found: found["spec"].update(volumes=[{"name": "kong-plugin-traceable", "emptyDir": {}}]))
    with pytest.raises(
        PatchFailed,
        match="Deployment gw/ingress-kong has a volume kong-plugin-traceable that is not",
    ):
        apply(cluster, TARGET, SPEC)


def test_files_that_are_mounted_without_an_annotation_are_not_deleted(cluster: Cluster) -> None:
    apply(cluster, TARGET, SPEC)
    live: Any = cluster.live
    del live["metadata"]["annotations"]
    with pytest.raises(PatchFailed, match="still mounts files-a"):
        revert(cluster, TARGET, ["files-a", "files-b"])
    revert(cluster, TARGET, ["files-b"])
