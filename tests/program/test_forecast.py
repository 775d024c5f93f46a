"""The forecast in a pull request's comment recognizes what the program registers, whatever its names are."""

from collections.abc import Callable
from typing import Any

import pulumi
import pytest

from local import rock
from scripts.gateway_forecast import Forecast, forecasts
from scripts.preview_reading import read
from tests.fakes.preview_documents import document
from tests.fakes.program import Program
from tests.fakes.recording import Recording
from tests.fakes.team import Team
from tests.program.test_agent_only import ALONE
from tests.program.test_database import KONG as DATABASE
from tests.program.test_existing_kong import EXISTING, selector
from tests.program.test_several_components import agent_first, inner, settings_read
from traceable_kong import TraceableOnKong

__all__ = ["selector", "settings_read"]

MANAGED_DATABASE = {**DATABASE, "postgres": {"managed": True}, "createNamespace": True}


def forecast(before: Recording, after: Recording) -> Forecast:
    (found,) = forecasts(read(document(before, after)))
    return found


def reasons(found: Forecast) -> list[str]:
    return [rollout.reason for rollout in found.rollouts if rollout.certain]


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, ["the gateway is installed", "the TME is injected into its pods"]),
        ({"mode": "async"}, ["the gateway is installed"]),
        ({"kong": EXISTING}, ["its pods get the plugin's files", "the TME is injected into its pods"]),
        ({"kong": MANAGED_DATABASE}, ["the gateway is installed", "the TME is injected into its pods"]),
        (ALONE, []),
    ],
)
def test_an_installation_and_its_removal(program: Program, config: dict[str, Any], expected: list[str]) -> None:
    made = program.up(**config)
    installed = forecast(Recording(), made)
    assert (installed.name, installed.removed, installed.losses) == ("traceable", False, ())
    assert reasons(installed) == expected
    assert (installed.now, installed.agent_only) == ({}, config is ALONE)
    assert installed.guard == (None if config is ALONE else ("off", "warn"))

    removed = forecast(made, Recording())
    assert (removed.removed, removed.then) == (True, {})
    assert removed.losses == {
        "the gateway is installed": ("This uninstalls Kong, so this gateway is gone",),
        "its pods get the plugin's files": ("This uninstalls Traceable, and the gateway is then unprotected",),
        "": ("This uninstalls the agent, and a gateway that uses it is then unprotected",),
    }[(expected or [""])[0]] + (
        ("This deletes Kong's managed database with its data",) if config.get("kong") == MANAGED_DATABASE else ()
    )
    taken_out = [("the TME is removed from its pods", True), ("the plugin's files are removed from its pods", False)]
    found = [(rollout.reason, rollout.certain) for rollout in removed.rollouts]
    assert found == (taken_out if config.get("kong") == EXISTING else [])


@pytest.mark.parametrize("kong", [{}, EXISTING, MANAGED_DATABASE])
def test_a_switch_of_the_mode(program: Program, kong: dict[str, Any]) -> None:
    before, after = (program.up(mode=mode, kong=kong) for mode in ("sync", "async"))
    switched = forecast(before, after)
    assert reasons(switched) == ["the TME is removed from its pods"]
    assert ((switched.now or {})["mode"], (switched.then or {})["mode"]) == ("sync", "async")
    assert forecast(before, before).is_change is False


@pytest.mark.parametrize("config", [{}, {"kong": EXISTING}])
def test_the_plugins_files_change(program: Program, config: dict[str, Any]) -> None:
    before = program.up(**config)
    newer = rock.make(program.folder, version="2.2.2-1")
    after = program.up(**config, plugin={"rock": str(newer), "version": "2.2.2-1"})
    assert reasons(forecast(before, after)) == ["the plugin's files in its pods change"]


def test_values_of_kong_may_not_reach_its_pods(program: Program) -> None:
    found = forecast(program.up(), program.up(kongValues={"replicaCount": 3}))
    assert [rollout.certain for rollout in found.rollouts] == [False]
    assert "may not reach its pods" in found.rollouts[0].reason


def test_traceable_is_uninstalled_and_kong_stays(program: Program) -> None:
    found = forecast(program.up(enabled=False), program.up(enabled=False, installed=False))
    assert found.losses == ("This uninstalls Traceable, and the gateway is then unprotected",)
    assert (found.then, reasons(found)) == ({}, ["the plugin's files in its pods change"])


def two(*wanted: str, **of_inner: Any) -> Callable[[Team], None]:
    def register(team: Team) -> None:
        parent = pulumi.ComponentResource("team:index:Platform", "platform")
        if "edge" in wanted:
            TraceableOnKong("edge", team.args(), pulumi.ResourceOptions(parent=parent))
        if "inner" in wanted:
            TraceableOnKong("inner", inner(team, **of_inner))

    return register


def test_each_gateway_of_a_program_has_its_own(team: Team) -> None:
    both = team.run(two("edge", "inner"))
    switched = team.run(two("edge", "inner", mode="async"))
    edge, changed = forecasts(read(document(both, switched)))
    assert (edge.name, edge.is_change, changed.name) == ("edge", False, "inner")
    assert reasons(changed) == ["the TME is removed from its pods"]
    removed, other = forecasts(read(document(both, team.run(two("inner")))))
    assert (other.name, other.is_change) == ("inner", False)
    assert (removed.name, removed.losses) == ("edge", ("This uninstalls Kong, so this gateway is gone",))


def test_a_gateway_follows_a_change_of_the_agent_of_another_component(team: Team, settings_read: list[bool]) -> None:
    """In a preview of the recording monitor, the agent's release always changes."""
    installed = team.run(agent_first)
    agent, gateway = forecasts(read(document(installed, team.run(agent_first, preview=True))))
    assert (agent.agent_only, agent.rollouts) == (True, ())
    assert [(rollout.reason, rollout.certain) for rollout in gateway.rollouts] == [
        ("the agent changes, and may give the TME other settings", False)
    ]


def test_an_argument_that_is_not_known_hides_what_is_installed(team: Team) -> None:
    team.first_update = True
    made = team.up(lambda: {"mode": pulumi.Output.from_input(pulumi.UNKNOWN)}, preview=True)
    found = forecast(Recording(), made)
    assert (found.now, found.then, found.rollouts, found.losses) == ({}, None, (), ())
