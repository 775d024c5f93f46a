"""How far a build is, and an estimate of what is left: from the size of the source that Go has compiled so far."""

from collections.abc import Iterable
from dataclasses import dataclass

ESTIMATE_AFTER_SECONDS = 20


@dataclass(frozen=True, kw_only=True)
class Package:
    """A package that Go has to compile. `size` is the size of its source in bytes."""

    path: str
    folder: str
    size: int


class BuildProgress:
    """Progress of the builds of several module sets, one after another.

    A package that several sets have, in the same version, is compiled with the first of them.
    """

    def __init__(self, module_sets: dict[str, list[Package]]) -> None:
        folders: set[str] = set()
        self._pending: dict[str, dict[str, int]] = {}
        for name, packages in module_sets.items():
            self._pending[name] = {item.path: item.size for item in packages if item.folder not in folders}
            folders |= {item.folder for item in packages}
        self._count = sum(len(sizes) for sizes in self._pending.values())
        self._compiled_size = 0
        self._seconds = 0.0

    def compiled(self, module_set: str, paths: Iterable[str]) -> None:
        """Takes what `go build -v` printed: the packages that it compiles."""
        for path in paths:
            self._compiled_size += self._pending[module_set].pop(path, 0)

    def finished(self, module_set: str, seconds: float) -> None:
        """The build of this module set took so long."""
        self.compiled(module_set, list(self._pending[module_set]))
        self._seconds += seconds

    def text(self, seconds: float) -> str:
        """Returns the progress. The current build has been running for `seconds`."""
        left = sum(len(sizes) for sizes in self._pending.values())
        counted = f"{self._count - left} of {self._count} packages compiled"
        elapsed = self._seconds + seconds
        if elapsed < ESTIMATE_AFTER_SECONDS or not self._compiled_size:
            return counted
        size_left = sum(sum(sizes.values()) for sizes in self._pending.values())
        return f"{counted}, {_rounded(elapsed * size_left / self._compiled_size)}"


def _rounded(seconds: float) -> str:
    return "less than a minute left" if seconds < 60 else f"about {round(seconds / 60)} min left"
