"""Where the owner of an existing Kong mounts the files, nothing changes until they are mounted."""

from typing import Any

import pytest

from tests.fakes.fake_kubernetes import FakeKubernetes
from tests.verification.gateway import desired
from traceable_kong.hooks.hook_failed import HookFailed
from traceable_kong.hooks.mounted_files import require_files_mounted

VALUES = {"plugins": {"configMaps": [{"name": "files-a", "pluginName": "traceable"}]}}


def expected() -> Any:
    return desired(files={"/opt/kong/plugins/traceable": "files-a"})


def kong(held: str | None) -> dict[str, Any]:
    container: dict[str, Any] = {"name": expected().deployment.container}
    spec: dict[str, Any] = {"containers": [container]}
    if held:
        spec["volumes"] = [{"name": "v", "configMap": {"name": held}}]
        container["volumeMounts"] = [{"name": "v", "mountPath": "/opt/kong/plugins/traceable"}]
    return {"spec": {"template": {"spec": spec}}}


@pytest.mark.parametrize("held", [None, "files-of-an-older-rock"])
def test_the_message_has_the_values_that_mount_the_files(held: str | None) -> None:
    path = expected().deployment.path
    cluster = FakeKubernetes((path, kong(held)))
    with pytest.raises(HookFailed, match=r"traceable from files-a.*\"pluginName\": \"traceable\""):
        require_files_mounted(cluster, expected(), VALUES)
    cluster.objects[path] = kong("files-a")
    require_files_mounted(cluster, expected(), VALUES)


@pytest.mark.parametrize("value", ["bundled,foo", "off", ""])
def test_files_that_are_mounted_but_not_listed(value: str) -> None:
    path = expected().deployment.path
    live = kong("files-a")
    (container,) = live["spec"]["template"]["spec"]["containers"]
    cluster = FakeKubernetes((path, live))
    container["env"] = [{"name": "KONG_PLUGINS", "value": value}]
    with pytest.raises(
        HookFailed, match=r"mounts the plugin's files, but KONG_PLUGINS does not list traceable.*env\.plugins"
    ):
        require_files_mounted(cluster, expected(), VALUES)
    for told in ({"value": "bundled, traceable"}, {"valueFrom": {"configMapKeyRef": {"name": "a", "key": "b"}}}):
        container["env"] = [{"name": "KONG_PLUGINS", **told}]
        require_files_mounted(cluster, expected(), VALUES)


def test_no_deployment() -> None:
    with pytest.raises(HookFailed, match="does not exist"):
        require_files_mounted(FakeKubernetes(), expected(), VALUES)
