"""Where the owner of an existing Kong mounts the files, nothing changes until they are mounted."""

from typing import Any

import pytest

from tests.fakes import plans
from tests.fakes.fake_kubernetes import FakeKubernetes
from traceable_kong.hooks.hook_failed import HookFailed
from traceable_kong.hooks.mounted_files import require_files_mounted_by_owner

GATEWAY = plans.gateway(
    kong={"install": False, "namespace": "gw", "deployment": "edge-kong", "filesMountedBy": "owner"}
)
PATH = GATEWAY.kong.deployment.path
((MOUNT_PATH, CONFIG_MAP),) = GATEWAY.files.items()


def kong(held: str | None) -> dict[str, Any]:
    container: dict[str, Any] = {"name": GATEWAY.kong.deployment.container}
    spec: dict[str, Any] = {"containers": [container]}
    if held:
        spec["volumes"] = [{"name": "v", "configMap": {"name": held}}]
        container["volumeMounts"] = [{"name": "v", "mountPath": MOUNT_PATH}]
    return {"spec": {"template": {"spec": spec}}}


@pytest.mark.parametrize("held", [None, "files-of-an-older-rock"])
def test_the_message_has_the_values_that_mount_the_files(held: str | None) -> None:
    cluster = FakeKubernetes((PATH, kong(held)))
    with pytest.raises(HookFailed, match=f'traceable from {CONFIG_MAP}.*"pluginName": "traceable"'):
        require_files_mounted_by_owner(cluster, GATEWAY)
    cluster.objects[PATH] = kong(CONFIG_MAP)
    require_files_mounted_by_owner(cluster, GATEWAY)


@pytest.mark.parametrize("value", ["bundled,foo", "off", ""])
def test_files_that_are_mounted_but_not_listed(value: str) -> None:
    live = kong(CONFIG_MAP)
    (container,) = live["spec"]["template"]["spec"]["containers"]
    cluster = FakeKubernetes((PATH, live))
    container["env"] = [{"name": "KONG_PLUGINS", "value": value}]
    with pytest.raises(
        HookFailed, match=r"mounts the plugin's files, but KONG_PLUGINS does not list traceable.*env\.plugins"
    ):
        require_files_mounted_by_owner(cluster, GATEWAY)
    for listed in ({"value": "bundled, traceable"}, {"valueFrom": {"configMapKeyRef": {"name": "a", "key": "b"}}}):
        container["env"] = [{"name": "KONG_PLUGINS", **listed}]
        require_files_mounted_by_owner(cluster, GATEWAY)


def test_no_deployment() -> None:
    with pytest.raises(HookFailed, match="does not exist"):
        require_files_mounted_by_owner(FakeKubernetes(), GATEWAY)


def test_files_that_this_stack_mounts_are_not_checked() -> None:
    require_files_mounted_by_owner(FakeKubernetes(), plans.gateway())
