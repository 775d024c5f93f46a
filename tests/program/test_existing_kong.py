"""The whole program on an existing Kong: what is registered, in which order, and what is not changed."""

from typing import Any

import pytest
from pulumi.runtime import rpc

from tests.fakes.plans import plan, verify_command
from tests.fakes.program import Program
from tests.fakes.recording import STACK_ID, Recording
from tests.hooks.stack import gateway_of
from traceable_kong.cluster import target
from traceable_kong.cluster.kong_deployment import KongDeployment
from traceable_kong.cluster.target import ClusterTarget
from traceable_kong.plan.kong_model import ExistingKong
from traceable_kong.plan.outputs import stack_outputs
from traceable_kong.plan.state_record import record_data

EXISTING: dict[str, Any] = {"install": False, "namespace": "gw", "deployment": "edge", "container": "kong"}
SELECTOR = {"matchLabels": {"app": "edge"}, "matchExpressions": [{"key": "tier", "operator": "Exists"}]}


@pytest.fixture(autouse=True)
def selector(monkeypatch: pytest.MonkeyPatch) -> None:
    def found(self: ClusterTarget, namespace: str, deployment: str) -> dict[str, Any]:
        assert (namespace, deployment) == ("gw", "edge")
        return SELECTOR

    monkeypatch.setattr(target.ClusterTarget, "selector_of", found)


def up(program: Program, **config: Any) -> Recording:
    return program.up(kong={**EXISTING, **config.pop("kong", {})}, **config)


@pytest.mark.parametrize(("mode", "tme_first"), [("sync", True), ("async", False)])
def test_the_order_is_the_same_as_for_a_managed_kong(program: Program, mode: str, tme_first: bool) -> None:
    made = up(program, mode=mode)
    (files,) = [item.name for item in made.of_type(":ConfigMap") if item.name.startswith("traceable-plugin-files")]
    assert made.waits_for("traceable-gateway-files", "traceable-gateway-claim")
    for first in (files, "traceable-agent-release", "traceable-tme-guard-binding"):
        assert made.waits_for("traceable-gateway-claim", first), "so it is deleted before them"
    for last in (
        "traceable-plugin-kong-cluster-plugin",
        "traceable-tme-pod-annotation",
        "traceable-tme-namespace-label",
    ):
        assert made.waits_for(last, "traceable-gateway-files")
        assert made.waits_for("traceable-installation-record", last)
    assert made.waits_for("traceable-plugin-kong-cluster-plugin", "traceable-tme-pod-annotation") is tme_first


def test_the_inputs_say_what_is_added_to_the_deployment(program: Program) -> None:
    made = up(program)
    (config_map,) = [item for item in made.of_type(":ConfigMap") if item.name.startswith("traceable-plugin-files")]
    given = dict(made["traceable-gateway-files"].inputs)
    del given["__provider"]
    assert given == {
        "namespace": "gw",
        "deployment": "edge",
        "container": "kong",
        "files": {"/opt/kong/plugins/traceable": config_map.inputs["metadata"]["name"]},
        "plugins": ["traceable"],
        "owner": STACK_ID,
        "timeoutSeconds": 600,
    }


def test_nothing_of_the_owner_is_created_or_deleted(program: Program) -> None:
    made = up(program)
    assert [item.name for item in made.of_type(":Release")] == ["traceable-agent-release"]
    assert [item.name for item in made.of_type(":Namespace") if not item.read] == ["traceable-agent-namespace"]
    assert made["traceable-kong-namespace"].read
    assert made["traceable-tme-pod-annotation"].deleted_with == made["traceable-tme-namespace-label"].deleted_with == ""
    assert made["traceable-tme-pod-annotation"].inputs["metadata"] == {"name": "edge", "namespace": "gw"}


def test_the_policy_matches_the_deployments_pods(program: Program) -> None:
    made = up(program)
    assert made["traceable-tme-guard-policy"].inputs["spec"]["matchConstraints"]["objectSelector"] == SELECTOR


def test_the_plan_and_the_verification_have_that_deployment(program: Program) -> None:
    up(program)
    (expected,) = program.asked_for
    assert expected.deployment == KongDeployment(namespace="gw", name="edge", container="kong")
    assert expected.release_name is None
    kong = gateway_of(program.plans[-1]).kong
    assert isinstance(kong, ExistingKong)
    assert (kong.create_namespace, kong.container_configured) == (False, True)
    assert kong.patch is not None and kong.patch.container == "kong"


def test_if_the_owner_mounts_the_files_the_deployment_is_not_changed(program: Program) -> None:
    made = up(program, mode="async", kong={"filesMountedBy": "owner"})
    assert made.of_type("PluginFilesInDeployment") == []
    (config_map,) = program.asked_for[0].files.values()
    claimed = made["traceable-gateway-claim"].inputs["files"]
    assert claimed == {"/opt/kong/plugins/traceable": config_map}, (
        "it waits in a destroy until the owner has unmounted them"
    )
    gateway = gateway_of(program.plans[-1])
    assert gateway.mounted_by_owner and gateway.files == claimed
    assert gateway.owner_values == {"plugins": {"configMaps": [{"name": config_map, "pluginName": "traceable"}]}}
    (files,) = [item.name for item in made.of_type(":ConfigMap") if item.name.startswith("traceable-plugin-files")]
    for later in (
        "traceable-plugin-kong-cluster-plugin",
        "traceable-tme-pod-annotation",
        "traceable-tme-namespace-label",
    ):
        assert made.waits_for(later, files) and made.waits_for(later, "traceable-tme-guard-binding")
    revision = made["traceable-plugin-kong-cluster-plugin"].inputs["metadata"]["annotations"][
        "traceable-kong/kong-revision"
    ]
    assert len(revision) == 10, "a new rock gives a new revision, which waits for the files"
    assert program.gateways_before_plugin == [gateway]


@pytest.mark.parametrize("files_mounted_by", ["stack", "owner"])
def test_in_a_preview_the_plugin_is_not_checked_by_the_kong_that_still_runs(
    program: Program, files_mounted_by: str
) -> None:
    made = program.preview(kong={**EXISTING, "filesMountedBy": files_mounted_by})
    annotations = made["traceable-plugin-kong-cluster-plugin"].inputs["metadata"]["annotations"]
    assert annotations["traceable-kong/kong-revision"] == rpc.UNKNOWN


def test_the_outputs_have_the_values_for_the_owners_release() -> None:
    outputs = stack_outputs(plan(kong=EXISTING), verify_command("dev"))
    (name,) = outputs["configMaps"]
    assert outputs["ownersHelmValues"] == {"plugins": {"configMaps": [{"name": name, "pluginName": "traceable"}]}}
    assert "release" not in outputs
    assert "ownersHelmValues" not in stack_outputs(plan(), verify_command("dev"))
    record = record_data(plan(kong=EXISTING))
    assert record is not None and "release" not in record and record["filesMountedBy"] == "stack"
