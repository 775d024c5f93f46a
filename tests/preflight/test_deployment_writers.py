"""Other writers of an existing Kong's Deployment: an owner is an error, Argo CD and Flux are a warning."""

from typing import Any

import pytest

from tests.fakes.preflight_cluster import EXISTING, FakeKubernetes, deployment, passes, put_kong, refused, warned

ASYNC: dict[str, Any] = {"mode": "async"}
BY_OWNER: dict[str, Any] = {"kong": {**EXISTING["kong"], "filesMountedBy": "owner"}}
"""The keys of an existing Kong whose owner mounts the files."""

OWNER = {"apiVersion": "gateway.example.com/v1", "kind": "KongGateway", "name": "edge", "controller": True}


def put_deployment(kube: FakeKubernetes, **metadata: Any) -> None:
    put_kong(kube)
    kube.objects[deployment("kong", "quickstart-kong")]["metadata"].update(metadata)


@pytest.mark.parametrize(
    ("changes", "lost", "ways"),
    [
        ({}, "the plugin's files and the TME", ["kong.filesMountedBy owner", "mode async"]),
        (ASYNC, "remove the plugin's files again", ["kong.filesMountedBy owner"]),
        (BY_OWNER, "remove the TME again", ["mode async"]),
    ],
)
def test_an_owner_that_writes_the_pod_template(
    kube: FakeKubernetes, changes: dict[str, Any], lost: str, ways: list[str]
) -> None:
    put_deployment(kube, ownerReferences=[{"kind": "Other", "name": "x"}, OWNER])
    said = refused(kube, **{**EXISTING, **changes})
    assert "belongs to KongGateway edge (gateway.example.com/v1), whose controller writes its pod template" in said
    assert lost in said and all(way in said for way in ways)
    assert ("kong.filesMountedBy" in said, "mode async" in said) == (
        "kong.filesMountedBy owner" in ways,
        "mode async" in ways,
    )


def test_an_owner_passes_if_the_stack_writes_nothing(kube: FakeKubernetes) -> None:
    put_deployment(kube, ownerReferences=[OWNER])
    passes(kube, **BY_OWNER, **ASYNC)
    passes(kube)
    assert "belongs to KongGateway edge" in warned(kube, **EXISTING, enabled=False), (
        "a Deployment with an owner can be disabled"
    )


def test_a_reference_that_is_no_controller_passes(kube: FakeKubernetes) -> None:
    put_deployment(kube, ownerReferences=[{**OWNER, "controller": False}])
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
def test_a_gitops_tool_is_a_warning(kube: FakeKubernetes, metadata: dict[str, Any], said: str) -> None:
    put_deployment(kube, **metadata)
    assert f"is applied by {said}" in warned(kube, **EXISTING)
    passes(kube, **BY_OWNER, **ASYNC)


def test_a_label_that_charts_set_passes(kube: FakeKubernetes) -> None:
    put_deployment(kube, labels={"app.kubernetes.io/instance": "edge"}, managedFields=[{"manager": "helm"}])
    passes(kube, **EXISTING)
