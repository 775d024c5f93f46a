"""Helm releases: whose they are, and what an interrupted operation left."""

import base64

import pytest

from tests.preflight.fake import ANOTHER_OF_THIS_NAME, FakeKubernetes, intent, kong_stands, passes, refused, warned
from traceable_kong.preflight.cached_reader import CLUSTER_ROLES, secrets
from traceable_kong.preflight.examination import examine
from traceable_kong.preflight.intent import Adoption


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
def test_what_an_interrupted_operation_left_is_mended(kube: FakeKubernetes, statuses: list[str], command: str) -> None:
    kube.release("kong", "quickstart", statuses)
    found = examine(kube, intent())
    assert [item.command for item in found.stuck] == [f"{command} --wait --timeout 600s"]
    assert (found.errors, found.warnings) == ([], [])


@pytest.mark.parametrize("statuses", [["pending-install"], ["failed"], ["superseded", "uninstalled"]])
def test_what_serves_is_completed_and_not_removed(kube: FakeKubernetes, statuses: list[str]) -> None:
    kube.release("kong", "quickstart", statuses, serves=True)
    found = examine(kube, intent())
    assert [item.command for item in found.stuck] == [
        f"helm rollback quickstart {len(statuses)} --namespace kong --wait --timeout 600s"
    ]


@pytest.mark.parametrize(("database", "seconds"), [("off", 600), ("postgres", 1800)])
def test_with_a_database_an_operation_may_run_as_long_as_its_jobs(
    kube: FakeKubernetes, database: str, seconds: int
) -> None:
    kube.release("kong", "quickstart", ["deployed", "pending-upgrade"])
    (stuck,) = examine(kube, intent(gateway__database=database)).stuck
    assert (stuck.timeout_seconds, stuck.may_run_seconds) == (600, seconds)


@pytest.mark.parametrize("version", ["abc", "", "-1", "1.5", "1_0"])
def test_a_secret_that_helm_did_not_write_is_skipped(kube: FakeKubernetes, version: str) -> None:
    kube.release("kong", "quickstart", ["deployed"])
    labels = {"owner": "helm", "name": "quickstart", "version": version, "status": "pending-install"}
    kube.put(f"{secrets('kong')}/planted", {"metadata": {"labels": labels}})
    kube.put(f"{secrets('kong')}/no-version", {"metadata": {"labels": {"owner": "helm", "name": "quickstart"}}})
    passes(kube)


@pytest.mark.parametrize("planted", ["[" * 100_000, "5", '{"config": 5, "chart": "x"}', '{"chart": {"metadata": 5}}'])
def test_a_document_that_helm_did_not_write_is_nobodys(kube: FakeKubernetes, planted: str) -> None:
    kube.release("kong", "quickstart", ["deployed"])
    packed = base64.b64encode(base64.b64encode(planted.encode())).decode()
    kube.objects[f"{secrets('kong')}/sh.helm.release.v1.quickstart.v1"]["data"] = {"release": packed}
    assert "do not name this stack as the owner" in refused(kube)
    adoption = Adoption(chart="kong", version="3.4.1", values={})
    assert "is of the chart None" in refused(kube, gateway__adoption=adoption)


def test_a_preview_says_what_an_up_will_do(kube: FakeKubernetes) -> None:
    kube.release("traceable", "traceable-agent", ["pending-install"])
    text = warned(kube, live_change=False)
    assert "pending-install" in text
    assert "`pulumi up` runs `helm uninstall traceable-agent --namespace traceable --wait --timeout 300s`" in text
    assert examine(kube, intent(live_change=False)).stuck == []


@pytest.mark.parametrize("statuses", [["deployed"], ["superseded", "deployed"], ["deployed", "failed"]])
def test_what_helm_can_go_on_with_passes(kube: FakeKubernetes, statuses: list[str]) -> None:
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
def test_a_release_without_our_mark_is_refused_and_never_mended(
    kube: FakeKubernetes, status: str, owner: str | None, said: str
) -> None:
    kube.release("kong", "quickstart", [status], owner=owner)
    assert said in refused(kube)
    assert examine(kube, intent()).stuck == []


def test_the_newest_revision_says_whose_it_is(kube: FakeKubernetes) -> None:
    kube.release("kong", "quickstart", ["superseded", "deployed"])
    kube.release("kong", "quickstart", ["superseded"], owner=None)
    passes(kube)
    kube.release("kong", "quickstart", ["superseded", "deployed"], owner=None)
    kube.release("kong", "quickstart", ["superseded"])
    assert "helm history" in refused(kube)


def test_a_release_that_cannot_be_read_is_not_ours(kube: FakeKubernetes) -> None:
    kube.release("kong", "quickstart", ["deployed"])
    kube.objects[f"{secrets('kong')}/sh.helm.release.v1.quickstart.v1"]["data"]["release"] = "bm9ucw=="
    assert "do not name this stack as the owner" in refused(kube)


def test_another_name_is_another_release(kube: FakeKubernetes) -> None:
    kube.release("kong", "theirs", ["pending-install"], owner=None)
    passes(kube)


def test_a_kong_and_an_agent_that_exist_have_releases_of_their_own(kube: FakeKubernetes) -> None:
    kube.release("traceable", "traceable-agent", ["deployed"], owner=None)
    passes(kube, agent__release=None, enabled=False, sync=False)


def test_roles_of_another_release_are_refused_with_another_name(kube: FakeKubernetes) -> None:
    def belongs_to(name: str, namespace: str) -> None:
        noted = {"meta.helm.sh/release-name": name, "meta.helm.sh/release-namespace": namespace}
        kube.put(f"{CLUSTER_ROLES}/quickstart-kong", {"metadata": {"annotations": noted}})

    belongs_to("quickstart", "kong")
    passes(kube)
    belongs_to("quickstart", "edge")
    text = refused(kube)
    assert "clusterrole quickstart-kong" in text and "quickstart in namespace edge" in text
    assert "kong.release NAME" in text
    kong_stands(kube)
    passes(kube, gateway__ours=False)
