"""The whole program on a Kong that somebody else installed: what is made, in which order, and what is left alone."""

from typing import Any

import pytest
from pulumi.runtime import rpc

from scripts import preview_reading
from tests.fakes.program import Program
from tests.fakes.recording import STACK_ID, Recording
from tests.plan.test_stack_plan import OWNER, ROCK
from tests.plan.test_stack_plan import planned as planned_ours
from traceable_kong.cluster import target
from traceable_kong.cluster.kong_deployment import KongDeployment
from traceable_kong.cluster.target import ClusterTarget
from traceable_kong.plan.model import ExistingKong

THEIRS: dict[str, Any] = {"install": False, "namespace": "gw", "deployment": "edge", "container": "kong"}
SELECTOR = {"matchLabels": {"app": "edge"}, "matchExpressions": [{"key": "tier", "operator": "Exists"}]}


@pytest.fixture(autouse=True)
def selector(monkeypatch: pytest.MonkeyPatch) -> None:
    def found(self: ClusterTarget, namespace: str, deployment: str) -> dict[str, Any]:
        assert (namespace, deployment) == ("gw", "edge")
        return SELECTOR

    monkeypatch.setattr(target.ClusterTarget, "selector_of", found)


def up(program: Program, **config: Any) -> Recording:
    return program.up(kong={**THEIRS, **config.pop("kong", {})}, **config)


@pytest.mark.parametrize(("mode", "tme_first"), [("sync", True), ("async", False)])
def test_the_order_is_that_of_a_kong_of_ours(program: Program, mode: str, tme_first: bool) -> None:
    made = up(program, mode=mode)
    (files,) = [item.name for item in made.of_type(":ConfigMap") if item.name.startswith("plugin-files")]
    assert made.waits_for("gateway-files", "gateway-claim")
    for first in (files, "agent-release", "tme-guard-binding"):
        assert made.waits_for("gateway-claim", first), "and so it goes before them"
    for last in ("plugin-kong-cluster-plugin", "tme-pod-annotation", "tme-namespace-label"):
        assert made.waits_for(last, "gateway-files")
        assert made.waits_for("installation-record", last)
    assert made.waits_for("plugin-kong-cluster-plugin", "tme-pod-annotation") is tme_first


def test_a_pull_requests_comment_looks_for_a_name_that_is_there(program: Program) -> None:
    assert preview_reading.EXISTING_GATEWAY in up(program).names


def test_what_is_added_to_the_deployment_is_said_in_words(program: Program) -> None:
    made = up(program)
    (config_map,) = [item for item in made.of_type(":ConfigMap") if item.name.startswith("plugin-files")]
    given = dict(made["gateway-files"].inputs)
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


def test_nothing_of_theirs_is_made_or_goes_with_the_stack(program: Program) -> None:
    made = up(program)
    assert [item.name for item in made.of_type(":Release")] == ["agent-release"]
    assert [item.name for item in made.of_type(":Namespace") if not item.read] == ["agent-namespace"]
    assert made["kong-namespace"].read
    assert made["tme-pod-annotation"].deleted_with == made["tme-namespace-label"].deleted_with == ""
    assert made["tme-pod-annotation"].inputs["metadata"] == {"name": "edge", "namespace": "gw"}


def test_the_guard_watches_the_deployments_own_pods(program: Program) -> None:
    made = up(program)
    assert made["tme-guard-policy"].inputs["spec"]["matchConstraints"]["objectSelector"] == SELECTOR


def test_the_proof_and_preflight_ask_about_that_deployment(program: Program) -> None:
    up(program)
    (expected,) = program.asked_for
    assert expected.deployment == KongDeployment(namespace="gw", name="edge", container="kong")
    assert expected.release is None
    (asked,) = program.plans
    assert asked.gateway is not None and asked.desired == expected
    kong = asked.gateway.kong
    assert isinstance(kong, ExistingKong) and kong.container_configured
    assert kong.patch is not None and kong.patch.container == "kong"


def test_where_the_owners_values_mount_the_files_the_deployment_is_left_alone(program: Program) -> None:
    made = up(program, mode="async", kong={"filesMountedBy": "owner"})
    assert made.of_type("PluginFilesInDeployment") == []
    (config_map,) = program.asked_for[0].files.values()
    claimed = made["gateway-claim"].inputs["files"]
    assert claimed == {"/opt/kong/plugins/traceable": config_map}, "it does not go before they are let go of"
    gateway = program.plans[0].gateway
    assert gateway is not None and gateway.mounted_by_owner and gateway.files == claimed
    assert gateway.owner_values == {"plugins": {"configMaps": [{"name": config_map, "pluginName": "traceable"}]}}
    (files,) = [item.name for item in made.of_type(":ConfigMap") if item.name.startswith("plugin-files")]
    for later in ("plugin-kong-cluster-plugin", "tme-pod-annotation", "tme-namespace-label"):
        assert made.waits_for(later, files) and made.waits_for(later, "tme-guard-binding")
    revision = made["plugin-kong-cluster-plugin"].inputs["metadata"]["annotations"]["traceable-kong/kong-revision"]
    assert len(revision) == 10, "another rock is another plugin, which waits for the files"
    (step,) = program.steps
    assert step.owners_values == gateway.owner_values


@pytest.mark.parametrize("files_mounted_by", ["stack", "owner"])
def test_in_a_preview_the_plugin_is_not_judged_by_the_kong_that_still_runs(
    program: Program, files_mounted_by: str
) -> None:
    made = program.preview(kong={**THEIRS, "filesMountedBy": files_mounted_by})
    annotations = made["plugin-kong-cluster-plugin"].inputs["metadata"]["annotations"]
    assert annotations["traceable-kong/kong-revision"] == rpc.UNKNOWN


def test_the_outputs_have_the_values_for_the_owners_own_release(program: Program) -> None:
    from tests.plan.test_stack_plan import json as text
    from traceable_kong.config.parser import parse
    from traceable_kong.plan.stack_plan import plan

    given = {"agentToken": "t", "plugin": text.dumps({"rock": "x"}), "kong": text.dumps(THEIRS)}
    made = plan(parse(given, secret_paths=[("agentToken",)]), ROCK, OWNER, selector=SELECTOR)
    (name,) = made.outputs["configMaps"]
    assert made.outputs["ownersHelmValues"] == {"plugins": {"configMaps": [{"name": name, "pluginName": "traceable"}]}}
    assert "release" not in made.outputs and "ownersHelmValues" not in planned_ours().outputs
    assert made.installation.record is not None
    assert "release" not in made.installation.record and made.installation.record["filesMountedBy"] == "stack"
