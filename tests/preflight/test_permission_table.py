"""The permissions: each that an `up` needs is checked and named, and the Roles on the page are the same table."""

from typing import Any

import pytest

from tests.fakes.plans import plan
from tests.fakes.preflight_cluster import (
    EXTERNAL_AGENT,
    UNINSTALLED,
    FakeKubernetes,
    deployment,
    examined,
    passes,
    put_kong,
    put_plugin,
    put_record,
)
from tests.preflight import security_page
from tests.preflight.test_database_checks import MANAGED
from traceable_kong.cluster.api_objects import NAMESPACES
from traceable_kong.plan.model import Plan
from traceable_kong.preflight.examination import Examination
from traceable_kong.preflight.permission_table import needed, purposes
from traceable_kong.preflight.permissions import Permission

USUAL = security_page.usual()
ASKED = sorted({(item.verb, item.resource, item.subresource) for of in purposes(USUAL) for item in of.permissions})


@pytest.fixture(autouse=True)
def namespaces(kube: FakeKubernetes) -> None:
    for name in ("kong", "traceable"):
        kube.put(f"{NAMESPACES}/{name}")


def without(kube: FakeKubernetes, *missing: tuple[str, str]) -> str:
    """The errors of an `up` that lacks only these permissions."""
    kube.may = lambda verb, resource: verb != "*" and (verb, resource) not in missing
    return "\n".join(f"{item.problem} {item.fix}" for item in examined(kube, of=USUAL).errors)


@pytest.mark.parametrize(("verb", "resource", "subresource"), ASKED, ids=" ".join)
def test_every_single_permission_is_checked_and_named(
    kube: FakeKubernetes, verb: str, resource: str, subresource: str
) -> None:
    full = f"{resource}/{subresource}" if subresource else resource
    # A user with what a chart's roles grant needs neither of the two verbs.
    others = [("list", "nodes"), ("update", "configmaps")] if verb in ("escalate", "bind") else []
    said = without(kube, (verb, full), *others)
    shown = "namespace" if resource == "namespaces" else full
    assert f"({verb} {shown}" in said or f"; {verb} {shown}" in said
    assert f"kubectl auth can-i {verb} {resource}" in said and "docs/security.md has the Roles" in said


def test_a_user_with_the_roles_permissions_need_not_escalate(kube: FakeKubernetes) -> None:
    verbs = [(verb, role) for verb in ("escalate", "bind") for role in ("roles", "clusterroles")]
    assert without(kube, *verbs) == ""
    assert "the chart's roles could not be created" in without(kube, *verbs, ("list", "nodes"))


@pytest.mark.parametrize(
    ("values", "resource"),
    [
        ({"autoscaling": {"enabled": True}}, "horizontalpodautoscalers"),
        ({"podDisruptionBudget": {"enabled": True}}, "poddisruptionbudgets"),
        ({"proxy": {"ingress": {"enabled": True}}}, "ingresses"),
    ],
)
def test_what_the_chart_values_add_is_checked(kube: FakeKubernetes, values: dict[str, object], resource: str) -> None:
    def in_kong(right: Permission) -> bool:
        return (right.resource, right.namespace) == (resource, "kong")

    assert not any(map(in_kong, needed(USUAL, "up")))
    assert any(map(in_kong, needed(plan(kongValues=values), "up")))


@pytest.mark.parametrize(
    ("values", "more", "less"),
    [
        ({"runAsDaemonSet": True}, {"daemonsets"}, {"horizontalpodautoscalers"}),
        ({"autoscaling": {"enabled": False}}, set(), {"horizontalpodautoscalers"}),
    ],
)
def test_what_the_agents_values_switch_is_checked(values: dict[str, object], more: set[str], less: set[str]) -> None:
    def creates(wanted: Plan) -> set[str]:
        permissions = needed(wanted, "up")
        return {right.resource for right in permissions if right.verb == "create" and right.namespace == "traceable"}

    changed = creates(security_page.usual(agentValues=values))
    assert (changed - creates(USUAL), creates(USUAL) - changed) == (more, less)


def test_without_an_ingress_controller_kong_needs_nothing_cluster_wide() -> None:
    kong = {**MANAGED["kong"], "createNamespace": False}
    found = needed(plan(kong=kong, kongValues={"ingressController": {"enabled": False}}, **EXTERNAL_AGENT), "up")
    assert {item.resource for item in found if not item.namespace and item.verb == "create"} == set()


def test_operations_that_only_read_need_no_changes() -> None:
    for wanted in (USUAL, plan(**MANAGED)):
        for operation in ("verify", "preview"):
            changing = {item for item in needed(wanted, operation) if item.verb not in ("get", "list", "watch")}
            assert {item.subresource for item in changing} <= {"portforward"}
        assert {item.verb for item in needed(wanted, "destroy") if not item.subresource} == {
            *("get", "list", "watch", "update", "patch", "delete"),
        }


def test_an_up_has_the_permissions_of_every_other_operation() -> None:
    for wanted in (USUAL, plan(), plan(**MANAGED), plan(mode="async")):
        for operation in security_page.OPERATIONS:
            assert set(needed(wanted, operation)) <= set(needed(wanted, "up")), operation


def test_the_page_has_the_roles() -> None:
    written = security_page.PATH.read_text(encoding="utf-8")
    assert written == security_page.page(written), "python -m tests.preflight.security_page"


ROLES = [(verb, role) for verb in ("create", "escalate", "bind") for role in ("roles", "clusterroles")]
NO_ROLES = [*ROLES, ("list", "nodes"), ("update", "configmaps")]


def lacking(kube: FakeKubernetes, *missing: tuple[str, str], **changes: Any) -> Examination:
    kube.may = lambda verb, resource: verb != "*" and (verb, resource) not in missing
    return examined(kube, of=security_page.usual(**changes))


def installed(kube: FakeKubernetes) -> None:
    """An installation in sync, as an administrator left it."""
    kube.release("kong", "quickstart", ["superseded", "deployed"])
    kube.release("traceable", "traceable-agent", ["deployed"])
    put_record(kube, release="quickstart")
    put_kong(kube)
    annotations = {"tme.traceable.ai/inject": "true"}
    template = kube.objects[deployment("kong", "quickstart-kong")]["spec"]["template"]
    template["metadata"] = {"annotations": annotations}
    put_plugin(kube)


def test_permissions_for_the_charts_roles_are_needed_once(
    kube: FakeKubernetes,
) -> None:
    first = lacking(kube, *NO_ROLES)
    assert {item.subject for item in first.errors} == {
        "the roles in the chart of Kong",
        "the roles in the chart of the agent",
    }
    installed(kube)
    later = lacking(kube, *NO_ROLES)
    assert later.errors == []
    said = "\n".join(item.problem for item in later.warnings)
    assert "escalate, bind clusterroles" in said and "create clusterroles" in said
    assert "Helm needs them only if this update changes the chart's roles" in said
    # The agent's release is new.
    del kube.objects["/api/v1/namespaces/traceable/secrets/sh.helm.release.v1.traceable-agent.v1"]
    assert {item.subject for item in lacking(kube, *NO_ROLES).errors} == {"the roles in the chart of the agent"}


@pytest.mark.parametrize("status", ["pending-install", "failed", "uninstalled"])
def test_a_release_that_was_never_installed_completely_is_a_first_install(kube: FakeKubernetes, status: str) -> None:
    kube.release("kong", "quickstart", [status])
    assert "the roles in the chart of Kong" in {item.subject for item in lacking(kube, *NO_ROLES).errors}


OFF: list[dict[str, Any]] = [
    {"enabled": False},
    UNINSTALLED,
]


@pytest.mark.parametrize("changes", OFF)
def test_disabling_needs_only_its_own_permissions(kube: FakeKubernetes, changes: dict[str, Any]) -> None:
    installed(kube)
    put_plugin(kube, disabled=True)
    spare = {
        (right.verb, f"{right.resource}/{right.subresource}" if right.subresource else right.resource)
        for right in needed(USUAL, "up")
        if right.verb in ("create", "escalate", "bind") and right.subresource != "portforward"
        if right.resource != "secrets" or changes.get("installed", True)
    }
    found = lacking(kube, *spare, **changes)
    assert found.errors == []
    assert "Disabling does not need them" in "\n".join(item.problem for item in found.warnings)


@pytest.mark.parametrize(
    ("changes", "right"),
    [
        (OFF[0], ("patch", "kongclusterplugins")),
        (OFF[0], ("patch", "configmaps")),
        (OFF[0], ("patch", "deployments")),
        (OFF[0], ("patch", "namespaces")),
        (OFF[0], ("get", "pods/portforward")),
        (OFF[1], ("delete", "kongclusterplugins")),
        (OFF[1], ("delete", "configmaps")),
        (OFF[1], ("patch", "deployments")),
        (OFF[1], ("create", "secrets")),
    ],
)
def test_what_disabling_needs_is_required(
    kube: FakeKubernetes, changes: dict[str, Any], right: tuple[str, str]
) -> None:
    installed(kube)
    put_plugin(kube, disabled=True)
    if right in (("patch", "namespaces"), ("patch", "kongclusterplugins")):
        assert any(right[1].removesuffix("s") in item.problem for item in lacking(kube, right, **changes).errors)
    else:
        assert any(" ".join(right) in item.problem for item in lacking(kube, right, **changes).errors)


def test_a_disabled_first_install_needs_everything(kube: FakeKubernetes) -> None:
    found = lacking(kube, ("create", "kongclusterplugins"), enabled=False)
    assert [item.subject for item in found.errors] == ["the plugin"]


@pytest.mark.parametrize("asks", [True, False])
def test_the_dry_run_is_needed_if_pods_request_the_tme(kube: FakeKubernetes, asks: bool) -> None:
    installed(kube)
    if not asks:
        kube.objects[deployment("kong", "quickstart-kong")]["spec"]["template"]["metadata"] = {}
    said = [item.subject for item in lacking(kube, ("create", "pods"), mode="async").errors]
    assert said == (["the dry run of a gateway pod"] if asks else [])


def test_an_agent_only_stack_needs_no_gateway() -> None:
    alone = security_page.agent_alone()
    found = {operation: needed(alone, operation) for operation in security_page.AGENT_OPERATIONS}
    assert {item.namespace for permissions in found.values() for item in permissions} == {"traceable", ""}
    for resource in ("configmaps", "namespaces"):
        assert Permission(verb="list", resource=resource, namespace="") in found["preview"]
    assert {item.verb for item in found["preview"]} == {"get", "list"}
    assert set(found["preview"]) < set(found["up"])


def test_a_user_with_every_permission_passes(kube: FakeKubernetes) -> None:
    kube.may = lambda verb, resource: verb != "*"
    passes(kube, **security_page.EXISTING_NAMESPACES)
