"""An existing Kong: what has to be fixed before this stack patches its Deployment."""

import json
from typing import Any

import pytest

from tests.fakes.plans import OWNER
from tests.fakes.plans import gateway as plan_gateway
from tests.fakes.preflight_cluster import (
    EXISTING,
    FILES,
    FakeKubernetes,
    container,
    deployment,
    examined,
    passes,
    put_kong,
    put_record,
    refused,
    warned,
)
from traceable_kong.cluster.api_objects import NAMESPACES, config_maps, secrets
from traceable_kong.deployment_patch.patching import PATCH_ANNOTATION
from traceable_kong.deployment_patch.pod_template import patched
from traceable_kong.plan.kong_model import ExistingKong

VALUES: dict[str, Any] = {"plugins": {"configMaps": [{"name": FILES, "pluginName": "traceable"}]}}


def existing(**kong: Any) -> dict[str, Any]:
    """The keys of an existing Kong, and these of the section `kong`."""
    return {"kong": {**EXISTING["kong"], **kong}}


BY_OWNER = existing(filesMountedBy="owner")
PATH = deployment("kong", "quickstart-kong")


def spec(kube: FakeKubernetes) -> dict[str, Any]:
    return dict(kube.objects[PATH]["spec"])


def test_an_existing_deployment_passes(kube: FakeKubernetes) -> None:
    put_kong(kube, container(KONG_PLUGINS="bundled"), container("ingress-controller", image="kic:3"))
    passes(kube, **EXISTING)


@pytest.mark.parametrize(("plural", "kind"), [("daemonsets", "DaemonSet"), ("statefulsets", "StatefulSet")])
def test_another_kind_of_workload(kube: FakeKubernetes, plural: str, kind: str) -> None:
    assert "is missing, and so is the namespace" in refused(kube, **EXISTING)
    kube.put(f"{NAMESPACES}/kong")
    assert "is missing, and kong.install" in refused(kube, **EXISTING)
    kube.put(f"/apis/apps/v1/namespaces/kong/{plural}/quickstart-kong")
    assert f"is a {kind}" in refused(kube, **EXISTING)


def test_pods_that_cannot_roll(kube: FakeKubernetes) -> None:
    put_kong(kube)
    spec_of = kube.objects[PATH]["spec"]
    spec_of["replicas"] = 0
    assert "zero replicas" in refused(kube, **EXISTING)
    spec_of["replicas"], spec_of["paused"] = 1, True
    assert "is paused" in refused(kube, **EXISTING)
    passes(kube)


def test_two_containers_that_could_be_kong(kube: FakeKubernetes) -> None:
    put_kong(kube, container(), container("second", image=f"registry:5000/mirror/kong-gateway:3.9@sha256:{'0' * 64}"))
    assert "2 containers (proxy, second)" in refused(kube, **EXISTING)
    passes(kube, **existing(container="proxy"))


def test_a_container_with_kongs_name_and_another_image(kube: FakeKubernetes) -> None:
    put_kong(kube, container(image="envoyproxy/envoy:v1.30"), container("gateway", image="kong/kong-gateway:3.9"))
    assert "kong.container gateway" in refused(kube, **EXISTING)
    assert "but in gateway" in warned(kube, **existing(container="proxy"))
    passes(kube, **existing(container="gateway"))
    put_kong(kube, container(image="registry/own-gateway:1"), container("controller", image="kic"))
    passes(kube, **EXISTING)


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"KONG_DATABASE": "postgres"}, "kong.database postgres"),
        ({"KONG_NGINX_ADMIN_SSL_VERIFY_CLIENT": "on"}, "asks for a client certificate"),
    ],
)
def test_a_kong_that_cannot_be_configured_or_verified(kube: FakeKubernetes, env: dict[str, Any], said: str) -> None:
    put_kong(kube, container(**env))
    assert said in refused(kube, **EXISTING)
    off: dict[str, Any] = dict.fromkeys(env, "off")
    put_kong(kube, container(**off))
    passes(kube, **EXISTING)


def test_a_plugin_list_from_elsewhere(kube: FakeKubernetes) -> None:
    kong = container()
    kong["env"] = [{"name": "KONG_PLUGINS", "valueFrom": {"configMapKeyRef": {"name": "a", "key": "b"}}}]
    put_kong(kube, kong)
    assert "valueFrom" in refused(kube, **EXISTING)
    passes(kube, **BY_OWNER)


@pytest.mark.parametrize(
    ("source", "path"),
    [
        ({"configMapRef": {"name": "own"}}, f"{config_maps('kong')}/own"),
        ({"secretRef": {"name": "own"}, "prefix": "KONG_"}, f"{secrets('kong')}/own"),
    ],
)
def test_a_plugin_list_from_a_whole_object(kube: FakeKubernetes, source: dict[str, Any], path: str) -> None:
    kong = container()
    kong["envFrom"] = [source]
    put_kong(kube, kong)
    passes(kube, **EXISTING)
    kube.put(path, {"data": {"PLUGINS" if "prefix" in source else "KONG_PLUGINS": "", "OTHER": ""}})
    assert "takes KONG_PLUGINS from the" in refused(kube, **EXISTING)
    kong["env"] = [{"name": "KONG_PLUGINS", "value": "bundled"}]
    put_kong(kube, kong)
    passes(kube, **EXISTING)


def test_files_that_the_owner_does_not_mount_yet(kube: FakeKubernetes) -> None:
    put_kong(kube)
    passes(kube, **BY_OWNER)
    kube.put(f"{config_maps('kong')}/{FILES}", owned=True)
    said = refused(kube, **BY_OWNER)
    assert f"does not mount /opt/kong/plugins/traceable from {FILES}" in said and json.dumps(VALUES) in said
    mounting = {**container(), "volumeMounts": [{"name": "files", "mountPath": "/opt/kong/plugins/traceable"}]}
    put_kong(kube, mounting, volumes={"files": "older"})
    assert "does not mount" in refused(kube, **BY_OWNER)
    put_kong(kube, mounting, volumes={"files": FILES})
    passes(kube, **BY_OWNER)


def put_patch(kube: FakeKubernetes, owner: str = OWNER) -> None:
    """Patches the Deployment as the stack `owner` does."""
    kong = plan_gateway(**EXISTING).kong
    assert isinstance(kong, ExistingKong) and kong.patch
    live = kube.objects[PATH]
    live["spec"]["template"], note = patched(live["spec"]["template"], kong.patch)
    live["metadata"]["annotations"] = {PATCH_ANNOTATION: json.dumps({"stack": owner, "patch": note.document()})}


def test_the_own_patch_passes_and_another_stacks_does_not(kube: FakeKubernetes) -> None:
    put_kong(kube)
    put_patch(kube)
    passes(kube, **EXISTING)
    assert "pulumi destroy" in refused(kube, **BY_OWNER)
    put_kong(kube)
    put_patch(kube, "traceable-kong.prod")
    assert "is patched by the stack traceable-kong.prod" in refused(kube, **EXISTING)
    kube.objects[PATH]["metadata"]["annotations"][PATCH_ANNOTATION] = "?"
    assert "changed by another client" in refused(kube, **EXISTING)
    del kube.objects[PATH]["metadata"]["annotations"]
    found = examined(kube, **EXISTING)
    assert len(found.errors) == 2, "a volume and a mount without a record of the patch"


def test_a_managed_kong_does_not_become_an_existing_one(kube: FakeKubernetes) -> None:
    put_kong(kube)
    put_record(kube, release="quickstart", deployment="quickstart-kong")
    assert "kong.install" in refused(kube, **EXISTING)
    put_record(kube, deployment="quickstart-kong")
    passes(kube, **EXISTING)
