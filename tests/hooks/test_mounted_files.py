"""Where the owner's chart values mount the files, nothing is done until they are there."""

from typing import Any

import pytest

from tests.fakes.fake_kubernetes import FakeKubernetes
from tests.verification.gateway import expectation
from traceable_kong.hooks.injection_dry_run import HookFailed
from traceable_kong.hooks.mounted_files import refuse_unless_mounted

VALUES = {"plugins": {"configMaps": [{"name": "files-a", "pluginName": "traceable"}]}}


def expected() -> Any:
    return expectation(files={"/opt/kong/plugins/traceable": "files-a"})


def kong(held: str | None) -> dict[str, Any]:
    container: dict[str, Any] = {"name": expected().container}
    spec: dict[str, Any] = {"containers": [container]}
    if held:
        spec["volumes"] = [{"name": "v", "configMap": {"name": held}}]
        container["volumeMounts"] = [{"name": "v", "mountPath": "/opt/kong/plugins/traceable"}]
    return {"spec": {"template": {"spec": spec}}}


@pytest.mark.parametrize("held", [None, "files-of-an-older-rock"])
def test_the_values_are_said_where_the_files_are_not_there(held: str | None) -> None:
    path = f"/apis/apps/v1/namespaces/{expected().namespace}/deployments/{expected().deployment}"
    cluster = FakeKubernetes((path, kong(held)))
    with pytest.raises(HookFailed, match=r"traceable from files-a.*\"pluginName\": \"traceable\""):
        refuse_unless_mounted(cluster, expected(), VALUES)
    cluster.objects[path] = kong("files-a")
    refuse_unless_mounted(cluster, expected(), VALUES)


@pytest.mark.parametrize("value", ["bundled,foo", "off", ""])
def test_files_that_are_mounted_and_that_kong_is_not_told_to_load(value: str) -> None:
    path = f"/apis/apps/v1/namespaces/{expected().namespace}/deployments/{expected().deployment}"
    live = kong("files-a")
    (container,) = live["spec"]["template"]["spec"]["containers"]
    cluster = FakeKubernetes((path, live))
    container["env"] = [{"name": "KONG_PLUGINS", "value": value}]
    with pytest.raises(HookFailed, match=r"does not list traceable, though the files are mounted.*env\.plugins"):
        refuse_unless_mounted(cluster, expected(), VALUES)
    for told in ({"value": "bundled, traceable"}, {"valueFrom": {"configMapKeyRef": {"name": "a", "key": "b"}}}):
        container["env"] = [{"name": "KONG_PLUGINS", **told}]
        refuse_unless_mounted(cluster, expected(), VALUES)


def test_no_deployment() -> None:
    with pytest.raises(HookFailed, match="There is no Deployment"):
        refuse_unless_mounted(FakeKubernetes(), expected(), VALUES)
