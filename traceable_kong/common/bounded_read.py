"""Reads a file that another party named: it may be a pipe without a writer, or a device without an end."""

from pathlib import Path

from traceable_kong.common.time_limit import within

SECONDS = 10.0


def read_text(path: Path, limit: int) -> str:
    """The text of a file, or its first `limit` + 1 bytes. Raises OSError (TimeoutError) or UnicodeError."""

    def read() -> bytes:
        with path.open("rb") as file:
            return file.read(limit + 1)

    return within(SECONDS, read).decode()
