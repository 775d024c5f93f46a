"""TraceableOnKong in another Pulumi program: its arguments, its outputs, what waits for it, and its errors."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import pulumi
import pulumi_kubernetes as k8s
import pytest

from local import rock
from tests.fakes.program import Program
from tests.fakes.recording import STACK, STACK_ID, Secret
from tests.fakes.team import TOKEN, Team
from traceable_kong import TraceableOnKong, TraceableOnKongArgs
from traceable_kong.cluster import target
from traceable_kong.config.plugin_source import LocalPluginConfig
from traceable_kong.plan.state_record import record_digest
from traceable_kong.plugin import rock_loading
from traceable_kong.program import traceable_on_kong

SECRET = "planted-password"
MIRROR = {"rock": "https://mirror.example.com/a.rock", "sha256": "ab" * 32}


def refusal(team: Team, args: Callable[[], dict[str, Any]]) -> str:
    with pytest.raises(pulumi.RunError) as refused:
        team.up(args)
    return str(refused.value)


def test_the_arguments_are_the_keys_of_a_stack_file(team: Team, program: Program) -> None:
    config: dict[str, Any] = {
        "failMode": "closed",
        "bufferRequestBody": False,
        "timeoutMs": 900,
        "agent": {"environment": "edge", "createNamespace": False},
        "kong": {"namespace": "gw", "ingressClass": "edge"},
        "kongValues": {"replicaCount": 3, "env": {"log_level": "debug"}},
    }
    program.secret_keys = ("agentToken",)
    program.up(agentToken=TOKEN, agentTokenSecret=None, **config)
    team.up(
        lambda: {
            "fail_mode": "closed",
            "buffer_request_body": False,
            "timeout_ms": pulumi.Output.from_input(900.0),
            "agent": pulumi.Output.from_input({"environment": "edge", "create_namespace": False}),
            "kong": {"namespace": pulumi.Output.from_input("gw"), "ingress_class": "edge"},
            "kong_values": {"replicaCount": pulumi.Output.from_input(3.0), "env": {"log_level": "debug"}},
        }
    )
    by_config, by_arguments = program.plans[0], program.plans[1]
    assert by_arguments.siblings and not by_config.siblings
    assert by_config == replace(by_arguments, siblings=None)


def test_its_children_have_its_name_and_are_below_it(team: Team) -> None:
    made = team.up()
    assert {item.name for item in made.registrations if not item.parent} == {"edge"}
    assert all(item.name == "edge" or item.name.startswith("edge-") for item in made.registrations)
    assert all(name.startswith("edge-") for name in made.hooks)


def test_its_id_has_its_name(team: Team) -> None:
    made = team.up()
    assert made["edge-stack-id"].inputs["input"]["id"].startswith("traceable-kong.test.edge-")


def test_what_depends_on_it_waits_for_the_verification(team: Team, program: Program) -> None:
    def register(team: Team) -> None:
        component = TraceableOnKong("edge", team.args())
        pulumi.Stash("dns", input="x", opts=pulumi.ResourceOptions(depends_on=[component]))
        pulumi.Stash("by-output", input=component.proxy_service)

    made = team.run(register)
    for name in ("dns", "by-output"):
        assert made.waits_for(name, "edge-installation-record")
        assert made.waits_for(name, "edge-plugin-kong-cluster-plugin")
    program.report = RuntimeError("not verified")
    with pytest.raises(RuntimeError, match="not verified"):
        team.run(register)
    assert not program.recording.names & {"dns", "by-output"}


def test_it_waits_for_what_it_depends_on(team: Team) -> None:
    def register(team: Team) -> None:
        first = pulumi.Stash("first", input="x")
        TraceableOnKong("edge", team.args(), pulumi.ResourceOptions(depends_on=[first]))

    made = team.run(register)
    assert made.waits_for("edge-kubernetes", "first") and made.waits_for("edge-gateway-release", "first")


def test_its_outputs(team: Team, program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(program.folder)
    team.up(lambda: {"kong": {"namespace": "gw", "release": "edge"}})
    (recorded,) = [item for item in program.recording.registrations if item.name == "edge-installation-record"]
    outputs = team.outputs["outputs"]
    assert (team.outputs["namespace"], team.outputs["deployment"]) == ("gw", "edge-kong")
    assert team.outputs["proxy_service"] == "edge-kong-proxy"
    assert outputs["stackId"] == STACK_ID
    assert outputs["recordDigest"] == record_digest(recorded.inputs["data"])
    assert outputs["verify"].startswith("traceable-kong verify --namespace gw --deployment edge-kong")


def test_an_update_that_leaves_the_record_out_leaves_its_digest(team: Team, program: Program) -> None:
    """`verify --stack` would refuse the record otherwise."""
    written = team.up()["edge-installation-record"].inputs["data"]
    digest = team.program.recording["edge-verified"].inputs["input"]
    assert digest == team.outputs["outputs"]["recordDigest"] == record_digest(written)
    team.not_targets = {"edge-installation-record": {"data": written}, "edge-verified": {"input": digest}}
    team.up(lambda: {"timeout_ms": 900})
    assert team.outputs["outputs"]["recordDigest"] == digest
    team.not_targets = {"edge-verified": {"input": digest}}
    changed = team.up(lambda: {"timeout_ms": 900})["edge-installation-record"].inputs["data"]
    assert team.outputs["outputs"]["recordDigest"] == record_digest(changed) != digest


def test_the_command_for_the_verification(team: Team, program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    """verify.py is named in a clone of this repository, and not where a team has a file of that name."""
    admin = {"url": "https://kong.example.com:8444"}
    kong = {"database": "postgres", "postgres": {"managed": True}, "admin": admin}
    team.up(lambda: {"kong": kong})
    of_stack = f"--stack {STACK} --stack-output edge"
    assert team.outputs["outputs"]["verify"] == f".venv/bin/python verify.py {of_stack}"
    (program.folder / "verify.py").touch()
    monkeypatch.chdir(program.folder)
    for package_is_in in (traceable_on_kong.CLONE, program.folder / "site-packages"):
        monkeypatch.setattr(traceable_on_kong, "CLONE", package_is_in)
        team.up(lambda: {"kong": kong})
        assert team.outputs["outputs"]["verify"] == f"traceable-kong verify {of_stack}"


def test_outputs_of_an_agent_alone(team: Team) -> None:
    team.up(lambda: {"gateway": False, "plugin": None, "agent": {"namespace": "shared"}})
    assert team.outputs["namespace"] == "shared"
    assert team.outputs["deployment"] == team.outputs["proxy_service"] == ""
    assert "recordDigest" not in team.outputs["outputs"]


def test_dynamic_providers_know_the_cluster_of_the_arguments(
    team: Team, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They run in a process that knows the stack's config only: with it they would change another cluster."""
    monkeypatch.setattr(target.ClusterTarget, "selector_of", lambda *_: {})
    kong = {"install": False, "namespace": "gw", "deployment": "edge-kong", "database": "postgres"}
    made = team.up(lambda: {"kong": kong, "kubernetes": {"kubeconfig": pulumi.Output.secret("a: b\n"), "context": "c"}})
    names = ("edge-gateway-claim", "edge-gateway-files", "edge-plugin-entity")
    for name in names:
        cluster = made[name].inputs["cluster"]
        assert cluster["kubeconfig"].value == "a: b\n" and cluster["context"] == "c"
        assert made[name].inputs["arguments"] == {"component": "edge", "python": True}
    of_stack = program.up(kong=kong)
    for name in names:
        assert not {"cluster", "arguments"} & of_stack[name.replace("edge", "traceable")].inputs.keys()


def test_a_preview_knows_the_outputs_before_anything_exists(team: Team) -> None:
    team.up(preview=True)
    assert team.outputs["proxy_service"] == "quickstart-kong-proxy"


def test_the_token_is_a_secret_everywhere(team: Team) -> None:
    made = team.up()
    assert TOKEN in [value for _, _, value in made.secrets() if isinstance(value, str)] or TOKEN in json.dumps(
        [value for name, _, value in made.secrets() if name == "edge-agent-token"]
    )
    shown = [item.inputs for item in made.registrations if item.name != "edge-agent-token"]
    assert TOKEN not in json.dumps(shown, default=repr) and TOKEN not in json.dumps(team.outputs)


def leaf(_: Team) -> dict[str, Any]:
    return {"kong_values": {"env": {"pg_password": pulumi.Output.secret(SECRET)}}}


def whole_object(_: Team) -> dict[str, Any]:
    return {"kong_values": pulumi.Output.secret({"env": {"pg_password": SECRET}})}


def header(_: Team) -> dict[str, Any]:
    return {"plugin": {**MIRROR, "headers": {"X-Token": pulumi.Output.secret(SECRET)}}}


def object_around_the_headers(_: Team) -> dict[str, Any]:
    return {"plugin": pulumi.Output.secret({**MIRROR, "headers": {"X-Token": SECRET}})}


@pytest.mark.parametrize("part", [leaf, whole_object, header, object_around_the_headers])
def test_a_secret_may_be_a_part_of_an_argument(
    team: Team, monkeypatch: pytest.MonkeyPatch, part: Callable[[Team], dict[str, Any]]
) -> None:
    local = rock_loading.load_rock(LocalPluginConfig(rock=str(rock.make(team.program.folder))))
    monkeypatch.setattr("traceable_kong.plan.inputs.load_rock", lambda _: local)

    def register(team: Team) -> None:
        TraceableOnKong("edge", team.args(**part(team))).outputs.apply(lambda value: team.outputs.update(all=value))

    made = team.run(register)
    assert SECRET not in json.dumps([item.inputs for item in made.registrations], default=repr)
    assert team.outputs["all"] and SECRET not in json.dumps(team.outputs)


def test_a_credential_must_be_a_secret(team: Team) -> None:
    said = refusal(team, lambda: {"agent_token": "plain-token"})
    assert "agent_token\n    is plain text, and everyone who can read the program or its state can use it" in said
    assert "set the argument agent_token to a secret" in said and "plain-token" not in said


def test_a_secret_where_it_would_be_shown_is_refused(team: Team) -> None:
    def register(team: Team) -> None:
        TraceableOnKong("edge", team.args(kong={"namespace": pulumi.Output.secret("hidden-name")}))

    with pytest.raises(pulumi.RunError, match="is secret, but appears in names or outputs") as refused:
        team.run(register)
    assert "hidden-name" not in str(refused.value)


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        ({"mode": "asynk"}, ["The arguments of edge have 1 problem", "  mode\n", "set the argument mode to sync"]),
        ({"fail_mode": "x"}, ["  fail_mode\n", "set the argument fail_mode to "]),
        (
            {"kong": {"files_mounted_by": "x"}},
            ["  kong.files_mounted_by\n", "remove the argument kong.files_mounted_by"],
        ),
        ({"fail_mod": "open"}, ["  fail_mod\n", "did you mean fail_mode?"]),
        ({"kubernetes": {"deleteUnreachable": True}}, ["  kubernetes.deleteUnreachable\n"]),
        ({"kubernetes": "x"}, ["The argument kubernetes must be an object"]),
        ({"fail_mode": "open", "failMode": "closed"}, ["The argument fail_mode is given twice"]),
        ({"mode": object()}, ["The argument mode is a object, which is neither text"]),
        ({"kong_values": {"a": {1, 2}}}, ["The argument kong_values.a is a set"]),
        ({"kong_values": {"a": float("nan")}}, ["The argument kong_values.a is nan"]),
        ({"kong": "x"}, ["  kong\n", "-> pass an object"]),
        ({"kong": ["x"]}, ["  kong\n", "-> pass an object; or remove the argument kong"]),
        ({"kong": {"admin": {"url": "x"}}}, ["  kong.admin\n"]),
        ({"agent_token": None}, ["  agent_token\n", "set the argument agent_token to a secret"]),
        ({"kong_values": {"env": {"a.b": "x", "plugins": "off"}}}, ["  kong_values.env"]),
    ],
)
def test_an_error_names_arguments(team: Team, args: dict[str, Any], expected: list[str]) -> None:
    said = refusal(team, lambda: args)
    assert [part for part in expected if part not in said] == [], said
    assert "pulumi config" not in said and "stack file" not in said and "traceable-kong:" not in said
    assert "Nothing was changed." in said
    assert team.program.recording.names == {"edge"}


@pytest.mark.parametrize("args", [pulumi.ResourceOptions, list, str, lambda: pulumi.Output.from_input(["mode"])])
def test_arguments_that_are_no_object(team: Team, args: Callable[[], Any]) -> None:
    with pytest.raises(pulumi.RunError, match=r"^edge: The arguments are a \w+, not an object .*go into `opts`\.$"):
        team.run(lambda _: TraceableOnKong("edge", args()))
    assert team.program.recording.names == {"edge"}


def test_all_arguments_may_be_unknown(team: Team, caplog: pytest.LogCaptureFixture) -> None:
    team.first_update = True
    unknown = cast(TraceableOnKongArgs, pulumi.UNKNOWN)
    team.run(lambda _: TraceableOnKong("edge", cast(Any, pulumi.Output.from_input(unknown))), preview=True)
    assert "args: not known before the update" in caplog.text


def unknown_arguments() -> dict[str, Any]:
    unknown = pulumi.Output.from_input(cast(str, pulumi.UNKNOWN))
    return {"kubernetes": {"kubeconfig": unknown}, "kong_values": {"env": {"a": unknown}}}


def test_the_first_preview_may_not_know_an_argument(team: Team, caplog: pytest.LogCaptureFixture) -> None:
    team.first_update = True
    made = team.up(unknown_arguments, preview=True)
    assert made.names == {"edge", "edge-stack-id", "edge-verified"}
    assert "kubernetes.kubeconfig, kong_values.env.a: not known before the update" in caplog.text
    assert team.outputs == {} and not team.program.plans


def test_a_later_preview_that_would_show_everything_as_deleted_fails(team: Team) -> None:
    with pytest.raises(
        pulumi.RunError, match=r"kubernetes\.kubeconfig, kong_values\.env\.a: not known .*`pulumi up --skip-preview`"
    ):
        team.up(unknown_arguments, preview=True)
    assert not team.program.plans


def test_the_kubeconfig_is_an_argument(team: Team) -> None:
    made = team.up(lambda: {"kubernetes": {"kubeconfig": pulumi.Output.secret({"clusters": []}), "context": "edge"}})
    (provider,) = made.of_type("pulumi:providers:kubernetes")
    assert (
        isinstance(provider.inputs["kubeconfig"], Secret) and provider.inputs["kubeconfig"].value == '{"clusters": []}'
    )
    assert provider.inputs["context"] == "edge"


def test_without_a_cluster_in_the_arguments_it_is_the_one_of_the_stacks_config(team: Team) -> None:
    team.config = {"kubernetes:context": "of-the-stack"}
    (provider,) = team.up().of_type("pulumi:providers:kubernetes")
    assert provider.inputs["context"] == "of-the-stack"
    (provider,) = team.up(lambda: {"kubernetes": {"context": "own"}}).of_type("pulumi:providers:kubernetes")
    assert provider.inputs["context"] == "own"


def test_protection_goes_by_arguments_only(team: Team) -> None:
    """Its children would inherit `protect`, apart from the releases and namespaces, which decide that themselves."""

    def protected(team: Team) -> None:
        TraceableOnKong("edge", team.args(), pulumi.ResourceOptions(protect=True))

    def with_parent(team: Team, protect: bool | None = None) -> None:
        parent = pulumi.ComponentResource("team:index:Edge", "all", opts=pulumi.ResourceOptions(protect=True))
        TraceableOnKong("edge", team.args(), pulumi.ResourceOptions(parent=parent, protect=protect))

    for register in (protected, with_parent):
        with pytest.raises(pulumi.RunError, match=r"^edge: TraceableOnKong has protect .*kong\.protect and agent"):
            team.run(register)
        assert team.program.recording.names <= {"all", "edge"}
    made = team.run(lambda team: with_parent(team, protect=False))
    assert [item.name for item in made.registrations if item.protect] == ["all"]


def test_a_provider_in_its_options_is_refused_unless_the_arguments_name_the_cluster(team: Team) -> None:
    def register(team: Team, **args: Any) -> None:
        provider = k8s.Provider("own", kubeconfig="{}")
        TraceableOnKong("edge", team.args(**args), pulumi.ResourceOptions(providers=[provider]))

    with pytest.raises(pulumi.RunError, match=r"Pass the provider's kubeconfig.*argument kubernetes\.kubeconfig"):
        team.run(register)
    made = team.run(lambda team: register(team, kubernetes={"kubeconfig": "{}"}))
    (own,) = [item for item in made.of_type("pulumi:providers:kubernetes") if item.name == "edge-kubernetes"]
    assert f"::{own.name}::" in made["edge-gateway-release"].provider
