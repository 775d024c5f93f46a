"""The agent's part of the plan."""

from typing import Any

import pytest

from tests.fakes.plans import OWNER, plan
from traceable_kong.helm_values.agent_values import OWN_TOKEN_SECRET
from traceable_kong.plan.agent_model import ExternalAgent, ManagedAgent
from traceable_kong.plan.kong_model import ManagedKong

EXISTING: dict[str, Any] = {"agentToken": None, "agent": {"install": False, "namespace": "shared"}}


def agent(**config: Any) -> ManagedAgent:
    made = plan(**config).agent
    assert isinstance(made, ManagedAgent)
    return made


def test_the_token_is_written_to_the_stacks_secret_or_an_existing_secret_is_named() -> None:
    managed = agent()
    assert managed.token is not None and managed.token.get_secret_value() == "t"
    assert managed.token_secret == OWN_TOKEN_SECRET
    assert managed.release.values["externalTokenSecret"]["name"] == OWN_TOKEN_SECRET.name
    existing = agent(agentToken=None, agentTokenSecret={"name": "theirs", "key": "k"})
    assert existing.token is None
    assert existing.release.values["externalTokenSecret"] == {"name": "theirs", "key": "k"}


@pytest.mark.parametrize(
    ("config", "replicas"),
    [
        ({"mode": "sync", "tmeGuard": "deny"}, 2),
        ({"mode": "sync", "failMode": "closed"}, 2),
        ({"mode": "sync", "tmeGuard": "warn"}, None),
        ({"mode": "sync", "tmeGuard": "off"}, None),
        ({"mode": "async", "tmeGuard": "deny"}, 2),
        ({"mode": "async", "failMode": "closed"}, 2),
    ],
)
def test_it_has_two_pods_if_gateway_pods_without_the_tme_are_refused(
    config: dict[str, Any], replicas: int | None
) -> None:
    assert agent(**config).release.values.get("deploymentReplicas") == replicas


def test_a_mode_switch_does_not_change_the_agent() -> None:
    for policy in ("deny", "warn"):
        assert agent(mode="sync", tmeGuard=policy) == agent(mode="async", tmeGuard=policy)


def test_an_external_agent_is_an_address_only() -> None:
    url = "https://agent.example.com:5442"
    made = plan(agentToken=None, agent={"install": False, "url": url}, mode="async", failMode="closed")
    assert made.agent == ExternalAgent(endpoint=url)
    assert made.agent_namespace is None
    assert made.gateway is not None and made.gateway.plugin.endpoint == url
    assert (made.gateway.policy, made.gateway.wants_tme) == (None, False)


def test_both_releases_have_the_stacks_mark_beside_the_users_globals() -> None:
    values = {"global": {"imageRegistry": "r"}}
    made = plan(kongValues=values, agentValues=values)
    assert made.gateway is not None and isinstance(made.gateway.kong, ManagedKong)
    for release in made.releases:
        assert release.values["global"] == {"imageRegistry": "r", "traceableKong": {"stack": OWNER}}
    assert [release.key for release in made.releases] == ["kong", "agent"]
