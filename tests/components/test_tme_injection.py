"""TmeInjection: what the two patches contain, and their order."""

from typing import Any

import pulumi
import pytest

from tests.fakes import plans
from tests.fakes.recording import Recording, record
from traceable_kong.components import ExistingKong, KongGateway, KongNamespace, TmeInjection
from traceable_kong.plan.kong_model import ManagedKong

EXISTING: dict[str, Any] = {"kong": {"install": False, "deployment": "edge"}}


def nothing(_: pulumi.ResourceHookArgs) -> None: ...


def tme(*, wanted: bool, **config: Any) -> Recording:
    plan = plans.plan(mode="sync" if wanted else "async", **config)
    gateway = plan.gateway
    assert gateway is not None and gateway.wants_tme is wanted

    def program() -> None:
        namespace = KongNamespace("kong", plan=plan, kong=gateway.kong)
        if isinstance(gateway.kong, ManagedKong):
            running: KongGateway | ExistingKong = KongGateway("gateway", kong=gateway.kong)
        else:
            running = ExistingKong("gateway", plan=plan, gateway=gateway, kong=gateway.kong, own_program={})
        label = pulumi.ResourceHookBinding(before_update=[pulumi.ResourceHook("of-label", nothing)])
        annotation = pulumi.ResourceHookBinding(before_create=[pulumi.ResourceHook("of-annotation", nothing)])
        TmeInjection(
            "tme",
            plan=plan,
            gateway=gateway,
            namespace=namespace,
            on=running,
            hooks=(label, annotation),
            annotations=gateway.injection.annotations,
        )

    return record(program)


def test_with_the_tme_the_patches_have_label_annotation_and_digest() -> None:
    registered = tme(wanted=True)
    assert registered["tme-namespace-label"].inputs["metadata"] == {
        "name": "kong",
        "labels": {"traceable-kong/gateway": plans.OWNER, "traceableai-inject-tme": "enabled"},
    }
    deployment = registered["tme-pod-annotation"].inputs
    assert deployment["metadata"] == {"name": "quickstart-kong", "namespace": "kong"}
    annotations = deployment["spec"]["template"]["metadata"]["annotations"]
    assert annotations.pop("tme.traceable.ai/inject") == "true"
    (digest,) = annotations
    assert digest == "traceable-kong/tme-settings" and len(annotations[digest]) == 10


def test_without_the_tme_the_patches_only_have_the_owner_of_the_gateway() -> None:
    registered = tme(wanted=False)
    assert registered["tme-namespace-label"].inputs["metadata"] == {
        "name": "kong",
        "labels": {"traceable-kong/gateway": plans.OWNER},
    }
    assert "spec" not in registered["tme-pod-annotation"].inputs


def test_no_pod_has_the_annotation_in_a_namespace_without_the_label() -> None:
    assert tme(wanted=True)["tme-pod-annotation"].dependencies >= {"tme-namespace-label"}
    assert tme(wanted=False)["tme-namespace-label"].dependencies >= {"tme-pod-annotation"}


def test_the_hooks_run_when_enabling_and_not_when_disabling() -> None:
    enabling = tme(wanted=True)
    assert enabling["tme-namespace-label"].hooks == {"before_update": ("of-label",)}
    assert enabling["tme-pod-annotation"].hooks == {"before_create": ("of-annotation",)}
    disabling = tme(wanted=False)
    assert disabling["tme-namespace-label"].hooks == disabling["tme-pod-annotation"].hooks == {}


@pytest.mark.parametrize("wanted", [True, False])
def test_the_live_objects_in_the_outputs_are_secret(wanted: bool) -> None:
    registered = tme(wanted=wanted)
    for patch in ("tme-namespace-label", "tme-pod-annotation"):
        assert set(registered[patch].additional_secret_outputs) == {"metadata", "spec", "status"}


def test_the_rollout_has_kongs_timeout() -> None:
    registered = tme(wanted=True, kong={"timeoutSeconds": 300})["tme-pod-annotation"]
    assert (registered.create_timeout, registered.update_timeout) == ("300s", "300s")


def test_the_patches_are_deleted_with_what_the_stack_manages() -> None:
    managed = tme(wanted=True)
    assert managed["tme-namespace-label"].deleted_with == "kong-namespace"
    assert managed["tme-pod-annotation"].deleted_with == "gateway-release"
    existing = tme(wanted=True, **EXISTING)
    assert existing["tme-namespace-label"].deleted_with == existing["tme-pod-annotation"].deleted_with == ""
