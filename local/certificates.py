"""A private certificate authority, and a server certificate for 127.0.0.1 that it signs.

Both are created once in a folder and reused, so that an installed webhook still trusts a restarted server. They are
valid for ten years and are not renewed.
"""

import base64
import datetime
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CA_FILE = "ca.pem"
SERVER_FILE = "server.pem"
"""The server's certificate and key in one file, for `ssl.SSLContext.load_cert_chain`."""

_VALID_FOR = datetime.timedelta(days=3650)


def ensure(directory: Path) -> None:
    """Creates `ca.pem` and `server.pem` in `directory` if they are missing."""
    if (directory / CA_FILE).exists() and (directory / SERVER_FILE).exists():
        return
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca_name = _name("traceable stand-in injector CA")
    ca = (
        _builder(ca_name, ca_name, ca_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(ca_key, hashes.SHA256())
    )
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        _builder(_name("traceable stand-in injector"), ca_name, key.public_key())
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    server = directory / SERVER_FILE
    server.touch(mode=0o600)
    server.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + private)
    (directory / CA_FILE).write_bytes(ca.public_bytes(serialization.Encoding.PEM))


def ca_bundle(directory: Path) -> str:
    """Returns the CA certificate in the form that a webhook configuration needs: PEM in base64."""
    return base64.b64encode((directory / CA_FILE).read_bytes()).decode("ascii")


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + _VALID_FOR)
    )
