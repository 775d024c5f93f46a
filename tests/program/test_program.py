"""The whole program on the recording monitor: the order in both modes, and what is registered."""

import json
from collections.abc import Mapping

import pulumi
import pytest

from tests.fakes.program import Program
from tests.fakes.recording import Recording
from traceable_kong.helm_values.rendered_chart import RenderedChart, UnrenderedChart
from traceable_kong.hooks.hook_failed import HookFailed


def types_of(made: Recording) -> set[str]:
    return {item.type.split(":")[-1] for item in made.registrations if item.type.startswith("kubernetes:")}


@pytest.mark.parametrize(
    ("config", "tme_comes_first"),
    [
        ({"mode": "sync"}, True),
        ({"mode": "async"}, False),
        ({"mode": "sync", "enabled": False}, False),
        ({"mode": "async", "enabled": False}, False),
    ],
)
def test_the_order_of_tme_and_plugin_depends_on_the_mode(
    program: Program, config: dict[str, object], tme_comes_first: bool
) -> None:
    made = program.up(**config)
    assert made.waits_for("traceable-plugin-kong-cluster-plugin", "traceable-tme-pod-annotation") is tme_comes_first
    assert made.waits_for("traceable-plugin-kong-cluster-plugin", "traceable-tme-namespace-label") is tme_comes_first
    assert made.waits_for("traceable-tme-pod-annotation", "traceable-plugin-kong-cluster-plugin") is not tme_comes_first
    assert (
        made.waits_for("traceable-tme-namespace-label", "traceable-plugin-kong-cluster-plugin") is not tme_comes_first
    )


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_policy_agent_and_files_come_before_kong_and_the_record_last(program: Program, mode: str) -> None:
    made = program.up(mode=mode)
    (files,) = [item.name for item in made.of_type(":ConfigMap") if item.name.startswith("traceable-plugin-files")]
    assert made.waits_for(files, "traceable-kong-namespace")
    for first in (files, "traceable-agent-release", "traceable-tme-guard-policy", "traceable-tme-guard-binding"):
        assert made.waits_for("traceable-gateway-release", first)
    for last in (
        "traceable-plugin-kong-cluster-plugin",
        "traceable-tme-pod-annotation",
        "traceable-tme-namespace-label",
    ):
        assert made.waits_for(last, "traceable-gateway-release")
        assert made.waits_for("traceable-installation-record", last)
    assert made.waits_for("traceable-agent-release", files), (
        "in a destroy the files are deleted after the agent, and so after the last gateway pods"
    )
    assert made[files].deleted_with == "traceable-kong-namespace"
    assert not made.waits_for("traceable-agent-namespace", "traceable-kong-namespace"), (
        "a destroy deletes both at the same time"
    )


def test_options_of_the_provider_are_passed_on(program: Program) -> None:
    options = {
        "kubernetes:kubeClientSettings": {"timeout": 60},
        "kubernetes:helmReleaseSettings": {"pluginsPath": "/p"},
    }
    (provider,) = program.up(**options).of_type("pulumi:providers:kubernetes")
    assert json.loads(provider.inputs["kubeClientSettings"]) == {"timeout": 60}
    assert json.loads(provider.inputs["helmReleaseSettings"]) == {"pluginsPath": "/p"}
    assert provider.inputs["deleteUnreachable"] == provider.inputs["skipUpdateUnreachable"] == "false"


def test_options_of_the_provider_are_refused_with_the_config(program: Program) -> None:
    with pytest.raises(pulumi.RunError, match=r"has 2 problems") as refused:
        program.up(**{"kubernetes:deleteUnreachable": "true", "mode": "asynk"})
    assert "\n  kubernetes:deleteUnreachable\n" in str(refused.value)
    assert program.recording.names == {"traceable"}


def test_everything_uses_one_provider(program: Program) -> None:
    made = program.up()
    (provider,) = made.of_type("pulumi:providers:kubernetes")
    assert provider.inputs["enableConfigMapMutable"] == provider.inputs["upsertExistingObjects"] == "true"
    objects = [item for item in made.registrations if item.type.startswith("kubernetes:")]
    assert objects and all(f"::{provider.name}::" in item.provider for item in objects)


def test_every_object_has_this_stacks_label(program: Program) -> None:
    made = program.up()
    patches = {"traceable-tme-namespace-label", "traceable-tme-pod-annotation"}
    releases = {"traceable-agent-release", "traceable-gateway-release"}
    for item in made.registrations:
        if item.type.startswith("kubernetes:") and item.name not in patches | releases:
            assert item.inputs["metadata"]["labels"]["traceable-kong/stack"] == "traceable-kong.test-0a1b2c3d", (
                item.name
            )
    for name in releases:
        assert made[name].inputs["values"]["global"]["traceableKong"] == {"stack": "traceable-kong.test-0a1b2c3d"}


def test_the_patches_are_deleted_with_the_release_and_the_namespace(program: Program) -> None:
    made = program.up()
    assert made["traceable-tme-pod-annotation"].deleted_with == "traceable-gateway-release"
    assert made["traceable-tme-namespace-label"].deleted_with == "traceable-kong-namespace"
    kept = program.up(kong={"createNamespace": False})
    assert kept["traceable-tme-namespace-label"].deleted_with == ""


def test_what_other_clients_wrote_into_an_object_is_secret_in_the_state(program: Program) -> None:
    """`kubectl apply` keeps the whole object, with env values and data, in an annotation."""
    kinds = ("Patch", ":Namespace", ":KongClusterPlugin")
    shared = [
        item
        for made in (program.up(), program.up(kong={"createNamespace": False}, agent={"createNamespace": False}))
        for item in made.registrations
        if item.type.endswith(kinds)
    ]
    assert len(shared) == 2 * len(
        (
            "traceable-kong-namespace",
            "traceable-agent-namespace",
            "traceable-tme-namespace-label",
            "traceable-tme-pod-annotation",
            "traceable-plugin-kong-cluster-plugin",
        )
    )
    for item in shared:
        assert set(item.additional_secret_outputs) >= {"metadata", "spec", "status"}, item.name
        assert "__inputs" in item.additional_secret_outputs or not item.read, item.name


@pytest.mark.parametrize(("guard", "action"), [("deny", ["Deny"]), ("warn", ["Warn", "Audit"]), ("off", None)])
def test_the_policy_does_what_the_config_says(program: Program, guard: str, action: list[str] | None) -> None:
    made = program.up(tmeGuard=guard)
    bindings = made.of_type(":ValidatingAdmissionPolicyBinding")
    assert [item.inputs["spec"]["validationActions"] for item in bindings] == ([action] if action else [])
    assert len(made.of_type(":ValidatingAdmissionPolicy")) == len(bindings)


def test_with_an_external_agent_nothing_of_an_agent_is_registered(program: Program) -> None:
    agent = {"install": False, "url": "https://agent.example.com:5442"}
    made = program.up(mode="async", agent=agent, agentTokenSecret=None)
    assert not [item.name for item in made.registrations if item.name.startswith(("agent", "tme-guard"))]
    assert made["traceable-plugin-kong-cluster-plugin"].inputs["config"]["ext_cap_endpoint"] == agent["url"]


def test_uninstalling_traceable_keeps_the_gateway_only(program: Program) -> None:
    made = program.up(installed=False, enabled=False)
    assert types_of(made) == {"Namespace", "Release"}
    assert made["traceable-kong-namespace"].type.endswith(":Namespace")
    (release,) = made.of_type(":Release")
    assert release.name == "traceable-gateway-release"
    assert "plugins" not in release.inputs["values"]


def test_uninstalling_traceable_keeps_the_users_own_plugins(program: Program) -> None:
    own = {"name": "cm", "pluginName": "foo"}
    made = program.up(installed=False, enabled=False, kongValues={"plugins": {"configMaps": [own]}})
    assert made["traceable-gateway-release"].inputs["values"]["plugins"]["configMaps"] == [own]


NAME_CHECK = "traceable-before-create-name-is-free"


def without_common_hooks(hooks: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """The hooks that not every resource has."""
    kept = {
        on: tuple(name for name in names if name not in (NAME_CHECK, "traceable-before-change"))
        for on, names in hooks.items()
    }
    return {on: names for on, names in kept.items() if names}


@pytest.mark.parametrize("config", [{}, {"gateway": False, "plugin": None}])
def test_the_name_of_every_object_is_checked_before_it_is_created(program: Program, config: dict[str, object]) -> None:
    made = program.up(**config)
    objects = {
        item.name: NAME_CHECK in item.hooks.get("before_create", ())
        for item in made.registrations
        if item.type.startswith("kubernetes:") and not item.read
    }
    unchecked = {name for name, checked in objects.items() if not checked}
    assert unchecked == {"traceable-agent-release"} | (
        set()
        if config
        else {"traceable-gateway-release", "traceable-tme-namespace-label", "traceable-tme-pod-annotation"}
    ), "Helm checks its own objects, and patches change existing ones"


def test_which_resources_have_hooks(program: Program) -> None:
    made = program.up()
    held = {item.name: without_common_hooks(item.hooks) for item in made.registrations}
    hooks_of = {
        "traceable-agent-release": "agent",
        "traceable-gateway-release": "gateway",
        "traceable-tme-namespace-label": "tme-label",
        "traceable-tme-pod-annotation": "tme-annotation",
    }
    assert {name: hooks for name, hooks in held.items() if hooks} == {
        name: {
            on: (f"traceable-before-{hook}-{on.removeprefix('before_')}",) for on in ("before_create", "before_update")
        }
        for name, hook in hooks_of.items()
    }


@pytest.mark.parametrize(
    ("config", "tme_comes_first"),
    [({"mode": "sync"}, True), ({"mode": "async"}, False), ({"mode": "sync", "enabled": False}, False)],
)
def test_the_plugin_is_registered_when_the_gateway_is_ready_for_it(
    program: Program, config: dict[str, object], tme_comes_first: bool
) -> None:
    """When a replacement is registered, the engine deletes the old object."""
    made = program.up(**config)
    (gateway,) = program.gateways_before_plugin
    assert gateway.plugin.custom_resource is not None
    assert (
        gateway.plugin.custom_resource.name == made["traceable-plugin-kong-cluster-plugin"].inputs["metadata"]["name"]
    )
    assert "traceable-plugin-kong-cluster-plugin" not in program.before_plugin
    assert program.before_plugin >= {"traceable-gateway-release", "traceable-agent-release"}
    assert ("traceable-tme-pod-annotation" in program.before_plugin) is tme_comes_first

    program.readiness = HookFailed("an old pod is left")
    with pytest.raises(pulumi.RunError, match=r"^an old pod is left$"):
        program.up(**config)
    assert "traceable-plugin-kong-cluster-plugin" not in program.recording.names
    assert "traceable-installation-record" not in program.recording.names


def test_a_preview_does_not_check_whether_the_gateway_is_ready(program: Program) -> None:
    program.readiness = HookFailed("checked")
    assert "traceable-plugin-kong-cluster-plugin" in program.preview().names
    assert "traceable-gateway-release" in program.up(enabled=False, installed=False).names
    assert program.gateways_before_plugin == []


@pytest.mark.parametrize(
    "config", [{"mode": "sync"}, {"mode": "async"}, {"enabled": False}, {"enabled": False, "installed": False}]
)
def test_no_hook_runs_in_a_destroy(program: Program, config: dict[str, object]) -> None:
    made = program.up(**config)
    assert {occasion for item in made.registrations for occasion in item.hooks} == {"before_create", "before_update"}
    assert all(hook.opts is None for hook in made.hooks.values()), "none runs in a preview, and none is ignored"


def test_an_invalid_config_registers_nothing(program: Program) -> None:
    for config, said in (
        ({"mode": "asynk"}, "asynk"),
        ({"kongValues": {"forceUpdate": True}}, "forceUpdate"),
        ({"installed": False}, "enabled is true"),
    ):
        with pytest.raises(pulumi.RunError, match=said):
            program.up(**config)
        assert program.recording.names == {"traceable"}


def test_the_charts_are_rendered_before_preflight_by_the_provider_that_installs_them(program: Program) -> None:
    program.answer = lambda arguments: {"result": [{"kind": "Service", "of": json.loads(arguments["jsonOpts"])}]}
    made = program.preview(kong={"chart": {"version": "3.4.2"}}, kongValues={"replicaCount": 3, "env": {"a": "b"}})
    assert [(token, provider.split("::")[-2]) for token, _, provider in made.invokes] == [
        ("kubernetes:helm:template", "traceable-kubernetes")
    ] * 2
    rendered = program.charts[-1]["kong"]
    assert isinstance(rendered, RenderedChart)
    asked = rendered.objects[0]["of"]
    assert (asked["chart"], asked["version"]) == ("kong", "3.4.2")
    assert asked["fetch_opts"] == {"repo": "https://charts.konghq.com"}
    assert (asked["release_name"], asked["namespace"], asked["skip_crd_rendering"]) == ("quickstart", "kong", True)
    assert asked["values"] == made["traceable-gateway-release"].inputs["values"]


def test_a_chart_that_cannot_be_rendered_is_a_finding_without_its_secrets(program: Program) -> None:
    def fail(_: object) -> dict[str, object]:
        raise RuntimeError("an error: failed to generate YAML for specified Helm chart: bad value near hidden-text")

    program.answer = fail
    program.preview()
    assert program.charts[-1]["kong"] == UnrenderedChart(reason="bad value near hidden-text ()")


def test_undocumented_values_without_an_effect_are_found(program: Program) -> None:
    """The chart of this test knows one value that the documentation does not have."""

    def render(arguments: Mapping[str, str]) -> dict[str, object]:
        values = json.loads(arguments["jsonOpts"])["values"]
        certificate = {"kind": "Secret", "data": len(values)}
        return {"result": [{"kind": "Deployment", "spec": values.get("newer")}, certificate]}

    program.answer = render
    program.preview(kongValues={"kong": {"replicaCount": 2}, "newer": 1, "replicaCount": 3})
    rendered = program.charts[-1]["kong"]
    assert isinstance(rendered, RenderedChart) and rendered.ignored == ("kong",)


def test_each_release_has_its_own_timeout(program: Program) -> None:
    program.preview(kong={"timeoutSeconds": 90}, agent={"timeoutSeconds": 70})
    assert [release.timeout_seconds for release in program.plans[-1].releases] == [90, 70]
