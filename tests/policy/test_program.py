"""The rules on what the program registers, without a cluster: its types and properties are what the rules look for."""

from typing import Any

import pytest

from policy.rules.deletion_protection import unprotected
from policy.rules.pinned_charts import unpinned_charts
from policy.rules.plain_secrets import plain_secrets
from policy.rules.registered_resource import SECRET, Hidden, Resource
from policy.rules.tme_guard import unguarded_injection
from tests.fakes.program import Program
from tests.fakes.recording import Recording, Registration
from tests.fakes.recording import Secret as Marked

DATABASE = {"database": "postgres", "postgres": {"managed": True}}


def hidden(value: Any) -> Any:
    if isinstance(value, Marked):
        return Hidden(SECRET)
    if isinstance(value, dict):
        return {key: hidden(item) for key, item in value.items()}
    return [hidden(item) for item in value] if isinstance(value, list) else value


def resources(made: Recording) -> list[Resource]:
    """Without those that are only read: policies do not see them."""

    def types(item: Registration) -> str:
        return f"{types(made[item.parent])}${item.type}" if item.parent else item.type

    return [
        Resource(
            urn=f"urn:pulumi:prod::own::{types(item)}::{item.name}",
            type=item.type,
            props=hidden(item.inputs),
            protect=item.protect,
        )
        for item in made.registrations
        if not item.read
    ]


@pytest.mark.parametrize("config", [{}, {"mode": "async"}, {"kong": DATABASE}, {"kong": {**DATABASE, "protect": True}}])
def test_the_program_registers_no_plain_secret_and_pins_its_charts(program: Program, config: dict[str, Any]) -> None:
    program.secret_keys = ("agentToken",)
    found = resources(program.up(agentToken="planted", agentTokenSecret=None, **config))
    assert [text for item in found for text in plain_secrets(item)] == []
    assert [text for item in found for text in unpinned_charts(item, approved={})] == []


def test_a_plain_chart_value_is_found(program: Program) -> None:
    found = resources(program.up(kongValues={"customEnv": {"own_token": "planted"}}))
    (text,) = [text for item in found for text in plain_secrets(item)]
    assert "traceable-kong:kongValues.customEnv.own_token" in text


def test_what_is_protected(program: Program) -> None:
    def named(**config: Any) -> list[str]:
        found = [text.split(" is not")[0] for item in resources(program.up(**config)) for text in unprotected(item)]
        return sorted(found)

    assert named(kong=DATABASE) == [
        "Namespace kong",
        "Namespace traceable",
        "Release kong/quickstart",
        "Release traceable/traceable-agent",
        "StatefulSet kong/quickstart-postgres",
    ]
    assert named(kong={**DATABASE, "protect": True}) == ["Namespace traceable", "Release traceable/traceable-agent"]
    assert named(kong={**DATABASE, "protect": True}, agent={"protect": True}) == []


@pytest.mark.parametrize(
    ("config", "count"),
    [
        ({"tmeGuard": "off"}, 1),
        ({"tmeGuard": "warn"}, 0),
        ({"tmeGuard": "deny"}, 0),
        ({"tmeGuard": "off", "mode": "async"}, 0),
        ({"tmeGuard": "off", "enabled": False}, 0),
    ],
)
def test_the_admission_policy(program: Program, config: dict[str, Any], count: int) -> None:
    assert len(list(unguarded_injection(resources(program.up(**config)), least="warn"))) == count
    stricter = count or (1 if config["tmeGuard"] == "warn" else 0)
    assert len(list(unguarded_injection(resources(program.up(**config)), least="deny"))) == stricter
