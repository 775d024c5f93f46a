"""The progress of a build: what is compiled, and the estimate of what is left."""

from local.toolchain.build_progress import BuildProgress, Package


def package(path: str, size: int, *, version: str = "v1") -> Package:
    return Package(path=path, folder=f"/modules/{path}@{version}", size=size)


def test_there_is_no_estimate_at_the_start() -> None:
    progress = BuildProgress({"one": [package("a", 100), package("b", 300)]})
    assert progress.text(60) == "0 of 2 packages compiled"
    progress.compiled("one", ["a"])
    assert progress.text(10) == "1 of 2 packages compiled"


def test_what_is_left_is_estimated_from_the_size_of_the_source() -> None:
    progress = BuildProgress({"one": [package("a", 100), package("b", 300)]})
    progress.compiled("one", ["a", "# a", "no package"])
    assert progress.text(60) == "1 of 2 packages compiled, about 3 min left"


def test_the_time_of_earlier_module_sets_counts() -> None:
    progress = BuildProgress({"one": [package("a", 100)], "two": [package("b", 100), package("c", 200)]})
    progress.finished("one", 90)
    progress.compiled("two", ["b"])
    assert progress.text(30) == "2 of 3 packages compiled, about 2 min left"
    progress.finished("two", 60)
    assert progress.text(0) == "3 of 3 packages compiled, less than a minute left"


def test_a_package_of_two_module_sets_is_compiled_once_for_each_version() -> None:
    same = BuildProgress({"one": [package("a", 100)], "two": [package("a", 100)]})
    other = BuildProgress({"one": [package("a", 100)], "two": [package("a", 100, version="v2")]})
    assert same.text(0) == "0 of 1 packages compiled"
    assert other.text(0) == "0 of 2 packages compiled"
