"""The whole program without a cluster: the test says what preflight and the verification find."""

import json
import runpy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from local import rock
from tests.fakes.recording import PROJECT, Recording, record
from traceable_kong.cluster import target
from traceable_kong.cluster.api_connection import ApiAddress
from traceable_kong.cluster.shared_reads import SharedReads
from traceable_kong.helm_values.rendered_chart import Rendering
from traceable_kong.hooks import plugin_readiness, preflight_run
from traceable_kong.plan.agent_model import ManagedAgent
from traceable_kong.plan.model import DesiredState, Gateway, Plan
from traceable_kong.plan.release_model import ReleaseKey
from traceable_kong.preflight import examination, release_imports
from traceable_kong.preflight.cached_reader import CachedReader
from traceable_kong.preflight.examination import Examination
from traceable_kong.preflight.finding import Finding
from traceable_kong.verification import agent_verification, verifier
from traceable_kong.verification.report import Check, Report

PROGRAM = Path(__file__).parents[2] / "__main__.py"

HOLDS = Report(name="kong/quickstart-kong", checks=(Check(pod="p", name="files", ok=True, expected="", found=""),))


class NoCluster:
    """In place of a connection: no test may use it."""

    def __init__(self, address: str = "https://one.example.com") -> None:
        self.address = ApiAddress(url=address)


@dataclass
class Program:
    """Runs the program with config keys; a key that is None is not set, and `secret_keys` hold a secret. A key
    without a namespace is this project's.

    `report` is what the verification finds, or the exception that it raises; `asked_for` are the states that it was
    given, `agents_asked_for` the agents of agent-only stacks. `errors` are what preflight finds. `imports` are the
    releases to import. `plans`, `live_changes` and `charts` are what preflight was
    given. `recording` is what the last run registered, also if it
    failed. `readiness` is what the check before the plugin raises; `gateways_before_plugin` are the gateways that it
    was given, `before_plugin` what was registered by then.
    """

    folder: Path
    report: Report | Exception = HOLDS
    asked_for: list[DesiredState] = field(default_factory=list)
    recording: Recording = field(default_factory=Recording)
    errors: list[Finding] = field(default_factory=list)
    agents_asked_for: list[ManagedAgent] = field(default_factory=list)
    imports: frozenset[str] = frozenset()
    readiness: Exception | None = None
    gateways_before_plugin: list[Gateway] = field(default_factory=list)
    before_plugin: set[str] = field(default_factory=set)
    plans: list[Plan] = field(default_factory=list)
    live_changes: list[bool] = field(default_factory=list)
    secret_keys: tuple[str, ...] = ()
    charts: list[Mapping[ReleaseKey, Rendering]] = field(default_factory=list)
    answer: Callable[[Mapping[str, Any]], dict[str, Any]] = lambda _: {}

    def up(self, **config: object) -> Recording:
        return self._run(config, preview=False)

    def preview(self, **config: object) -> Recording:
        return self._run(config, preview=True)

    def _run(self, config: dict[str, object], *, preview: bool) -> Recording:
        everything = {
            "plugin": {"rock": str(rock.make(self.folder))},
            "agentTokenSecret": {"name": "token", "key": "token"},
            **config,
        }
        given = {key: value for key, value in everything.items() if value is not None}
        texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in given.items()}
        self.recording = Recording(answer=self.answer)
        return record(
            lambda: runpy.run_path(str(PROGRAM), run_name="__main__") and None,
            config={key if ":" in key else f"{PROJECT}:{key}": text for key, text in texts.items()},
            secret_keys=[f"{PROJECT}:{key}" for key in self.secret_keys],
            preview=preview,
            into=self.recording,
        )

    def verify_gateway(self, api: object, expected: DesiredState) -> Report:
        assert isinstance(api, SharedReads) and isinstance(api.client, NoCluster)
        self.asked_for.append(expected)
        return self._found()

    def verify_agent(self, api: object, expected: ManagedAgent) -> Report:
        assert isinstance(api, SharedReads) and isinstance(api.client, NoCluster)
        self.agents_asked_for.append(expected)
        return self._found()

    def require_ready(self, client: object, plan: Plan, gateway: Gateway) -> None:
        assert isinstance(client, NoCluster) and plan.gateway is gateway
        self.gateways_before_plugin.append(gateway)
        self.before_plugin = set(self.recording.names)
        if self.readiness is not None:
            raise self.readiness

    def _found(self) -> Report:
        if isinstance(self.report, Exception):
            raise self.report
        return self.report

    def examine(self, reader: CachedReader, plan: Plan, *, live_change: bool) -> Examination:
        self.charts.append(reader.charts)
        self.plans.append(plan)
        self.live_changes.append(live_change)
        return Examination(errors=self.errors, warnings=[], stuck=[])


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    made = Program(tmp_path)
    monkeypatch.setattr(target.ClusterTarget, "api", NoCluster())
    monkeypatch.setattr(plugin_readiness, "require_ready_for_plugin", made.require_ready)
    monkeypatch.setattr(verifier, "verify_gateway", made.verify_gateway)
    monkeypatch.setattr(agent_verification, "verify_agent", made.verify_agent)
    monkeypatch.setattr(preflight_run, "releases_to_render", lambda plan, _: plan.releases)
    monkeypatch.setattr(examination, "examine", made.examine)
    monkeypatch.setattr(release_imports, "releases_to_import", lambda *_, **__: made.imports)
    return made
