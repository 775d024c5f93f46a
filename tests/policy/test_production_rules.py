"""The rules about production: images by digest, deletion protection and the TME's admission policy."""

from dataclasses import replace
from typing import Any

import pytest

from policy.rules.deletion_protection import unprotected
from policy.rules.image_digests import images_by_tag
from policy.rules.registered_resource import PRODUCTION, RELEASE, SECRET, Hidden, Resource, is_production
from policy.rules.tme_guard import ADMISSION, BINDING, unguarded_injection

DIGEST = f"sha256:{'0' * 64}"
NAMESPACE = "kubernetes:core/v1:Namespace"
STATEFUL_SET = "kubernetes:apps/v1:StatefulSet"


def urn(component: str, kind: str) -> str:
    return f"urn:pulumi:prod::own::own:index:Platform$traceable-kong:index:{component}${kind}::any-name"


@pytest.mark.parametrize(
    ("stack", "expected"),
    [
        *(("prod", True), ("PROD", True), ("prod-eu", True), ("production", True), ("eu-prod", True)),
        *(("dev", False), ("product-demo", False), ("preprod", False), ("", False)),
    ],
)
def test_which_stacks_are_in_production_by_default(stack: str, expected: bool) -> None:
    assert is_production(stack, PRODUCTION) is expected


def test_the_stack_is_in_the_urn() -> None:
    assert Resource(urn=urn("KongGateway", RELEASE), type=RELEASE).stack == "prod"


def images(component: str = "KongGateway", **values: Any) -> list[str]:
    kind = urn(component, RELEASE)
    return list(images_by_tag(Resource(urn=kind, type=RELEASE, props={"name": "a", "values": values})))


@pytest.mark.parametrize(
    "values",
    [
        {"image": {"tag": f"3.9@{DIGEST}"}},
        {"image": {"tag": "3.9", "digest": DIGEST}},
        {"image": {"unifiedRepoTag": f"kong:3.9@{DIGEST}"}},
        {"gateway": {"image": {"tag": f"3.9@{DIGEST}"}}},
        {"image": {"tag": f"3.9@{DIGEST}"}, "env": Hidden(SECRET)},
    ],
)
def test_an_image_by_digest(values: dict[str, Any]) -> None:
    assert images(**values) == []


def test_images_by_tag() -> None:
    (text,) = images()
    assert "kongValues.image.tag is the chart's default, a tag." in text
    assert text.endswith("-> pulumi config set --path traceable-kong:kongValues.image.tag TAG@sha256:DIGEST")
    (text,) = images(image={"tag": 3.9})
    assert "kongValues.image.tag is a tag without a digest" in text
    (text,) = images(image={"tag": f"3.9@{DIGEST}"}, ingressController={"image": {"tag": "3.4"}})
    assert "kongValues.ingressController.image.tag" in text
    assert len(images(ingressController={"image": {"tag": f"3.4@{DIGEST}"}})) == 1, "Kong's own has none"


def test_images_of_the_agent_only_count_if_the_values_name_them() -> None:
    assert images("TraceableAgent") == []
    (text,) = images("TraceableAgent", injector={"tme": {"imageVersion": "1.58.0"}})
    assert "traceable-kong:agentValues.injector.tme.imageVersion TAG@sha256:DIGEST" in text
    assert images("TraceableAgent", injector={"tme": {"imageVersion": f"1.58.0@{DIGEST}"}}) == []


def test_releases_of_other_programs_are_not_judged() -> None:
    other = Resource(urn="urn:pulumi:prod::own::kubernetes:helm.sh/v3:Release::x", type=RELEASE)
    assert list(images_by_tag(other)) == list(unprotected(other)) == []


@pytest.mark.parametrize(
    ("component", "kind", "key"),
    [
        ("KongGateway", RELEASE, "kong"),
        ("KongNamespace", NAMESPACE, "kong"),
        ("ManagedPostgres", STATEFUL_SET, "kong"),
        ("TraceableAgent", RELEASE, "agent"),
        ("TraceableAgent", NAMESPACE, "agent"),
    ],
)
def test_what_must_be_protected(component: str, kind: str, key: str) -> None:
    resource = Resource(urn=urn(component, kind), type=kind, props={"name": "a", "metadata": {"name": "a"}})
    (text,) = unprotected(resource)
    assert text.startswith(f"{resource.kind} a is not protected against deletion. A pulumi destroy, or ")
    assert text.endswith(f"-> pulumi config set --path traceable-kong:{key}.protect true")
    assert list(unprotected(Resource(urn=resource.urn, type=kind, protect=True))) == []


def test_other_kinds_need_no_protection() -> None:
    kind = "kubernetes:core/v1:ConfigMap"
    assert list(unprotected(Resource(urn=urn("PluginFiles", kind), type=kind))) == []


def deployment(namespace: str = "kong", **annotations: str) -> Resource:
    kind = "kubernetes:apps/v1:DeploymentPatch"
    spec = {"template": {"metadata": {"annotations": annotations}}} if annotations else None
    props = {"metadata": {"namespace": namespace, "name": "gateway-kong"}, "spec": spec}
    return Resource(urn=urn("TmeInjection", kind), type=kind, props=props)


def guard(action: str, namespace: str = "kong", policy: str = "guard") -> list[Resource]:
    selector = {"matchLabels": {"kubernetes.io/metadata.name": namespace}}
    spec = {"matchConstraints": {"namespaceSelector": selector}}
    bound = {"policyName": policy, "validationActions": [action, "Audit"]}
    return [
        Resource(urn="u", type=ADMISSION, props={"metadata": {"name": "guard"}, "spec": spec}),
        Resource(urn="u", type=BINDING, props={"metadata": {"name": "guard"}, "spec": bound}),
    ]


def unguarded(*resources: Resource, least: str = "warn") -> list[str]:
    return [text for _, text in unguarded_injection(resources, least=least)]


SYNC = deployment(**{"tme.traceable.ai/inject": "true"})


def test_pods_that_ask_for_the_tme_have_a_policy() -> None:
    assert unguarded(SYNC, *guard("Warn")) == unguarded(SYNC, *guard("Deny")) == []
    assert unguarded(SYNC, *guard("Deny"), least="deny") == []
    assert unguarded(deployment()) == unguarded(deployment(other="true")) == []


@pytest.mark.parametrize(
    "others",
    [
        [],
        guard("Deny", namespace="another"),
        guard("Deny", policy="another"),
        guard("Deny")[:1],
        guard("Deny")[1:],
        [guard("Deny")[0], replace(guard("Deny")[1], type="kubernetes:core/v1:ConfigMap")],
        guard("Audit"),
    ],
)
def test_pods_that_ask_for_the_tme_without_a_policy(others: list[Resource]) -> None:
    ((where, text),) = unguarded_injection([SYNC, *others], least="warn")
    assert where == SYNC.urn
    assert "DeploymentPatch kong/gateway-kong: its pods ask for the TME (mode: sync)" in text
    assert "namespace kong (tmeGuard: off). A pod that starts without its TME serves" in text
    assert text.endswith("-> pulumi config set traceable-kong:tmeGuard warn")


def test_warn_is_not_enough_where_deny_is_required() -> None:
    (text,) = unguarded(SYNC, *guard("Warn"), least="deny")
    assert "(tmeGuard: off or warn)" in text and text.endswith("tmeGuard deny")


def test_each_gateway_of_a_stack_needs_its_own() -> None:
    other = deployment("another", **{"tme.traceable.ai/inject": "true"})
    (text,) = unguarded(SYNC, other, *guard("Deny"))
    assert "another/gateway-kong" in text
