"""Downloads a rock from an https URL, with limits on size and time. Redirects are followed to https only.

Proxies and certificate authorities are set by the usual environment variables (HTTPS_PROXY, NO_PROXY,
REQUESTS_CA_BUNDLE, SSL_CERT_FILE: https://requests.readthedocs.io/en/latest/user/advanced/).
"""

import os
import ssl
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import requests
import urllib3

from traceable_kong.common.time_limit import within
from traceable_kong.plugin.archive_entry import MAX_ARCHIVE_BYTES, RockError, shown

MAX_REDIRECTS = 5
_CHUNK_BYTES = 64 * 1024


def download(
    url: str, headers: Mapping[str, str], *, stall_timeout_seconds: float, whole_timeout_seconds: float
) -> bytes:
    """The archive. Raises RockError, also at the deadline: the thread is abandoned then."""
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
    # Not iter_content, which unpacks compressed bodies, nor read(), which would take a chunk with a negative size for
    # all that follows.
    while chunk := answer.raw.read1(_CHUNK_BYTES, decode_content=False):
        archive += chunk
        if len(archive) > MAX_ARCHIVE_BYTES:
            raise RockError(f"It has more than {MAX_ARCHIVE_BYTES} bytes, which is too large for a Kong plugin.")
    return bytes(archive)
