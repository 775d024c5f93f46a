"""TmeInjection: what the two patches hold, and in which order they are made."""

import pulumi
import pulumi_kubernetes as k8s
import pytest

from components.tme_injection import TmeInjection, TmeInjectionArgs
from tests.fakes.recording import Recording, record


def nothing(_: pulumi.ResourceHookArgs) -> None: ...


def tme(*, wanted: bool, ours: bool = True) -> Recording:
    args = TmeInjectionArgs(
        owner="traceable-kong.dev",
        wanted=wanted,
        namespace="kong",
        deployment="quickstart-kong",
        settings_digest="0123456789",
        timeout_seconds=300,
    )

    def program() -> None:
        namespace: pulumi.Resource | None = k8s.core.v1.Namespace("namespace") if ours else None
        release: pulumi.Resource | None = k8s.helm.v3.Release("release", chart="c") if ours else None
        TmeInjection(
            "tme",
            args=args,
            namespace=namespace,
            release=release,
            label_hooks=pulumi.ResourceHookBinding(before_update=[pulumi.ResourceHook("of-label", nothing)]),
            annotation_hooks=pulumi.ResourceHookBinding(before_create=[pulumi.ResourceHook("of-annotation", nothing)]),
        )

    return record(program)


def test_wanted_the_patches_hold_label_annotation_and_digest() -> None:
    made = tme(wanted=True)
    assert made["tme-namespace-label"].inputs["metadata"] == {
        "name": "kong",
        "labels": {"traceable-kong/gateway": "traceable-kong.dev", "traceableai-inject-tme": "enabled"},
    }
    deployment = made["tme-pod-annotation"].inputs
    assert deployment["metadata"] == {"name": "quickstart-kong", "namespace": "kong"}
    assert deployment["spec"] == {
        "template": {
            "metadata": {
                "annotations": {"tme.traceable.ai/inject": "true", "traceable-kong/tme-settings": "0123456789"}
            }
        }
    }


def test_not_wanted_the_patches_hold_whose_gateway_is_there_and_nothing_else() -> None:
    made = tme(wanted=False)
    assert made["tme-namespace-label"].inputs["metadata"] == {
        "name": "kong",
        "labels": {"traceable-kong/gateway": "traceable-kong.dev"},
    }
    assert "spec" not in made["tme-pod-annotation"].inputs


def test_no_pod_ever_has_the_annotation_without_the_label() -> None:
    assert tme(wanted=True)["tme-pod-annotation"].dependencies >= {"tme-namespace-label"}
    assert tme(wanted=False)["tme-namespace-label"].dependencies >= {"tme-pod-annotation"}


def test_each_patch_is_held_back_on_the_way_in_and_none_on_the_way_out() -> None:
    coming = tme(wanted=True)
    assert coming["tme-namespace-label"].hooks == {"before_update": ("of-label",)}
    assert coming["tme-pod-annotation"].hooks == {"before_create": ("of-annotation",)}
    going = tme(wanted=False)
    assert going["tme-namespace-label"].hooks == going["tme-pod-annotation"].hooks == {}


@pytest.mark.parametrize("wanted", [True, False])
def test_the_live_objects_in_the_outputs_are_secret(wanted: bool) -> None:
    made = tme(wanted=wanted)
    for patch in ("tme-namespace-label", "tme-pod-annotation"):
        assert set(made[patch].additional_secret_outputs) == {"metadata", "spec", "status"}


def test_the_rollout_has_the_time_that_the_settings_give() -> None:
    made = tme(wanted=True)["tme-pod-annotation"]
    assert (made.create_timeout, made.update_timeout) == ("300s", "300s")


def test_the_patches_go_with_what_they_patch_where_it_is_ours() -> None:
    made = tme(wanted=True)
    assert made["tme-namespace-label"].deleted_with == "namespace"
    assert made["tme-pod-annotation"].deleted_with == "release"
    theirs = tme(wanted=True, ours=False)
    assert theirs["tme-namespace-label"].deleted_with == theirs["tme-pod-annotation"].deleted_with == ""
