"""Loads the rock from a local file or from an https URL, with a cache for rocks whose digest is pinned.

Downloads have limits on size and time, and follow https only. Proxies and certificate authorities are set by the usual
environment variables (HTTPS_PROXY, NO_PROXY, REQUESTS_CA_BUNDLE, SSL_CERT_FILE:
https://requests.readthedocs.io/en/latest/user/advanced/).
"""

import hashlib
import os
import ssl
import stat
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Protocol
from urllib.parse import urljoin, urlsplit

import requests
import urllib3
from pydantic import SecretStr

from traceable_kong.common.time_limit import within
from traceable_kong.plugin.archive_entry import MAX_ARCHIVE_BYTES, RockError, shown
from traceable_kong.plugin.rock import Rock, read
from traceable_kong.plugin.zip_archive import SIGNATURE

STALL_TIMEOUT_SECONDS = 15.0
WHOLE_TIMEOUT_SECONDS = 120.0
MAX_REDIRECTS = 5
_CHUNK_BYTES = 64 * 1024


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
    archive = _by_deadline(whole_timeout_seconds, source, headers or {}, stall_timeout_seconds)
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
                raise RockError("It is not a file.")
            archive = b"" if found.st_size > MAX_ARCHIVE_BYTES else file.read(MAX_ARCHIVE_BYTES + 1) or b""
    except IsADirectoryError:
        raise RockError("It is not a file.") from None
    except OSError as problem:
        raise RockError(f"It cannot be read: {problem.strerror}.") from None
    except ValueError:
        raise RockError("It is not a path.") from None
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


def _by_deadline(
    whole_timeout_seconds: float, url: str, headers: Mapping[str, str], stall_timeout_seconds: float
) -> bytes:
    """Downloads, and raises RockError at the deadline: the thread is abandoned then."""
    try:
        return within(whole_timeout_seconds, lambda: _download(url, headers, stall_timeout_seconds))
    except TimeoutError:
        raise RockError(f"The download was not complete after {whole_timeout_seconds:.0f} seconds.") from None
    except RockError:
        raise
    except Exception as problem:
        raise RockError(f"The download failed ({type(problem).__name__}).") from None


def _download(url: str, headers: Mapping[str, str], stall_timeout_seconds: float) -> bytes:
    # The text of an exception is not shown: some contain headers or the password of a proxy.
    try:
        return _followed(url, headers, stall_timeout_seconds)
    except (requests.Timeout, urllib3.exceptions.TimeoutError):
        raise RockError(f"The server did not answer for {stall_timeout_seconds:.0f} seconds.") from None
    except (requests.exceptions.SSLError, urllib3.exceptions.SSLError) as problem:
        if "CERTIFICATE_VERIFY_FAILED" not in str(problem):
            raise RockError("The TLS handshake failed. The address may be one for http.") from None
        raise RockError(
            "The server's certificate is not trusted. If it has a certificate authority of your own: `export "
            "REQUESTS_CA_BUNDLE=FILE.pem`."
        ) from None
    except requests.exceptions.ProxyError:
        raise RockError("The proxy (HTTPS_PROXY) could not be used.") from None
    except urllib3.exceptions.ProtocolError:
        raise RockError("The download was incomplete.") from None
    except requests.ConnectionError as problem:
        if isinstance(_innermost(problem), TimeoutError | urllib3.exceptions.ReadTimeoutError):
            raise RockError(f"The server did not answer for {stall_timeout_seconds:.0f} seconds.") from None
        if isinstance(_innermost(problem), urllib3.exceptions.ProtocolError):
            raise RockError("The server closed the connection, or did not answer in HTTP.") from None
        raise RockError(
            f"There is no connection to {urlsplit(url).hostname}, or to a server that it redirects to."
        ) from None
    except ValueError:
        proxy = "the proxy (HTTPS_PROXY), " if requests.utils.get_environ_proxies(url) else ""
        raise RockError(f"The address, that of a redirect, {proxy}or the server's response is not valid.") from None
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as problem:
        raise RockError(f"The download failed ({type(problem).__name__}).") from None


def _innermost(problem: BaseException) -> BaseException:
    inner = problem.args[0] if problem.args else None
    return inner if isinstance(inner, BaseException) else problem


def _followed(url: str, headers: Mapping[str, str], stall_timeout_seconds: float) -> bytes:
    host = urlsplit(url).netloc
    _check_authorities()
    with requests.Session() as session:
        # No ~/.netrc: it would replace an Authorization header. Compressed responses have no length to check.
        session.auth = lambda request: request
        session.headers["Accept-Encoding"] = "identity"
        session.verify = os.environ.get("SSL_CERT_FILE") or True
        for _ in range(MAX_REDIRECTS + 1):
            if not url.startswith("https://"):
                raise RockError(f"It redirects to {shown(urlsplit(url).scheme)}, but only https is allowed.")
            # Headers have the secrets of one mirror, and are sent to no other host.
            sent = dict(headers) if urlsplit(url).netloc == host else {}
            with session.get(
                url, headers=sent, stream=True, allow_redirects=False, timeout=stall_timeout_seconds
            ) as answer:
                if answer.is_redirect:
                    url = urljoin(url, answer.headers["Location"])
                    continue
                if answer.status_code != requests.codes.ok:
                    raise RockError(f"The server answered with HTTP {answer.status_code}.")
                return _body(answer)
    raise RockError(f"It redirects more than {MAX_REDIRECTS} times.")


def _check_authorities() -> None:
    """Raises RockError if the file that the environment names has no certificates."""
    # The first one has priority (requests.Session.merge_environment_settings).
    for variable in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        path = os.environ.get(variable)
        if path and Path(path).is_dir():
            return
        if path:
            try:
                ssl.create_default_context(cafile=path)
            except OSError:
                raise RockError(
                    f"{variable} is {shown(path)}, which is no file with certificates (PEM). Run `unset {variable}`, "
                    "or name another file."
                ) from None
            return


def _body(answer: requests.Response) -> bytes:
    archive = bytearray()
    # Not iter_content, which unpacks compressed bodies.
    while chunk := answer.raw.read(_CHUNK_BYTES, decode_content=False):
        archive += chunk
        if len(archive) > MAX_ARCHIVE_BYTES:
            raise RockError(f"It has more than {MAX_ARCHIVE_BYTES} bytes, which is too large for a Kong plugin.")
    return bytes(archive)


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
