"""Checks that requirements*.txt pin exactly what requirements*.in need, each package with its hashes.

It asks no package index: what a package needs is in its installed metadata. `make lock` writes the files. What the
policy pack runs on and what builds a release are in other environments: there only what the .in file names is compared.
"""

import re
import sys
from collections.abc import Callable, Iterable, Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

Distribution = Callable[[str], tuple[str, list[str]]]
"""The installed version of a package, and what it requires. Raises PackageNotFoundError."""


def installed(name: str) -> tuple[str, list[str]]:
    found = metadata.distribution(name)
    return found.version, found.requires or []


def problems(folder: Path, distribution: Distribution = installed) -> Iterator[str]:
    """What is wrong with the locks, each in one line."""
    locks = {}
    for name in ("requirements", "requirements-dev"):
        direct = dict(read_requirements(read_lines(folder / f"{name}.in")))
        lock = locks[name] = dict(read_requirements(read_lines(folder / f"{name}.txt")))
        yield from (f"{name}.txt: {problem}" for problem in _problems(direct, lock, distribution))
        yield from (f"{name}.txt: {line.split()[0]} has no hash" for line in without_hash(folder / f"{name}.txt"))
    for package, pinned in locks["requirements"].items():
        if str(locks["requirements-dev"].get(package)) != str(pinned):
            yield f"requirements-dev.txt: does not pin {pinned}, as requirements.txt does"
    for name in ("policy/requirements", "requirements-build"):
        yield from (f"{name}.txt: {problem}" for problem in _unpinned(folder / f"{name}.in", locks["requirements"]))


def _unpinned(needs: Path, program: dict[str, Requirement]) -> Iterator[str]:
    """What is wrong with a lock whose packages are not installed here. `program` has what the program runs on."""
    file = needs.with_suffix(".txt")
    lock = dict(read_requirements(read_lines(file)))
    for package, needed in read_requirements(read_lines(needs)):
        if str(lock.get(package)) != str(needed):
            yield f"does not pin {needed}"
        if package in program and str(lock.get(package)) != str(program[package]):
            yield f"does not pin {program[package]}, as requirements.txt does"
    yield from (f"{line.split()[0]} has no hash" for line in without_hash(file))


def _problems(
    direct: dict[str, Requirement], lock: dict[str, Requirement], distribution: Distribution
) -> Iterator[str]:
    needed: set[str] = set()
    waiting = list(direct.values())
    while waiting:
        requirement = waiting.pop()
        name: str = canonicalize_name(requirement.name)
        extras = {"", *requirement.extras}
        new = {f"{name}[{extra}]" for extra in extras} - needed
        if name not in lock:
            yield f"does not pin {requirement}"
            continue
        (pinned,) = (item.version for item in lock[name].specifier)
        if not requirement.specifier.contains(pinned, prereleases=True):
            yield f"pins {name} {pinned}, but {requirement} is needed"
        if not new:
            continue
        needed |= new
        try:
            version, requires = distribution(name)
        except metadata.PackageNotFoundError:
            yield f"pins {name}, which is not installed"
            continue
        if version != pinned:
            yield f"pins {name} {pinned}, but {version} is installed"
        for required in map(Requirement, requires):
            if not required.marker or any(required.marker.evaluate({"extra": extra}) for extra in extras):
                waiting.append(required)
    for package, locked in lock.items():
        if f"{package}[]" not in needed and (not locked.marker or locked.marker.evaluate()):
            yield f"pins {package}, which nothing needs"


def read_lines(path: Path) -> list[str]:
    """The logical lines of a requirements file and of the files that it includes, without comments."""
    text = re.sub(r"\\\n", " ", path.read_text(encoding="utf-8"))
    lines: list[str] = []
    for line in (re.sub(r"(^|\s)#.*", "", line).strip() for line in text.splitlines()):
        if line.startswith("-r "):
            lines += read_lines(path.parent / line.removeprefix("-r ").strip())
        elif line and not line.startswith("-"):
            lines.append(line)
    return lines


def read_requirements(lines: Iterable[str]) -> Iterator[tuple[str, Requirement]]:
    for line in lines:
        requirement = Requirement(line.split(" --hash")[0])
        yield canonicalize_name(requirement.name), requirement


def without_hash(lock: Path) -> list[str]:
    return [line for line in read_lines(lock) if not re.search(r" --hash=sha256:[0-9a-f]{64}(\s|$)", line)]


def main() -> int:
    found = sorted(problems(Path(__file__).parents[1]))
    for problem in found:
        print(problem)
    if found:
        print("The pinned packages are not those that are needed. Run `make lock`, then `make env`.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
