"""Module names in local/ are unique, so that a search for a name finds one file."""

from collections import Counter

from local import paths


def test_module_names_are_unique() -> None:
    names = Counter(path.stem for path in (paths.CLONE / "local").rglob("*.py"))
    assert {name for name, count in names.items() if count > 1} == {"__init__", "__main__"}
