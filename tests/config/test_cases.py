"""Stack files that are accepted, and stack files that one rule each refuses."""

from pathlib import Path

import pytest

from tests.config.cases import ACCEPTED, REFUSED, header, parse_refused, refusal
from tests.config.stack_file import parse_file
from traceable_kong.config import parser
from traceable_kong.config.stack_config import GatewayStack

SECRET = "planted-credential"


@pytest.mark.parametrize("path", ACCEPTED, ids=lambda path: path.stem)
def test_accepted(path: Path) -> None:
    found = parse_file(path)
    assert SECRET not in repr(found)


@pytest.mark.parametrize(
    ("given", "guard"),
    [
        ({}, "warn"),
        ({"failMode": "open"}, "warn"),
        ({"failMode": "closed"}, "deny"),
        ({"failMode": "closed", "tmeGuard": "off"}, "off"),
        ({"failMode": "open", "tmeGuard": "deny"}, "deny"),
    ],
)
def test_the_guard_follows_the_fail_mode_unless_it_is_set(given: dict[str, str], guard: str) -> None:
    base = {"agentTokenSecret": '{"name": "token", "key": "token"}', "plugin": '{"rock": "a.rock"}'}
    found = parser.parse({**base, **given})
    assert isinstance(found, GatewayStack) and found.guard_action == guard


def test_without_a_tme_there_is_no_guard() -> None:
    outside = '{"install": false, "url": "https://agent.example.com:5442"}'
    given = {"mode": "async", "agent": outside, "failMode": "closed", "plugin": '{"rock": "a.rock"}'}
    found = parser.parse(given)
    assert isinstance(found, GatewayStack) and found.guard_action == "off"


@pytest.mark.parametrize("path", REFUSED, ids=lambda path: path.stem)
def test_refused(path: Path) -> None:
    expected = header(path)
    error = refusal(path)
    (problem,) = error.problems
    assert (problem.rule, problem.key) == (expected["rule"], expected["key"])
    assert expected["problem"] in problem.problem
    assert expected["fix"] in problem.fix
    message = str(error)
    assert problem.key in message and problem.problem in message and problem.fix in message
    assert SECRET not in message


@pytest.mark.parametrize("rule", parser.ALL_RULES)
def test_taking_a_rule_away_lets_exactly_its_files_pass(rule: str) -> None:
    passing = set()
    for path in REFUSED:
        try:
            parse_refused(path, without_rules={rule})
        except parser.ConfigError:
            continue
        passing.add(path.stem)
    assert passing == {path.stem for path in REFUSED if header(path)["rule"] == rule}
    assert passing, "every rule has a file"


def test_all_problems_come_at_once_in_one_message() -> None:
    with pytest.raises(parser.ConfigError) as error:
        parser.parse({"mode": "asynk", "blockingStatusCode": "200", "enabled": "yes", "kong": '{"relaese": "a"}'})
    message = str(error.value)
    assert "6 problems" in message
    for key in ("mode", "blockingStatusCode", "enabled", "kong.relaese", "agentToken", "plugin.sha256"):
        assert f"  traceable-kong:{key}\n" in message


def test_a_broken_key_hides_no_other_problem_and_makes_none() -> None:
    with pytest.raises(parser.ConfigError) as error:
        parser.parse(
            {
                "agent": '{"install": false, "url": "https://agent:5442", "evironment": "a"}',
                "mode": "asink",
                "kong": '{"container": "proxy"}',
                "plugin": '{"rock": "a.rock"}',
            }
        )
    assert {problem.key for problem in error.value.problems} == {"agent.evironment", "mode", "kong.container"}


@pytest.mark.parametrize(
    ("key", "given"),
    [
        ("kong", {"kong": '["a"]', "kongValues": '{"replicaCount": 2}'}),
        ("allowedClusters[0]", {"allowedClusters": '[{"url": "https://dev.example.com:6443"}]'}),
    ],
)
def test_a_broken_object_or_list_is_one_problem(key: str, given: dict[str, str]) -> None:
    base = {"agentTokenSecret": '{"name": "token", "key": "token"}', "plugin": '{"rock": "a.rock"}'}
    with pytest.raises(parser.ConfigError) as error:
        parser.parse({**base, **given})
    assert [problem.key for problem in error.value.problems] == [key]


def test_in_an_agent_only_stack_no_rule_judges_the_gateway() -> None:
    """The digest of the rock, the order of an uninstall, the name of the Kong: each needs a gateway."""
    gateway = {"installed": "false", "kong": '{"install": false, "createNamespace": false}', "pluginConfig": '{"a": 1}'}
    with pytest.raises(parser.ConfigError) as error:
        parser.parse({"gateway": "false", "agent": '{"tmeImage": "a/b", "namespace": "kong"}', **gateway})
    found = {(problem.rule, problem.key) for problem in error.value.problems}
    assert found == {("other_variant", key) for key in (*gateway, "agent.tmeImage")} | {("one_token", "agentToken")}


def test_an_agent_only_stack_without_a_managed_agent_is_not_one_problem_for_each_key() -> None:
    agent = '{"install": false, "url": "", "environment": "dev", "chart": {"path": "a"}}'
    with pytest.raises(parser.ConfigError) as error:
        parser.parse({"gateway": "false", "agent": agent, "agentTokenSecret": '{"name": "t", "key": "t"}'})
    assert [problem.key for problem in error.value.problems] == ["agent.install", "agent.url"]
