"""The content of a kubeconfig, and what kubectl refuses about it.

Source: https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/, and k8s.io/client-go/tools/clientcmd
(validation.go).
"""

from collections.abc import Sequence
from typing import Any, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from traceable_kong.common.safe_text import PlainError

PROXY_SCHEMES = ("http", "https", "socks5")


class KubeconfigError(PlainError):
    """A kubeconfig cannot be used; the text shows nothing of its content."""


class _Part(BaseModel):
    model_config = ConfigDict(
        extra="ignore", strict=True, frozen=True, alias_generator=lambda name: name.replace("_", "-")
    )

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, data: Any) -> Any:
        """To kubectl, null is the same as a missing key."""
        if data is None:
            return {}
        if not isinstance(data, dict):
            return data
        return {key: value for key, value in data.items() if value is not None and isinstance(key, str)}


class Cluster(_Part):
    server: str = ""
    tls_server_name: str = ""
    insecure_skip_tls_verify: bool = False
    certificate_authority: str = ""
    certificate_authority_data: str = ""
    proxy_url: str = ""
    extensions: list[dict[str, Any]] = []

    @property
    def plugin_config(self) -> Any:
        """What the kubeconfig has for its login plugin (the extension client.authentication.k8s.io/exec)."""
        named = (item for item in self.extensions if item.get("name") == "client.authentication.k8s.io/exec")
        return next((item.get("extension") for item in named), None)

    @property
    def url(self) -> str:
        """The server. Without a scheme it is http, also where there is a certificate authority."""
        return (self.server if "://" in self.server else f"http://{self.server}").rstrip("/")

    def problem(self) -> str | None:
        """What kubectl refuses."""
        if not self.server:
            return "the cluster has no server"
        if self.insecure_skip_tls_verify and (self.certificate_authority or self.certificate_authority_data):
            return "the cluster has a certificate authority and insecure-skip-tls-verify"
        if self.proxy_url and not _is_url(self.proxy_url, PROXY_SCHEMES):
            return f"the cluster's proxy-url is not a URL with {', '.join(PROXY_SCHEMES)}"
        if not _is_url(self.url, ("http", "https")):
            return "the cluster's server is not a URL with http or https"
        return None


class Variable(_Part):
    name: str
    value: str = ""


class LoginPlugin(_Part):
    """A program that prints the credentials (`exec`)."""

    model_config = ConfigDict(alias_generator=None)

    apiVersion: str = ""
    command: str = ""
    args: list[str] = []
    env: list[Variable] = []
    provideClusterInfo: bool = False
    interactiveMode: str = ""

    @property
    def mode(self) -> str:
        return self.interactiveMode or "IfAvailable"

    def problem(self) -> str | None:
        """What kubectl refuses."""
        if not self.command:
            return "exec has no command"
        if self.apiVersion not in ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"):
            return "exec has no apiVersion client.authentication.k8s.io/v1 or v1beta1"
        if self.mode not in ("Never", "IfAvailable", "Always"):
            return "interactiveMode of exec is not Never, IfAvailable or Always"
        if not self.interactiveMode and self.apiVersion.endswith("/v1"):
            return "exec has no interactiveMode, which v1 requires"
        return None


class AuthProvider(_Part):
    name: str = ""
    config: dict[str, str] = {}


class User(_Part):
    client_certificate: str = ""
    client_certificate_data: str = ""
    client_key: str = ""
    client_key_data: str = ""
    token: str = ""
    token_file: str = Field("", alias="tokenFile")
    as_: str = Field("", alias="as")
    as_uid: str = ""
    as_groups: list[str] = []
    as_user_extra: dict[str, list[str]] = {}
    username: str = ""
    password: str = ""
    auth_provider: AuthProvider | None = None
    exec: LoginPlugin | None = None

    @property
    def has_certificate(self) -> bool:
        return bool(self.client_certificate or self.client_certificate_data)

    def problem(self) -> str | None:
        """What kubectl refuses."""
        if self.has_certificate and not (self.client_key or self.client_key_data):
            return "the user has a client certificate and no key"
        if (self.token or self.token_file) and (self.username or self.password):
            return "the user has a token and a password, of which only one is allowed"
        if self.exec and self.auth_provider:
            return "the user has exec and auth-provider, of which only one is allowed"
        if self.exec and (wrong := self.exec.problem()):
            return wrong
        if not self.as_ and (self.as_uid or self.as_groups or self.as_user_extra):
            return "the user has as-uid, as-groups or as-user-extra, and no as"
        return None


class Context(_Part):
    cluster: str = ""
    user: str = ""


class NamedCluster(_Part):
    name: str
    cluster: Cluster = Cluster()


class NamedUser(_Part):
    name: str
    user: User = User()


class NamedContext(_Part):
    name: str
    context: Context = Context()


Named = TypeVar("Named", NamedCluster, NamedUser, NamedContext)


class Kubeconfig(_Part):
    current_context: str = ""
    clusters: list[NamedCluster] = []
    users: list[NamedUser] = []
    contexts: list[NamedContext] = []

    @property
    def is_empty(self) -> bool:
        return not (self.current_context or self.clusters or self.users or self.contexts)


def kubeconfig_of(document: object) -> Kubeconfig:
    """Raises KubeconfigError; the text names keys and nothing of the values."""
    try:
        made = Kubeconfig.model_validate(document)
    except ValidationError as problem:
        where = [str(part) for part in problem.errors(include_input=False)[0]["loc"][:5] if _is_key(part)]
        raise KubeconfigError(f"{'.'.join(where) or 'the document'} has the wrong form") from None
    for kind, named in (("clusters", made.clusters), ("users", made.users), ("contexts", made.contexts)):
        names = [item.name for item in named]
        if len(set(names)) < len(names):
            raise KubeconfigError(f"two of its {kind} have the same name")
    return made


_KEYS = {
    field.alias or name
    for part in (Kubeconfig, NamedCluster, NamedUser, NamedContext, Cluster, User, Context, LoginPlugin, AuthProvider)
    for name, field in part.model_fields.items()
}


def _is_key(part: str | int) -> bool:
    # A place in a list, or a key of the format: other keys are content.
    return isinstance(part, int) or part in _KEYS


def find(named: Sequence[Named], name: str) -> Named | None:
    return next((item for item in named if item.name == name), None)


def _is_url(url: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
