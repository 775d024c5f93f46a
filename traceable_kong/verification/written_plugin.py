"""The plugin as it is written, in either backend."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class WrittenPlugin:
    """The plugin in the cluster or in Kong's database, compared with what this stack writes.

    `differences` are in words, () if it is as written. `fix` says what makes it so again. `unreadable` says
    why it could not be read, "" if it was.
    """

    name: str
    exists: bool
    differences: tuple[str, ...]
    fix: str
    unreadable: str = ""
