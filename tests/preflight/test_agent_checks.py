"""An agent that somebody else installed: found, with a way out for each thing that is missing, and never changed."""

import dataclasses
from typing import Any

import pytest

from tests.preflight.fake import FakeKubernetes, passes, record_stands, refused, warned
from traceable_kong.cluster.kubernetes_client import Document
from traceable_kong.preflight.cached_reader import MUTATING_WEBHOOKS, NAMESPACES, config_maps
from traceable_kong.preflight.intent import AgentIntent

AGENT = AgentIntent(
    namespace="shared",
    create_namespace=False,
    release=None,
    own_secret=None,
    their_secret=None,
    timeout_seconds=300,
)
SERVICE = f"{NAMESPACES}/shared/services/agent"
WEBHOOK = f"{MUTATING_WEBHOOKS}/traceable-agent-injector-shared"
POD = f"{NAMESPACES}/shared/pods/agent-1"


def pod(*, ready: str = "True", **metadata: Any) -> Document:
    return {
        "metadata": {"labels": {"app": "agent"}, **metadata},
        "status": {"conditions": [{"type": "Ready", "status": ready}]},
    }


@pytest.fixture
def shared(kube: FakeKubernetes) -> FakeKubernetes:
    """A cluster with an agent that can do everything."""
    kube.put(SERVICE, {"spec": {"selector": {"app": "agent"}}})
    kube.put(WEBHOOK)
    kube.put(POD, pod())
    return kube


@pytest.mark.parametrize("sync", [False, True])
def test_an_agent_that_is_there_passes(shared: FakeKubernetes, sync: bool) -> None:
    passes(shared, agent=AGENT, sync=sync)


def test_without_its_service_there_is_no_agent(shared: FakeKubernetes) -> None:
    del shared.objects[SERVICE]
    text = refused(shared, agent=AGENT)
    assert "service agent in namespace shared" in text
    assert "kubectl get services --all-namespaces" in text and "agent.namespace NAMESPACE" in text


def test_without_its_webhook_nobody_gets_a_tme_and_async_needs_none(shared: FakeKubernetes) -> None:
    del shared.objects[WEBHOOK]
    text = refused(shared, agent=AGENT)
    assert "mutatingwebhookconfiguration traceable-agent-injector-shared" in text and "mode async" in text
    passes(shared, agent=AGENT, sync=False)


@pytest.mark.parametrize(
    "there", [pod(ready="False"), pod(deletionTimestamp="now"), pod(labels={"app": "other"}), None]
)
def test_without_a_ready_pod_a_preview_warns_and_an_up_is_refused(
    shared: FakeKubernetes, there: Document | None
) -> None:
    del shared.objects[POD]
    if there:
        shared.put(POD, there)
    assert "has no ready pod" in refused(shared, agent=AGENT)
    assert "has no ready pod" in warned(shared, agent=AGENT, live_change=False)


def test_switching_off_needs_no_agent(kube: FakeKubernetes) -> None:
    passes(kube, agent=AGENT, enabled=False, sync=False)


def test_an_agent_of_ours_is_not_looked_for(kube: FakeKubernetes) -> None:
    passes(kube)


def test_settings_that_may_not_be_read_are_said_and_stop_an_up(shared: FakeKubernetes) -> None:
    shared.denied[f"{config_maps('shared')}/traceable-agent-config-map"] = 403
    assert "the existing agent" in refused(shared, agent=AGENT)
    assert "the existing agent" in warned(shared, agent=AGENT, live_change=False)
    passes(shared, agent=AGENT, sync=False)


def test_the_agent_that_this_stack_installed_is_nobody_elses(shared: FakeKubernetes) -> None:
    record_stands(shared, agentNamespace="shared", agentValuesDigest="0123456789")
    assert "agent.install true" in refused(shared, agent=AGENT)
    record_stands(shared, agentNamespace="before", agentValuesDigest="0123456789")
    passes(shared, agent=AGENT)
    record_stands(shared, agentNamespace="shared")
    passes(shared, agent=AGENT)


def test_the_agent_that_this_stack_was_alone_is_nobody_elses(shared: FakeKubernetes) -> None:
    path = f"{config_maps('shared')}/traceable-agent-installation"
    record = {"data": {"agentNamespace": "shared", "agentValuesDigest": "0123456789"}}
    shared.put(path, record, ours=True)
    assert "agent.install true" in refused(shared, agent=AGENT)
    shared.put(path, {"data": record["data"]}, ours=True, owner="traceable-kong.agent")
    passes(shared, agent=AGENT)


IMAGES = f"{config_maps('shared')}/traceable-agent-config-map"


def injects(kube: FakeKubernetes, repository: str, version: str = "1.58.0") -> None:
    tme = f"tme: {{image_name: traceable-agent, image_version: {version}}}"
    text = f"injector: {{images_repository: {repository}, {tme}}}"
    kube.put(IMAGES, {"data": {"agentconfig.yaml": text}})


def test_an_agent_that_injects_another_image_than_the_record_has(shared: FakeKubernetes) -> None:
    injects(shared, "evil.example/traceableai")
    text = refused(shared, agent=AGENT)
    assert "inject evil.example/traceableai/traceable-agent" in text
    assert "has docker.io/traceableai/traceable-agent" in text
    assert "`pulumi config set --path traceable-kong:agent.tmeImage evil.example/traceableai/traceable-agent`" in text
    assert "evil.example" in warned(shared, agent=AGENT, live_change=False)
    assert "evil.example" in warned(shared, agent=AGENT, sync=False), "nothing of it runs in the gateway's pods"


def test_an_agent_that_injects_a_newer_version_or_what_the_config_names(shared: FakeKubernetes) -> None:
    injects(shared, "docker.io/traceableai", "1.59.0")
    passes(shared, agent=AGENT)
    injects(shared, "other.example")
    passes(shared, agent=dataclasses.replace(AGENT, tme_image_named=True))
