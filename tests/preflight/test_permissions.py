"""The permissions: each that an `up` needs is asked for and named, and the Roles on the page are the same table."""

import pytest

from preflight import Intent, examine
from preflight.looks import NAMESPACES
from preflight.permissions import Right, needed, purposes
from tests.preflight import security_page
from tests.preflight.fake import FakeKube, intent, passes
from tests.preflight.test_database import MADE

USUAL = security_page.usual()
ASKED = sorted({(item.verb, item.resource, item.subresource) for of in purposes(USUAL) for item in of.rights})


@pytest.fixture(autouse=True)
def namespaces(kube: FakeKube) -> None:
    for name in ("kong", "traceable"):
        kube.put(f"{NAMESPACES}/{name}")


def without(kube: FakeKube, *missing: tuple[str, str]) -> str:
    """What an `up` is told that lacks these rights, and has every other."""
    kube.may = lambda verb, resource: verb != "*" and (verb, resource) not in missing
    return "\n".join(f"{item.wrong} {item.mend}" for item in examine(kube, USUAL).refusals)


@pytest.mark.parametrize(("verb", "resource", "subresource"), ASKED, ids=" ".join)
def test_every_single_right_is_asked_for_and_named(kube: FakeKube, verb: str, resource: str, subresource: str) -> None:
    full = f"{resource}/{subresource}" if subresource else resource
    # Whoever has what a chart's roles grant needs neither of the two verbs.
    others = [("list", "nodes"), ("update", "configmaps")] if verb in ("escalate", "bind") else []
    said = without(kube, (verb, full), *others)
    shown = "namespace" if resource == "namespaces" else full
    assert f"({verb} {shown}" in said or f"; {verb} {shown}" in said
    assert f"kubectl auth can-i {verb} {resource}" in said and "docs/security.md has the Roles" in said


def test_who_has_what_the_charts_roles_grant_need_not_escalate(kube: FakeKube) -> None:
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
def test_what_the_charts_values_add_is_asked_for(kube: FakeKube, values: dict[str, object], resource: str) -> None:
    def in_kong(right: Right) -> bool:
        return (right.resource, right.namespace) == (resource, "kong")

    assert not any(map(in_kong, needed(USUAL, "up")))
    assert any(map(in_kong, needed(intent(gateway__values=values), "up")))


@pytest.mark.parametrize(
    ("values", "more", "less"),
    [
        ({"runAsDaemonSet": True}, {"daemonsets"}, {"horizontalpodautoscalers"}),
        ({"autoscaling": {"enabled": False}}, set(), {"horizontalpodautoscalers"}),
    ],
)
def test_what_the_agents_values_switch_is_asked_for(values: dict[str, object], more: set[str], less: set[str]) -> None:
    def creates(wanted: Intent) -> set[str]:
        rights = needed(wanted, "up")
        return {right.resource for right in rights if right.verb == "create" and right.namespace == "traceable"}

    changed = creates(security_page.usual(agent__values=values))
    assert (changed - creates(USUAL), creates(USUAL) - changed) == (more, less)


def test_without_an_ingress_controller_nothing_cluster_wide_is_asked_for_kong() -> None:
    values = {"ingressController": {"enabled": False}}
    found = needed(security_page.usual(gateway__values=values, agent=None, policy=None), "up")
    assert {item.resource for item in found if not item.namespace and item.verb == "create"} == {"kongclusterplugins"}


def test_what_only_reads_asks_for_nothing_that_changes() -> None:
    for wanted in (USUAL, intent(**MADE)):
        for operation in ("verify", "preview"):
            changing = {item for item in needed(wanted, operation) if item.verb not in ("get", "list", "watch")}
            assert {item.subresource for item in changing} <= {"portforward"}
        assert {item.verb for item in needed(wanted, "destroy") if not item.subresource} == {
            *("get", "list", "watch", "update", "patch", "delete"),
        }


def test_an_up_may_do_what_every_other_operation_may() -> None:
    for wanted in (USUAL, intent(), intent(**MADE), intent(sync=False)):
        for operation in security_page.OPERATIONS:
            assert set(needed(wanted, operation)) <= set(needed(wanted, "up")), operation


def test_the_page_has_the_roles() -> None:
    written = security_page.PATH.read_text(encoding="utf-8")
    assert written == security_page.page(written), "python -m tests.preflight.security_page"


def test_who_has_every_right_passes(kube: FakeKube) -> None:
    kube.may = lambda verb, resource: verb != "*"
    passes(kube, gateway__create_namespace=False, agent__create_namespace=False)
