"""Deletion protection: what is protected, and that a destroy is refused before anything is deleted."""

import pytest

from tests.fakes.plans import plan, verify_command
from tests.fakes.program import Program
from tests.fakes.recording import Recording
from tests.program.test_agent_only import ALONE
from traceable_kong.components import DELETION_PROTECTION
from traceable_kong.plan.outputs import stack_outputs

KONG = {"traceable-kong-namespace", "traceable-gateway-release"}
AGENT = {"traceable-agent-namespace", "traceable-agent-release"}
FIRST = f"traceable-{DELETION_PROTECTION}"


def protected(made: Recording) -> set[str]:
    return {item.name for item in made.registrations if item.protect}


def test_only_what_the_config_protects_or_adopts_is_protected(program: Program) -> None:
    assert protected(program.up()) == set()
    assert protected(program.up(kong={"adopt": True})) == KONG | {FIRST}
    assert protected(program.up(agent={"adopt": True})) == AGENT | {FIRST}
    assert protected(program.up(kong={"protect": True}, agent={"protect": "true"})) == KONG | AGENT | {FIRST}
    assert protected(program.up(kong={"adopt": True, "protect": False})) == set()


def test_an_existing_namespace_is_not_protected(program: Program) -> None:
    made = program.up(kong={"adopt": True, "createNamespace": False})
    assert protected(made) == {"traceable-gateway-release", FIRST}


def test_the_data_of_a_managed_database_is_protected_with_kong(program: Program) -> None:
    made = program.up(kong={"protect": True, "database": "postgres", "postgres": {"managed": True}})
    data = {"traceable-postgres-password", "traceable-postgres-secret", "traceable-postgres-stateful-set"}
    assert protected(made) == KONG | data | {FIRST}


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"mode": "async"},
        {"enabled": False, "installed": False},
        {"kong": {"database": "postgres", "postgres": {"managed": True}}},
    ],
)
def test_a_destroy_deletes_it_before_everything_else(program: Program, config: dict[str, object]) -> None:
    """A resource that depends on all others is deleted first; if that is refused, the others are not changed."""
    made = program.up(**config)
    others = {item.name for item in made.registrations if item.name != FIRST and ":index:" not in item.type}
    # All others depend on the provider, and the provider on the stack's id, which is deleted last.
    assert {name for name in others if not made.waits_for(FIRST, name)} == {"traceable-kubernetes"}
    assert made["traceable-kubernetes"].dependencies == {"traceable-stack-id"}
    assert not [name for name in others if made.waits_for(name, FIRST)]


def test_it_also_exists_unprotected_so_that_an_update_can_switch_it_off(program: Program) -> None:
    assert program.up()[FIRST].inputs == {}
    assert program.up(**ALONE)[FIRST].protect is False
    made = program.up(**ALONE, agent={"protect": True})
    assert protected(made) == AGENT | {FIRST}
    assert made.waits_for(FIRST, "traceable-installation-record") and made.waits_for(FIRST, "traceable-agent-release")


def test_the_output_and_the_record_say_what_is_protected(program: Program) -> None:
    made = program.up(kong={"protect": True}, agent={"protect": True})
    assert made["traceable-installation-record"].inputs["data"]["protected"] == "agent,kong"
    assert "protected" not in program.up()["traceable-installation-record"].inputs["data"]
    protected_stack = plan(kong={"protect": True}, agent={"protect": True})
    said = stack_outputs(protected_stack, verify_command("dev"))["deletionProtection"]
    assert "agent.protect false && pulumi config set --path traceable-kong:kong.protect false && pulumi up`" in said
    assert "deletionProtection" not in stack_outputs(plan(), verify_command("dev"))
