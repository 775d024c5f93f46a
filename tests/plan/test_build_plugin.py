"""The plugin's part of the plan, and what the verification gets of it."""

from typing import Any

import pytest

from tests.fakes.plans import desired, gateway, plan
from traceable_kong.plan.plugin_model import KongClusterPlugin


def test_sync_calls_the_tme_beside_kong_and_async_the_agent() -> None:
    assert gateway(mode="sync").plugin.endpoint == "http://localhost:5442"
    assert gateway(mode="async", agent={"namespace": "other"}).plugin.endpoint == "http://agent.other:5442"
    existing = gateway(mode="async", agentToken=None, agent={"install": False, "namespace": "shared"})
    assert existing.plugin.endpoint == "http://agent.shared:5442"


@pytest.mark.parametrize(
    ("mode", "enabled", "wanted"),
    [("sync", True, True), ("sync", False, False), ("async", True, False), ("async", False, False)],
)
def test_the_tme_is_wanted_in_sync_while_enabled(mode: str, enabled: bool, wanted: bool) -> None:
    made = gateway(mode=mode, enabled=enabled)
    assert made.wants_tme is wanted
    assert made.plugin.enabled is enabled
    assert (desired(mode=mode, enabled=enabled).injection is not None) is wanted


def test_fail_mode_and_scope_reach_the_plugin() -> None:
    assert gateway(failMode="open").plugin.config["allow_on_failure"] is True
    assert gateway(failMode="closed").plugin.config["allow_on_failure"] is False
    assert gateway().plugin.everywhere is True
    assert gateway(scope="selected").plugin.everywhere is False


def test_the_verification_gets_what_is_deployed() -> None:
    config: dict[str, Any] = {
        "scope": "selected",
        "kong": {"namespace": "gw", "ingressClass": "edge"},
        "plugin": {"rock": "x", "name": "p"},
    }
    state, made = desired(**config), gateway(**config)
    assert str(state.deployment) == "gw/quickstart-kong"
    assert state.plugin == made.plugin
    assert state.plugin.backend == KongClusterPlugin(name="p", ingress_class="edge")
    assert (state.plugin.name, state.plugin.version) == ("traceable", "2.1.2"), "the version that Kong reports"
    assert set(state.files.values()) == {item.name for item in made.config_maps}


def test_an_uninstalled_traceable_has_no_agent_policy_or_files() -> None:
    uninstalled: dict[str, Any] = {"installed": False, "enabled": False, "tmeGuard": "deny"}
    made = plan(**uninstalled)
    assert made.agent is None and made.gateway is not None
    assert (made.gateway.policy, made.gateway.config_maps) == (None, ())
    assert [release.key for release in made.releases] == ["kong"]
    assert "plugins" not in made.releases[0].values
    state = desired(**uninstalled)
    assert (state.installed, state.plugin.enabled) == (False, False)
    assert (state.files, state.injection) == ({}, None)
