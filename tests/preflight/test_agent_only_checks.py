"""A stack that is the agent alone: only what concerns the agent is looked at, and no gateway of its own would go."""

import dataclasses
from typing import Any

import pytest

from tests.preflight.fake import OWNER, FakeKubernetes, gateway_stands
from traceable_kong.cluster.ownership import GATEWAY_LABEL, labels
from traceable_kong.cluster.secret_key import SecretKey
from traceable_kong.preflight.cached_reader import MUTATING_WEBHOOKS, NAMESPACES, config_maps
from traceable_kong.preflight.examination import Examination, examine
from traceable_kong.preflight.finding import StuckRelease
from traceable_kong.preflight.intent import AgentIntent, AloneIntent

AGENT = AgentIntent(
    namespace="traceable",
    create_namespace=True,
    release="traceable-agent",
    own_secret="traceable-agent-token",
    their_secret=None,
    timeout_seconds=300,
)
RECORD = f"{config_maps('traceable')}/traceable-agent-installation"


def examined(kube: FakeKubernetes, *, live_change: bool = True, **agent: Any) -> Examination:
    intent = AloneIntent(
        owner=OWNER,
        live_change=live_change,
        agent=dataclasses.replace(AGENT, **agent),
        record="traceable-agent-installation",
    )
    return examine(kube, intent)


def refused(kube: FakeKubernetes, **agent: Any) -> str:
    """The single refusal, as text."""
    (found,) = examined(kube, **agent).errors
    return "\n".join([found.subject, found.problem, found.fix])


def passes(kube: FakeKubernetes, **agent: Any) -> None:
    assert examined(kube, **agent) == Examination(errors=[], warnings=[], stuck=[])


@pytest.mark.parametrize("live_change", [False, True])
def test_an_empty_cluster_passes(kube: FakeKubernetes, live_change: bool) -> None:
    passes(kube, live_change=live_change)
    assert not [path for path in kube.asked if "/namespaces/kong" in path or "konghq" in path]


def test_what_the_stack_made_itself_passes(kube: FakeKubernetes) -> None:
    kube.put(f"{NAMESPACES}/traceable", ours=True)
    kube.put(f"{NAMESPACES}/traceable/secrets/traceable-agent-token", ours=True)
    kube.put(RECORD, ours=True)
    kube.release("traceable", "traceable-agent", ["superseded", "deployed"])
    passes(kube)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (f"{NAMESPACES}/traceable", "agent.createNamespace"),
        (f"{NAMESPACES}/traceable/secrets/traceable-agent-token", "agentTokenSecret"),
        (RECORD, "another agent.namespace"),
    ],
)
@pytest.mark.parametrize("owner", ["", "traceable-kong.other"])
def test_what_is_somebody_elses_is_refused(kube: FakeKubernetes, path: str, said: str, owner: str) -> None:
    kube.put(path, {"metadata": {"labels": labels(owner)}} if owner else {})
    assert said in refused(kube)


@pytest.mark.parametrize("owner", [None, "traceable-kong.other"])
def test_a_release_that_is_somebody_elses_is_refused(kube: FakeKubernetes, owner: str | None) -> None:
    kube.release("traceable", "traceable-agent", ["deployed"], owner=owner)
    assert "Helm release traceable-agent in namespace traceable" in refused(kube)


def test_a_namespace_that_is_not_made_must_be_there(kube: FakeKubernetes) -> None:
    assert "namespace traceable" in refused(kube, create_namespace=False)
    kube.put(f"{NAMESPACES}/traceable")
    passes(kube, create_namespace=False)


def test_a_token_that_somebody_else_keeps_must_be_there(kube: FakeKubernetes) -> None:
    theirs = SecretKey(name="token", key="token")
    assert "secret token in namespace traceable" in refused(kube, own_secret=None, their_secret=theirs)


def test_what_a_killed_run_left_is_mended(kube: FakeKubernetes) -> None:
    kube.release("traceable", "traceable-agent", ["deployed", "pending-upgrade"])
    (stuck,) = examined(kube).stuck
    assert isinstance(stuck, StuckRelease) and (stuck.name, stuck.restore) == ("traceable-agent", 1)
    (warning,) = examined(kube, live_change=False).warnings
    assert "helm rollback traceable-agent 1" in warning.fix


def test_a_gateway_of_this_stack_would_go_and_is_refused(kube: FakeKubernetes) -> None:
    gateway_stands(kube, "edge")
    text = refused(kube)
    assert "traceable-kong:gateway" in text and "a gateway in namespace edge" in text
    assert "pulumi config rm traceable-kong:gateway" in text


def test_so_is_one_that_traceable_has_left_in_a_namespace_of_ours(kube: FakeKubernetes) -> None:
    kube.put(f"{NAMESPACES}/edge", ours=True)
    assert "a gateway in namespace edge" in refused(kube)


def test_a_gateway_in_the_agents_own_namespace_too(kube: FakeKubernetes) -> None:
    kube.put(f"{NAMESPACES}/traceable", {"metadata": {"labels": {GATEWAY_LABEL: OWNER}}}, ours=True)
    assert "a gateway in namespace traceable" in refused(kube)


def test_gateways_of_other_stacks_are_what_it_is_for(kube: FakeKubernetes) -> None:
    gateway_stands(kube, "edge", owner="traceable-kong.edge")
    passes(kube)
    kube.put(f"{NAMESPACES}/other", ours=True, owner="traceable-kong.other")
    passes(kube)


def test_the_agent_is_not_moved_from_under_its_gateways(kube: FakeKubernetes) -> None:
    kube.put(f"{NAMESPACES}/before", ours=True)
    kube.put(f"{config_maps('before')}/traceable-agent-installation", ours=True)
    text = refused(kube)
    assert "is in namespace before" in text and "agent.namespace before" in text


def test_nor_from_a_namespace_that_somebody_else_made(kube: FakeKubernetes) -> None:
    kube.put(f"{config_maps('before')}/traceable-agent-installation", ours=True)
    kube.put(f"{MUTATING_WEBHOOKS}/traceable-agent-injector-before")
    assert "is in namespace before" in refused(kube)


def test_what_a_tenant_can_make_stops_nothing(kube: FakeKubernetes) -> None:
    for record in ("traceable-installation", "traceable-agent-installation"):
        kube.put(f"{config_maps('tenant')}/{record}", ours=True)
    kube.put(f"{NAMESPACES}/tenant")
    found = examined(kube)
    assert found.errors == []
    (warning,) = found.warnings
    assert warning.subject == "configmap traceable-agent-installation in namespace tenant"
    assert "kubectl delete configmap traceable-agent-installation --namespace tenant" in warning.fix


@pytest.mark.parametrize("path", ["/api/v1/configmaps", NAMESPACES])
def test_whoever_cannot_see_whether_a_gateway_would_go_does_not_go_on(kube: FakeKubernetes, path: str) -> None:
    kube.denied[path] = 403
    assert path in str(examined(kube).errors)
    assert examined(kube, live_change=False).errors == []


def test_only_the_agents_rights_are_asked_for(kube: FakeKubernetes) -> None:
    kube.may = lambda verb, resource: False
    found = examined(kube)
    text = "\n".join(item.problem for item in found.errors)
    for right in (
        "create, patch, delete configmaps in namespace traceable",
        "create, patch, delete mutatingwebhookconfigurations",
        "get, list, watch, create, patch, delete, update secrets in namespace traceable",
        "get services in namespace traceable",
        "get, create pods/portforward in namespace traceable",
        "create, patch, delete namespaces",
    ):
        assert right in text
    assert "kong" not in text and "policies" not in text
    kube.may = lambda verb, resource: verb != "*"
    passes(kube)
