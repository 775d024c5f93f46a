"""What the settings and the rock come to."""

import json
import shlex

import pytest

from traceable_kong.common.image_references import parse_image
from traceable_kong.config.parser import parse
from traceable_kong.helm_values.agent_values import OWN_TOKEN_SECRET
from traceable_kong.helm_values.kong_conflicts import KongValuesError
from traceable_kong.plan.stack_plan import Plan, plan
from traceable_kong.plugin.rock import Rock
from traceable_kong.verification.trusted_record import record_digest

ROCK = Rock(version="2.1.2-1", sha256="ab" * 32, plugins={"traceable": {"handler.lua": b"h", "schema.lua": b"s"}})


OWNER = "traceable-kong.test"


def planned(rock: Rock = ROCK, **config: object) -> Plan:
    given = {"agentToken": "t", "plugin": {"rock": "x.rock"}, **config}
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in given.items()}
    return plan(parse(texts, secret_paths=[("agentToken",)]), rock, OWNER)


def test_sync_asks_the_tme_beside_kong_and_async_the_agent() -> None:
    assert planned(mode="sync").plugin.config["ext_cap_endpoint"] == "http://localhost:5442"
    elsewhere = planned(mode="async", agent={"namespace": "elsewhere"})
    assert elsewhere.plugin.config["ext_cap_endpoint"] == "http://agent.elsewhere:5442"
    assert elsewhere.outputs["endpoint"] == elsewhere.installation.record["endpoint"] == "http://agent.elsewhere:5442"


@pytest.mark.parametrize(
    ("mode", "enabled", "wanted"),
    [("sync", "true", True), ("sync", "false", False), ("async", "true", False), ("async", "false", False)],
)
def test_the_tme_is_wanted_in_sync_while_enabled(mode: str, enabled: str, wanted: bool) -> None:
    made = planned(mode=mode, enabled=enabled)
    assert made.tme.wanted is wanted
    assert made.plugin.enabled is (enabled == "true")


def test_fail_mode_and_scope_reach_the_plugin() -> None:
    assert planned(failMode="open").plugin.config["allow_on_failure"] is True
    assert planned(failMode="closed").plugin.config["allow_on_failure"] is False
    assert planned().plugin.everywhere is True
    assert planned(scope="selected").plugin.everywhere is False


def test_the_gateway_rolls_for_what_a_tme_is_given_and_for_nothing_else() -> None:
    base = planned().tme.settings_digest
    for change in (
        {"blockingStatusCode": "451"},
        {"blockingMessage": "No"},
        {
            "agent": {
                "chart": {"repository": "https://helm.traceable.ai", "name": "traceable-agent", "version": "1.58.1"}
            }
        },
        {"agentValues": {"injector": {"tme": {"imageVersion": "1"}}}},
    ):
        assert planned(**change).tme.settings_digest != base, change
    for same in ({"failMode": "closed"}, {"timeoutMs": "750"}, {"bufferRequestBody": "false"}, {"scope": "selected"}):
        assert planned(**same).tme.settings_digest == base, same


def test_the_token_is_made_into_our_secret_or_theirs_is_named() -> None:
    ours = planned()
    assert ours.agent.token is not None and ours.agent.token.get_secret_value() == "t"
    assert ours.agent.values["externalTokenSecret"]["name"] == OWN_TOKEN_SECRET.name
    given = {"plugin": json.dumps({"rock": "x"}), "agentTokenSecret": json.dumps({"name": "theirs", "key": "k"})}
    theirs = plan(parse(given), ROCK, OWNER)
    assert theirs.agent.token is None
    assert theirs.agent.values["externalTokenSecret"] == {"name": "theirs", "key": "k"}


def test_names_are_fixed_and_exported() -> None:
    made = planned(kong={"release": "edge", "namespace": "gw"}, kongValues={"nameOverride": "proxy"})
    assert made.tme.deployment == made.gateway.deployment == made.outputs["deployment"] == "edge-proxy"
    assert made.outputs["proxyService"] == "edge-proxy-proxy"
    assert {made.tme.namespace, made.gateway.namespace, made.plugin_files.namespace, made.outputs["namespace"]} == {
        "gw"
    }
    assert made.outputs["configMaps"] == [item.name for item in made.plugin_files.config_maps]


def test_every_plugin_of_the_rock_is_mounted() -> None:
    two = Rock(
        version="2.3.0-1",
        sha256="cd" * 32,
        plugins={**ROCK.plugins, "traceable-ai-extension": {"handler.lua": b"", "schema.lua": b""}},
    )
    mounted = planned(two, plugin={"rock": "x", "version": "2.3.0-1"}).gateway.args.values["plugins"]["configMaps"]
    assert [entry["pluginName"] for entry in mounted] == ["traceable", "traceable-ai-extension"]


def test_nothing_secret_is_in_the_record_or_the_outputs() -> None:
    made = planned(agentToken="a-secret-token")
    assert "a-secret-token" not in json.dumps([made.installation.record, made.outputs])
    assert "a-secret-token" not in repr(made)


def test_the_record_says_what_preflight_reads_there() -> None:
    record = planned().installation.record or {}
    read = {key: record[key] for key in ("rockVersion", "rockSha256", "release", "deployment")}
    assert read == {
        "rockVersion": ROCK.version,
        "rockSha256": ROCK.sha256,
        "release": "quickstart",
        "deployment": "quickstart-kong",
    }


def test_values_that_contradict_are_refused_before_anything_is_made() -> None:
    with pytest.raises(KongValuesError):
        planned(kongValues={"env": {"plugins": "bundled"}})


def with_their_agent(given: dict[str, str] | None = None, **config: object) -> Plan:
    everything = {"plugin": {"rock": "x.rock"}, **config}
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in everything.items()}
    return plan(parse(texts), ROCK, OWNER, given)


THEIRS = {"install": False, "namespace": "shared"}


def test_somebody_elses_agent_is_asked_and_not_made() -> None:
    sync = with_their_agent(agent={**THEIRS, "tmeImage": "r.io/their-tme:1"})
    assert sync.agent is None
    assert sync.guard is not None
    image = parse_image("r.io/their-tme:1")
    assert (sync.guard.tme_image, sync.guard.agent_namespace) == (image, "shared")
    assert sync.gates.expectation.injection is not None
    assert (sync.gates.expectation.injection.image, sync.gates.expectation.agent_namespace) == (image, "shared")
    assert (sync.gates.probe.tme_image, sync.gates.probe.agent_managed) == (image, False)
    assert "agentValuesDigest" not in (sync.installation.record or {}), "preflight tells by it whose the agent is"
    assert with_their_agent(agent=THEIRS, mode="async").plugin.config["ext_cap_endpoint"] == "http://agent.shared:5442"


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_where_the_stack_does_not_say_it_their_agent_says_which_image_is_its_tme(mode: str) -> None:
    says = {"agentconfig.yaml": "injector: {images_repository: r.io/a, tme: {image_name: tme, image_version: 1.58.0}}"}
    guards = [
        with_their_agent(says, agent=THEIRS, mode=mode).guard,
        with_their_agent(says, agent={**THEIRS, "tmeImage": "r.io/b/tme"}, mode=mode).guard,
        with_their_agent({"agentconfig.yaml": "a"}, agent=THEIRS, mode=mode).guard,
        with_their_agent(None, agent=THEIRS, mode=mode).guard,
    ]
    public = "docker.io/traceableai/traceable-agent"
    assert [str(guard and guard.tme_image) for guard in guards] == ["r.io/a/tme", "r.io/b/tme", public, public]


def test_after_the_first_time_the_record_says_the_image_and_not_their_agent() -> None:
    says = {"agentconfig.yaml": "injector: {images_repository: evil.example, tme: {image_name: tme}}"}
    texts = {"plugin": '{"rock": "x.rock"}', "agent": json.dumps(THEIRS)}
    made = plan(parse(texts), ROCK, OWNER, says, recorded_image=parse_image("r.io/a/tme"))
    assert made.guard is not None and made.installation.record is not None
    assert made.gates.expectation.injection is not None
    trusted = [made.guard.tme_image, made.gates.probe.tme_image, made.gates.expectation.injection.image]
    assert [str(image) for image in trusted] == ["r.io/a/tme"] * 3
    assert made.installation.record["trustedTmeImage"] == "r.io/a/tme"
    named = with_their_agent(says, agent={**THEIRS, "tmeImage": "r.io/b/tme:1"})
    assert (named.installation.record or {})["trustedTmeImage"] == "r.io/b/tme"


def test_the_gateway_rolls_for_what_somebody_elses_agent_gives_its_tmes() -> None:
    before = with_their_agent({"agentconfig.yaml": "a"}, agent=THEIRS).tme.settings_digest
    assert with_their_agent({"agentconfig.yaml": "a"}, agent=THEIRS, failMode="closed").tme.settings_digest == before
    assert with_their_agent({"agentconfig.yaml": "b"}, agent=THEIRS).tme.settings_digest != before
    assert with_their_agent({}, agent=THEIRS).tme.settings_digest != before


def test_an_agent_outside_the_cluster_is_an_address_and_nothing_else() -> None:
    url = "https://agent.example.com:5442"
    made = with_their_agent(agent={"install": False, "url": url}, mode="async", failMode="closed")
    assert made.plugin.config["ext_cap_endpoint"] == made.outputs["endpoint"] == url
    assert (made.installation.record or {})["endpoint"] == url
    assert (made.agent, made.guard, made.tme.wanted) == (None, None, False)
    assert made.gates.expectation.agent_namespace is None


def test_the_command_that_verifies_names_the_gateway_and_works_when_pasted() -> None:
    made = planned()
    words = shlex.split(made.outputs["verify"])
    assert words == [".venv/bin/python", "verify.py", "--namespace", "kong", "--deployment", made.gateway.deployment]
    assert made.installation.record is not None
    assert made.installation.record_digest == record_digest(made.installation.record)
