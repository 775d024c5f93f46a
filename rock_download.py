"""Where the rock comes from: a local file, or https with a digest; kept in a cache by digest.

Streamed, with limits on size and time, over https all the way; proxies and certificate authorities by the usual
environment variables (HTTPS_PROXY, NO_PROXY, REQUESTS_CA_BUNDLE:
https://requests.readthedocs.io/en/latest/user/advanced/). Leaves out what is in the archive (rock.py).
"""

import hashlib
import os
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pulumi
import requests

from rock import MAX_ARCHIVE_BYTES, Rock, RockError, read
from settings_model import PluginSettings

LUAROCKS = "https://luarocks.org/manifests/traceableai/kong-plugin-traceable-{version}.src.rock"
"""Where Kong's own guide downloads it (https://developer.konghq.com/plugins/harness-ai-firewall/)."""

STALL_TIMEOUT_SECONDS = 15.0
WHOLE_TIMEOUT_SECONDS = 120.0
MAX_REDIRECTS = 5
_CHUNK_BYTES = 64 * 1024


def load_rock(plugin: PluginSettings) -> Rock:
    """The rock that the settings name. Raises pulumi.RunError, whose text is for the person at the terminal."""
    source = plugin.rock or LUAROCKS.format(version=plugin.version)
    headers = {name: value.get_secret_value() for name, value in plugin.headers.items()}
    try:
        archive = fetch(source, sha256=plugin.sha256, headers=headers, cache=_cache_folder())
        return read(archive, version=plugin.version)
    except RockError as problem:
        raise pulumi.RunError(f"The rock {source} cannot be used, and nothing was touched. {problem}") from None


def fetch(
    source: str,
    *,
    sha256: str | None,
    headers: Mapping[str, str] | None = None,
    cache: Path | None = None,
    stall_timeout_seconds: float = STALL_TIMEOUT_SECONDS,
    whole_timeout_seconds: float = WHOLE_TIMEOUT_SECONDS,
) -> bytes:
    """The archive's bytes, from a path or an https URL.

    With a digest that is in the `cache` folder already, the network is not asked. Raises RockError.
    """
    if "://" not in source:
        archive = _local(Path(source))
        _check_digest(archive, sha256)
        return archive
    if sha256 is not None and cache is not None:
        kept = cache / f"{sha256}.rock"
        with suppress(OSError):
            archive = kept.read_bytes()
            if hashlib.sha256(archive).hexdigest() == sha256:
                return archive
    archive = _download(source, headers or {}, stall_timeout_seconds, time.monotonic() + whole_timeout_seconds)
    _check_digest(archive, sha256)
    if cache is not None:
        _keep(cache, archive)
    return archive


def _local(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > MAX_ARCHIVE_BYTES:
            raise RockError(f"It has {size} bytes, and a rock has at most {MAX_ARCHIVE_BYTES}.")
        return path.read_bytes()
    except OSError as problem:
        raise RockError(f"It cannot be read: {problem.strerror}.") from None


def _check_digest(archive: bytes, sha256: str | None) -> None:
    found = hashlib.sha256(archive).hexdigest()
    if sha256 is not None and found != sha256:
        raise RockError(
            f"Its SHA-256 digest is {found}, and plugin.sha256 is {sha256}: it is not the file that was pinned. If it is "
            f"the one that you want: pulumi config set --path traceable-kong:plugin.sha256 {found}"
        )


def _download(url: str, headers: Mapping[str, str], stall_timeout_seconds: float, deadline: float) -> bytes:
    host = urlsplit(url).netloc
    with requests.Session() as session:
        try:
            for _ in range(MAX_REDIRECTS + 1):
                if not url.startswith("https://"):
                    raise RockError(f"It leads to {url!r}; only https is followed.")
                # Headers hold secrets of one mirror, and go to no other.
                sent = dict(headers) if urlsplit(url).netloc == host else {}
                with session.get(
                    url, headers=sent, stream=True, allow_redirects=False, timeout=stall_timeout_seconds
                ) as answer:
                    if answer.is_redirect:
                        url = urljoin(url, answer.headers["Location"])
                        continue
                    if answer.status_code != requests.codes.ok:
                        raise RockError(f"The server answers {answer.status_code} {answer.reason}.")
                    return _body(answer, deadline)
        except requests.Timeout:
            raise RockError(f"The server did not answer for {stall_timeout_seconds:.0f} seconds.") from None
        except requests.RequestException as problem:
            raise RockError(f"The download failed: {problem}.") from None
    raise RockError(f"It redirects more than {MAX_REDIRECTS} times.")


def _body(answer: requests.Response, deadline: float) -> bytes:
    archive = bytearray()
    for chunk in answer.iter_content(_CHUNK_BYTES):
        archive += chunk
        if len(archive) > MAX_ARCHIVE_BYTES:
            raise RockError(f"It has more than {MAX_ARCHIVE_BYTES} bytes; that is no plugin for Kong.")
        if time.monotonic() > deadline:
            raise RockError("The download takes too long.")
    announced = answer.headers.get("Content-Length")
    if announced and "Content-Encoding" not in answer.headers and int(announced) != len(archive):
        raise RockError(f"The download was cut off: {len(archive)} of {announced} bytes.")
    return bytes(archive)


def _cache_folder() -> Path:
    named = os.environ.get("TRACEABLE_KONG_CACHE")
    base = Path(named) if named else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "traceable-kong"
    return base / "rocks"


def _keep(cache: Path, archive: bytes) -> None:
    """A cache that cannot be written only costs the next run a download."""
    with suppress(OSError):
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=cache, delete=False) as file:
            file.write(archive)
        Path(file.name).replace(cache / f"{hashlib.sha256(archive).hexdigest()}.rock")
