"""Whoever else writes the Deployment of an existing Kong: an owner is refused, Argo CD and Flux are said."""

from typing import Any

import pytest

from tests.preflight.fake import FakeKubernetes, kong_stands, passes, refused, warned
from traceable_kong.deployment_patch.pod_template import PatchSpec
from traceable_kong.preflight.cached_reader import deployment

PART = PatchSpec(container="proxy", files={"/opt/kong/plugins/traceable": "files"}, plugins=("traceable",))
EXISTING: dict[str, Any] = {
    "gateway__ours": False,
    "gateway__create_namespace": False,
    "gateway__release": None,
    "gateway__part": PART,
}
ASYNC: dict[str, Any] = {"sync": False}
OWNER = {"apiVersion": "gateway.example.com/v1", "kind": "KongGateway", "name": "edge", "controller": True}


def stands(kube: FakeKubernetes, **metadata: Any) -> None:
    kong_stands(kube)
    kube.objects[deployment("kong", "quickstart-kong")]["metadata"].update(metadata)


@pytest.mark.parametrize(
    ("changes", "lost", "ways"),
    [
        ({}, "the plugin's files and the TME", ["kong.filesMountedBy owner", "mode async"]),
        (ASYNC, "remove the plugin's files again", ["kong.filesMountedBy owner"]),
        ({"gateway__part": None}, "remove the TME again", ["mode async"]),
    ],
)
def test_an_owner_would_write_it_back(
    kube: FakeKubernetes, changes: dict[str, Any], lost: str, ways: list[str]
) -> None:
    stands(kube, ownerReferences=[{"kind": "Other", "name": "x"}, OWNER])
    said = refused(kube, **{**EXISTING, **changes})
    assert "belongs to KongGateway edge (gateway.example.com/v1), whose controller writes its pod template" in said
    assert lost in said and all(way in said for way in ways)
    assert ("kong.filesMountedBy" in said, "mode async" in said) == (
        "kong.filesMountedBy owner" in ways,
        "mode async" in ways,
    )


def test_where_nothing_is_written_an_owner_is_no_hindrance(kube: FakeKubernetes) -> None:
    stands(kube, ownerReferences=[OWNER])
    passes(kube, **{**EXISTING, **ASYNC, "gateway__part": None})
    passes(kube)
    assert "belongs to KongGateway edge" in warned(kube, **EXISTING, enabled=False), "off goes whoever owns it"


def test_who_only_refers_to_it_does_not_write_it(kube: FakeKubernetes) -> None:
    stands(kube, ownerReferences=[{**OWNER, "controller": False}])
    passes(kube, **EXISTING)


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        (
            {"annotations": {"argocd.argoproj.io/tracking-id": "edge:apps/Deployment:kong/quickstart-kong"}},
            "Argo CD (edge:apps/Deployment:kong/quickstart-kong)",
        ),
        ({"labels": {"argocd.argoproj.io/instance": "edge"}}, "Argo CD (edge)"),
        ({"managedFields": [{"manager": "argocd-controller"}]}, "Argo CD (field manager argocd-controller)"),
        ({"labels": {"kustomize.toolkit.fluxcd.io/name": "apps"}}, "Flux (Kustomization apps)"),
        ({"labels": {"helm.toolkit.fluxcd.io/name": "kong"}}, "Flux (HelmRelease kong)"),
        ({"managedFields": [{"manager": "helm-controller"}]}, "Flux (field manager helm-controller)"),
    ],
)
def test_what_applies_it_from_a_repository_is_said(kube: FakeKubernetes, metadata: dict[str, Any], said: str) -> None:
    stands(kube, **metadata)
    assert f"is applied by {said}" in warned(kube, **EXISTING)
    passes(kube, **{**EXISTING, **ASYNC, "gateway__part": None})


def test_a_charts_own_label_is_nobodys(kube: FakeKubernetes) -> None:
    stands(kube, labels={"app.kubernetes.io/instance": "edge"}, managedFields=[{"manager": "helm"}])
    passes(kube, **EXISTING)
