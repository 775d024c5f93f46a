"""no-plain-secrets: a secret is a reference to a Kubernetes Secret, or secret in Pulumi's state."""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from typing import Any

from .registered_resource import RELEASE, Hidden, Resource, config_key, leaves, message, shown_path

PROVIDER = "pulumi:providers:kubernetes"
CHECKED_TYPES = ("kubernetes:", "pulumi-python:dynamic", PROVIDER)
"""What reaches a cluster: Kubernetes objects, dynamic resources (the plugin entity), and the login."""

SECRET_NAMES = (
    *("password", "passwd", "passphrase", "token", "credentials", "apikey"),
    *("api key", "private key", "secret key", "access key", "client secret", "session secret"),
)
"""Ends of a name that holds a secret. `secret` alone is most often the name of a Kubernetes Secret."""

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")
_ENCODED_PEM = re.compile(r"LS0tLS1CRUdJTi[A-Za-z0-9+/]+")
_URL_WITH_PASSWORD = re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s/:@]+:[^\s/@]+@", re.IGNORECASE)
_LOGIN = re.compile(r"[\"']?(?:token|password|client-key-data)[\"']?\s*:\s*\S")
_REFERENCE = re.compile(r"\{vault://[^}]*\}")


def plain_secrets(resource: Resource) -> Iterator[str]:
    """A message for each value that looks like a secret and is not `Hidden`. No message has a value."""
    if not resource.type.startswith(CHECKED_TYPES):
        return
    named = _named_values(resource.props)
    for path, value in leaves(resource.props):
        if isinstance(value, Hidden) or not isinstance(value, str) or not value:
            continue
        name = named.get(path, path[-1] if path else "")
        found = _reason(resource, path, name, value)
        if found:
            yield message(
                f"{resource}: {shown_path(path)} is not secret, and {found}",
                "Everyone who can read the stack's state or this preview can read it",
                _fix(resource, path),
            )


def _named_values(props: Mapping[str, Any]) -> dict[tuple[str, ...], str]:
    """The names of values in lists such as a container's `env`: `{path of the value: name}`."""
    names = {path[:-1]: value for path, value in leaves(props) if path and path[-1] == "name"}
    return {(*path, "value"): str(name) for path, name in names.items()}


def _reason(resource: Resource, path: tuple[str, ...], name: str, value: str) -> str | None:
    if resource.kind in ("Secret", "SecretPatch") and path[0] in ("data", "stringData"):
        return "a Kubernetes Secret holds secrets"
    if _has_private_key(value):
        return "it has a private key"
    if resource.type == PROVIDER:
        return "it has a login of the cluster" if name == "kubeconfig" and _LOGIN.search(value) else None
    if resource.kind in ("ConfigMap", "ConfigMapPatch"):
        # A file can say anything about passwords; an entry for a program is one line.
        return "its name says that it is a secret" if "\n" not in value and _is_secret(name, value) else None
    if _URL_WITH_PASSWORD.search(value):
        return "it is a URL with a password"
    return "its name says that it is a secret" if _is_secret(name, value) else None


def _is_secret(name: str, value: str) -> bool:
    words = " ".join(word.lower() for word in _WORDS.findall(name))
    if value.lower() in ("true", "false") or _REFERENCE.fullmatch(value):
        return False
    return words.endswith(SECRET_NAMES)


def _has_private_key(value: str) -> bool:
    return bool(_PRIVATE_KEY.search(value)) or any(map(_decodes_to_private_key, _ENCODED_PEM.findall(value)))


def _decodes_to_private_key(text: str) -> bool:
    try:
        decoded = base64.b64decode(text[: len(text) // 4 * 4])
    except binascii.Error:
        return False
    return bool(_PRIVATE_KEY.search(decoded.decode("latin-1")))


def _fix(resource: Resource, path: tuple[str, ...]) -> str:
    if resource.type == RELEASE and resource.installs_traceable and path[0] == "values":
        key = "agentValues" if resource.of_agent else "kongValues"
        return f"pulumi config set --secret --path {config_key(key, *path[1:])}, or refer to a Secret instead"
    return "pass it as pulumi.Output.secret(...), or refer to a Secret instead"
