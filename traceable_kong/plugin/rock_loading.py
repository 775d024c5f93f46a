"""Loads the rock from a local file or from an https URL, with a cache for rocks whose digest is pinned."""

import hashlib
import os
import stat
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from pydantic import SecretStr

from traceable_kong.common.commands import config_set
from traceable_kong.plugin.archive_entry import MAX_ARCHIVE_BYTES, RockError
from traceable_kong.plugin.rock import Rock, read
from traceable_kong.plugin.zip_archive import SIGNATURE

STALL_TIMEOUT_SECONDS = 15.0
WHOLE_TIMEOUT_SECONDS = 120.0

_NAME_IT = f"Name the file of a rock: `{config_set('plugin.rock', 'FILE')}`."


class RockSource(Protocol):
    """Where a rock comes from; the section `plugin` of the stack config is one.

    `source` is a path or an https URL. `request_headers` are sent to the URL's own host only.
    """

    @property
    def source(self) -> str: ...
    @property
    def version(self) -> str | None: ...
    @property
    def sha256(self) -> str | None: ...
    @property
    def request_headers(self) -> Mapping[str, SecretStr]: ...


def load_rock(rock: RockSource) -> Rock:
    """Downloads or reads a rock and checks it. Raises RockError, whose text is for the person at the terminal."""
    location = rock.source
    try:
        archive = fetch(location, sha256=rock.sha256, headers=_headers(rock), cache=_cache_folder())
        return read(archive, version=rock.version)
    except RockError as problem:
        # A query can be a signature that gives access.
        shown = location.split("?")[0]
        raise RockError(f"The rock {shown} cannot be used. {problem} Nothing was changed.") from None


def found_digest(rock: RockSource) -> str | None:
    """The SHA-256 digest of what the rock's address gives now; None if that is no zip archive. It is not parsed."""
    try:
        archive = fetch(rock.source, sha256=None, headers=_headers(rock))
    except RockError:
        return None
    return hashlib.sha256(archive).hexdigest() if archive.startswith(SIGNATURE) else None


def _headers(rock: RockSource) -> dict[str, str]:
    return {name: value.get_secret_value() for name, value in rock.request_headers.items()}


def fetch(
    source: str,
    *,
    sha256: str | None,
    headers: Mapping[str, str] | None = None,
    cache: Path | None = None,
    stall_timeout_seconds: float = STALL_TIMEOUT_SECONDS,
    whole_timeout_seconds: float = WHOLE_TIMEOUT_SECONDS,
) -> bytes:
    """Reads an archive from a path or an https URL; one whose digest is in the `cache` folder is not downloaded.

    Raises RockError.
    """
    if "://" not in source:
        archive = _local(Path(source))
        _check_digest(archive, sha256)
        return archive
    if sha256 is not None and cache is not None:
        with suppress(RockError):
            archive = _local(cache / f"{sha256}.rock")
            if hashlib.sha256(archive).hexdigest() == sha256:
                return archive
    # Most runs find the rock on the disk, and these libraries take a third of the time of an empty Pulumi program.
    from traceable_kong.plugin.rock_download import download

    archive = download(
        source,
        headers or {},
        stall_timeout_seconds=stall_timeout_seconds,
        whole_timeout_seconds=whole_timeout_seconds,
    )
    _check_digest(archive, sha256)
    if cache is not None:
        _keep(cache, archive)
    return archive


def _local(path: Path) -> bytes:
    """Reads a file, which is untrusted in the cache too. Raises RockError."""
    try:
        # Without a wait for the other end of a FIFO. The size can change until the file is read.
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise RockError(f"It is not a file. {_NAME_IT}")
            archive = b"" if found.st_size > MAX_ARCHIVE_BYTES else file.read(MAX_ARCHIVE_BYTES + 1) or b""
    except IsADirectoryError:
        raise RockError(f"It is not a file. {_NAME_IT}") from None
    except OSError as problem:
        raise RockError(f"It cannot be read: {problem.strerror}. {_NAME_IT}") from None
    except ValueError:
        raise RockError(f"It is not a path. {_NAME_IT}") from None
    if max(found.st_size, len(archive)) > MAX_ARCHIVE_BYTES:
        raise RockError(f"It has {found.st_size} bytes, but a rock has at most {MAX_ARCHIVE_BYTES}.")
    return archive


def _check_digest(archive: bytes, sha256: str | None) -> None:
    """Raises RockError for another digest. An archive is not parsed before this."""
    found = hashlib.sha256(archive).hexdigest()
    if sha256 is None or found == sha256:
        return
    if not archive.startswith(SIGNATURE):
        raise RockError(
            "It is not a zip archive, so it is not a rock, but perhaps the page of a login or of an error. Check the "
            "address."
        )
    raise RockError(
        f"Its SHA-256 digest is {found}, but plugin.sha256 is {sha256}. It is not the pinned file. If you trust it, "
        f"pin it: `pulumi config set --path traceable-kong:plugin.sha256 {found}`."
    )


def _cache_folder() -> Path | None:
    named = os.environ.get("TRACEABLE_KONG_CACHE")
    if named:
        return Path(named) / "rocks"
    with suppress(RuntimeError):  # No home directory: no cache.
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "traceable-kong" / "rocks"
    return None


def _keep(cache: Path, archive: bytes) -> None:
    """Writes the rock to the cache; where that fails, the next update downloads it again."""
    with suppress(OSError):
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=cache, delete=False) as file:
            try:
                file.write(archive)
                file.flush()
                Path(file.name).replace(cache / f"{hashlib.sha256(archive).hexdigest()}.rock")
            except OSError:
                Path(file.name).unlink()
