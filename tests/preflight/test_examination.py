"""The whole examination: a first install, what may not be looked at, and rights."""

from typing import Any

import pytest

from tests.preflight.fake import (
    FakeKubernetes,
    container,
    intent,
    kong_stands,
    passes,
    plugin_stands,
    record_stands,
    refused,
    warned,
)
from traceable_kong.cluster.kubernetes_client import ApiError, Unreachable
from traceable_kong.preflight.cached_reader import CLUSTER_PLUGINS, NAMESPACES, WEBHOOKS
from traceable_kong.preflight.examination import examine
from traceable_kong.preflight.policy_support import ADMISSION_API


@pytest.mark.parametrize("live_change", [False, True])
@pytest.mark.parametrize("sync", [False, True])
def test_an_empty_cluster_passes(kube: FakeKubernetes, live_change: bool, sync: bool) -> None:
    passes(kube, live_change=live_change, sync=sync)
    assert kube.creates == [], "without another webhook there is nobody to ask"


def test_what_the_stack_made_itself_passes(kube: FakeKubernetes) -> None:
    for namespace in ("kong", "traceable"):
        kube.put(f"{NAMESPACES}/{namespace}", ours=True)
    kube.put(f"{NAMESPACES}/traceable/secrets/traceable-agent-token", ours=True)
    kube.put(f"{NAMESPACES}/kong/configmaps/kong-plugin-traceable-0123456789", ours=True)
    kube.release("kong", "quickstart", ["superseded", "deployed"])
    kube.release("traceable", "traceable-agent", ["deployed"])
    kong_stands(kube, container(), volumes={"kong-plugin-traceable": "kong-plugin-traceable-0123456789"})
    plugin_stands(kube, config={"mode": "sync", "timeout": 500})
    record_stands(kube, release="quickstart", deployment="quickstart-kong")
    passes(kube)


def test_each_thing_is_asked_once(kube: FakeKubernetes) -> None:
    kong_stands(kube)
    examine(kube, intent(gateway__ours=False))
    assert sorted(kube.asked) == sorted(set(kube.asked))


def test_what_may_not_be_read_is_said_and_stops_an_up(kube: FakeKubernetes) -> None:
    kube.denied[f"{NAMESPACES}/kong/secrets"] = 403
    kube.denied[f"{NAMESPACES}/traceable/secrets"] = 403
    found = examine(kube, intent(live_change=False))
    assert found.errors == []
    said = "\n".join(item.subject + item.problem for item in found.warnings)
    for subject in ("Helm release quickstart", "Helm release traceable-agent", "secret traceable-agent-token"):
        assert subject in said
    assert "you may not look at /api/v1/namespaces/kong/secrets" in said
    assert len(examine(kube, intent()).errors) == 2


def test_one_reason_is_said_once(kube: FakeKubernetes) -> None:
    kube.denied[CLUSTER_PLUGINS] = 403
    text = warned(kube, live_change=False)
    assert "other global plugins" in text
    assert "options of the current plugin" in text


@pytest.mark.parametrize("path", [WEBHOOKS, NAMESPACES])
def test_an_up_goes_on_where_only_advice_is_missing(kube: FakeKubernetes, path: str) -> None:
    kube.denied_lists[path] = 403
    assert path in warned(kube)


def test_nobody_answers(kube: FakeKubernetes, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object, **__: object) -> bool:
        raise Unreachable("https://gone:6443: timed out")

    monkeypatch.setattr(kube, "list", unreachable)
    assert "https://gone:6443: timed out" in refused(kube)
    monkeypatch.setattr(kube, "allowed", unreachable)
    assert "https://gone:6443: timed out" in refused(kube)


def test_a_login_that_does_not_work_is_one_refusal(kube: FakeKubernetes, monkeypatch: pytest.MonkeyPatch) -> None:
    def unauthorized(*_: object, **__: object) -> bool:
        raise ApiError(401, "Unauthorized", "Unauthorized")

    monkeypatch.setattr(kube, "allowed", unauthorized)
    assert "Unauthorized" in refused(kube, live_change=False)


def test_a_cluster_that_has_no_guard_is_refused(kube: FakeKubernetes) -> None:
    resources = [{"name": "validatingwebhookconfigurations"}]
    kube.put(ADMISSION_API, {"resources": resources})
    assert "tmeGuard off" in refused(kube)
    passes(kube, policy=None)
    resources.append({"name": "validatingadmissionpolicies"})
    assert "no validatingadmissionpolicybindings" in refused(kube)
    resources.append({"name": "validatingadmissionpolicybindings"})
    passes(kube)


def nothing(verb: str, resource: str) -> bool:
    return False


def test_a_preview_without_rights_warns_and_an_up_is_refused(kube: FakeKubernetes) -> None:
    kube.may = nothing
    preview = examine(kube, intent(live_change=False))
    assert preview.errors == []
    up = examine(kube, intent())
    assert up.warnings == []
    assert [item.subject for item in up.errors] == [item.subject for item in preview.warnings]
    text = "\n".join(item.problem + item.fix for item in up.errors)
    for right in (
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
        assert right in text


def test_rights_that_are_not_needed_are_not_asked_for(kube: FakeKubernetes) -> None:
    kube.may = nothing
    found = examine(kube, intent(sync=False, policy=None, agent=None, gateway__create_namespace=False))
    text = "\n".join(item.problem for item in found.errors)
    for right in ("policies", "create pods in", "delete namespaces", "mutatingwebhook", "in namespace traceable"):
        assert right not in text


def missing_without_any_right(kube: FakeKubernetes, **changes: Any) -> dict[str, str]:
    """What is wrong, by what the rights are for."""
    kube.may = nothing
    return {item.subject: item.problem for item in examine(kube, intent(**changes)).errors}


def test_the_patches_are_there_in_async_too_and_nothing_is_tried_then(kube: FakeKubernetes) -> None:
    asked = missing_without_any_right(kube, sync=False)["the TME"]
    assert "(get, patch namespace kong; get, list, watch, patch deployments in namespace kong;" in asked
    assert "create pods" not in asked
    assert "the TME" not in missing_without_any_right(kube, sync=False, installed=False, enabled=False)


@pytest.mark.parametrize(("sync", "enabled", "asked"), [(True, True, 0), (False, True, 1), (False, False, 0)])
def test_the_agent_itself_is_asked_in_async(kube: FakeKubernetes, sync: bool, enabled: bool, asked: int) -> None:
    said = missing_without_any_right(kube, sync=sync, enabled=enabled)["the verification"]
    assert said.count("get, create pods/portforward in namespace traceable") == asked
    assert said.count("get, create pods/portforward in namespace kong") == 1


def test_a_right_for_both_in_one_namespace_is_asked_for_once(kube: FakeKubernetes) -> None:
    said = missing_without_any_right(kube, sync=False, agent__namespace="kong")["the verification"]
    assert said.count("list pods in namespace kong;") == said.count("pods/portforward in namespace kong;") == 1


@pytest.mark.parametrize("verb", ["get", "create"])
def test_a_port_forward_takes_both_verbs(kube: FakeKubernetes, verb: str) -> None:
    kube.may = lambda asked, resource: resource != "*" and (asked, resource) != (verb, "pods/portforward")
    assert f"({verb} pods/portforward in namespace kong)" in refused(kube)


def test_who_has_every_single_right_passes(kube: FakeKubernetes) -> None:
    kube.may = lambda verb, resource: verb != "*"
    passes(kube)


def test_one_missing_right_is_named_with_its_subresource(kube: FakeKubernetes) -> None:
    kube.may = lambda verb, resource: resource not in ("*", "pods/portforward")
    text = refused(kube)
    assert "get, create pods/portforward in namespace kong" in text
    assert "kubectl auth can-i get pods --subresource=portforward --namespace kong" in text
    assert "list pods" not in text


def test_rights_that_may_not_be_asked_for_are_a_warning_in_a_preview(
    kube: FakeKubernetes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(*_: object, **__: object) -> bool:
        raise ApiError(403, "Forbidden", "cannot create selfsubjectaccessreviews")

    monkeypatch.setattr(kube, "allowed", forbidden)
    assert "permissions for the verification" in warned(kube, live_change=False)
