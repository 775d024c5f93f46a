"""What somebody else's agent gives its TMEs, as far as it can be read; and what preflight is told of each agent."""

import json
from typing import cast

import pytest

from tests.fakes.fake_kubernetes import FakeKubernetes
from tests.plan.test_stack_plan import OWNER, ROCK
from traceable_kong.cluster.kubernetes_client import ApiError, Unreachable
from traceable_kong.cluster.target import ClusterTarget
from traceable_kong.config import parser, stack_config
from traceable_kong.plan.existing_agent import PlanError, recorded_tme_image, sidecar_settings
from traceable_kong.plan.preflight_intent import intent
from traceable_kong.plan.stack_plan import plan
from traceable_kong.preflight.intent import AgentIntent

PATH = "/api/v1/namespaces/shared/configmaps/traceable-agent-config-map"
OUTSIDE = {"install": False, "url": "https://agent.example.com:5442"}


class OneCluster:
    command_options = ""

    def __init__(self) -> None:
        self.api = FakeKubernetes((PATH, {"metadata": {}, "data": {"agentconfig.yaml": "a: b"}}))


def configured(**config: object) -> stack_config.StackConfig:
    given = {"plugin": {"rock": "x.rock"}, "agent": {"install": False, "namespace": "shared"}, **config}
    return parser.parse({k: v if isinstance(v, str) else json.dumps(v) for k, v in given.items()})


def read(cluster: OneCluster, *, preview: bool = False, **config: object) -> dict[str, str]:
    return sidecar_settings(configured(**config), cast(ClusterTarget, cluster), preview=preview)


def test_the_settings_are_those_of_the_agents_config_map() -> None:
    cluster = OneCluster()
    assert read(cluster) == {"agentconfig.yaml": "a: b"}
    assert read(cluster, mode="async") == read(cluster, enabled="false") == read(cluster)
    assert cluster.api.changed == []


def test_an_agent_without_a_config_map_gives_nothing() -> None:
    cluster = OneCluster()
    del cluster.api.objects[PATH]
    assert read(cluster) == {}


@pytest.mark.parametrize("problem", [ApiError(403, "Forbidden", "no"), ApiError(500, "", "no"), Unreachable("no")])
def test_an_error_while_asking_stops_the_update(problem: Exception) -> None:
    cluster = OneCluster()
    cluster.api.problems[PATH] = problem
    with pytest.raises(PlanError, match=r"could not be read: no\. .*rolled for nothing.*Nothing was changed"):
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
def test_nobody_is_asked_where_no_tme_can_be_theirs(config: dict[str, object]) -> None:
    cluster = OneCluster()
    cluster.api.problems[PATH] = AssertionError("asked too early")
    assert read(cluster, **config) == {}


def asked_about(**config: object) -> AgentIntent | None:
    found = configured(**config)
    return intent(found, ROCK, plan(found, ROCK, OWNER), live_change=True).agent


def test_preflight_is_told_whose_the_agent_is() -> None:
    theirs = AgentIntent(
        namespace="shared",
        create_namespace=False,
        release=None,
        own_secret=None,
        their_secret=None,
        timeout_seconds=0,
    )
    assert asked_about() == theirs
    assert asked_about(mode="async", agent=OUTSIDE) is None
    assert asked_about(installed="false", enabled="false") is None, "who leaves needs no agent"
    ours = asked_about(agent={"namespace": "own"}, agentTokenSecret={"name": "t", "key": "t"})
    assert ours is not None and (ours.namespace, ours.release, ours.create_namespace) == (
        "own",
        "traceable-agent",
        True,
    )


RECORD = "/api/v1/namespaces/kong/configmaps/traceable-installation"


def recorded(cluster: OneCluster, *, preview: bool = False, **config: object) -> str | None:
    image = recorded_tme_image(configured(**config), cast(ClusterTarget, cluster), preview=preview)
    return str(image) if image else None


def test_the_image_that_the_record_has() -> None:
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


def test_preflight_is_told_whether_the_stack_names_the_image() -> None:
    named = asked_about(agent={"install": False, "namespace": "shared", "tmeImage": "r.io/a/tme"})
    unnamed = asked_about()
    assert named and named.tme_image_named and unnamed and not unnamed.tme_image_named
