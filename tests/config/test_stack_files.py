"""The stack files in the repository: the example has placeholders, the local one is complete."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from traceable_kong.config.agent_config import ManagedAgentConfig
from traceable_kong.config.kong_config import ManagedKongConfig
from traceable_kong.config.parser import ConfigError, parse
from traceable_kong.config.stack_config import GatewayStack

CLONE = Path(__file__).parents[2]
PREFIX = "traceable-kong:"


def given(stack: str) -> dict[str, str]:
    config: dict[str, Any] = yaml.safe_load((CLONE / f"Pulumi.{stack}.yaml").read_text())["config"]
    return {
        key.removeprefix(PREFIX): value if isinstance(value, str) else json.dumps(value)
        for key, value in config.items()
        if key.startswith(PREFIX)
    }


def test_the_placeholders_of_the_example_are_refused_with_a_fix() -> None:
    with pytest.raises(ConfigError) as refused:
        parse(given("dev"))
    assert {problem.key for problem in refused.value.problems} == {"plugin.sha256", "agentToken"}
    assert "sha256sum" in str(refused.value)


def test_the_example_is_complete_with_a_digest_and_a_token() -> None:
    config = given("dev")
    config["plugin"] = json.dumps({**json.loads(config["plugin"]), "sha256": "0" * 64})
    config_of_the_example = parse({**config, "agentToken": "t"}, secret_paths=[("agentToken",)])
    assert isinstance(config_of_the_example, GatewayStack)
    assert isinstance(config_of_the_example.kong, ManagedKongConfig)
    chart = config_of_the_example.kong.chart
    assert (chart.repository, chart.name) == ("https://charts.konghq.com", "kong")


def test_the_placeholders_of_the_production_file_are_refused() -> None:
    with pytest.raises(ConfigError) as refused:
        parse(given("prod"))
    assert {problem.key for problem in refused.value.problems} == {
        "plugin.sha256",
        "allowedClusters[0]",
        "kongValues.image.tag",
    }


def test_the_production_file_is_complete_without_its_placeholders() -> None:
    config = given("prod") | {"allowedClusters": '["https://prod.example.com:6443"]'}
    config["plugin"] = json.dumps({**json.loads(config["plugin"]), "sha256": "0" * 64})
    values = json.loads(config["kongValues"])
    values["image"]["tag"] = f"3.9@sha256:{'0' * 64}"
    production = parse({**config, "kongValues": json.dumps(values)})
    assert isinstance(production, GatewayStack) and isinstance(production.kong, ManagedKongConfig)
    assert isinstance(production.agent, ManagedAgentConfig)
    assert production.kong.protected and production.agent.protected
    assert (production.fail_mode, production.tme_guard) == ("closed", "deny")


def test_the_local_stack_is_complete_and_its_token_encrypted() -> None:
    config = given("local")
    assert set(json.loads(config["agentToken"])) == {"secure"}
    parse({**config, "agentToken": "t"}, secret_paths=[("agentToken",)])
