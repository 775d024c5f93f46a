"""How a user of a kubeconfig logs in: the headers of each request, and the client certificate."""

import base64
import json
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from traceable_kong.cluster.kubeconfig_model import AuthProvider, KubeconfigError, User
from traceable_kong.common.bounded_read import read_text
from traceable_kong.common.safe_text import kind_of

TOKEN_LIMIT = 1024 * 1024


Header = tuple[str, str]
"""A name can occur several times."""


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """`certificate` is a PEM of certificate and key, None for none."""

    headers: tuple[Header, ...] = field(default=(), repr=False)
    certificate: str | None = field(default=None, repr=False)


class Login(Protocol):
    """Both raise KubeconfigError."""

    def credentials(self) -> Credentials:
        """What to send with the next request."""

    def rejected(self) -> None:
        """The API server did not accept the last credentials (401)."""


class Plugin(Protocol):
    """A login plugin. Raises KubeconfigError."""

    def run(self) -> tuple[Credentials, float | None]:
        """The credentials, and until when they are valid (seconds since 1970, None for always)."""


@dataclass(frozen=True, kw_only=True)
class KubeconfigLogin:
    """`certificate` is the one of the kubeconfig; a plugin's has its place."""

    user: User
    certificate: str | None = field(default=None, repr=False)

    def credentials(self) -> Credentials:
        headers = (*_impersonation(self.user), *_authorization(self.user))
        return Credentials(headers=headers, certificate=self.certificate)

    def rejected(self) -> None: ...


class PluginLogin:
    """Runs a login plugin once, and again when its credentials have expired or were rejected."""

    def __init__(self, base: Login, plugin: Plugin) -> None:
        self._base = base
        self._plugin = plugin
        self._lock = threading.Lock()
        self._known: Credentials | None = None
        self._expires: float | None = None

    def credentials(self) -> Credentials:
        own = self._base.credentials()
        if any(name == "Authorization" for name, _ in own.headers):
            return own
        with self._lock:
            if self._known is None or (self._expires is not None and self._expires <= time.time()):
                self._known, self._expires = self._plugin.run()
            known = self._known
        return Credentials(headers=(*own.headers, *known.headers), certificate=known.certificate or own.certificate)

    def rejected(self) -> None:
        with self._lock:
            self._known = None


@dataclass(frozen=True)
class TokenFileLogin:
    """The service account of a pod. Its token is renewed in place."""

    file: Path

    def credentials(self) -> Credentials:
        return Credentials(headers=(bearer(read_token(self.file)),))

    def rejected(self) -> None: ...


def read_token(path: Path) -> str:
    """Raises KubeconfigError for a file without a token."""
    try:
        token = read_text(path, TOKEN_LIMIT).strip()
    except (OSError, ValueError) as problem:
        raise KubeconfigError(f"the file with the token cannot be read: {kind_of(problem)}") from None
    if not token:
        raise KubeconfigError("the file with the token is empty")
    return token


def bearer(token: str) -> Header:
    return "Authorization", f"Bearer {token}"


def _impersonation(user: User) -> list[Header]:
    """Source: https://kubernetes.io/docs/reference/access-authn-authz/user-impersonation/."""
    if not user.as_:
        return []
    return [
        ("Impersonate-User", user.as_),
        *([("Impersonate-Uid", user.as_uid)] if user.as_uid else []),
        *(("Impersonate-Group", group) for group in user.as_groups),
        *(
            (f"Impersonate-Extra-{quote(key, safe='')}", value)
            for key, values in user.as_user_extra.items()
            for value in values
        ),
    ]


def _authorization(user: User) -> list[Header]:
    if user.token_file:
        return [bearer(read_token(Path(user.token_file)))]
    if user.token:
        return [bearer(user.token)]
    if user.username or user.password:
        login = base64.b64encode(f"{user.username}:{user.password}".encode()).decode()
        return [("Authorization", f"Basic {login}")]
    if user.auth_provider:
        return [bearer(_id_token(user.auth_provider))]
    return []


def _id_token(provider: AuthProvider) -> str:
    """kubectl renews an expired token and writes it into the kubeconfig."""
    if provider.name != "oidc":
        raise KubeconfigError("kubectl no longer supports its auth-provider: use a login plugin (exec) in its place")
    token = provider.config.get("id-token", "")
    try:
        claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
        valid = float(claims["exp"]) > time.time()
    except (LookupError, TypeError, ValueError, OverflowError, RecursionError):
        valid = False
    if not valid:
        raise KubeconfigError("the id-token of its auth-provider oidc has expired: `kubectl version` renews it")
    return token
