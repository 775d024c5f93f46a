"""Our part in a pod template, and the template without it again."""

import copy
from typing import Any

import pytest
from hypothesis import given, strategies

from tests.deployment_patch.deployment import kong_of, template, variable
from traceable_kong.deployment_patch.pod_template import (
    Conflict,
    PatchSpec,
    added,
    conflicts,
    note_of,
    removed,
    replaced,
    standing,
)

FILES = {
    "/opt/kong/plugins/traceable": "kong-plugin-traceable-0a",
    "/opt/kong/plugins/traceable/utils": "kong-utils-0b",
}
PART = PatchSpec(container="proxy", files=FILES, plugins=("traceable",))
NEWER = PatchSpec(
    container="proxy", files={"/opt/kong/plugins/traceable": "kong-plugin-traceable-1a"}, plugins=("traceable", "ai")
)


def test_what_is_added() -> None:
    before = template(("KONG_PLUGINS", "bundled,foo"), ("KONG_LUA_PACKAGE_PATH", "/own/?.lua;;"))
    after, _ = added(before, PART)
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
    assert after["spec"]["containers"][0] == before["spec"]["containers"][0], "the controller is left alone"


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
def test_the_list_of_plugins(before: str | None, after: str) -> None:
    start = template(*([("KONG_PLUGINS", before)] if before is not None else []))
    made, note = added(start, PART)
    assert variable(made, "KONG_PLUGINS") == after
    back = removed(made, note)
    assert variable(back, "KONG_PLUGINS") == (before or None)
    assert back == start or before == ""


@pytest.mark.parametrize(
    ("before", "after"), [(None, "/opt/?.lua;;"), ("/opt/?.lua;;", "/opt/?.lua;;"), (";;", "/opt/?.lua;;;")]
)
def test_the_path_of_the_files(before: str | None, after: str) -> None:
    start = template(*([("KONG_LUA_PACKAGE_PATH", before)] if before is not None else []))
    made, note = added(start, PART)
    assert variable(made, "KONG_LUA_PACKAGE_PATH") == after
    assert removed(made, note) == start


def test_what_the_owner_changed_since_stays() -> None:
    made, note = added(template(("KONG_PLUGINS", "bundled,foo")), PART)
    kong = kong_of(made)
    kong["env"][0]["value"] = "bundled,traceable,bar"
    kong["env"].append({"name": "OWN", "value": "1"})
    made["spec"]["volumes"].append({"name": "own", "emptyDir": {}})
    kong["volumeMounts"].append({"name": "own", "mountPath": "/own"})
    back = removed(made, note)
    assert variable(back, "KONG_PLUGINS") == "bundled,bar"
    assert variable(back, "OWN") == "1"
    assert back["spec"]["volumes"] == [{"name": "own", "emptyDir": {}}]
    assert kong_of(back)["volumeMounts"] == [{"name": "own", "mountPath": "/own"}]


def test_what_is_not_as_we_left_it_is_not_ours() -> None:
    made, note = added(template(), PART)
    made["spec"]["volumes"][0]["configMap"]["name"] = "theirs"
    kong_of(made)["env"] = [{"name": "KONG_PLUGINS", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]
    back = removed(made, note)
    assert [item["configMap"]["name"] for item in back["spec"]["volumes"]] == ["theirs"]
    assert kong_of(back)["env"] == kong_of(made)["env"]


def test_another_part_takes_the_place_of_the_first() -> None:
    start = template(("KONG_PLUGINS", "bundled,foo"))
    first, note = added(start, PART)
    second, newer = replaced(first, note, NEWER)
    assert second == added(start, NEWER)[0]
    assert removed(second, newer) == start
    assert replaced(second, newer, NEWER) == (second, newer), "nothing to do"
    assert newer.part == NEWER


def test_a_note_survives_its_document() -> None:
    _, note = added(template(("KONG_PLUGINS", "bundled")), PART)
    assert note_of(copy.deepcopy(note.document())) == note


def test_what_stands() -> None:
    made, _ = added(template(), PART)
    assert standing(made, PART) == PART
    assert standing(template(), PART) == PatchSpec(container="proxy", files={}, plugins=())
    kong_of(made)["env"] = [{"name": "KONG_PLUGINS", "value": "bundled,foo"}]
    found = standing(made, PART)
    assert found is not None and (found.files, found.plugins) == (FILES, ())
    kong_of(made)["env"] = [{"name": "KONG_PLUGINS", "value": "traceable"}]
    found = standing(made, PART)
    assert found is not None and found.plugins == (), "no path leads to it"
    assert standing(made, PatchSpec(container="gone", files=FILES, plugins=())) is None


def wrong(document: dict[str, Any], part: PatchSpec = PART) -> str:
    (found,) = conflicts(document, part)
    with pytest.raises(Conflict):
        added(document, part)
    return found.wrong


def test_what_cannot_be_had() -> None:
    assert "no container nginx (it has controller, proxy)" in wrong(
        template(), PatchSpec(container="nginx", files=FILES, plugins=())
    )
    from_elsewhere = template()
    kong_of(from_elsewhere)["env"] = [
        {"name": "KONG_PLUGINS", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}}
    ]
    assert "KONG_PLUGINS from elsewhere" in wrong(from_elsewhere)
    assert "volume kong-plugin-traceable already" in wrong(
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
def test_a_mount_where_the_files_go(path: str, source: dict[str, Any], refused: bool) -> None:
    start = template(volumes=[{"name": "own", **source}])
    kong_of(start)["volumeMounts"] = [{"name": "own", "mountPath": path}]
    only = PatchSpec(container="proxy", files={"/opt/kong/plugins/traceable": "a"}, plugins=("traceable",))
    assert [item.wrong for item in conflicts(start, only)] == (
        [f"mounts something else at {path.rstrip('/')} (volume own), where the plugin's files have to be"]
        if refused
        else []
    )


@pytest.mark.parametrize("path", ["/etc/kong", "/etc/kong/", "/etc/kong.conf", "/etc/kong/kong.conf", "/etc"])
def test_a_list_in_a_file_is_not_hidden(path: str) -> None:
    def kong(*env: tuple[str, str]) -> dict[str, Any]:
        made = template(*env, volumes=[{"name": "own", "configMap": {"name": "own"}}])
        kong_of(made)["volumeMounts"] = [{"name": "own", "mountPath": path}]
        return made

    both = [item.wrong for item in conflicts(kong(), PART)]
    assert [word for text in both for word in text.split() if word.startswith("KONG_")] == [
        "KONG_PLUGINS:",
        "KONG_LUA_PACKAGE_PATH:",
    ]
    assert "has no KONG_LUA_PACKAGE_PATH" in wrong(kong(("KONG_PLUGINS", "bundled")))
    assert list(conflicts(kong(("KONG_PLUGINS", "bundled"), ("KONG_LUA_PACKAGE_PATH", ";;")), PART)) == []
    other = kong()
    kong_of(other)["volumeMounts"][0]["mountPath"] = "/etc/kong-certificates"
    assert list(conflicts(other, PART)) == []


WORDS = strategies.lists(strategies.sampled_from(["bundled", "foo", " bar", "traceable", "off", "a b"]), max_size=5)
PATHS = strategies.lists(strategies.sampled_from(["/opt/?.lua", "./?.lua", "", " /own/?.lua"]), max_size=4)


@given(data=strategies.data())
def test_whatever_was_there_is_there_again(data: strategies.DataObject) -> None:
    start = template(volumes=[{"name": "own", "emptyDir": {}}]) if data.draw(strategies.booleans()) else template()
    env = []
    for name, separator, words in (("KONG_PLUGINS", ",", WORDS), ("KONG_LUA_PACKAGE_PATH", ";", PATHS)):
        drawn = data.draw(strategies.none() | words.map(separator.join))
        if drawn is not None:
            # As the API server writes it.
            env.append({"name": name, "value": drawn} if drawn else {"name": name})
    if data.draw(strategies.booleans()):
        env.insert(data.draw(strategies.integers(0, len(env))), {"name": "OWN", "value": "1"})
    if env:
        kong_of(start)["env"] = env
    untouched = copy.deepcopy(start)
    made, note = added(start, PART)
    assert start == untouched
    assert "traceable" in [word.strip() for word in variable(made, "KONG_PLUGINS").split(",")]
    assert "/opt/?.lua" in [word.strip() for word in variable(made, "KONG_LUA_PACKAGE_PATH").split(";")]
    newer, second = replaced(made, note, NEWER)
    assert removed(made, note) == removed(newer, second) == untouched
