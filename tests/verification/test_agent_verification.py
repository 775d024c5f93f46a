"""The proof of an agent that is alone: each check fails by itself, and a moment is given."""

import threading

import pytest

from tests.fakes.fake_kubernetes import FakeKubernetes
from tests.fakes.plans import plan
from tests.verification.gateway import agent_pod
from tests.verification.servers import http
from traceable_kong.cluster.pods import is_ready
from traceable_kong.plan.model import ManagedAgent
from traceable_kong.verification.agent_verification import WEBHOOKS, verify_agent
from traceable_kong.verification.report import Report

AGENT = "/api/v1/namespaces/traceable"
WEBHOOK = f"{WEBHOOKS}/traceable-agent-injector-traceable"


def agent(*, injects: bool = True) -> ManagedAgent:
    managed = plan(agentValues={} if injects else {"injectorEnabled": False}).agent
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
    """An agent of two pods that can do everything."""
    fake = FakeKubernetes()
    fake.put(f"{AGENT}/services/agent", {"spec": {"selector": {"app": "agent"}, "ports": [{"port": 5442}]}})
    fake.put(WEBHOOK, {})
    for name in ("agent-1", "agent-2"):
        add(fake, name)
    return fake


def proven(kube: FakeKubernetes, *, injects: bool = True) -> Report:
    return verify_agent(kube, agent(injects=injects), deadline_seconds=0)


def failed(kube: FakeKubernetes) -> tuple[str, str, str]:
    """Pod, name and what was found of the one check that fails."""
    report = proven(kube)
    (check,) = report.failed
    assert check.fix in report.text() and "The agent traceable/agent is not as configured" in report.text()
    return check.pod, check.name, check.found


def test_an_agent_that_answers_passes_and_is_not_changed(kube: FakeKubernetes) -> None:
    report = proven(kube)
    assert report.ok
    assert report.text().startswith("traceable/agent: ready. 2 serving pods, every check holds.")
    assert "not checked: the agent's own connection" in report.text()
    assert sorted(kube.forwarded) == [("traceable", "agent-1", 5442), ("traceable", "agent-2", 5442)]
    assert kube.changed == []


def test_one_pod_that_is_silent_is_named(kube: FakeKubernetes) -> None:
    del kube.listeners["agent-2", 5442]
    pod, name, found = failed(kube)
    assert (pod, name) == ("agent-2", "agent") and "5442 does not answer" in found


def test_a_pod_that_is_not_ready_serves_nobody_and_one_that_is_suffices(kube: FakeKubernetes) -> None:
    add(kube, "agent-2", ready=False)
    assert proven(kube).ok and {name for _, name, _ in kube.forwarded} == {"agent-1"}
    add(kube, "agent-1", ready=False)
    assert failed(kube) == ("", "ready", "0 of 2")


def test_a_service_that_leads_elsewhere(kube: FakeKubernetes) -> None:
    kube.objects[f"{AGENT}/services/agent"]["spec"]["ports"] = [{"port": 5441}]
    report = proven(kube)
    assert [(check.pod, check.name) for check in report.failed] == [("agent-1", "agent"), ("agent-2", "agent")]
    assert report.failed[0].found == "port 5442 of service agent leads to no port of the pod"


def test_without_its_service_nobody_reaches_it(kube: FakeKubernetes) -> None:
    del kube.objects[f"{AGENT}/services/agent"]
    assert failed(kube) == ("", "ready", "0 of 0")


def test_without_its_webhook_nobody_gets_a_tme(kube: FakeKubernetes) -> None:
    del kube.objects[WEBHOOK]
    assert failed(kube) == ("", "webhook", "it does not exist")
    assert " REVISION --namespace traceable`" in proven(kube).failed[0].fix
    assert proven(kube, injects=False).ok, "unless the injector is off"


def test_a_moment_is_given(kube: FakeKubernetes) -> None:
    webhook = kube.objects.pop(WEBHOOK)
    timer = threading.Timer(0.1, lambda: kube.objects.update({WEBHOOK: webhook}))
    timer.start()
    assert verify_agent(kube, agent(), deadline_seconds=10).ok
    timer.join()
