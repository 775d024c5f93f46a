"""The agent: an existing one is usable, a managed one has its token, or each problem has a fix."""

from typing import Any

import pytest

from tests.fakes.plans import ROCK, plan
from tests.fakes.preflight_cluster import EXISTING_AGENT, FakeKubernetes, passes, put_record, refused, warned
from traceable_kong.cluster.api_objects import MUTATING_WEBHOOKS, NAMESPACES, config_maps
from traceable_kong.cluster.kubernetes_client import Document
from traceable_kong.plan.agent_model import ManagedAgent
from traceable_kong.plan.build import PlanInputs
from traceable_kong.plan.siblings import SharedAgent, Siblings

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
    """A cluster with an agent that is usable."""
    kube.put(SERVICE, {"spec": {"selector": {"app": "agent"}}})
    kube.put(WEBHOOK)
    kube.put(POD, pod())
    return kube


@pytest.mark.parametrize("sync", [False, True])
def test_a_usable_agent_passes(shared: FakeKubernetes, sync: bool) -> None:
    passes(shared, **EXISTING_AGENT, mode="sync" if sync else "async")


def test_an_agent_without_its_service(shared: FakeKubernetes) -> None:
    del shared.objects[SERVICE]
    text = refused(shared, **EXISTING_AGENT)
    assert "service agent in namespace shared" in text
    assert "kubectl get services --all-namespaces" in text and "agent.namespace NAMESPACE" in text


def test_an_agent_without_its_webhook_is_refused_in_sync_only(shared: FakeKubernetes) -> None:
    del shared.objects[WEBHOOK]
    text = refused(shared, **EXISTING_AGENT)
    assert "mutatingwebhookconfiguration traceable-agent-injector-shared" in text and "mode async" in text
    passes(shared, **EXISTING_AGENT, mode="async")


@pytest.mark.parametrize(
    "there", [pod(ready="False"), pod(deletionTimestamp="now"), pod(labels={"app": "other"}), None]
)
def test_an_agent_without_a_ready_pod_is_a_warning_in_a_preview(shared: FakeKubernetes, there: Document | None) -> None:
    del shared.objects[POD]
    if there:
        shared.put(POD, there)
    assert "has no ready pod" in refused(shared, **EXISTING_AGENT)
    assert "has no ready pod" in warned(shared, **EXISTING_AGENT, live_change=False)


def test_no_pod_is_behind_a_service_without_a_selector(shared: FakeKubernetes) -> None:
    del shared.objects[SERVICE]["spec"]["selector"]
    assert "has no ready pod (0 behind its Service)" in refused(shared, **EXISTING_AGENT)


def test_disabling_needs_no_agent(kube: FakeKubernetes) -> None:
    passes(kube, **EXISTING_AGENT, enabled=False)


def test_a_managed_agent_is_not_checked(kube: FakeKubernetes) -> None:
    passes(kube)


def test_unreadable_settings_stop_an_up(shared: FakeKubernetes) -> None:
    shared.denied[f"{config_maps('shared')}/traceable-agent-config-map"] = 403
    assert "the existing agent" in refused(shared, **EXISTING_AGENT)
    assert "the existing agent" in warned(shared, **EXISTING_AGENT, live_change=False)
    passes(shared, **EXISTING_AGENT, mode="async")


def test_the_agent_that_this_stack_installed_is_not_an_existing_one(shared: FakeKubernetes) -> None:
    put_record(shared, agentNamespace="shared", agentValuesDigest="0123456789")
    assert "agent.install true" in refused(shared, **EXISTING_AGENT)
    put_record(shared, agentNamespace="before", agentValuesDigest="0123456789")
    passes(shared, **EXISTING_AGENT)
    put_record(shared, agentNamespace="shared")
    passes(shared, **EXISTING_AGENT)


def test_the_agent_that_this_agent_only_stack_installed_is_not_an_existing_one(shared: FakeKubernetes) -> None:
    path = f"{config_maps('shared')}/traceable-agent-installation"
    record = {"data": {"agentNamespace": "shared", "agentValuesDigest": "0123456789"}}
    shared.put(path, record, owned=True)
    assert "agent.install true" in refused(shared, **EXISTING_AGENT)
    shared.put(path, {"data": record["data"]}, owned=True, owner="traceable-kong.agent")
    passes(shared, **EXISTING_AGENT)


IMAGES = f"{config_maps('shared')}/traceable-agent-config-map"


def injects(kube: FakeKubernetes, repository: str, version: str = "1.58.0") -> None:
    tme = f"tme: {{image_name: traceable-agent, image_version: {version}}}"
    text = f"injector: {{images_repository: {repository}, {tme}}}"
    kube.put(IMAGES, {"data": {"agentconfig.yaml": text}})


def configured(image: str) -> dict[str, Any]:
    """The keys of a stack that names the image of an existing agent's TME."""
    return {**EXISTING_AGENT, "agent": {**EXISTING_AGENT["agent"], "tmeImage": image}}


def test_an_agent_that_injects_another_image_than_the_recorded_one(shared: FakeKubernetes) -> None:
    injects(shared, "evil.example/traceableai")
    text = refused(shared, **EXISTING_AGENT)
    assert "inject evil.example/traceableai/traceable-agent" in text
    assert "has docker.io/traceableai/traceable-agent" in text
    assert "`pulumi config set --path traceable-kong:agent.tmeImage evil.example/traceableai/traceable-agent`" in text
    assert "evil.example" in warned(shared, **EXISTING_AGENT, live_change=False)
    assert "evil.example" in warned(shared, **EXISTING_AGENT, mode="async"), "nothing of it runs in the gateway's pods"


def test_an_agent_that_injects_a_newer_version_or_the_configured_image(shared: FakeKubernetes) -> None:
    injects(shared, "docker.io/traceableai", "1.59.0")
    passes(shared, **EXISTING_AGENT)
    injects(shared, "other.example")
    passes(shared, **configured("other.example/traceable-agent"))


TOKEN_SECRET = {"agentToken": None, "agentTokenSecret": {"name": "mine", "key": "token"}}


def test_the_token_secret_must_exist_with_its_key(kube: FakeKubernetes) -> None:
    text = refused(kube, **TOKEN_SECRET)
    assert "agent.createNamespace false" in text, "in a namespace that is made here it cannot be"
    assert "--from-file=token=/dev/stdin" in text, "no secret on a command line"
    kube.put(f"{NAMESPACES}/traceable/secrets/mine", {"data": {"other": "c2VjcmV0"}})
    text = refused(kube, **TOKEN_SECRET)
    assert "its keys: other" in text
    assert "c2VjcmV0" not in text
    kube.put(f"{NAMESPACES}/traceable/secrets/mine", {"data": {"token": "c2VjcmV0"}})
    passes(kube, **TOKEN_SECRET)


AGENT = plan(gateway=False, plugin=None, agent={"namespace": "shared"}).managed_agent
GATEWAY = {**EXISTING_AGENT, "mode": "sync"}


def of_program(*, live_change: bool = True, agent: ManagedAgent | None = None, **known: Any) -> dict[str, Any]:
    """A gateway in a program whose component `hub` installs `agent`."""
    shared = SharedAgent(installer="hub", agent=agent) if agent else None
    siblings = Siblings(component="inner", prefix="traceable-kong.dev.", shared_agent=shared, **known)
    return {"of": plan(inputs=PlanInputs(rock=ROCK, siblings=siblings), **GATEWAY), "live_change": live_change}


def test_the_agent_that_another_component_installs_first_is_expected_in_a_preview(kube: FakeKubernetes) -> None:
    text = warned(kube, **of_program(agent=AGENT, live_change=False))
    assert "the agent in namespace shared\ndoes not exist yet. Component hub installs it first" in text
    assert "does not exist yet" in refused(kube, **of_program(agent=AGENT))


def test_of_such_an_agent_parts_may_be_missing_until_it_is_updated(shared: FakeKubernetes) -> None:
    del shared.objects[WEBHOOK]
    passes(shared, **of_program(agent=AGENT, live_change=False))


def test_such_an_agent_has_its_injector(shared: FakeKubernetes) -> None:
    agent = plan(gateway=False, plugin=None, agentValues={"injectorEnabled": False}).managed_agent
    text = refused(shared, **of_program(agent=agent, live_change=False))
    assert "component hub\ninstalls the agent without its injector" in text and "the chart values of hub" in text


def test_a_preview_that_does_not_know_what_another_component_installs(kube: FakeKubernetes) -> None:
    text = warned(kube, **of_program(undetermined=("hub",), live_change=False))
    assert "does not exist. This preview does not know whether hub will install it" in text


def test_without_an_order_the_missing_agent_may_be_of_another_component(kube: FakeKubernetes) -> None:
    assert "let inner depend on that one (the resource option depends_on), and give" in refused(kube, **of_program())


def test_an_agent_whose_component_does_not_install_it_any_more(shared: FakeKubernetes) -> None:
    path = f"{config_maps('shared')}/traceable-agent-installation"
    shared.put(path, owned=True, owner="traceable-kong.dev.hub-0a1b2c3d")
    text = refused(shared, **of_program())
    assert "was installed by component hub of this stack" in text and "let inner depend on it" in text
    passes(shared, **of_program(agent=AGENT))
    passes(shared, **of_program(undetermined=("hub",)))
    passes(shared, **of_program(ids={"traceable-kong.dev.hub-0a1b2c3d": "hub"}))
    passes(shared, **GATEWAY)
    shared.put(path, owned=True, owner="traceable-kong.agent-0a1b2c3d")
    passes(shared, **of_program())
