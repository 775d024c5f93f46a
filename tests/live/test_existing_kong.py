"""A Kong that somebody else installed, with two plugins of its owner's: Traceable comes, changes, and goes again."""

from collections.abc import Callable, Iterator

import pytest

from tests.live.operations import new_rock, refused_preview
from tests.live.owner import Owner
from tests.live.stack import TOKEN, CommandFailed, LiveStack
from tests.live.standing import gateway_pods, plugin, plugins, record, tme_count
from tests.live.test_interrupted import killed_when

NOTHING = "--expect-no-changes"
NewStack = Callable[..., LiveStack]


@pytest.fixture
def owner(new_stack: NewStack) -> Iterator[Owner]:
    """The owner of a Kong that is not there yet, and of a stack that is to use it."""
    made = Owner(new_stack(tmeGuard="deny"))
    try:
        yield made
    finally:
        try:
            # While its Kong is there, so that it is told that the plugin goes.
            made.stack.pulumi("cancel", "--yes", made.stack.name)
            made.stack.destroy()
        finally:
            made.remove()


def ours_in(owner: Owner) -> set[str]:
    """The ConfigMaps of plugin files that the template mounts."""
    held = {item["configMap"]["name"] for item in owner.template()["spec"]["volumes"] if "configMap" in item}
    return held - {"foo", "bar"}


def test_traceable_comes_changes_and_goes_and_the_template_is_what_it_was(owner: Owner) -> None:
    stack = owner.stack
    owner.install(replicaCount=2)
    before = owner.template()
    said = stack.preview("--diff")
    assert "/opt/kong/plugins/traceable" in said and "kong-plugin-traceable-" in said
    assert owner.template() == before

    with stack.recorded() as came:
        stack.up()
    assert came.rollouts == 2, "the files, then the TME"
    assert owner.variable("KONG_PLUGINS") == "bundled,foo,bar,traceable"
    assert tme_count(stack) == len(gateway_pods(stack)) == 2
    assert record(stack)["mode"] == plugin(stack)["config"]["mode"] == "sync"
    assert ours_in(owner) == set(stack.outputs()["configMaps"])
    stack.preview(NOTHING)
    assert stack.verify().returncode == 0, stack.verify().stdout
    assert TOKEN not in stack.pulumi("stack", "export")

    for mode in ("async", "sync"):
        stack.set(mode=mode)
        with stack.recorded() as switched:
            stack.up()
        assert (switched.rollouts, plugin(stack)["config"]["mode"]) == (1, mode)
        stack.preview(NOTHING)

    new_rock(stack, "2.2.2-1")
    stack.set(pluginConfig={"max_body_size_bytes": 65536})
    stack.preview()
    with stack.recorded() as newer:
        stack.up()
    assert newer.rollouts == 1
    assert ours_in(owner) == set(stack.outputs()["configMaps"])
    assert plugin(stack)["config"]["max_body_size_bytes"] == 65536
    stack.preview(NOTHING)

    with stack.recorded() as left:
        stack.destroy()
    assert left.rollouts <= 2
    assert owner.template() == before
    assert "traceable-kong/added" not in owner.annotations()
    assert plugins(stack) == []
    names = {item["metadata"]["name"] for item in stack.objects("configmaps", "--namespace", stack.kong_namespace)}
    assert names == {"foo", "bar", "kube-root-ca.crt"}
    assert len(gateway_pods(stack)) == 2


def test_what_the_owner_changes_meanwhile_stays_and_what_they_take_away_is_put_back(owner: Owner) -> None:
    stack = owner.stack
    owner.install()
    stack.set(mode="async")
    # Whoever writes the template back all the time is named, and Kong is never told a plugin that its pods lack.
    with stack.recorded() as reverted, owner.writing_back("an-operator"), pytest.raises(CommandFailed) as refused:
        stack.up()
    said = str(refused.value)
    assert "its pod template: it does not mount /opt/kong/plugins/traceable" in said
    assert "KONG_PLUGINS does not list traceable" in said
    assert (
        "Other field managers of its pod template, newest first: 'an-operator'" in said
        and "kong.filesMountedBy owner" in said
    )
    assert [event for event in reverted.history.events if event.kind == "KongClusterPlugin"] == []
    stack.pulumi("refresh", "--yes", "--skip-preview")
    with stack.recorded():
        stack.up()

    # The owner's own work is recorded too: their upgrade leaves volumes and mounts, and pods that do not load the
    # plugin never serve, so no promise is broken by it.
    with stack.recorded() as mended:
        # Helm writes what its values say; pods without the plugin are not ready while it stands, so nobody waits.
        owner.upgrade(podAnnotations={"owners": "change"}, customEnv={"own": "1"}, env={"plugins": "bundled,foo"})
        assert owner.variable("KONG_PLUGINS") == "bundled,foo"
        stack.pulumi("refresh", "--yes", "--skip-preview")
        assert "gateway-files" in stack.preview()
        stack.up()
    assert mended.rollouts == 2, "the owner's, and ours"
    assert owner.variable("KONG_PLUGINS") == "bundled,foo,traceable"
    assert owner.variable("OWN") == "1"
    stack.preview(NOTHING)

    with stack.recorded() as left:
        owner.change_variable("KONG_PLUGINS", "bundled,foo,traceable,bar")
        stack.preview(NOTHING)
        stack.destroy()
    assert left.rollouts == 2, "the owner's, and ours"
    assert owner.variable("KONG_PLUGINS") == "bundled,foo,bar"
    assert owner.variable("OWN") == "1"
    assert owner.template()["metadata"]["annotations"]["owners"] == "change"
    assert ours_in(owner) == set()


def test_a_kong_without_plugins_of_its_own_gets_the_variable_and_loses_it_again(owner: Owner) -> None:
    stack = owner.stack
    owner.install(plugins={})
    before = owner.template()
    assert owner.variable("KONG_PLUGINS") is None
    stack.set(mode="async")
    with stack.recorded() as came:
        stack.up()
    assert came.rollouts == 1
    assert owner.variable("KONG_PLUGINS") == "bundled,traceable"
    with stack.recorded() as left:
        stack.destroy()
    assert left.rollouts == 1
    assert owner.template() == before


def test_a_list_of_plugins_from_elsewhere_is_refused_before_anything_is_touched(owner: Owner) -> None:
    stack = owner.stack
    source = {"valueFrom": {"configMapKeyRef": {"name": "foo", "key": "plugins", "optional": True}}}
    owner.install(plugins={}, env={"plugins": source})
    before = owner.template()
    with stack.recorded() as untouched:
        said = refused_preview(stack)
        assert "takes KONG_PLUGINS from another object (valueFrom)" in said and "Nothing was changed" in said
        with pytest.raises(CommandFailed, match="valueFrom"):
            stack.up()
    assert untouched.rollouts == 0
    assert owner.template() == before


def test_the_owners_own_values_mount_the_files_and_the_deployment_is_left_alone(owner: Owner) -> None:
    stack = owner.stack
    owner.install()
    stack.set(mode="async", kong={**stack.configured("kong"), "filesMountedBy": "owner"})
    before = owner.template()
    with stack.recorded() as life:
        stack.preview()
        with pytest.raises(CommandFailed, match="does not mount /opt/kong/plugins/traceable"):
            stack.up()
        assert "does not mount /opt/kong/plugins/traceable" in refused_preview(stack)
        assert owner.template() == before and plugins(stack) == []
        maps = [item["metadata"]["name"] for item in stack.objects("configmaps", "--namespace", stack.kong_namespace)]
        (ours,) = [name for name in maps if name.startswith("kong-plugin-traceable-")]
        theirs = [{"name": name, "pluginName": name} for name in ("foo", "bar")]
        mounted = {"plugins": {"configMaps": [*theirs, {"name": ours, "pluginName": "traceable"}]}}
        owner.upgrade("--wait", "--timeout", "60s", **mounted)
        after = owner.template()
        stack.up()
        assert stack.outputs()["ownersHelmValues"]["plugins"]["configMaps"][0]["name"] == ours
        assert owner.template() == after
        stack.preview(NOTHING)

        with pytest.raises(CommandFailed, match=f"still mounts {ours}") as refusal:
            stack.destroy()
        assert "Traceback" not in str(refusal.value)
        assert plugins(stack) == []
        owner.upgrade("--wait", "--timeout", "60s")
        assert owner.template() == before
        stack.destroy()
    assert life.rollouts == 2, "the owner's two upgrades, and none of ours"


def test_a_run_that_was_killed_half_way_is_taken_back_or_finished(owner: Owner) -> None:
    stack = owner.stack
    owner.install()
    before = owner.template()
    stack.set(mode="async")
    with stack.recorded():
        killed_when(stack, lambda: bool(ours_in(owner)))
        stack.destroy()
        assert owner.template() == before
        assert "traceable-kong/added" not in owner.annotations()

        killed_when(stack, lambda: bool(ours_in(owner)))
        stack.up()
        stack.preview(NOTHING)
        killed_when(stack, lambda: not ours_in(owner), "destroy")
        stack.destroy()
    assert owner.template() == before
