"""The limits of a rock, and what both of its archives check of every entry."""

from traceable_kong.common.safe_text import PlainError

MAX_ARCHIVE_BYTES = 20 * 1024 * 1024
MAX_UNPACKED_BYTES = 32 * 1024 * 1024
MAX_ENTRIES = 2_000
MAX_PATH_LENGTH = 255
MAX_PATH_DEPTH = 16


class RockError(PlainError):
    """The rock cannot be used; the text is for the person at the terminal."""


def checked_path(name: str, seen: set[str]) -> str:
    """The path of an entry, which is added to `seen`. Raises RockError for one outside the archive or a second one."""
    if len(name) > MAX_PATH_LENGTH or name.count("/") > MAX_PATH_DEPTH:
        raise RockError(
            f"The rock's entry {shown(name)} has a path that is too long: at most {MAX_PATH_LENGTH} characters and "
            f"{MAX_PATH_DEPTH} directories are allowed."
        )
    plain = name.rstrip("/")
    parts = plain.split("/")
    if not plain or name.startswith("/") or "\\" in name or "\0" in name or ":" in parts[0]:
        raise RockError(f"The rock's entry {shown(name)} has a path that is not allowed.")
    if any(part in ("", "..") for part in parts):
        raise RockError(f"The rock's entry {shown(name)} has a path outside the archive.")
    path = "/".join(part for part in parts if part != ".")
    if path in seen and path:
        raise RockError(f"The rock has the entry {shown(path)} twice.")
    seen.add(path)
    if len(seen) > MAX_ENTRIES:
        raise RockError(f"The rock has more than {MAX_ENTRIES} entries, which is too many for a Kong plugin.")
    return path


def check_unpacked(size: int) -> None:
    """Raises RockError if the files of an archive have more than MAX_UNPACKED_BYTES."""
    if size > MAX_UNPACKED_BYTES:
        raise RockError(f"The rock unpacks to more than {MAX_UNPACKED_BYTES} bytes, too large for a Kong plugin.")


def shown(*names: str) -> str:
    """Names of an archive in a message: quoted, and no more of them than anyone reads."""
    quoted = [repr(name if len(name) <= 80 else f"{name[:80]}...") for name in names[:5]]
    return ", ".join(quoted) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
