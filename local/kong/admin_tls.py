"""TLS of the Admin API: its certificate, and whether it requires a client certificate.

Based on https://developer.konghq.com/gateway/configuration/ (`admin_ssl_cert`, `admin_ssl_cert_key`) and on nginx's
`ssl_verify_client`, which Kong sets by `nginx_admin_ssl_verify_client` and `nginx_admin_ssl_client_certificate`.
Without these properties, Kong has a self-signed certificate. Encrypted keys and several certificates are not supported.
"""

import base64
import ssl
import tempfile
from pathlib import Path

from local.kong.enabled_plugins import StartError
from local.kong.kong_config import KongConfig


def context(kong_config: KongConfig, default: ssl.SSLContext) -> ssl.SSLContext:
    """Returns the context of the admin listeners, `default` if nothing is configured. Raises StartError."""
    certificate, key = kong_config.get("admin_ssl_cert"), kong_config.get("admin_ssl_cert_key")
    asks = asks_certificate(kong_config)
    if not certificate and not asks:
        return default
    if not (certificate and key):
        raise StartError("admin_ssl_cert and admin_ssl_cert_key must both be specified together")
    result = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    result.set_alpn_protocols(["http/1.1"])
    with tempfile.TemporaryDirectory() as folder:
        chain = Path(folder) / "chain"
        chain.touch(mode=0o600)
        chain.write_text(
            f"{_pem(kong_config, key, 'admin_ssl_cert_key')}\n{_pem(kong_config, certificate, 'admin_ssl_cert')}"
        )
        try:
            result.load_cert_chain(chain)
            if asks:
                result.load_verify_locations(cadata=_authority(kong_config))
        except ssl.SSLError as problem:
            raise StartError(f"nginx: [emerg] cannot load certificate: {problem}") from problem
    if asks:
        result.verify_mode = ssl.CERT_OPTIONAL
    return result


def asks_certificate(kong_config: KongConfig) -> bool:
    """Returns True if clients must have a certificate."""
    return kong_config.get("nginx_admin_ssl_verify_client") == "on"


def _authority(kong_config: KongConfig) -> str:
    """Returns the CA certificate. A directive of nginx must be a path."""
    path = kong_config.get("nginx_admin_ssl_client_certificate")
    if path not in kong_config.files:
        raise StartError(f'nginx: [emerg] SSL_CTX_load_verify_locations("{path}") failed')
    return kong_config.files[path]


def _pem(kong_config: KongConfig, value: str, name: str) -> str:
    """Returns the PEM text of a property: the path of a file, the text itself, or the text in base64."""
    if value in kong_config.files:
        return kong_config.files[value]
    if "-----BEGIN" in value:
        return value
    try:
        return base64.b64decode(value, validate=True).decode()
    except ValueError as problem:
        raise StartError(f"{name}: no such file at {value}") from problem
