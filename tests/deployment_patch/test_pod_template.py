"""A pod template with this stack's entries, and without them again."""

import copy
from typing import Any

import pytest
from hypothesis import given, strategies

from tests.deployment_patch.deployment import kong_of, template, variable
from traceable_kong.deployment_patch.pod_template import (
    Conflict,
    PatchSpec,
    applied_patch_of,
    conflicts,
    current,
    patched,
    repatched,
    unpatched,
)

FILES = {
    "/opt/kong/plugins/traceable": "kong-plugin-traceable-0a",
    "/opt/kong/plugins/traceable/utils": "kong-utils-0b",
}
SPEC = PatchSpec(container="proxy", files=FILES, plugins=("traceable",))
NEWER = PatchSpec(
    container="proxy", files={"/opt/kong/plugins/traceable": "kong-plugin-traceable-1a"}, plugins=("traceable", "ai")
)


def test_volumes_mounts_and_variables_are_added_to_kongs_container() -> None:
    before = template(("KONG_PLUGINS", "bundled,foo"), ("KONG_LUA_PACKAGE_PATH", "/own/?.lua;;"))
    after, _ = patched(before, SPEC)
    assert kong_of(after)["volumeMounts"] == [
        {"name": "kong-plugin-traceable", "mountPath": "/opt/kong/plugins/traceable", "readOnly": True},
        {"name": "kong-utils-0b", "mountPath": "/opt/kong/plugins/traceable/utils", "readOnly": True},
    ]
    assert after["spec"]["volumes"] == [
        {"name": "kong-plugin-traceable", "configMap": {"name": "kong-plugin-traceable-0a"}},
        {"name": "kong-utils-0b", "configMap": {"name": "kong-utils-0b"}},
    ]
    assert variable(after, "KONG_PLUGINS") == "bundled,foo,traceable"
    assert variable(after, "KONG_LUA_PACKAGE_PATH") == "/opt/?.lua;/own/?.lua;;"
    assert after["spec"]["containers"][0] == before["spec"]["containers"][0], "the controller is not changed"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, "bundled,traceable"),
        ("bundled", "bundled,traceable"),
        ("foo, bar", "foo, bar,traceable"),
        ("off", "traceable"),
        ("", "bundled,traceable"),
        ("bundled,traceable,foo", "bundled,traceable,foo"),
    ],
)
def test_kong_plugins_gets_the_missing_plugins(before: str | None, after: str) -> None:
    start = template(*([("KONG_PLUGINS", before)] if before is not None else []))
    made, applied = patched(start, SPEC)
    assert variable(made, "KONG_PLUGINS") == after
    reverted = unpatched(made, applied)
    assert variable(reverted, "KONG_PLUGINS") == (before or None)
    assert reverted == start or before == ""


@pytest.mark.parametrize(
    ("before", "after"), [(None, "/opt/?.lua;;"), ("/opt/?.lua;;", "/opt/?.lua;;"), (";;", "/opt/?.lua;;;")]
)
def test_kong_lua_package_path_gets_the_path_of_the_files(before: str | None, after: str) -> None:
    start = template(*([("KONG_LUA_PACKAGE_PATH", before)] if before is not None else []))
    made, applied = patched(start, SPEC)
    assert variable(made, "KONG_LUA_PACKAGE_PATH") == after
    assert unpatched(made, applied) == start


def test_later_changes_of_the_owner_stay() -> None:
    made, applied = patched(template(("KONG_PLUGINS", "bundled,foo")), SPEC)
    kong = kong_of(made)
    kong["env"][0]["value"] = "bundled,traceable,bar"
    kong["env"].append({"name": "OWN", "value": "1"})
    made["spec"]["volumes"].append({"name": "own", "emptyDir": {}})
    kong["volumeMounts"].append({"name": "own", "mountPath": "/own"})
    reverted = unpatched(made, applied)
    assert variable(reverted, "KONG_PLUGINS") == "bundled,bar"
    assert variable(reverted, "OWN") == "1"
    assert reverted["spec"]["volumes"] == [{"name": "own", "emptyDir": {}}]
    assert kong_of(reverted)["volumeMounts"] == [{"name": "own", "mountPath": "/own"}]


def test_an_entry_that_was_changed_by_its_owner_is_not_removed() -> None:
    made, applied = patched(template(), SPEC)
    made["spec"]["volumes"][0]["configMap"]["name"] = "other"
    kong_of(made)["env"] = [{"name": "KONG_PLUGINS", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]
    reverted = unpatched(made, applied)
    assert [item["configMap"]["name"] for item in reverted["spec"]["volumes"]] == ["other"]
    assert kong_of(reverted)["env"] == kong_of(made)["env"]


def test_a_newer_patch_replaces_the_applied_one() -> None:
    start = template(("KONG_PLUGINS", "bundled,foo"))
    first, applied = patched(start, SPEC)
    second, newer = repatched(first, applied, NEWER)
    assert second == patched(start, NEWER)[0]
    assert unpatched(second, newer) == start
    assert repatched(second, newer, NEWER) == (second, newer), "nothing to do"
    assert newer.spec == NEWER


def test_an_applied_patch_is_read_back_from_its_document() -> None:
    _, applied = patched(template(("KONG_PLUGINS", "bundled")), SPEC)
    assert applied_patch_of(copy.deepcopy(applied.document())) == applied


def test_the_current_state_is_what_the_template_has_of_a_patch() -> None:
    made, _ = patched(template(), SPEC)
    assert current(made, SPEC) == SPEC
    assert current(template(), SPEC) == PatchSpec(container="proxy", files={}, plugins=())
    kong_of(made)["env"] = [{"name": "KONG_PLUGINS", "value": "bundled,foo"}]
    found = current(made, SPEC)
    assert found is not None and (found.files, found.plugins) == (FILES, ())
    kong_of(made)["env"] = [{"name": "KONG_PLUGINS", "value": "traceable"}]
    found = current(made, SPEC)
    assert found is not None and found.plugins == (), "Kong does not find the files without the path"
    assert current(made, PatchSpec(container="gone", files=FILES, plugins=())) is None


def problem(document: dict[str, Any], spec: PatchSpec = SPEC) -> str:
    (found,) = conflicts(document, spec)
    with pytest.raises(Conflict):
        patched(document, spec)
    return found.problem


def test_a_missing_container_a_reference_and_a_volume_of_the_same_name_are_conflicts() -> None:
    assert "no container nginx (it has controller, proxy)" in problem(
        template(), PatchSpec(container="nginx", files=FILES, plugins=())
    )
    reference = template()
    kong_of(reference)["env"] = [{"name": "KONG_PLUGINS", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}}]
    assert "KONG_PLUGINS from another object" in problem(reference)
    assert "volume kong-plugin-traceable that is not managed" in problem(
        template(volumes=[{"name": "kong-plugin-traceable", "emptyDir": {}}])
    )


@pytest.mark.parametrize(
    ("path", "source", "refused"),
    [
        ("/opt/kong/plugins/traceable", {"emptyDir": {}}, True),
        ("/opt/kong/plugins/traceable/", {"emptyDir": {}}, True),
        ("/opt/kong/plugins/traceable/own", {"emptyDir": {}}, True),
        ("/opt/kong/plugins", {"configMap": {"name": "own"}}, True),
        ("/opt/kong/plugins", {"emptyDir": {}}, False),
        ("/opt/kong/plugins/traceable-own", {"configMap": {"name": "own"}}, False),
    ],
)
def test_a_mount_in_the_way_of_the_files_is_a_conflict(path: str, source: dict[str, Any], refused: bool) -> None:
    start = template(volumes=[{"name": "own", **source}])
    kong_of(start)["volumeMounts"] = [{"name": "own", "mountPath": path}]
    only = PatchSpec(container="proxy", files={"/opt/kong/plugins/traceable": "a"}, plugins=("traceable",))
    assert [item.problem for item in conflicts(start, only)] == (
        [f"mounts the volume own at {path.rstrip('/')}, where the plugin's files must be"] if refused else []
    )


def test_a_mount_that_is_read_only_around_the_files_is_a_conflict() -> None:
    """Also of a volume that could be written: the container runtime cannot create their folder in it."""
    start = template(volumes=[{"name": "own", "emptyDir": {}}])
    kong_of(start)["volumeMounts"] = [{"name": "own", "mountPath": "/opt/kong", "readOnly": True}]
    only = PatchSpec(container="proxy", files={"/opt/kong/plugins/traceable": "a"}, plugins=("traceable",))
    (conflict,) = conflicts(start, only)
    assert conflict.problem == "mounts the volume own at /opt/kong, where the plugin's files must be"


@pytest.mark.parametrize("path", ["/etc/kong", "/etc/kong/", "/etc/kong.conf", "/etc/kong/kong.conf", "/etc"])
def test_a_variable_does_not_replace_a_list_in_kongs_configuration_file(path: str) -> None:
    def kong(*env: tuple[str, str]) -> dict[str, Any]:
        made = template(*env, volumes=[{"name": "own", "configMap": {"name": "own"}}])
        kong_of(made)["volumeMounts"] = [{"name": "own", "mountPath": path}]
        return made

    both = [item.problem for item in conflicts(kong(), SPEC)]
    assert [word for text in both for word in text.split() if word.startswith("KONG_")] == [
        "KONG_PLUGINS:",
        "KONG_LUA_PACKAGE_PATH:",
    ]
    assert "does not set KONG_LUA_PACKAGE_PATH" in problem(kong(("KONG_PLUGINS", "bundled")))
    assert list(conflicts(kong(("KONG_PLUGINS", "bundled"), ("KONG_LUA_PACKAGE_PATH", ";;")), SPEC)) == []
    other = kong()
    kong_of(other)["volumeMounts"][0]["mountPath"] = "/etc/kong-certificates"
    assert list(conflicts(other, SPEC)) == []


PLUGINS = strategies.lists(strategies.sampled_from(["bundled", "foo", " bar", "traceable", "off", "a b"]), max_size=5)
PATHS = strategies.lists(strategies.sampled_from(["/opt/?.lua", "./?.lua", "", " /own/?.lua"]), max_size=4)


@given(data=strategies.data())
def test_reverting_restores_any_template(data: strategies.DataObject) -> None:
    start = template(volumes=[{"name": "own", "emptyDir": {}}]) if data.draw(strategies.booleans()) else template()
    env = []
    for name, separator, entries in (("KONG_PLUGINS", ",", PLUGINS), ("KONG_LUA_PACKAGE_PATH", ";", PATHS)):
        drawn = data.draw(strategies.none() | entries.map(separator.join))
        if drawn is not None:
            # As the API server stores it.
            env.append({"name": name, "value": drawn} if drawn else {"name": name})
    if data.draw(strategies.booleans()):
        env.insert(data.draw(strategies.integers(0, len(env))), {"name": "OWN", "value": "1"})
    if env:
        kong_of(start)["env"] = env
    untouched = copy.deepcopy(start)
    made, applied = patched(start, SPEC)
    assert start == untouched
    assert "traceable" in [entry.strip() for entry in variable(made, "KONG_PLUGINS").split(",")]
    assert "/opt/?.lua" in [entry.strip() for entry in variable(made, "KONG_LUA_PACKAGE_PATH").split(";")]
    newer, second = repatched(made, applied, NEWER)
    assert unpatched(made, applied) == unpatched(newer, second) == untouched
