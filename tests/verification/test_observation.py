"""One observation of a gateway: what is asked, and what is known if something does not answer."""

import dataclasses
from typing import Any

import pytest

from tests.fakes.fake_kubernetes import forbidden
from tests.fakes.plugin_schemas import SCHEMA
from tests.fakes.protected_cluster import (
    AGENT,
    CONFIG_MAPS,
    DEPLOYMENT,
    EVENTS,
    PODS,
    add_pod,
    cluster,
    event,
    replica_set,
)
from tests.fakes.protected_gateway import ASYNC, FILES, PLUGIN_UID, agent_pod, desired, instance, pod
from tests.fakes.protected_gateway import DEPLOYMENT as GATEWAY
from traceable_kong.cluster.api_objects import CLUSTER_PLUGINS
from traceable_kong.cluster.kubernetes_client import ApiError, Unreachable
from traceable_kong.verification.evaluation import evaluate
from traceable_kong.verification.kong_observation import KongAnswer
from traceable_kong.verification.observation import current_revision, observe, plugin_and_events


def test_an_observation_of_a_good_gateway() -> None:
    report = evaluate(desired(), observe(cluster(pod("gw-1"), pod("gw-2")), desired()))
    assert report.ok, report.text()


def test_a_deployment_that_does_not_exist() -> None:
    fake = cluster()
    del fake.objects[DEPLOYMENT]
    assert observe(fake, desired()).deployment is None


def test_only_serving_pods_are_observed() -> None:
    going = pod("gw-3")
    going["metadata"]["deletionTimestamp"] = "now"
    fake = cluster(pod("gw-1"), pod("gw-2", ready=False), going)
    add_pod(fake, {**pod("other"), "metadata": {"name": "other", "labels": {"app": "other"}}})
    found = observe(fake, desired())
    assert sorted(item["metadata"]["name"] for item in found.pods) == ["gw-1", "gw-2", "gw-3"]
    assert [item.name for item in found.serving] == ["gw-1"]
    assert {name for _, name, _ in fake.forwarded} == {"gw-1"}


def test_every_kong_and_every_tme_is_asked() -> None:
    fake = cluster(*(pod(f"gw-{number}") for number in range(12)))
    found = observe(fake, desired())
    kong = KongAnswer({"traceable": "2.1.2"}, [instance()], schema=SCHEMA, lua_path="/opt/?.lua;/opt/?/init.lua;;")
    assert all(item.kong == kong for item in found.serving)
    assert {(name, port) for _, name, port in fake.forwarded} == {
        (f"gw-{number}", port) for number in range(12) for port in (8001, 5442)
    }


def test_selected_an_instance_of_another_owner_protects_no_route() -> None:
    wanted = desired(everywhere=False)
    for uid, verdict in (("tenant", "no route selected"), (PLUGIN_UID, "protected")):
        fake = cluster(plugins=[instance(route={"id": "r"}, tags=[f"k8s-uid:{uid}"])])
        fake.objects[f"{CLUSTER_PLUGINS}/traceable-plugin"]["metadata"]["labels"] = {}
        report = evaluate(wanted, observe(fake, wanted))
        assert (report.ok, report.verdict) == (True, verdict), report.text()


def test_the_tme_that_does_not_answer_is_known() -> None:
    fake = cluster(pod("gw-1"), pod("gw-2"))
    del fake.listeners["gw-2", 5442]
    silent = {item.name: item.tme_problem for item in observe(fake, desired()).serving}
    assert silent["gw-1"] is None
    assert "port 5442 does not answer" in (silent["gw-2"] or "")


def test_a_tme_that_does_not_exist_or_is_not_desired_is_not_asked() -> None:
    bare = cluster(pod(tme=False))
    observe(bare, desired())
    unwanted = cluster(pod())
    observe(unwanted, desired(enabled=False, injection=None))
    assert {port for _, _, port in bare.forwarded + unwanted.forwarded} == {8001}


def test_the_reason_why_a_kong_does_not_answer() -> None:
    fake = cluster()
    del fake.listeners["gw-1", 8001]
    (found,) = observe(fake, desired()).serving
    assert "the Admin API does not answer" in str(found.kong)


def test_a_pod_without_the_container() -> None:
    (found,) = observe(cluster(), desired(deployment=dataclasses.replace(GATEWAY, container="kong"))).serving
    assert found.kong == "the pod has no container 'kong'"


@pytest.mark.parametrize("problem", [forbidden("no port-forward for you"), Unreachable("gone")])
def test_a_refused_port_forward_is_a_problem_of_the_pod(problem: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = cluster()

    def refuse(*_: Any) -> None:
        raise problem

    monkeypatch.setattr(fake, "forward", refuse)
    (found,) = observe(fake, desired()).serving
    assert found.kong == found.tme_problem == str(problem)


@pytest.mark.parametrize("path", [DEPLOYMENT, PODS, f"{AGENT}/services/agent", f"{AGENT}/pods"])
def test_an_object_that_cannot_be_read_is_an_error(path: str) -> None:
    fake = cluster()
    fake.problems[path] = forbidden()
    with pytest.raises(ApiError):
        observe(fake, desired())


def test_events_that_may_not_be_read_are_no_error() -> None:
    fake = cluster()
    fake.problems[EVENTS] = forbidden()
    assert observe(fake, desired()).events == []


def in_async(fake: Any) -> str | None:
    return observe(fake, desired(**ASYNC)).agent_problem


def test_in_async_every_ready_pod_of_the_agent_answers() -> None:
    fake = cluster()
    fake.put(f"{AGENT}/pods/agent-2", {**agent_pod(), "metadata": {"name": "agent-2", "labels": {"app": "agent"}}})
    fake.listeners["agent-2", 5442] = fake.listeners["gw-1", 5442]
    assert (in_async(fake) or "").startswith("agent-1: port 5442 does not answer")
    fake.listeners["agent-1", 5442] = fake.listeners["gw-1", 5442]
    assert in_async(fake) is None


def test_in_async_the_agent_is_asked_on_its_services_target_port() -> None:
    fake = cluster()
    service = fake.objects[f"{AGENT}/services/agent"]["spec"]
    answers = fake.listeners["gw-1", 5442]
    fake.listeners["agent-1", 5442] = answers
    service["ports"] = [{"port": 5441}]
    assert in_async(fake) == "agent-1: port 5442 of service agent leads to no port of the pod"
    service["ports"] = [{"port": 5442, "targetPort": 15442}]
    assert "port 15442 does not answer" in (in_async(fake) or "")
    service["ports"] = [{"port": 5442, "targetPort": "rest"}]
    assert "leads to no port" in (in_async(fake) or "")
    ports = [{"name": "rest", "containerPort": 8080}]
    fake.objects[f"{AGENT}/pods/agent-1"]["spec"] = {"containers": [{"name": "agent", "ports": ports}]}
    fake.listeners["agent-1", 8080] = answers
    assert in_async(fake) is None
    service["selector"] = {}
    assert in_async(fake) == "no pod of the agent is ready"


def test_a_pod_that_is_replaced_meanwhile_is_not_evaluated(monkeypatch: pytest.MonkeyPatch) -> None:
    """The autoscaler took it away, or a node was drained: the pod in its place is serving into."""
    fake = cluster(pod("gw-1"), pod("gw-2"))
    forward = fake.forward

    def forwarded(namespace: str, name: str, port: int) -> Any:
        if name == "gw-2":
            if fake.objects.pop(f"{PODS}/gw-2", None):
                add_pod(fake, pod("gw-3"))
            raise ApiError(404, "NotFound", "pods gw-2 not found")
        return forward(namespace, name, port)

    monkeypatch.setattr(fake, "forward", forwarded)
    found = observe(fake, desired())
    assert sorted(item.name for item in found.serving) == ["gw-1", "gw-3"]
    assert evaluate(desired(), found).ok


def test_in_async_an_agent_without_a_ready_pod_or_a_service() -> None:
    fake = cluster()
    fake.put(f"{AGENT}/pods/agent-1", agent_pod(ready=False))
    assert in_async(fake) == "no pod of the agent is ready"
    del fake.objects[f"{AGENT}/services/agent"]
    assert observe(fake, desired(**ASYNC)).agent_pods == []
    assert in_async(fake) == "no pod of the agent is ready"


def test_an_external_agent_is_not_observed() -> None:
    fake = cluster()
    found = observe(fake, desired(**ASYNC, agent_namespace=None))
    assert (found.agent_problem, found.agent_pods) == (None, [])
    assert "agent-1" not in {name for _, name, _ in fake.forwarded}


def test_terminating_pods_of_the_agent_are_ignored() -> None:
    fake = cluster()
    fake.objects[f"{AGENT}/pods/agent-1"]["metadata"]["deletionTimestamp"] = "now"
    assert observe(fake, desired()).agent_pods == []


def test_the_newest_revision() -> None:
    fake = cluster()
    assert current_revision(fake, fake.objects[DEPLOYMENT]) == "new"
    fake.objects[DEPLOYMENT]["metadata"]["annotations"] = {"deployment.kubernetes.io/revision": "8"}
    assert current_revision(fake, fake.objects[DEPLOYMENT]) == ""
    replica_set(fake, "newer", revision="8")
    assert current_revision(fake, fake.objects[DEPLOYMENT]) == "newer"


def test_the_controllers_events_about_the_plugin() -> None:
    fake = cluster()
    event(fake, "b", "second", lastTimestamp="2026-01-01T00:00:05Z")
    event(fake, "c", "third", eventTime="2026-01-01T00:00:06.500000Z")
    event(fake, "a", "first", created="2026-01-01T00:00:01Z")
    event(fake, "other", "of another kind", reason="Pulled")
    plugin, events = plugin_and_events(fake, "traceable-plugin")
    assert plugin is not None and plugin["plugin"] == "traceable"
    assert [message for _, message in events] == ["first", "second", "third"]


def test_the_config_maps_are_read() -> None:
    fake = cluster()
    fake.problems[f"{CONFIG_MAPS}/{next(iter(FILES.values()))}"] = forbidden()
    found = observe(fake, desired()).config_maps
    assert [type(item).__name__ for item in found.values()] == ["Unreadable", "ApiResponse"]
    assert list(found) == list(FILES.values())


def test_events_of_an_earlier_object_of_the_same_name_are_ignored() -> None:
    fake = cluster(plugins=[])
    event(fake, "old", "of the deleted one", uid="deleted")
    assert plugin_and_events(fake, "traceable-plugin")[1] == []
    assert evaluate(desired(), observe(fake, desired())).cause == ""
    del fake.objects[f"{CLUSTER_PLUGINS}/traceable-plugin"]
    event(fake, "last", "of the one that is gone")
    assert plugin_and_events(fake, "traceable-plugin") == (None, [])
