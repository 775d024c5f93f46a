"""What injects the TME: its image, the digest of its settings, the webhook and the admission policy."""

from typing import Any

import pytest

from tests.fakes.plans import OWNER, ROCK, desired, gateway, plan
from traceable_kong.common.image_references import parse_image
from traceable_kong.plan.build import PlanInputs
from traceable_kong.plan.model import Gateway
from traceable_kong.plan.state_record import record_data

PUBLIC = "docker.io/traceableai/traceable-agent"
SHARED: dict[str, Any] = {"install": False, "namespace": "shared"}


def digest(made: Gateway) -> str:
    return made.injection.annotations["traceable-kong/tme-settings"]


def with_existing_agent(settings: str | None = None, *, recorded: str | None = None, **config: Any) -> Gateway:
    """The gateway with an existing agent whose ConfigMap has these settings."""
    inputs = PlanInputs(
        rock=ROCK,
        agent_settings={} if settings is None else {"agentconfig.yaml": settings},
        recorded_image=parse_image(recorded) if recorded else None,
    )
    return gateway(inputs=inputs, **{"agentToken": None, "agent": SHARED, **config})


def test_only_settings_of_the_tme_roll_out_the_gateway() -> None:
    base = digest(gateway())
    chart = {"repository": "https://helm.traceable.ai", "name": "traceable-agent", "version": "1.58.1"}
    for change in (
        {"blockingStatusCode": "451"},
        {"blockingMessage": "No"},
        {"agent": {"chart": chart}},
        {"agent": {"namespace": "b"}},
        {"agentValues": {"injector": {"tme": {"imageVersion": "1"}}}},
    ):
        assert digest(gateway(**change)) != base, change
    for same in ({"failMode": "closed"}, {"timeoutMs": "750"}, {"bufferRequestBody": "false"}, {"scope": "selected"}):
        assert digest(gateway(**same)) == base, same


def test_settings_of_an_existing_agent_roll_out_the_gateway() -> None:
    before = digest(with_existing_agent("a"))
    assert digest(with_existing_agent("a", failMode="closed")) == before
    assert digest(with_existing_agent("b")) != before
    assert digest(with_existing_agent()) != before


def test_another_fail_mode_changes_policy_and_agent_and_not_the_gateway() -> None:
    opened, closed = plan(failMode="open"), plan(failMode="closed")
    assert opened.gateway and closed.gateway and opened.gateway.policy and closed.gateway.policy
    assert (opened.gateway.policy.action, closed.gateway.policy.action) == ("warn", "deny")
    assert opened.agent != closed.agent
    assert opened.gateway.injection == closed.gateway.injection
    assert opened.gateway.kong == closed.gateway.kong


@pytest.mark.parametrize("action", ["deny", "warn", "off"])
def test_the_policy_does_what_the_config_says(action: str) -> None:
    made = plan(tmeGuard=action, kong={"namespace": "gw", "release": "edge"}, agent={"namespace": "watch"})
    assert made.gateway is not None
    policy = made.gateway.policy
    assert (policy.action if policy else "off") == action
    if policy:
        assert policy.name == made.policy_name == f"traceable-tme-guard-{OWNER}"
        constraints = policy.spec["matchConstraints"]
        assert constraints["namespaceSelector"] == {"matchLabels": {"kubernetes.io/metadata.name": "gw"}}
        assert constraints["objectSelector"]["matchLabels"]["app.kubernetes.io/instance"] == "edge"
        assert "watch" in policy.spec["validations"][0]["message"]


def test_policy_verification_and_record_have_the_image_of_the_users_values() -> None:
    credentials = {"registry": "registry.example.com:5000", "registrySuffix": "team"}
    config: dict[str, Any] = {
        "agentValues": {"injector": {"tme": {"imageName": "tme"}}, "imageCredentials": credentials}
    }
    image = "registry.example.com:5000/team/tme"
    made, state = plan(**config), desired(**config)
    assert made.gateway is not None and made.gateway.policy is not None and state.injection is not None
    assert str(made.gateway.injection.image) == str(state.injection.image) == image
    assert image in made.gateway.policy.spec["validations"][0]["message"]
    assert (record_data(made) or {})["tmeImage"] == image


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_an_existing_agents_settings_have_its_image_unless_the_config_does(mode: str) -> None:
    settings = "injector: {images_repository: r.io/a, tme: {image_name: tme, image_version: 1.58.0}}"
    found = [
        with_existing_agent(settings, mode=mode),
        with_existing_agent(settings, mode=mode, agent={**SHARED, "tmeImage": "r.io/b/tme"}),
        with_existing_agent("a", mode=mode),
        with_existing_agent(mode=mode),
    ]
    assert [str(made.injection.image) for made in found] == ["r.io/a/tme", "r.io/b/tme", PUBLIC, PUBLIC]


def test_after_the_first_update_the_record_has_the_image_and_not_the_existing_agent() -> None:
    settings = "injector: {images_repository: evil.example, tme: {image_name: tme}}"
    made = with_existing_agent(settings, recorded="r.io/a/tme")
    assert str(made.injection.image) == "r.io/a/tme"
    assert made.policy is not None and "r.io/a/tme" in made.policy.spec["validations"][0]["message"]
    configured = with_existing_agent(settings, recorded="r.io/a/tme", agent={**SHARED, "tmeImage": "r.io/b/tme:1"})
    assert str(configured.injection.image) == "r.io/b/tme:1"


def test_the_record_has_the_trusted_image_without_its_version() -> None:
    made = plan(agentToken=None, agent={**SHARED, "tmeImage": "r.io/b/tme:1"})
    record = record_data(made) or {}
    assert record["trustedTmeImage"] == "r.io/b/tme"
    assert "agentValuesDigest" not in record, "preflight reads from it whether the stack manages the agent"


@pytest.mark.parametrize(
    ("config", "domain"),
    [
        ({}, ""),
        ({"agentValues": {"injectorWebhookDomain": "injector.example.com"}}, "injector.example.com"),
        ({"agent": {"chart": {"path": "charts/traceable-agent"}}}, None),
        ({"agentToken": None, "agent": SHARED}, None),
    ],
)
def test_the_webhooks_domain_is_known_unless_the_stack_does_not_decide_it(
    config: dict[str, Any], domain: str | None
) -> None:
    assert gateway(**config).injection.webhook_domain == domain
