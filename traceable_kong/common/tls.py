"""TLS contexts for servers of the cluster and for Kong's Admin API."""

import re
import ssl
import tempfile
from pathlib import Path

_CERTIFICATE = re.compile(r"-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[\sA-Za-z0-9+/=]+?-----END [A-Z0-9 ]+-----")


def tls_context(*, ca: str | None = None, verify: bool = True, certificate: str | None = None) -> ssl.SSLContext:
    """A context for a client.

    `ca` is a PEM of authorities, None for those of the system; `verify` False accepts every certificate. `certificate`
    is a PEM of certificate and key, which the server is shown. Raises SSLError, OSError or ValueError for a PEM that
    cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif ca is None:
        context.load_default_certs()
    else:
        context.load_verify_locations(cadata=_without_comments(ca))
    if certificate is not None:
        _load_certificate(context, certificate)
    return context


def _without_comments(ca: str) -> str:
    """Only the certificates: tools write the names of the authorities between them, in any alphabet."""
    found = _CERTIFICATE.findall(ca)
    if not found:
        raise ValueError("no certificate")
    return "\n".join(found)


def _load_certificate(context: ssl.SSLContext, certificate: str) -> None:
    """The library only takes a path, so this writes a file that no other user can read, and deletes it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "client.pem"
        path.touch(mode=0o600)
        path.write_text(certificate, encoding="utf-8")
        # Without a password the library would ask for one at the terminal.
        context.load_cert_chain(path, password="")
