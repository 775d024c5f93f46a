"""The TLS of a node's Admin API: whose certificate it shows, and whether it asks for one.

After https://developer.konghq.com/gateway/configuration/ (`admin_ssl_cert`, `admin_ssl_cert_key`) and nginx's
`ssl_verify_client`, which Kong passes on (`nginx_admin_ssl_verify_client`, `nginx_admin_ssl_client_certificate`).
Without them it shows a certificate that no client knows. Leaves out passwords of keys, several certificates, depths.
"""

import base64
import ssl
import tempfile
from pathlib import Path

from local.kong.enabled_plugins import StartError
from local.kong.kong_config import KongConfig


def context(kong_config: KongConfig, default: ssl.SSLContext) -> ssl.SSLContext:
    """The context for the admin listeners; `default` where nothing is said. StartError where it cannot be had."""
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
    """True where a client without a certificate of its own is sent away."""
    return kong_config.get("nginx_admin_ssl_verify_client") == "on"


def _authority(kong_config: KongConfig) -> str:
    """A directive of nginx takes a path only."""
    path = kong_config.get("nginx_admin_ssl_client_certificate")
    if path not in kong_config.files:
        raise StartError(f'nginx: [emerg] SSL_CTX_load_verify_locations("{path}") failed')
    return kong_config.files[path]


def _pem(kong_config: KongConfig, value: str, name: str) -> str:
    """A property is the path of a file, the text itself, or that in base64."""
    if value in kong_config.files:
        return kong_config.files[value]
    if "-----BEGIN" in value:
        return value
    try:
        return base64.b64decode(value, validate=True).decode()
    except ValueError as problem:
        raise StartError(f"{name}: no such file at {value}") from problem
