"""Which tags can be released, and the text of their release."""

import tomllib
from pathlib import Path

import pytest
import yaml

from scripts.release_notes import NotReleasable, notes
from tests.scripts.recorded import CLONE

CHANGELOG = """# Changelog

## Unreleased

- Not yet.

## 1.2.0 - 2026-11-01

### Added

- This.

## [1.1.0]

- That.

## 1.0.0
"""


def folder(path: Path, version: str) -> Path:
    (path / "pyproject.toml").write_text(f'[project]\nversion = "{version}"\n')
    (path / "CHANGELOG.md").write_text(CHANGELOG)
    return path


@pytest.mark.parametrize(("version", "text"), [("1.2.0", "### Added\n\n- This.\n"), ("1.1.0", "- That.\n")])
def test_the_notes_are_the_section_of_the_version(tmp_path: Path, version: str, text: str) -> None:
    assert notes(f"v{version}", folder(tmp_path, version)) == text


@pytest.mark.parametrize(
    ("tag", "version", "said"),
    [
        ("v1.2.1", "1.2.0", "The tag is 'v1.2.1', but the version in pyproject.toml is 1.2.0"),
        ("1.2.0", "1.2.0", "Tag v1.2.0"),
        ("v1.3.0", "1.3.0", "nothing below a heading `## 1.3.0 - DATE`"),
        ("v1.0.0", "1.0.0", "nothing below a heading"),
        ("v1.2", "1.2", "nothing below a heading"),
        ("v1x2.0", "1x2.0", "nothing below a heading"),
    ],
)
def test_what_does_not_agree_is_not_released(tmp_path: Path, tag: str, version: str, said: str) -> None:
    with pytest.raises(NotReleasable) as refused:
        notes(tag, folder(tmp_path, version))
    assert said in str(refused.value) and "Nothing was released" in str(refused.value)


def test_the_metadata_of_the_project_are_complete() -> None:
    project = tomllib.loads((CLONE / "pyproject.toml").read_text())["project"]
    assert all((CLONE / name).exists() for name in (project["readme"], *project["license-files"]))
    assert (CLONE / "Pulumi.yaml").read_text().startswith(f"name: {project['name']}\n")
    assert f"description: {project['description']}\n" in (CLONE / "Pulumi.yaml").read_text()


def test_the_policy_pack_has_the_version_of_the_project() -> None:
    pack = yaml.safe_load((CLONE / "policy" / "PulumiPolicy.yaml").read_text())
    assert pack["version"] == tomllib.loads((CLONE / "pyproject.toml").read_text())["project"]["version"]
