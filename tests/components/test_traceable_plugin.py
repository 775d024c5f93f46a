"""TraceablePlugin and its configuration."""

import pytest
from pydantic import SecretStr

from components.traceable_plugin import TraceablePlugin, TraceablePluginArgs
from tests.fakes.recording import Registration, record
from traceable_kong.plugin.plugin_config import plugin_config

LABELS = {"traceable-kong/stack": "traceable-kong.test"}


def config(**changes: object) -> dict:
    arguments: dict = {
        "rock_version": "2.1.2-1",
        "endpoint": "http://localhost:5442",
        "mode": "sync",
        "buffer_request_body": True,
        "fail_open": True,
        "timeout_ms": 500,
        "service_name": "kong",
    }
    user_config = changes.pop("user_config", {})
    return plugin_config(user_config, **(arguments | changes))


def plugin(*, everywhere: bool = True, enabled: bool = True, **user_config: object) -> Registration:
    args = TraceablePluginArgs(
        plugin_name="traceable-plugin",
        ingress_class="kong",
        everywhere=everywhere,
        enabled=enabled,
        config=config(user_config=user_config),
        labels=LABELS,
    )
    return record(lambda: TraceablePlugin("plugin", args=args, kong_revision=4))["plugin-kong-cluster-plugin"]


def test_the_configuration_is_what_kong_reads() -> None:
    assert config(fail_open=False, mode="async", endpoint="http://agent.traceable:5442", buffer_request_body=False) == {
        "ext_cap_endpoint": "http://agent.traceable:5442",
        "allow_on_failure": False,
        "timeout": 500,
        "service_name": "kong",
        "mode": "async",
        "buffer_request_body": False,
    }


@pytest.mark.parametrize(
    ("version", "sent"), [("2.0.9-1", False), ("2.1.0-1", True), ("2.10.0-1", True), ("3.0.0-2", True)]
)
def test_an_older_rock_is_not_sent_what_it_does_not_know(version: str, sent: bool) -> None:
    assert ("mode" in config(rock_version=version), "buffer_request_body" in config(rock_version=version)) == (
        sent,
        sent,
    )


def test_further_options_stand_beside_ours_and_never_in_their_place() -> None:
    made = config(user_config={"max_body_size_bytes": 1, "timeout": 9})
    assert (made["max_body_size_bytes"], made["timeout"]) == (1, 500)


def test_it_is_read_by_the_gateways_own_controller_and_applies_everywhere() -> None:
    made = plugin()
    assert made.type == "kubernetes:configuration.konghq.com/v1:KongClusterPlugin"
    assert made.inputs["plugin"] == "traceable"
    assert made.inputs["disabled"] is False
    assert made.inputs["metadata"] == {
        "name": "traceable-plugin",
        "labels": {**LABELS, "global": "true"},
        "annotations": {"kubernetes.io/ingress.class": "kong", "traceable-kong/kong-revision": "4"},
    }


def test_selected_it_is_not_global_and_disabled_it_stands() -> None:
    assert plugin(everywhere=False).inputs["metadata"]["labels"] == LABELS
    assert plugin(enabled=False).inputs["disabled"] is True


def test_under_a_new_name_the_old_one_goes_first() -> None:
    assert plugin().delete_before_replace is True


def test_only_a_secret_option_is_hidden() -> None:
    args = TraceablePluginArgs(
        plugin_name="p",
        ingress_class="kong",
        everywhere=True,
        enabled=True,
        config=config(user_config={"api_key": SecretStr("hidden")}),
        labels=LABELS,
    )
    made = record(lambda: TraceablePlugin("plugin", args=args, kong_revision=None))
    assert list(made.secrets()) == [("plugin-kong-cluster-plugin", ("config", "api_key"), "hidden")]
