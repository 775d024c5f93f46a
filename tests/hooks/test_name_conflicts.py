"""Just before an object is created its name is free, or the object is this stack's: the provider would overwrite it."""

import pytest

from tests.fakes.fake_kubernetes import FakeKubernetes, forbidden
from tests.fakes.plans import ROCK, plan
from traceable_kong.cluster.ownership import STACK_LABEL
from traceable_kong.hooks.hook_failed import HookFailed
from traceable_kong.hooks.name_conflicts import require_free_name
from traceable_kong.plan.build import PlanInputs
from traceable_kong.plan.siblings import Siblings

OWNER = "p.dev-0a1b2c3d"
OBJECTS = [
    ("kubernetes:core/v1:ConfigMap", "gw", "/api/v1/namespaces/gw/configmaps/it"),
    ("kubernetes:core/v1:Namespace", None, "/api/v1/namespaces/it"),
    ("kubernetes:core/v1:Secret", "gw", "/api/v1/namespaces/gw/secrets/it"),
    ("kubernetes:core/v1:Service", "gw", "/api/v1/namespaces/gw/services/it"),
    ("kubernetes:apps/v1:StatefulSet", "gw", "/apis/apps/v1/namespaces/gw/statefulsets/it"),
    (
        "kubernetes:configuration.konghq.com/v1:KongClusterPlugin",
        None,
        "/apis/configuration.konghq.com/v1/kongclusterplugins/it",
    ),
    *(
        (
            f"kubernetes:admissionregistration.k8s.io/v1:{kind}",
            None,
            f"/apis/admissionregistration.k8s.io/v1/{plural}/it",
        )
        for kind, plural in (
            ("ValidatingAdmissionPolicy", "validatingadmissionpolicies"),
            ("ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings"),
        )
    ),
]


def check(api: FakeKubernetes, type_: str, namespace: str | None, siblings: Siblings | None = None) -> None:
    metadata = {"name": "it", **({"namespace": namespace} if namespace else {})}
    inputs = PlanInputs(rock=ROCK, siblings=siblings)
    require_free_name(api, type_, {"metadata": metadata}, plan(owner=OWNER, inputs=inputs))


@pytest.mark.parametrize(("type_", "namespace", "path"), OBJECTS)
def test_an_object_that_another_client_created_is_not_overwritten(type_: str, namespace: str | None, path: str) -> None:
    api = FakeKubernetes()
    check(api, type_, namespace)
    for labels in ({STACK_LABEL: OWNER}, {STACK_LABEL: "p.dev"}):
        api.put(path, {"metadata": {"labels": labels}})
        check(api, type_, namespace)
    for labels, said in (
        ({}, "created by another client after preflight.*not changed.*kubectl delete"),
        (
            {STACK_LABEL: "p.dev-ffffffff"},
            "created by the stack p.dev-ffffffff after preflight.*not changed.*pulumi stack import",
        ),
        (
            {STACK_LABEL: "p.prod-0a1b2c3d"},
            "created by the stack p.prod-0a1b2c3d after preflight.*not changed.*pulumi destroy",
        ),
    ):
        api.put(path, {"metadata": {"labels": labels}})
        with pytest.raises(HookFailed, match=said):
            check(api, type_, namespace)
    assert api.changed == []


def test_an_object_of_another_component_of_the_stack() -> None:
    api = FakeKubernetes()
    type_, namespace, path = OBJECTS[0]
    api.put(path, {"metadata": {"labels": {STACK_LABEL: "p.dev.edge-0a1b2c3d"}}})
    with pytest.raises(HookFailed, match=r"by component edge of this stack after.*option aliases of inner"):
        check(api, type_, namespace, Siblings(component="inner", prefix="p.dev."))


def test_an_error_while_checking_stops() -> None:
    api = FakeKubernetes()
    type_, namespace, path = OBJECTS[0]
    api.problems[path] = forbidden("you may not")
    with pytest.raises(type(forbidden()), match="you may not"):
        check(api, type_, namespace)
