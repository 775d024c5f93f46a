"""A certificate authority that issues certificates for servers and clients, valid ones and expired ones."""

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

SERVER_NAME = "api.test"


class Authority:
    """`pem` is its own certificate. A new authority, or the one of a folder that has ca.crt, ca.key and admin.crt."""

    def __init__(self, folder: Path | None = None) -> None:
        self._key: Any
        if folder:
            self._key = serialization.load_pem_private_key((folder / "ca.key").read_bytes(), None)
            # From another certificate: the serial number of kwok's authority is 0, which will become an error.
            self._name = x509.load_pem_x509_certificate((folder / "admin.crt").read_bytes()).issuer
            self.pem = (folder / "ca.crt").read_text()
        else:
            self._key = _new_key()
            self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "an authority")])
            self.pem = _pem(self._signed(self._name, self._key, ca=True, days=1))

    def issue(self, common_name: str, *, days: int = 1) -> tuple[str, str]:
        """Certificate and key in PEM, for 127.0.0.1 and SERVER_NAME; negative `days` for one that has expired."""
        key = _new_key()
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
        form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        return _pem(self._signed(name, key, ca=False, days=days)), key.private_bytes(*form).decode()

    def _signed(self, name: x509.Name, key: Any, *, ca: bool, days: int) -> x509.Certificate:
        end = datetime.now(UTC) + timedelta(days=days)
        names = [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName(SERVER_NAME)]
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(end - timedelta(days=5))
            .not_valid_after(end)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .sign(self._key, hashes.SHA256())
        )


def _new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
