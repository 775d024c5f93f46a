"""Several TraceableOnKong in one program: their names, and a gateway with the agent of another one."""

import asyncio
import re
import time
from collections.abc import Callable
from typing import Any

import pulumi
import pytest
from pulumi.runtime import rpc

from local import rock
from tests.fakes.program import NoCluster, Program
from tests.fakes.recording import Recording
from tests.fakes.team import Team
from traceable_kong import TraceableOnKong, TraceableOnKongArgs
from traceable_kong.cluster import target
from traceable_kong.cluster.shared_reads import SharedReads
from traceable_kong.plan import inputs
from traceable_kong.preflight import examination
from traceable_kong.preflight.finding import Finding
from traceable_kong.program import run_registry
from traceable_kong.program.run_registry import RunRegistry


def inner(team: Team, **args: Any) -> TraceableOnKongArgs:
    """The arguments of a second component with names of its own."""
    plugin = {"rock": str(rock.make(team.program.folder)), "name": "inner-plugin"}
    kong = {"namespace": "inner", "release": "inner", "ingress_class": "inner"}
    own = {"kong": kong, "agent": {"namespace": "inner-agent"}, "plugin": plugin}
    return team.args(**(own | args))


def test_two_of_them_share_nothing(team: Team, program: Program) -> None:
    def register(team: Team) -> None:
        TraceableOnKong("edge", team.args())
        TraceableOnKong("inner", inner(team))

    names = team.run(register).names
    assert {f"inner{name.removeprefix('edge')}" for name in names if name.startswith("edge")} == {
        name for name in names if name.startswith("inner")
    }
    assert {plan.record_namespace for plan in program.plans} == {"kong", "inner"}


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        ({"kong": {}}, "(inner and edge|edge and inner) would both create Helm release kong/quickstart"),
        (
            {"kong": {"release": "inner", "ingress_class": "inner"}},
            "would both create configmap traceable-installation in namespace kong",
        ),
        (
            {"agent": {}},
            r"would both create Helm release traceable/traceable-agent, .* set the argument agent\.install to false",
        ),
        (
            {"plugin": {"name": "traceable-plugin"}},
            "kongclusterplugin traceable-plugin, and .* the argument plugin.name",
        ),
        (
            {"kong": {"namespace": "inner", "ingress_class": "inner"}},
            r"clusterrole quickstart-kong, and Helm would refuse .*\. Set another kong\.release",
        ),
        (
            {"kong": {"namespace": "inner", "release": "inner"}},
            "a global traceable plugin of the ingress class kong, and .* drop both.* kong.ingress_class",
        ),
    ],
)
def test_two_of_them_with_names_in_common_are_refused_in_the_first_preview(
    team: Team, args: dict[str, Any], expected: str
) -> None:
    if "plugin" in args:
        args = {"plugin": {"rock": str(rock.make(team.program.folder)), **args["plugin"]}}

    def register(team: Team) -> None:
        TraceableOnKong("edge", team.args())
        TraceableOnKong("inner", inner(team, **args))

    with pytest.raises(pulumi.RunError, match=expected):
        team.run(register, preview=True)
    assert len(team.program.recording.names & {"edge-stack-id", "inner-stack-id"}) < 2


def test_two_of_them_in_two_clusters_may_have_the_same_names(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    addresses = {"first": "https://one.example.com", "again": "https://one.example.com", "other": "https://two.example"}
    monkeypatch.setattr(target.ClusterTarget, "api", property(lambda self: NoCluster(addresses[self.context])))

    def register(team: Team, other: str) -> None:
        for name, context in (("edge", "first"), ("inner", other)):
            TraceableOnKong(name, team.args(kubernetes={"context": context}))

    made = team.run(lambda team: register(team, "other"), preview=True)
    assert {"edge-gateway-release", "inner-gateway-release"} <= made.names
    with pytest.raises(pulumi.RunError, match="would both create"):
        team.run(lambda team: register(team, "again"), preview=True)


AGENT: dict[str, Any] = {"gateway": False, "plugin": None, "agent": {"namespace": "shared"}}
USES_IT: dict[str, Any] = {"agent": {"install": False, "namespace": "shared"}, "agent_token": None}

Register = Callable[[Team], None]


def in_order(team: Team) -> None:
    agent = TraceableOnKong("agent", team.args(**AGENT))
    TraceableOnKong("inner", inner(team, **USES_IT), pulumi.ResourceOptions(depends_on=[agent]))


def agent_first(team: Team) -> None:
    TraceableOnKong("agent", team.args(**AGENT))
    TraceableOnKong("inner", inner(team, **USES_IT))


def gateway_first(team: Team) -> None:
    TraceableOnKong("inner", inner(team, **USES_IT))
    TraceableOnKong("agent", team.args(**AGENT))


def by_output(team: Team) -> None:
    agent = TraceableOnKong("agent", team.args(**AGENT))
    TraceableOnKong("inner", inner(team, **USES_IT | {"agent": {"install": False, "namespace": agent.namespace}}))


def agent_of_a_gateway(team: Team) -> None:
    TraceableOnKong("agent", team.args(agent={"namespace": "shared"}))
    TraceableOnKong("inner", inner(team, **USES_IT))


def agent_with_a_late_value(team: Team) -> None:
    async def namespace() -> str:
        await asyncio.sleep(3 * run_registry.INTERVAL_SECONDS)
        return "shared"

    TraceableOnKong("inner", inner(team, **USES_IT))
    TraceableOnKong("agent", team.args(**AGENT | {"agent": {"namespace": namespace()}}))


PROGRAMS = [in_order, agent_first, gateway_first, by_output, agent_of_a_gateway, agent_with_a_late_value]


@pytest.fixture
def settings_read(team: Team, monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """For each time that the agent's settings were read: whether it was verified by then, with nothing read before."""
    read: list[bool] = []
    forgotten: list[SharedReads] = []

    def settings(config: Any, cluster: target.ClusterTarget, **_: Any) -> dict[str, str]:
        if not config.gateway or config.agent.install:
            return {}
        read.append("agent-verified" in team.program.recording.names and cluster.reads in forgotten)
        return {"agentconfig.yaml": "a: b"} if read[-1] else {}

    monkeypatch.setattr(SharedReads, "forget", lambda reads: forgotten.append(reads))
    monkeypatch.setattr(inputs, "agent_settings", settings)
    monkeypatch.setattr("traceable_kong.program.traceable_on_kong.agent_settings", settings)
    monkeypatch.setattr(inputs, "recorded_tme_image", lambda *_, **__: None)
    return read


def waits(made: Recording) -> bool:
    """Whether the provider of everything in `inner` waits for the agent."""
    return made.waits_for("inner-kubernetes", "agent-verified") and all(
        "::inner-kubernetes::" in item.provider
        for item in made.registrations
        if item.name.startswith("inner-") and item.type.startswith("kubernetes:")
    )


@pytest.mark.parametrize("preview", [True, False])
@pytest.mark.parametrize("register", PROGRAMS)
def test_a_gateway_waits_for_the_agent_of_another_component(
    team: Team, program: Program, settings_read: list[bool], register: Register, preview: bool
) -> None:
    made = team.run(register, preview=preview)
    assert waits(made) and settings_read[-1]
    (plan,) = [plan for plan in program.plans if plan.siblings and plan.siblings.component == "inner"]
    assert plan.siblings and plan.siblings.shared_agent
    assert plan.siblings.shared_agent.installer == "agent"
    assert plan.siblings.shared_agent.agent.namespace == "shared"


def test_it_does_not_wait_for_an_agent_that_it_does_not_use(team: Team, settings_read: list[bool]) -> None:
    def register(team: Team) -> None:
        TraceableOnKong("agent", team.args(**AGENT))
        TraceableOnKong("inner", inner(team, **USES_IT | {"agent": {"install": False, "namespace": "other"}}))

    assert not waits(team.run(register))


def test_it_does_not_wait_for_what_depends_on_it(
    team: Team, settings_read: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_registry, "TURNS", 3)

    def register(team: Team) -> None:
        first = TraceableOnKong("inner", inner(team, **USES_IT))
        TraceableOnKong("agent", team.args(**AGENT), pulumi.ResourceOptions(depends_on=[first]))

    made = team.run(register)
    assert not waits(made) and "agent-verified" in made.names


def test_it_does_not_wait_for_what_installs_no_agent(
    team: Team, settings_read: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    waited_for: list[set[str]] = []
    meet_others = RunRegistry.meet_others

    async def meet(registry: RunRegistry, *arguments: Any) -> Any:
        waited_for.append(set(registry.unread))
        return await meet_others(registry, *arguments)

    monkeypatch.setattr(RunRegistry, "meet_others", meet)

    def register(team: Team) -> None:
        first = TraceableOnKong("inner", inner(team, **USES_IT))
        TraceableOnKong("edge", team.args(**USES_IT), pulumi.ResourceOptions(depends_on=[first]))

    assert "edge-verified" in team.run(register).names
    assert waited_for == [set(), set()]


def test_a_plugin_waits_until_an_engine_has_asked_for_all_components(
    team: Team, settings_read: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_registry, "is_hosted", lambda: True)
    monkeypatch.setattr(run_registry, "STARTS_TOGETHER_SECONDS", 0.5)

    async def asked_later(team: Team) -> None:
        await asyncio.sleep(0.1)
        TraceableOnKong("agent", team.args(**AGENT))

    def register(team: Team) -> None:
        TraceableOnKong("inner", inner(team, **USES_IT))
        pulumi.export("asked_later", asked_later(team))

    assert waits(team.run(register))


def test_a_gateway_without_its_agent_is_not_changed(team: Team, program: Program, settings_read: list[bool]) -> None:
    program.report = RuntimeError("not verified")
    with pytest.raises(RuntimeError, match="not verified"):
        team.run(agent_first)
    assert "inner-kubernetes" not in program.recording.names


def test_a_preview_shows_that_the_gateway_follows_a_change_of_its_agent(team: Team, settings_read: list[bool]) -> None:
    """Helm's revision is unknown in a preview exactly when the release changes."""

    def annotations(*, preview: bool) -> Any:
        made = team.run(agent_first, preview=preview)
        return made["inner-tme-pod-annotation"].inputs["spec"]["template"]["metadata"]["annotations"]

    assert "tme.traceable.ai/inject" in annotations(preview=False)
    assert annotations(preview=True) == rpc.UNKNOWN


def test_a_preview_knows_the_image_that_the_coming_agent_injects(
    team: Team, program: Program, settings_read: list[bool]
) -> None:
    def register(team: Team) -> None:
        registry = {"registry": "registry.example.com", "registrySuffix": "mirror"}
        TraceableOnKong("agent", team.args(**AGENT, agent_values={"imageCredentials": registry}))
        TraceableOnKong("inner", inner(team, **USES_IT))

    team.run(register, preview=True)
    (gateway,) = [plan.gateway for plan in program.plans if plan.gateway]
    assert str(gateway.injection.image) == "registry.example.com/mirror/traceable-agent"


def test_it_knows_of_components_whose_arguments_a_preview_does_not_know(
    team: Team, program: Program, settings_read: list[bool]
) -> None:
    team.first_update = True

    def register(team: Team) -> None:
        token = pulumi.Output.secret(pulumi.UNKNOWN)
        agent = TraceableOnKong("agent", team.args(**AGENT | {"agent_token": token}))
        TraceableOnKong("inner", inner(team, **USES_IT), pulumi.ResourceOptions(depends_on=[agent]))

    team.run(register, preview=True)
    (plan,) = program.plans
    assert plan.siblings and plan.siblings.undetermined == ("agent",)


def test_what_it_says_names_it(team: Team, program: Program, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    team.run(lambda team: TraceableOnKong("inner", inner(team)) and None)
    assert "inner: kong/quickstart-kong: protected" in caplog.text and "inner: The verification took" in caplog.text
    program.errors = [Finding(subject="a", problem="is wrong", fix="Repair it")]
    with pytest.raises(pulumi.RunError, match=r"^Preflight found 1 problem for inner\. Nothing of inner was changed\."):
        team.run(lambda team: TraceableOnKong("inner", inner(team)) and None)


def all_start(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """No problem is reported until so many components are checked, however busy the machine is."""
    started: set[str] = set()
    all_problems = RunRegistry.all_problems

    async def problems(registry: RunRegistry, component: str, problem: str) -> str:
        started.add(component)
        while len(started) < count:
            await asyncio.sleep(0.001)
            started.update(registry.checking)
        return await all_problems(registry, component, problem)

    monkeypatch.setattr(RunRegistry, "all_problems", problems)


@pytest.mark.parametrize("preview", [True, False])
def test_a_preview_shows_the_problems_of_all_components(
    team: Team, program: Program, settings_read: list[bool], monkeypatch: pytest.MonkeyPatch, preview: bool
) -> None:
    all_start(monkeypatch, 5)

    def examine(*arguments: Any, **options: Any) -> Any:
        time.sleep(5 * run_registry.STARTS_TOGETHER_SECONDS)  # The others wait for it.
        return program.examine(*arguments, **options)

    monkeypatch.setattr(examination, "examine", examine)

    def register(team: Team) -> None:
        TraceableOnKong("agent", team.args(**AGENT))
        TraceableOnKong("inner", inner(team, **USES_IT))
        TraceableOnKong("edge", team.args(mode="asynk"))
        TraceableOnKong("other", team.args(fail_mode="x"))
        TraceableOnKong("later", team.args(mode="x"), pulumi.ResourceOptions(depends_on=[pulumi.Stash("s", input=1)]))

    program.errors = [Finding(subject="a", problem="is wrong", fix="Repair it")]
    with pytest.raises(pulumi.RunError) as refused:
        team.run(register, preview=preview)
    found = re.findall(r"problem for (\w+)|arguments of (\w+)", str(refused.value))
    names = sorted(first or second for first, second in found)
    assert names == ["agent", "edge", "later", "other"] if preview else len(names) == 1


def test_the_problem_of_an_agent_is_not_one_of_its_gateway(
    team: Team, program: Program, settings_read: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    async def problems(registry: RunRegistry, component: str, problem: str) -> str:
        asked.append(component)
        return problem

    monkeypatch.setattr(RunRegistry, "all_problems", problems)
    program.errors = [Finding(subject="a", problem="is wrong", fix="Repair it")]
    with pytest.raises(pulumi.RunError):
        team.run(gateway_first, preview=True)
    assert asked == ["agent"]


def test_a_component_that_a_preview_cannot_show_is_among_the_problems(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    all_start(monkeypatch, 2)

    def register(team: Team) -> None:
        TraceableOnKong("edge", team.args(mode="asynk"))
        TraceableOnKong("inner", inner(team, mode=pulumi.Output.from_input(pulumi.UNKNOWN)))

    with pytest.raises(pulumi.RunError) as refused:
        team.run(register, preview=True)
    assert "arguments of edge have 1 problem" in str(refused.value)
    assert "inner: mode: not known before the update" in str(refused.value)


def test_it_knows_the_ids_of_the_others(team: Team, program: Program, settings_read: list[bool]) -> None:
    team.first_update = True
    made = team.run(in_order)
    (plan,) = [plan for plan in program.plans if plan.gateway]
    kept = made["agent-stack-id"].inputs["input"]["id"]
    assert plan.siblings and plan.siblings.component_of(kept) == "agent"
    assert plan.siblings.component_of("traceable-kong.test.agent-ffffffff") is None, "another backend"
    assert plan.siblings.component_of("traceable-kong.test.renamed-ffffffff") == "renamed"
    assert plan.siblings.component_of("traceable-kong.test.inner-ffffffff") is None, "a state that was lost"
    assert plan.siblings.component_of("traceable-kong.other.agent-ffffffff") is None
