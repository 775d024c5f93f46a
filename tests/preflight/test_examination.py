"""The whole examination: a first install, what may not be read, and the permissions."""

from typing import Any

import pytest

from tests.fakes.preflight_cluster import (
    EXISTING,
    EXTERNAL_AGENT,
    FILES,
    UNINSTALLED,
    FakeKubernetes,
    container,
    examined,
    passes,
    put_kong,
    put_plugin,
    put_record,
    refused,
    warned,
)
from traceable_kong.cluster.api_objects import CLUSTER_PLUGINS, NAMESPACES, VALIDATING_WEBHOOKS
from traceable_kong.cluster.kubernetes_client import ApiError, Unreachable


@pytest.mark.parametrize("live_change", [False, True])
@pytest.mark.parametrize("sync", [False, True])
def test_an_empty_cluster_passes(kube: FakeKubernetes, live_change: bool, sync: bool) -> None:
    passes(kube, live_change=live_change, mode="sync" if sync else "async")
    assert kube.creates == [], "without another webhook there is no dry run"


def test_an_installed_stack_passes(kube: FakeKubernetes) -> None:
    for namespace in ("kong", "traceable"):
        kube.put(f"{NAMESPACES}/{namespace}", owned=True)
    kube.put(f"{NAMESPACES}/traceable/secrets/traceable-agent-token", owned=True)
    kube.put(f"{NAMESPACES}/kong/configmaps/{FILES}", owned=True)
    kube.release("kong", "quickstart", ["superseded", "deployed"])
    kube.release("traceable", "traceable-agent", ["deployed"])
    put_kong(kube, container(), volumes={"kong-plugin-traceable": FILES})
    put_plugin(kube, config={"mode": "sync", "timeout": 500})
    put_record(kube, release="quickstart", deployment="quickstart-kong")
    passes(kube)


def test_every_path_is_read_once(kube: FakeKubernetes) -> None:
    put_kong(kube)
    examined(kube, **EXISTING)
    assert sorted(kube.asked) == sorted(set(kube.asked))


def test_an_unreadable_path_is_reported_and_stops_an_up(kube: FakeKubernetes) -> None:
    kube.denied[f"{NAMESPACES}/kong/secrets"] = 403
    kube.denied[f"{NAMESPACES}/traceable/secrets"] = 403
    found = examined(kube, live_change=False)
    assert found.errors == []
    said = "\n".join(item.subject + item.problem for item in found.warnings)
    for subject in ("Helm release quickstart", "Helm release traceable-agent", "secret traceable-agent-token"):
        assert subject in said
    assert "you may not look at /api/v1/namespaces/kong/secrets" in said
    assert len(examined(kube).errors) == 2


def test_one_reason_is_reported_once(kube: FakeKubernetes) -> None:
    kube.denied[CLUSTER_PLUGINS] = 403
    text = warned(kube, live_change=False)
    assert "other global plugins" in text
    assert "options of the current plugin" in text


@pytest.mark.parametrize("path", [VALIDATING_WEBHOOKS, NAMESPACES])
def test_an_up_continues_if_only_warnings_would_be_missing(kube: FakeKubernetes, path: str) -> None:
    kube.denied_lists[path] = 403
    assert path in warned(kube)


def test_a_cluster_that_does_not_answer(kube: FakeKubernetes, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object, **__: object) -> bool:
        raise Unreachable("https://gone:6443: timed out")

    monkeypatch.setattr(kube, "list", unreachable)
    assert "https://gone:6443: timed out" in refused(kube)
    monkeypatch.setattr(kube, "allowed", unreachable)
    assert "https://gone:6443: timed out" in refused(kube)


def test_a_login_that_does_not_work_is_one_error(kube: FakeKubernetes, monkeypatch: pytest.MonkeyPatch) -> None:
    def unauthorized(*_: object, **__: object) -> bool:
        raise ApiError(401, "Unauthorized", "Unauthorized")

    monkeypatch.setattr(kube, "allowed", unauthorized)
    assert "Unauthorized" in refused(kube, live_change=False)


def denied(verb: str, resource: str) -> bool:
    return False


def test_missing_permissions_are_a_warning_in_a_preview(kube: FakeKubernetes) -> None:
    kube.may = denied
    preview = examined(kube, live_change=False)
    assert preview.errors == []
    up = examined(kube)
    assert up.warnings == []
    assert [item.subject for item in up.errors] == [item.subject for item in preview.warnings]
    text = "\n".join(item.problem + item.fix for item in up.errors)
    for permission in (
        "get, create pods/portforward in namespace kong",
        "list replicasets in namespace kong",
        "get kongclusterplugins",
        "get services in namespace traceable",
        "list pods in namespace traceable",
        "create pods in namespace kong",
        "create, patch, delete validatingadmissionpolicies",
        "create, patch, delete kongclusterplugins",
        "get, patch namespace kong",
        "get, list, watch, patch deployments in namespace kong",
        "get, list, watch, create, patch, delete, update secrets in namespace traceable",
        "get, list, watch, create, patch, delete deployments in namespace traceable",
        "create, patch, delete clusterroles; create, patch, delete clusterrolebindings",
        "get, list, watch clusterroles",
        "create, patch, delete ingressclasses",
        "create, patch, delete validatingwebhookconfigurations",
        "get, list, watch, create customresourcedefinitions",
        "create, patch, delete horizontalpodautoscalers in namespace traceable",
        "create, patch, delete configmaps in namespace traceable",
        "escalate, bind clusterroles; escalate, bind roles in namespace kong",
        "kubectl auth can-i get namespaces",
    ):
        assert permission in text


def test_permissions_that_are_not_needed_are_not_checked(kube: FakeKubernetes) -> None:
    kube.may = denied
    found = examined(kube, **EXTERNAL_AGENT, kong={"createNamespace": False})
    text = "\n".join(item.problem for item in found.errors)
    for permission in ("policies", "create pods in", "delete namespaces", "mutatingwebhook", "in namespace traceable"):
        assert permission not in text


def problems_without_permissions(kube: FakeKubernetes, **changes: Any) -> dict[str, str]:
    """The problems without any permission, by subject."""
    kube.may = denied
    return {item.subject: item.problem for item in examined(kube, **changes).errors}


def test_the_patches_exist_in_async_too_without_a_dry_run(kube: FakeKubernetes) -> None:
    asked = problems_without_permissions(kube, mode="async")["the TME"]
    assert "(get, patch namespace kong; get, list, watch, patch deployments in namespace kong;" in asked
    assert "create pods" not in asked
    assert "the TME" not in problems_without_permissions(kube, **UNINSTALLED)


@pytest.mark.parametrize(("sync", "enabled", "asked"), [(True, True, 0), (False, True, 1), (False, False, 0)])
def test_the_verification_connects_to_the_agent_in_async(
    kube: FakeKubernetes, sync: bool, enabled: bool, asked: int
) -> None:
    said = problems_without_permissions(kube, mode="sync" if sync else "async", enabled=enabled)["the verification"]
    assert said.count("get, create pods/portforward in namespace traceable") == asked
    assert said.count("get, create pods/portforward in namespace kong") == 1


def test_a_permission_for_both_in_one_namespace_is_checked_once(kube: FakeKubernetes) -> None:
    said = problems_without_permissions(kube, mode="async", agent={"namespace": "kong", "createNamespace": False})[
        "the verification"
    ]
    assert said.count("list pods in namespace kong;") == said.count("pods/portforward in namespace kong;") == 1


@pytest.mark.parametrize("verb", ["get", "create"])
def test_a_port_forward_needs_both_verbs(kube: FakeKubernetes, verb: str) -> None:
    kube.may = lambda asked, resource: resource != "*" and (asked, resource) != (verb, "pods/portforward")
    assert f"({verb} pods/portforward in namespace kong)" in refused(kube)


def test_a_user_with_every_single_permission_passes(kube: FakeKubernetes) -> None:
    kube.may = lambda verb, resource: verb != "*"
    passes(kube)


def test_a_missing_permission_is_named_with_its_subresource(kube: FakeKubernetes) -> None:
    kube.may = lambda verb, resource: resource not in ("*", "pods/portforward")
    text = refused(kube)
    assert "get, create pods/portforward in namespace kong" in text
    assert "kubectl auth can-i get pods --subresource=portforward --namespace kong" in text
    assert "list pods" not in text


def test_permissions_that_may_not_be_reviewed_are_a_warning_in_a_preview(
    kube: FakeKubernetes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(*_: object, **__: object) -> bool:
        raise ApiError(403, "Forbidden", "cannot create selfsubjectaccessreviews")

    monkeypatch.setattr(kube, "allowed", forbidden)
    assert "permissions for the verification" in warned(kube, live_change=False)
