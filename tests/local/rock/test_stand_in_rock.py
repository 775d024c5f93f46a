"""The stand-in rock has the layout of the real one."""

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from local import rock


def test_the_rock_has_the_real_layout_and_is_reproducible(tmp_path: Path) -> None:
    path = rock.make(tmp_path / "a")
    assert path.name == "kong-plugin-traceable-2.1.2-1.src.rock"
    assert path.read_bytes() == rock.make(tmp_path / "b").read_bytes()
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["kong-plugin-traceable-2.1.2-1.rockspec", "kong-plugin-traceable-2.1.2.tar.gz"]
        with tarfile.open(fileobj=io.BytesIO(archive.read("kong-plugin-traceable-2.1.2.tar.gz"))) as sources:
            assert sources.getnames() == [
                "kong-plugin-traceable-2.1.2/kong/plugins/traceable/handler.lua",
                "kong-plugin-traceable-2.1.2/kong/plugins/traceable/schema.lua",
            ]


@pytest.mark.parametrize(
    ("version", "options", "plugins"),
    [("2.0.9-1", 4, 1), ("2.1.2-1", 6, 1), ("2.2.2-1", 7, 1), ("2.3.0-1", 7, 2), ("2.4.0-1", 8, 2)],
)
def test_a_version_has_only_its_own_options_and_plugins(version: str, options: int, plugins: int) -> None:
    made = rock.plugins(version)
    assert len(made) == plugins
    assert made["traceable"]["schema.lua"].count("\n      { ") == options
