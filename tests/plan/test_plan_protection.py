"""What the settings come to for the guard, the gates, the proof and the record."""

import pytest

from tests.plan.test_stack_plan import OWNER, ROCK, THEIRS, planned, with_their_agent
from traceable_kong.cluster.tme import INJECT_ANNOTATION
from traceable_kong.config.parser import parse
from traceable_kong.helm_values.kong_values import kong_fullname
from traceable_kong.plan.model import KongClusterPlugin
from traceable_kong.plan.stack_plan import Plan, plan
from traceable_kong.plan.state_record import state_of

LEAVING = {"installed": False, "enabled": False}


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
def test_the_agent_has_a_second_pod_where_a_gateway_pod_is_refused_without_it(
    config: dict[str, object], replicas: int | None
) -> None:
    made = planned(**config)
    assert made.agent is not None
    assert made.agent.values.get("deploymentReplicas") == replicas


def test_a_switch_of_the_mode_changes_nothing_of_the_agent() -> None:
    for guard in ("deny", "warn"):
        sync, other = planned(mode="sync", tmeGuard=guard).agent, planned(mode="async", tmeGuard=guard).agent
        assert sync is not None and other is not None and sync.values == other.values


def test_another_agent_namespace_rolls_the_gateway_before_the_old_agent_goes() -> None:
    assert planned(agent={"namespace": "b"}).tme.settings_digest != planned().tme.settings_digest


def test_another_fail_mode_changes_guard_and_agent_and_rolls_no_gateway() -> None:
    opened, closed = planned(failMode="open"), planned(failMode="closed")
    assert opened.guard is not None and closed.guard is not None
    assert (opened.guard.action, closed.guard.action) == ("warn", "deny")
    assert opened.agent != closed.agent
    assert opened.tme == closed.tme
    assert opened.gateway == closed.gateway


@pytest.mark.parametrize("action", ["deny", "warn", "off"])
def test_guard_and_gates_go_by_the_same(action: str) -> None:
    made = planned(tmeGuard=action, kong={"namespace": "gw", "release": "edge"}, agent={"namespace": "watch"})
    probe = made.gates.probe
    assert (probe.action, probe.namespace, probe.deployment) == (action, "gw", "edge-kong")
    assert (probe.policy, probe.agent_namespace) == (f"traceable-tme-guard-{OWNER}", "watch")
    assert probe.annotations == {INJECT_ANNOTATION: "true", "traceable-kong/tme-settings": made.tme.settings_digest}
    if action == "off":
        assert made.guard is None
    else:
        assert made.guard is not None
        assert (made.guard.policy, made.guard.namespace, made.guard.action) == (probe.policy, "gw", action)
        assert (made.guard.tme_image, made.guard.agent_namespace) == (probe.tme_image, "watch")
        assert made.guard.pod_selector["matchLabels"]["app.kubernetes.io/instance"] == "edge"


def test_an_image_of_the_users_is_what_everybody_looks_for() -> None:
    credentials = {"registry": "registry.example.com:5000", "registrySuffix": "team"}
    made = planned(agentValues={"injector": {"tme": {"imageName": "tme"}}, "imageCredentials": credentials})
    assert made.guard is not None
    assert made.gates.expectation.injection is not None
    images = {made.guard.tme_image, made.gates.probe.tme_image, made.gates.expectation.injection.image}
    assert [str(image) for image in images] == ["registry.example.com:5000/team/tme"]
    assert (made.installation.record or {})["tmeImage"] == "registry.example.com:5000/team/tme"
    assert made.gates.probe.agent_managed


def test_the_proof_asks_for_what_was_configured() -> None:
    made = planned(
        scope="selected", kong={"namespace": "gw", "ingressClass": "edge"}, plugin={"rock": "x", "name": "p"}
    )
    expected = made.gates.expectation
    assert made.plugin_files is not None
    assert str(expected.deployment) == f"gw/{kong_fullname('quickstart', {})}"
    assert expected.plugin.custom_resource == KongClusterPlugin(name="p", ingress_class="edge")
    assert (expected.plugin.name, expected.plugin.version) == ("traceable", "2.1.2"), "the version that Kong reports"
    assert not expected.plugin.everywhere
    assert expected.plugin.config == made.plugin.config
    assert set(expected.files.values()) == {item.name for item in made.plugin_files.config_maps}


@pytest.mark.parametrize(
    ("config", "domain"),
    [
        ({}, ""),
        ({"agentValues": {"injectorWebhookDomain": "injector.example.com"}}, "injector.example.com"),
        ({"agent": {"chart": {"path": "charts/traceable-agent"}}}, None),
    ],
)
def test_the_injectors_webhook_is_known_unless_a_chart_in_a_folder_may_decide_it(
    config: dict[str, object], domain: str | None
) -> None:
    assert domain_of(planned(**config)) == domain


def domain_of(made: Plan) -> str | None:
    injection = made.gates.expectation.injection
    assert injection is not None
    return injection.webhook_domain


def test_where_the_webhook_of_an_existing_agent_leads_is_not_known_and_a_secret_stays_one() -> None:
    assert domain_of(with_their_agent(agent=THEIRS)) is None
    config = {"agentToken": "t", "plugin": '{"rock": "x"}', "agentValues": '{"injectorWebhookDomain": "hidden"}'}
    hidden = parse(config, secret_paths=[("agentToken",), ("agentValues", "injectorWebhookDomain")])
    assert domain_of(plan(hidden, ROCK, OWNER)) is None


@pytest.mark.parametrize(
    ("config", "image"),
    [
        ({"mode": "sync"}, "docker.io/traceableai/traceable-agent"),
        ({"mode": "sync", "enabled": False}, None),
        ({"mode": "async"}, None),
    ],
)
def test_a_tme_is_asked_for_where_one_is_wanted(config: dict[str, object], image: str | None) -> None:
    found = planned(**config).gates.expectation.injection
    assert (str(found.image) if found else None) == image


def test_the_record_says_what_stands_and_what_must_hold() -> None:
    made = planned(mode="async", failMode="closed")
    record = made.installation.record
    assert record is not None
    assert state_of("kong", record) == made.gates.expectation
    assert (record["mode"], record["failMode"]) == ("async", "closed")
    assert (record["rockVersion"], record["rockSha256"]) == (ROCK.version, ROCK.sha256)
    other = planned(mode="async", failMode="closed", kongValues={"replicaCount": 2}).installation.record
    assert other is not None
    assert {key for key in record if record[key] != other[key]} == {"kongValuesDigest"}


def test_where_traceable_leaves_nothing_of_it_is_planned() -> None:
    made = planned(**LEAVING, tmeGuard="deny")
    assert (made.installed, made.agent, made.guard, made.plugin_files) == (False, None, None, None)
    assert made.installation.record is None
    assert "plugins" not in made.gateway.args.values
    expected = made.gates.expectation
    assert (expected.installed, expected.plugin.enabled) == (False, False)
    assert (expected.files, expected.injection) == ({}, None)


def test_where_traceable_leaves_the_outputs_do_not_say_that_it_stands() -> None:
    stands, left = planned().outputs, planned(**LEAVING).outputs
    assert stands["installed"] is stands["enabled"] is True
    assert left["installed"] is left["enabled"] is False
    assert set(stands) - set(left) == {"mode", "endpoint", "failMode", "pluginVersion", "rockVersion", "rockSha256"}
    assert left["configMaps"] == []


def test_disabled_is_said_in_the_outputs() -> None:
    made = planned(enabled=False).outputs
    assert (made["installed"], made["enabled"]) == (True, False)


def test_both_releases_carry_the_mark_beside_the_users_own_globals() -> None:
    theirs = {"global": {"imageRegistry": "r"}}
    made = planned(kongValues=theirs, agentValues=theirs)
    assert made.agent is not None
    for values in (made.agent.values, made.gateway.args.values):
        assert values["global"] == {"imageRegistry": "r", "traceableKong": {"stack": OWNER}}
