"""A Kong that somebody else installed: what is refused of it before anything is touched."""

import json
from typing import Any

import pytest

from tests.preflight.fake import (
    OWNER,
    FakeKubernetes,
    container,
    intent,
    kong_stands,
    passes,
    record_stands,
    refused,
    warned,
)
from traceable_kong.deployment_patch.patching import PATCH_ANNOTATION
from traceable_kong.deployment_patch.pod_template import PatchSpec, patched
from traceable_kong.preflight.cached_reader import NAMESPACES, config_maps, deployment, secrets
from traceable_kong.preflight.examination import examine

PART = PatchSpec(container="proxy", files={"/opt/kong/plugins/traceable": "files"}, plugins=("traceable",))
THEIRS: dict[str, Any] = {
    "gateway__ours": False,
    "gateway__create_namespace": False,
    "gateway__release": None,
    "gateway__container_named": False,
    "gateway__part": PART,
}
PATH = deployment("kong", "quickstart-kong")


def spec(kube: FakeKubernetes) -> dict[str, Any]:
    return dict(kube.objects[PATH]["spec"])


def test_one_that_is_there_passes(kube: FakeKubernetes) -> None:
    kong_stands(kube, container(KONG_PLUGINS="bundled"), container("ingress-controller", image="kic:3"))
    passes(kube, **THEIRS)


@pytest.mark.parametrize(("plural", "kind"), [("daemonsets", "DaemonSet"), ("statefulsets", "StatefulSet")])
def test_another_kind_of_workload(kube: FakeKubernetes, plural: str, kind: str) -> None:
    assert "is missing, and so is the namespace" in refused(kube, **THEIRS)
    kube.put(f"{NAMESPACES}/kong")
    assert "is missing, and kong.install" in refused(kube, **THEIRS)
    kube.put(f"/apis/apps/v1/namespaces/kong/{plural}/quickstart-kong")
    assert f"is a {kind}" in refused(kube, **THEIRS)


def test_pods_that_cannot_roll(kube: FakeKubernetes) -> None:
    kong_stands(kube)
    spec_of = kube.objects[PATH]["spec"]
    spec_of["replicas"] = 0
    assert "zero replicas" in refused(kube, **THEIRS)
    spec_of["replicas"], spec_of["paused"] = 1, True
    assert "is paused" in refused(kube, **THEIRS)
    passes(kube)


def test_two_containers_that_could_be_meant(kube: FakeKubernetes) -> None:
    kong_stands(
        kube, container(), container("second", image=f"registry:5000/mirror/kong-gateway:3.9@sha256:{'0' * 64}")
    )
    assert "2 containers (proxy, second)" in refused(kube, **THEIRS)
    passes(kube, **{**THEIRS, "gateway__container_named": True})


def test_a_container_that_is_called_as_kongs_and_is_not(kube: FakeKubernetes) -> None:
    kong_stands(kube, container(image="envoyproxy/envoy:v1.30"), container("gateway", image="kong/kong-gateway:3.9"))
    assert "kong.container gateway" in refused(kube, **THEIRS)
    assert "but in gateway" in warned(kube, **{**THEIRS, "gateway__container_named": True})
    passes(kube, **{**THEIRS, "gateway__container": "gateway", "gateway__part": None})
    kong_stands(kube, container(image="registry/own-gateway:1"), container("controller", image="kic"))
    passes(kube, **THEIRS)


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"KONG_DATABASE": "postgres"}, "kong.database postgres"),
        ({"KONG_NGINX_ADMIN_SSL_VERIFY_CLIENT": "on"}, "asks for a client certificate"),
    ],
)
def test_a_kong_that_cannot_be_told_or_asked(kube: FakeKubernetes, env: dict[str, str], said: str) -> None:
    kong_stands(kube, container(**env))
    assert said in refused(kube, **THEIRS)
    kong_stands(kube, container(**dict.fromkeys(env, "off")))
    passes(kube, **THEIRS)


def test_a_list_from_elsewhere(kube: FakeKubernetes) -> None:
    kong = container()
    kong["env"] = [{"name": "KONG_PLUGINS", "valueFrom": {"configMapKeyRef": {"name": "a", "key": "b"}}}]
    kong_stands(kube, kong)
    assert "valueFrom" in refused(kube, **THEIRS)
    passes(kube, **{**THEIRS, "gateway__part": None})


@pytest.mark.parametrize(
    ("source", "path"),
    [
        ({"configMapRef": {"name": "own"}}, f"{config_maps('kong')}/own"),
        ({"secretRef": {"name": "own"}, "prefix": "KONG_"}, f"{secrets('kong')}/own"),
    ],
)
def test_a_list_from_a_whole_object(kube: FakeKubernetes, source: dict[str, Any], path: str) -> None:
    kong = container()
    kong["envFrom"] = [source]
    kong_stands(kube, kong)
    passes(kube, **THEIRS)
    kube.put(path, {"data": {"PLUGINS" if "prefix" in source else "KONG_PLUGINS": "", "OTHER": ""}})
    assert "takes KONG_PLUGINS from the" in refused(kube, **THEIRS)
    kong["env"] = [{"name": "KONG_PLUGINS", "value": "bundled"}]
    kong_stands(kube, kong)
    passes(kube, **THEIRS)


def test_files_that_are_there_and_that_the_owner_does_not_mount_yet(kube: FakeKubernetes) -> None:
    (held,) = intent().config_maps
    values = {"plugins": {"configMaps": [{"name": held, "pluginName": "traceable"}]}}
    files = {"/opt/kong/plugins/traceable": held}
    theirs = {**THEIRS, "gateway__part": None, "gateway__owners_files": files, "gateway__owners_values": values}
    kong_stands(kube)
    passes(kube, **theirs)
    kube.put(f"{config_maps('kong')}/{held}", ours=True)
    said = refused(kube, **theirs)
    assert f"does not mount /opt/kong/plugins/traceable from {held}" in said and json.dumps(values) in said
    mounting = {**container(), "volumeMounts": [{"name": "files", "mountPath": "/opt/kong/plugins/traceable"}]}
    kong_stands(kube, mounting, volumes={"files": "older"})
    assert "does not mount" in refused(kube, **theirs)
    kong_stands(kube, mounting, volumes={"files": held})
    passes(kube, **theirs)


def noted(kube: FakeKubernetes, owner: str = OWNER) -> None:
    """Our part is in the Deployment."""
    live = kube.objects[PATH]
    live["spec"]["template"], note = patched(live["spec"]["template"], PART)
    live["metadata"]["annotations"] = {PATCH_ANNOTATION: json.dumps({"stack": owner, "patch": note.document()})}


def test_our_own_part_is_no_hindrance_and_another_stacks_is(kube: FakeKubernetes) -> None:
    kong_stands(kube)
    noted(kube)
    passes(kube, **THEIRS)
    assert "pulumi destroy" in refused(kube, **{**THEIRS, "gateway__part": None})
    kong_stands(kube)
    noted(kube, "traceable-kong.prod")
    assert "is patched by the stack traceable-kong.prod" in refused(kube, **THEIRS)
    kube.objects[PATH]["metadata"]["annotations"][PATCH_ANNOTATION] = "?"
    assert "changed by hand" in refused(kube, **THEIRS)
    del kube.objects[PATH]["metadata"]["annotations"]
    found = examine(kube, intent(**THEIRS))
    assert len(found.errors) == 2, "a volume and a mount that nobody says are ours"


def test_a_kong_of_ours_does_not_become_somebody_elses(kube: FakeKubernetes) -> None:
    kong_stands(kube)
    record_stands(kube, release="quickstart", deployment="quickstart-kong")
    assert "kong.install" in refused(kube, **THEIRS)
    record_stands(kube, release="", deployment="quickstart-kong")
    passes(kube, **THEIRS)
