"""The verification of an agent-only stack: each check fails alone, and it waits until every check holds."""

import threading

import pytest

from tests.fakes.fake_kubernetes import FakeKubernetes
from tests.fakes.plans import plan
from tests.fakes.pod_servers import http
from tests.fakes.protected_gateway import agent_pod
from traceable_kong.cluster.api_objects import MUTATING_WEBHOOKS
from traceable_kong.cluster.pods import is_ready
from traceable_kong.plan.agent_model import ManagedAgent
from traceable_kong.verification.agent_verification import verify_agent
from traceable_kong.verification.report import Report

AGENT = "/api/v1/namespaces/traceable"
WEBHOOK = f"{MUTATING_WEBHOOKS}/traceable-agent-injector-traceable"


def agent(*, injects: bool = True) -> ManagedAgent:
    managed = plan(mode="async", agentValues={} if injects else {"injectorEnabled": False}).agent
    assert isinstance(managed, ManagedAgent)
    return managed


def add(kube: FakeKubernetes, name: str, *, ready: bool = True) -> None:
    pod = agent_pod(ready=ready)
    pod["metadata"]["name"] = name
    assert is_ready(pod) is ready
    kube.put(f"{AGENT}/pods/{name}", pod)
    kube.listeners[name, 5442] = http(lambda path: (404, b""))


@pytest.fixture
def kube() -> FakeKubernetes:
    """An agent with two pods that answer."""
    fake = FakeKubernetes()
    fake.put(f"{AGENT}/services/agent", {"spec": {"selector": {"app": "agent"}, "ports": [{"port": 5442}]}})
    fake.put(WEBHOOK, {})
    for name in ("agent-1", "agent-2"):
        add(fake, name)
    return fake


def verified(kube: FakeKubernetes, *, injects: bool = True) -> Report:
    return verify_agent(kube, agent(injects=injects), deadline_seconds=0)


def failed(kube: FakeKubernetes) -> tuple[str, str, str]:
    """Pod, name and finding of the only check that fails."""
    report = verified(kube)
    (check,) = report.failed
    assert check.fix in report.text() and "The agent traceable/agent is not as configured" in report.text()
    return check.pod, check.name, check.found


def test_an_agent_that_answers_is_ready_and_is_not_changed(kube: FakeKubernetes) -> None:
    report = verified(kube)
    assert report.ok
    assert report.text().startswith("traceable/agent: ready. 2 serving pods, every check holds.")
    assert "not checked: the agent's own connection" in report.text()
    assert sorted(kube.forwarded) == [("traceable", "agent-1", 5442), ("traceable", "agent-2", 5442)]
    assert kube.changed == []


def test_a_pod_that_does_not_answer_is_named(kube: FakeKubernetes) -> None:
    del kube.listeners["agent-2", 5442]
    pod, name, found = failed(kube)
    assert (pod, name) == ("agent-2", "agent") and "5442 does not answer" in found


def test_one_ready_pod_is_enough(kube: FakeKubernetes) -> None:
    add(kube, "agent-2", ready=False)
    assert verified(kube).ok and {name for _, name, _ in kube.forwarded} == {"agent-1"}
    add(kube, "agent-1", ready=False)
    assert failed(kube) == ("", "ready", "0 of 2")


def test_a_service_without_the_port(kube: FakeKubernetes) -> None:
    kube.objects[f"{AGENT}/services/agent"]["spec"]["ports"] = [{"port": 5441}]
    report = verified(kube)
    assert [(check.pod, check.name) for check in report.failed] == [("agent-1", "agent"), ("agent-2", "agent")]
    assert report.failed[0].found == "port 5442 of service agent leads to no port of the pod"


def test_an_agent_without_its_service(kube: FakeKubernetes) -> None:
    del kube.objects[f"{AGENT}/services/agent"]
    assert failed(kube) == ("", "ready", "the service does not exist")
    fix = verified(kube).failed[0].fix
    assert "`pulumi up --refresh` if the namespace" in fix and " REVISION --namespace traceable`" in fix


def test_an_agent_without_its_webhook_unless_the_injector_is_off(kube: FakeKubernetes) -> None:
    del kube.objects[WEBHOOK]
    assert failed(kube) == ("", "webhook", "it does not exist")
    assert " REVISION --namespace traceable`" in verified(kube).failed[0].fix
    assert verified(kube, injects=False).ok, "unless the injector is off"


def test_it_waits_until_every_check_holds(kube: FakeKubernetes) -> None:
    webhook = kube.objects.pop(WEBHOOK)
    timer = threading.Timer(0.1, lambda: kube.objects.update({WEBHOOK: webhook}))
    timer.start()
    assert verify_agent(kube, agent(), deadline_seconds=10).ok
    timer.join()
