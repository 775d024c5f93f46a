"""The settings of an existing agent and the recorded image of the TME, as far as they can be read."""

import json
from typing import Any, cast

import pytest

from tests.fakes.fake_kubernetes import FakeKubernetes
from traceable_kong.cluster.kubernetes_client import ApiError, Unreachable
from traceable_kong.cluster.target import ClusterTarget
from traceable_kong.config import parser, stack_config
from traceable_kong.plan.inputs import PlanError, agent_settings, recorded_tme_image

PATH = "/api/v1/namespaces/shared/configmaps/traceable-agent-config-map"
OUTSIDE = {"install": False, "url": "https://agent.example.com:5442"}


class OneCluster:
    command_options = ""

    def __init__(self) -> None:
        self.api = FakeKubernetes((PATH, {"metadata": {}, "data": {"agentconfig.yaml": "a: b"}}))

    @property
    def reads(self) -> FakeKubernetes:
        return self.api


def configured(**config: object) -> stack_config.GatewayStack:
    given = {"plugin": {"rock": "x.rock"}, "agent": {"install": False, "namespace": "shared"}, **config}
    found = parser.parse({k: v if isinstance(v, str) else json.dumps(v) for k, v in given.items()})
    assert isinstance(found, stack_config.GatewayStack)
    return found


def read(cluster: OneCluster, *, preview: bool = False, **config: object) -> dict[str, str]:
    return agent_settings(configured(**config), cast(ClusterTarget, cluster), preview=preview)


def test_the_settings_are_those_of_the_agents_config_map() -> None:
    cluster = OneCluster()
    assert read(cluster) == {"agentconfig.yaml": "a: b"}
    assert read(cluster, mode="async") == read(cluster, enabled="false") == read(cluster)
    assert cluster.api.changed == []


def test_an_agent_without_a_config_map_has_no_settings() -> None:
    cluster = OneCluster()
    del cluster.api.objects[PATH]
    assert read(cluster) == {}


@pytest.mark.parametrize("problem", [ApiError(403, "Forbidden", "no"), ApiError(500, "", "no"), Unreachable("no")])
def test_a_failed_read_stops_the_update(problem: Exception) -> None:
    cluster = OneCluster()
    cluster.api.problems[PATH] = problem
    with pytest.raises(PlanError, match=r"could not be read: no\. .*rolled out without need.*Nothing was changed"):
        read(cluster)
    if isinstance(problem, ApiError) and problem.status == 403:
        assert read(cluster, preview=True) == {}, "preflight says that it may not be read"
    else:
        with pytest.raises(PlanError):
            read(cluster, preview=True)


@pytest.mark.parametrize(
    "config",
    [
        {"enabled": "false", "installed": "false"},
        {"mode": "async", "agent": OUTSIDE},
        {"agent": {"namespace": "shared"}, "agentTokenSecret": {"name": "t", "key": "t"}},
    ],
)
def test_the_config_map_is_not_read_without_an_existing_agent(config: dict[str, Any]) -> None:
    cluster = OneCluster()
    cluster.api.problems[PATH] = AssertionError("asked too early")
    assert read(cluster, **config) == {}


RECORD = "/api/v1/namespaces/kong/configmaps/traceable-installation"


def recorded(cluster: OneCluster, *, preview: bool = False, **config: object) -> str | None:
    image = recorded_tme_image(configured(**config), cast(ClusterTarget, cluster), preview=preview)
    return str(image) if image else None


def test_the_recorded_image_is_read() -> None:
    cluster = OneCluster()
    assert recorded(cluster) is None
    cluster.api.put(RECORD, {"data": {"trustedTmeImage": "r.io/a/tme"}})
    assert recorded(cluster) == recorded(cluster, mode="async") == recorded(cluster, enabled="false") == "r.io/a/tme"
    cluster.api.put(RECORD, {"data": {"trustedTmeImage": ""}})
    assert recorded(cluster) is None


def test_a_record_that_cannot_be_read_stops_the_update() -> None:
    cluster = OneCluster()
    cluster.api.problems[RECORD] = ApiError(403, "Forbidden", "no")
    with pytest.raises(PlanError, match=r"traceable-installation could not be read: no\. .*Nothing was changed"):
        recorded(cluster)
    assert recorded(cluster, preview=True) is None
    cluster.api.problems[RECORD] = Unreachable("no")
    with pytest.raises(PlanError):
        recorded(cluster, preview=True)
