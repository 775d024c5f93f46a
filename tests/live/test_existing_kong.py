"""Traceable on an existing Kong with two plugins of its owner: install, change, remove."""

from collections.abc import Iterator

import pytest

from tests.live.cluster_state import config_maps, gateway_pods, plugin, plugins, record, tme_count
from tests.live.commands import CommandFailed
from tests.live.interruption import kill_when
from tests.live.kong_owner import KongOwner
from tests.live.operations import new_rock
from tests.live.stack import NO_CHANGES, NO_DRIFT, TOKEN, UNCHANGED, NewStack


@pytest.fixture
def owner(new_stack: NewStack) -> Iterator[KongOwner]:
    """The owner of a Kong that does not exist yet, with a stack."""
    created = KongOwner(new_stack(tmeGuard="deny"))
    try:
        yield created
    finally:
        created.remove()


def test_after_install_changes_and_destroy_the_pod_template_is_as_before(owner: KongOwner) -> None:
    stack = owner.stack
    owner.install(replicaCount=2)
    before = owner.template()
    output = stack.preview("--diff")
    assert "/opt/kong/plugins/traceable" in output and "kong-plugin-traceable-" in output
    assert owner.template() == before

    with stack.recorded() as installed:
        stack.up()
    assert installed.rollouts == 2, "the files, then the TME"
    assert owner.variable("KONG_PLUGINS") == "bundled,foo,bar,traceable"
    assert tme_count(stack) == len(gateway_pods(stack)) == 2
    assert record(stack)["mode"] == plugin(stack)["config"]["mode"] == "sync"
    assert owner.mounted_files() == set(stack.outputs()["configMaps"])
    stack.preview(*NO_DRIFT)
    assert stack.verify().returncode == 0, stack.verify().stdout
    assert TOKEN not in stack.pulumi("stack", "export")

    for mode in ("async", "sync"):
        stack.set(mode=mode)
        with stack.recorded() as switched:
            stack.up()
        assert (switched.rollouts, plugin(stack)["config"]["mode"]) == (1, mode)
        stack.preview(*NO_DRIFT)

    new_rock(stack, "2.2.2-1")
    stack.set(pluginConfig={"max_body_size_bytes": 65536})
    stack.preview()
    with stack.recorded() as newer:
        stack.up()
    assert newer.rollouts == 1
    assert owner.mounted_files() == set(stack.outputs()["configMaps"])
    assert plugin(stack)["config"]["max_body_size_bytes"] == 65536
    stack.preview(*NO_DRIFT)

    with stack.recorded() as destroyed:
        stack.destroy()
    assert destroyed.rollouts <= 2
    assert owner.template() == before
    assert "traceable-kong/added" not in owner.annotations()
    assert plugins(stack) == []
    assert config_maps(stack) == {"foo", "bar", "kube-root-ca.crt"}
    assert len(gateway_pods(stack)) == 2


def test_the_owners_changes_stay_and_removed_entries_of_the_stack_are_restored(owner: KongOwner) -> None:
    stack = owner.stack
    owner.install()
    stack.set(mode="async")
    # The error names the manager that reverts the template, and the plugin is never created while pods lack its files.
    with stack.recorded() as reverted, owner.reverting_changes("an-operator"), pytest.raises(CommandFailed) as refused:
        stack.up()
    output = str(refused.value)
    assert "its pod template: it does not mount /opt/kong/plugins/traceable" in output
    assert "KONG_PLUGINS does not list traceable" in output
    assert (
        "Other field managers of its pod template, newest first: 'an-operator'" in output
        and "kong.filesMountedBy owner" in output
    )
    assert [event for event in reverted.history.events if event.kind == "KongClusterPlugin"] == []
    stack.refresh()
    with stack.recorded():
        stack.up()

    # The recording includes the owner's upgrade. It keeps volumes and mounts, and pods that do not load the plugin
    # never serve, so it breaks no promise.
    with stack.recorded() as repaired:
        # Without --wait: pods without the plugin are not ready while the KongClusterPlugin exists.
        owner.upgrade(podAnnotations={"owners": "change"}, customEnv={"own": "1"}, env={"plugins": "bundled,foo"})
        assert owner.variable("KONG_PLUGINS") == "bundled,foo"
        stack.refresh()
        assert "traceable-gateway-files" in stack.preview()
        stack.up()
    assert repaired.rollouts == 2, "the owner's, and that of the stack"
    assert owner.variable("KONG_PLUGINS") == "bundled,foo,traceable"
    assert owner.variable("OWN") == "1"
    stack.preview(NO_CHANGES)

    with stack.recorded() as destroyed:
        owner.set_variable("KONG_PLUGINS", "bundled,foo,traceable,bar")
        stack.preview(NO_CHANGES)
        stack.destroy()
    assert destroyed.rollouts == 2, "the owner's, and that of the stack"
    assert owner.variable("KONG_PLUGINS") == "bundled,foo,bar"
    assert owner.variable("OWN") == "1"
    assert owner.template()["metadata"]["annotations"]["owners"] == "change"
    assert owner.mounted_files() == set()


def test_a_kong_without_custom_plugins_gets_the_variable_kong_plugins_until_destroy(owner: KongOwner) -> None:
    stack = owner.stack
    owner.install(plugins={})
    before = owner.template()
    assert owner.variable("KONG_PLUGINS") is None
    stack.set(mode="async")
    with stack.recorded() as installed:
        stack.up()
    assert installed.rollouts == 1
    assert owner.variable("KONG_PLUGINS") == "bundled,traceable"
    with stack.recorded() as destroyed:
        stack.destroy()
    assert destroyed.rollouts == 1
    assert owner.template() == before


def test_a_list_of_plugins_from_a_config_map_is_refused_before_any_change(owner: KongOwner) -> None:
    stack = owner.stack
    source = {"valueFrom": {"configMapKeyRef": {"name": "foo", "key": "plugins", "optional": True}}}
    owner.install(plugins={}, env={"plugins": source})
    before = owner.template()
    with stack.recorded() as unchanged:
        output = stack.failed_preview()
        assert "takes KONG_PLUGINS from another object (valueFrom)" in output and UNCHANGED in output
        with pytest.raises(CommandFailed, match="valueFrom"):
            stack.up()
    assert unchanged.rollouts == 0
    assert owner.template() == before


def test_where_the_owners_values_mount_the_files_the_stack_does_not_change_the_deployment(owner: KongOwner) -> None:
    stack = owner.stack
    owner.install()
    stack.set(mode="async")
    stack.update("kong", filesMountedBy="owner")
    before = owner.template()
    with stack.recorded() as recording:
        stack.preview()
        with pytest.raises(CommandFailed, match="does not mount /opt/kong/plugins/traceable"):
            stack.up()
        assert "does not mount /opt/kong/plugins/traceable" in stack.failed_preview()
        assert owner.template() == before and plugins(stack) == []
        (files,) = [name for name in config_maps(stack) if name.startswith("kong-plugin-traceable-")]
        entries = [{"name": name, "pluginName": name} for name in ("foo", "bar")]
        entries.append({"name": files, "pluginName": "traceable"})
        owner.upgrade("--wait", "--timeout", "60s", plugins={"configMaps": entries})
        after = owner.template()
        stack.up()
        assert stack.outputs()["ownersHelmValues"]["plugins"]["configMaps"][0]["name"] == files
        assert owner.template() == after
        stack.preview(NO_CHANGES)

        with pytest.raises(CommandFailed, match=f"still mounts {files}") as refusal:
            stack.destroy()
        assert "Traceback" not in str(refusal.value)
        assert plugins(stack) == []
        owner.upgrade("--wait", "--timeout", "60s")
        assert owner.template() == before
        stack.destroy()
    assert recording.rollouts == 2, "the owner's two upgrades"


@pytest.mark.cold
def test_an_interrupted_update_is_reverted_by_destroy_or_completed_by_the_next(owner: KongOwner) -> None:
    stack = owner.stack
    owner.install()
    before = owner.template()
    stack.set(mode="async")
    with stack.recorded():
        kill_when(stack, lambda: bool(owner.mounted_files()))
        stack.destroy()
        assert owner.template() == before
        assert "traceable-kong/added" not in owner.annotations()

        kill_when(stack, lambda: bool(owner.mounted_files()))
        stack.up()
        stack.preview(NO_CHANGES)
        kill_when(stack, lambda: not owner.mounted_files(), "destroy")
        stack.destroy()
    assert owner.template() == before
