"""A Pulumi program of a team, with one or more TraceableOnKong in it, without a cluster."""

from collections.abc import Callable
from typing import Any, cast

import pulumi
import pytest

from local import rock
from tests.fakes.program import Program
from tests.fakes.recording import Recording, record
from traceable_kong import TraceableOnKong, TraceableOnKongArgs
from traceable_kong.program import run_registry

TOKEN = "planted-token"


class Team:
    """A Pulumi program of a team, with one or more components in it."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.config: dict[str, str] = {}
        self.outputs: dict[str, Any] = {}
        self.first_update = False
        self.not_targets: dict[str, dict[str, Any]] = {}

    def args(self, **args: Any) -> TraceableOnKongArgs:
        own = {
            "plugin": {"rock": str(rock.make(self.program.folder))},
            "agent_token": pulumi.Output.secret(TOKEN),
            **args,
        }
        return cast(TraceableOnKongArgs, {key: value for key, value in own.items() if value is not None})

    def run(self, register: Callable[["Team"], object], *, preview: bool = False) -> Recording:
        self.program.recording = Recording(
            answer=self.program.answer, first_update=self.first_update, not_targets=self.not_targets
        )
        return record(lambda: register(self) and None, config=self.config, preview=preview, into=self.program.recording)

    def up(self, args: Callable[[], dict[str, Any]] = dict, *, preview: bool = False) -> Recording:
        """Runs a program with one component. An Output needs the engine, so `args` is called in the program."""

        def register(team: Team) -> None:
            component = TraceableOnKong("edge", team.args(**args()))
            for name in ("outputs", "namespace", "deployment", "proxy_service"):
                getattr(component, name).apply(lambda value, name=name: self.outputs.update({name: value}))

        return self.run(register, preview=preview)


@pytest.fixture
def team(program: Program, monkeypatch: pytest.MonkeyPatch) -> Team:
    monkeypatch.setattr(run_registry, "STARTS_TOGETHER_SECONDS", 0.02)
    return Team(program)
