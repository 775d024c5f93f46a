"""The ConfigMaps that are made of a rock's files."""

import base64

from tests.fakes.protected_gateway import desired
from traceable_kong.plugin.config_maps import chart_entries, mount_paths, plugin_config_maps
from traceable_kong.verification.file_checks import content_check


def test_text_is_data_and_everything_else_binary_data() -> None:
    (made,) = plugin_config_maps({"p": {"a.lua": "é".encode(), "b.so": b"\xff\x00"}})
    assert made.data == {"a.lua": "é"}
    assert made.binary_data == {"b.so": base64.b64encode(b"\xff\x00").decode()}


def test_the_name_changes_with_every_change_of_the_files_and_with_nothing_else() -> None:
    def name(files: dict[str, bytes]) -> str:
        return plugin_config_maps({"p": files})[0].name

    base = {"a.lua": b"1", "b.lua": b"2"}
    assert name(dict(reversed(base.items()))) == name(base)
    others = [{"a.lua": b"1"}, {"a.lua": b"1", "b.lua": b"3"}, {"a.lua": b"1", "c.lua": b"2"}, {"a.lua": b"1b.lua2"}]
    assert len({name(base), *(name(files) for files in others)}) == 5


def test_the_digest_is_that_of_the_content_that_the_config_map_holds() -> None:
    made = plugin_config_maps({"p": {"a.lua": b"1", "b.so": b"\xff", "utils/c.lua": b"2"}})
    live = {item.name: {"immutable": True, "data": item.data, "binaryData": item.binary_data} for item in made}
    expected = desired(files=mount_paths(made), file_digests={item.name: item.digest for item in made})
    assert content_check(expected, live).ok
    live[made[1].name]["data"] = {"c.lua": "3"}
    assert made[1].name in content_check(expected, live).found


def test_a_directory_below_the_plugin_is_a_config_map_of_its_own() -> None:
    made = plugin_config_maps({"traceable": {"handler.lua": b"", "utils/json.lua": b"", "utils/deep/x.lua": b""}})
    assert [item.directory for item in made] == ["", "utils", "utils/deep"]
    (entry,) = chart_entries(made)
    assert entry["pluginName"] == "traceable"
    assert entry["subdirectories"] == [
        {"name": made[1].name, "path": "utils"},
        {"name": made[2].name, "path": "utils/deep"},
    ]


def test_the_proof_looks_for_the_files_where_the_chart_mounts_them() -> None:
    top, below = plugin_config_maps({"traceable": {"handler.lua": b"", "utils/json.lua": b""}})
    assert mount_paths([top, below]) == {
        "/opt/kong/plugins/traceable": top.name,
        "/opt/kong/plugins/traceable/utils": below.name,
    }


def test_the_same_files_in_two_places_are_two_config_maps() -> None:
    made = plugin_config_maps({"p": {"h.lua": b"", "utils/a/x.lua": b"", "utils-a/x.lua": b""}, "q": {"h.lua": b""}})
    assert len({item.name for item in made}) == len(made) == 4


def test_names_fit_into_a_volume_name() -> None:
    made = plugin_config_maps({"Some_Plugin": {"handler.lua": b"", f"{'d' * 80}/x.lua": b""}})
    assert all(len(item.name) <= 63 and item.name == item.name.lower() and "_" not in item.name for item in made)
    assert len({item.name for item in made}) == 2
