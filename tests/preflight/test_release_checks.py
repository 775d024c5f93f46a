"""Helm releases: their owner, and what an interrupted operation left."""

import base64
from typing import Any

import pytest

from tests.fakes.plans import ROCK, plan
from tests.fakes.preflight_cluster import (
    ANOTHER_OF_THIS_NAME,
    EXISTING,
    FakeKubernetes,
    examined,
    passes,
    put_kong,
    put_storage_class,
    refused,
    warned,
)
from traceable_kong.cluster.api_objects import CLUSTER_ROLES, secrets
from traceable_kong.plan.build import PlanInputs
from traceable_kong.plan.siblings import Siblings


@pytest.mark.parametrize(
    ("statuses", "command"),
    [
        (["pending-install"], "helm uninstall quickstart --namespace kong"),
        (["deployed", "pending-upgrade"], "helm rollback quickstart 1 --namespace kong"),
        (["superseded", "deployed", "failed", "pending-upgrade"], "helm rollback quickstart 2 --namespace kong"),
        (["deployed", "failed", "pending-rollback"], "helm rollback quickstart 1 --namespace kong"),
        (["superseded", "superseded", "pending-rollback"], "helm rollback quickstart 2 --namespace kong"),
        (["failed", "pending-upgrade"], "helm uninstall quickstart --namespace kong"),
        (["superseded", "uninstalling"], "helm rollback quickstart 2 --namespace kong"),
        (["superseded", "uninstalled"], "helm uninstall quickstart --namespace kong"),
        (["failed"], "helm uninstall quickstart --namespace kong"),
    ],
)
def test_how_an_interrupted_operation_is_repaired(kube: FakeKubernetes, statuses: list[str], command: str) -> None:
    kube.release("kong", "quickstart", statuses)
    found = examined(kube)
    assert [item.command for item in found.stuck] == [f"{command} --wait --timeout 600s"]
    assert (found.errors, found.warnings) == ([], [])


@pytest.mark.parametrize("statuses", [["pending-install"], ["failed"], ["superseded", "uninstalled"]])
def test_a_release_that_serves_is_completed_and_not_uninstalled(kube: FakeKubernetes, statuses: list[str]) -> None:
    kube.release("kong", "quickstart", statuses, serves=True)
    found = examined(kube)
    assert [item.command for item in found.stuck] == [
        f"helm rollback quickstart {len(statuses)} --namespace kong --wait --timeout 600s"
    ]


DATABASE: dict[str, dict[str, Any]] = {
    "off": {},
    "postgres": {"kong": {"database": "postgres", "postgres": {"managed": True}}},
}


@pytest.mark.parametrize(("database", "seconds"), [("off", 600), ("postgres", 1800)])
def test_with_a_database_an_operation_may_run_longer(kube: FakeKubernetes, database: str, seconds: int) -> None:
    put_storage_class(kube)
    kube.release("kong", "quickstart", ["deployed", "pending-upgrade"])
    (stuck,) = examined(kube, **DATABASE[database]).stuck
    assert (stuck.release.timeout_seconds, stuck.release.operation_seconds) == (600, seconds)


@pytest.mark.parametrize("version", ["abc", "", "-1", "1.5", "1_0"])
def test_a_secret_that_helm_did_not_write_is_ignored(kube: FakeKubernetes, version: str) -> None:
    kube.release("kong", "quickstart", ["deployed"])
    labels = {"owner": "helm", "name": "quickstart", "version": version, "status": "pending-install"}
    kube.put(f"{secrets('kong')}/planted", {"metadata": {"labels": labels}})
    kube.put(f"{secrets('kong')}/no-version", {"metadata": {"labels": {"owner": "helm", "name": "quickstart"}}})
    passes(kube)


@pytest.mark.parametrize("planted", ["[" * 100_000, "5", '{"config": 5, "chart": "x"}', '{"chart": {"metadata": 5}}'])
def test_a_document_that_helm_did_not_write_has_no_owner(kube: FakeKubernetes, planted: str) -> None:
    kube.release("kong", "quickstart", ["deployed"])
    packed = base64.b64encode(base64.b64encode(planted.encode())).decode()
    kube.objects[f"{secrets('kong')}/sh.helm.release.v1.quickstart.v1"]["data"] = {"release": packed}
    assert "do not name this stack as the owner" in refused(kube)
    assert "is of the chart None" in refused(kube, kong={"adopt": True})


def test_a_preview_shows_what_an_up_will_repair(kube: FakeKubernetes) -> None:
    kube.release("traceable", "traceable-agent", ["pending-install"])
    text = warned(kube, live_change=False)
    assert "pending-install" in text
    assert "`pulumi up` runs `helm uninstall traceable-agent --namespace traceable --wait --timeout 300s`" in text
    assert examined(kube, live_change=False).stuck == []


@pytest.mark.parametrize("statuses", [["deployed"], ["superseded", "deployed"], ["deployed", "failed"]])
def test_a_release_that_helm_can_change_passes(kube: FakeKubernetes, statuses: list[str]) -> None:
    kube.release("kong", "quickstart", statuses)
    passes(kube)


@pytest.mark.parametrize("status", ["deployed", "pending-install"])
@pytest.mark.parametrize(
    ("owner", "said"),
    [
        (None, "do not name this stack as the owner"),
        ("traceable-kong.prod-0a1b2c3d", "another stack, traceable-kong.prod-0a1b2c3d"),
        ("traceable-kong.dev", "another stack, traceable-kong.dev "),
        (ANOTHER_OF_THIS_NAME, "pulumi stack import --file BACKUP.json"),
    ],
)
def test_a_release_of_another_owner_is_refused_and_never_repaired(
    kube: FakeKubernetes, status: str, owner: str | None, said: str
) -> None:
    kube.release("kong", "quickstart", [status], owner=owner)
    assert said in refused(kube)
    assert examined(kube).stuck == []


def test_a_release_of_another_component_of_this_stack(kube: FakeKubernetes) -> None:
    kube.release("kong", "quickstart", ["deployed"], owner="traceable-kong.dev.edge-0a1b2c3d")
    siblings = Siblings(component="inner", prefix="-", ids={"traceable-kong.dev.edge-0a1b2c3d": "renamed"})
    text = refused(kube, of=plan(inputs=PlanInputs(rock=ROCK, siblings=siblings)))
    assert "belongs to component renamed of this stack, and not to inner" in text
    assert "the removal of inner from the program would uninstall it" in text and "another stack" not in text


def test_a_gateway_can_use_the_agent_of_another_owner(kube: FakeKubernetes) -> None:
    kube.release("traceable", "traceable-agent", ["deployed"], owner="traceable-kong.prod-0a1b2c3d")
    use_it = (
        "Use the agent that is there: `pulumi config set --path traceable-kong:agent.install false`. Or use another"
    )
    assert use_it in refused(kube)
    assert "Use another agent.namespace." in refused(kube, of=plan(gateway=False, plugin=None))


def test_the_newest_revision_names_the_owner(kube: FakeKubernetes) -> None:
    kube.release("kong", "quickstart", ["superseded", "deployed"])
    kube.release("kong", "quickstart", ["superseded"], owner=None)
    passes(kube)
    kube.release("kong", "quickstart", ["superseded", "deployed"], owner=None)
    kube.release("kong", "quickstart", ["superseded"])
    assert "helm history" in refused(kube)


def test_an_unreadable_release_has_no_owner(kube: FakeKubernetes) -> None:
    kube.release("kong", "quickstart", ["deployed"])
    kube.objects[f"{secrets('kong')}/sh.helm.release.v1.quickstart.v1"]["data"]["release"] = "bm9ucw=="
    assert "do not name this stack as the owner" in refused(kube)


def test_a_release_of_another_name_passes(kube: FakeKubernetes) -> None:
    kube.release("kong", "other", ["pending-install"], owner=None)
    passes(kube)


def test_the_release_of_an_existing_agent_passes(kube: FakeKubernetes) -> None:
    kube.release("traceable", "traceable-agent", ["deployed"], owner=None)
    passes(kube, agent={"install": False}, agentToken=None, enabled=False)


def test_cluster_roles_of_another_release_are_refused(kube: FakeKubernetes) -> None:
    def belongs_to(name: str, namespace: str) -> None:
        noted = {"meta.helm.sh/release-name": name, "meta.helm.sh/release-namespace": namespace}
        kube.put(f"{CLUSTER_ROLES}/quickstart-kong", {"metadata": {"annotations": noted}})

    belongs_to("quickstart", "kong")
    passes(kube)
    belongs_to("quickstart", "edge")
    text = refused(kube)
    assert "clusterrole quickstart-kong" in text and "quickstart in namespace edge" in text
    assert "kong.release NAME" in text
    put_kong(kube)
    passes(kube, **EXISTING)
