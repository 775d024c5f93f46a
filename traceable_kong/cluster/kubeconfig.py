"""Connects to the cluster that a kubeconfig names, by kubectl's rules.

Source: https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/. The official Python
client knows no impersonation, ignores a login that failed, and reads several files in another order.
"""

import base64
import binascii
import os
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from traceable_kong.cluster.api_connection import ApiAddress
from traceable_kong.cluster.kubeconfig_files import SIZE_LIMIT, NamedKubeconfig, Source
from traceable_kong.cluster.kubeconfig_model import (
    Cluster,
    Context,
    KubeconfigError,
    NamedCluster,
    NamedContext,
    NamedUser,
    User,
    find,
)
from traceable_kong.cluster.kubernetes_client import REQUEST_SECONDS, KubernetesClient, Unreachable
from traceable_kong.cluster.login import KubeconfigLogin, Login, PluginLogin, TokenFileLogin
from traceable_kong.cluster.login_plugin import ExecPlugin
from traceable_kong.cluster.proxies import proxy_of
from traceable_kong.common.bounded_read import read_text
from traceable_kong.common.safe_text import PlainError, kind_of
from traceable_kong.common.tls import tls_context

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Source: https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/."""


class UnusableKubeconfig(Unreachable):
    """No kubeconfig, or one that cannot be used; the text says which, and shows nothing of its content.

    `fix(name, choose)` says what to do, with what names another kubeconfig and what selects a context.
    """

    def __init__(self, named: NamedKubeconfig, problem: object, *, another_context: bool = False) -> None:
        super().__init__(f"no usable kubeconfig ({named.where}): {problem}")
        self._named = named
        self._another_context = another_context

    def fix(self, name: str, choose: str) -> str:
        if not self._another_context:
            variable = "" if self._named.kubeconfig else ", or set the variable KUBECONFIG"
            return f"Name another file: {name}{variable}."
        option = self._named.kubectl_option
        listed = "" if option is None else f" (`kubectl config get-contexts{option}` lists them)"
        return f"Choose one of its contexts: {choose}{listed}."


class _OtherContext(KubeconfigError):
    """Another context of the kubeconfig may be usable."""


def connect(
    *,
    kubeconfig: str | None = None,
    context: str | None = None,
    request_seconds: float = REQUEST_SECONDS,
    as_provider: bool = False,
    named_by: str = "kubeconfig",
    secret: bool = False,
) -> KubernetesClient:
    """A client for a kubeconfig: a path or its text; None for KUBECONFIG and ~/.kube/config.

    `context` None is the current one. Relative paths in a file begin at its folder, as with kubectl. With `as_provider`
    they begin at this process's: the kubernetes provider only reads the content of a path that it is given. `named_by`
    is the option or the key that has `kubeconfig`, and `secret` whether that is encrypted. Raises UnusableKubeconfig.
    """
    named = NamedKubeconfig(kubeconfig=kubeconfig, named_by=named_by, encrypted=secret)
    try:
        sources = named.read()
        if all(source.content.is_empty for source in sources):
            if kubeconfig or context or "KUBERNETES_SERVICE_HOST" not in os.environ:
                raise KubeconfigError("it is empty" if sources else "it does not exist")
            return KubernetesClient(*_in_pod(), request_seconds)
        if kubeconfig and as_provider:
            sources = [replace(source, folder=None) for source in sources]
        return KubernetesClient(*_found(sources, context), request_seconds)
    except PlainError as problem:
        raise UnusableKubeconfig(named, problem, another_context=isinstance(problem, _OtherContext)) from None
    except (OSError, UnicodeError, binascii.Error) as problem:
        raise UnusableKubeconfig(named, kind_of(problem)) from None
    except ValueError:
        raise UnusableKubeconfig(named, "a path is not valid") from None


def _found(sources: list[Source], context: str | None) -> tuple[ApiAddress, Login]:
    if not any(source.content.contexts for source in sources):
        raise KubeconfigError("it has no contexts")
    # An entry is whole: what a later file says about the same name is ignored.
    wanted = context or next((item.content.current_context for item in sources if item.content.current_context), "")
    if not wanted:
        raise _OtherContext("it has no current-context")
    chosen = _first_context(sources, wanted)
    if chosen is None:
        raise _OtherContext(f"it does not have the context {context}" if context else "it lacks its current-context")
    found = _first_cluster(sources, chosen.cluster)
    if found is None:
        raise _OtherContext("it does not have the context's cluster")
    user = _first_user(sources, chosen.user) if chosen.user else (User(), None)
    if user is None:
        raise _OtherContext("it does not have the context's user")
    for part in (found[0], user[0]):
        if problem := part.problem():
            raise KubeconfigError(problem)
    return _address(*found), _login(*user, found[0])


def _first_context(sources: list[Source], name: str) -> Context | None:
    found = (find(source.content.contexts, name) for source in sources)
    return next((item.context for item in found if isinstance(item, NamedContext)), None)


def _first_cluster(sources: list[Source], name: str) -> tuple[Cluster, Path | None] | None:
    found = ((find(source.content.clusters, name), source.folder) for source in sources)
    return next(((item.cluster, folder) for item, folder in found if isinstance(item, NamedCluster)), None)


def _first_user(sources: list[Source], name: str) -> tuple[User, Path | None] | None:
    found = ((find(source.content.users, name), source.folder) for source in sources)
    return next(((item.user, folder) for item, folder in found if isinstance(item, NamedUser)), None)


def _address(cluster: Cluster, folder: Path | None) -> ApiAddress:
    ca = _pem(cluster.certificate_authority, cluster.certificate_authority_data, folder, key="certificate-authority")
    try:
        tls_context(ca=ca)
    except (OSError, ValueError):
        raise KubeconfigError("its certificate authority cannot be used") from None
    return ApiAddress(
        url=cluster.url,
        proxy=cluster.proxy_url or _proxy(cluster.url),
        server_name=cluster.tls_server_name or None,
        ca=ca,
        verify=not cluster.insecure_skip_tls_verify,
    )


def _login(user: User, folder: Path | None, cluster: Cluster) -> Login:
    certificate = None
    if user.has_certificate:
        parts = (
            _pem(user.client_certificate, user.client_certificate_data, folder, key="client-certificate"),
            _pem(user.client_key, user.client_key_data, folder, key="client-key"),
        )
        certificate = "\n".join(part or "" for part in parts)
        try:
            tls_context(verify=False, certificate=certificate)
        except (OSError, ValueError):
            raise KubeconfigError("its client certificate, or its key, cannot be used") from None
    changes = {"token_file": _resolved(user.token_file, folder)}
    of_url = urlsplit(cluster.url)
    if of_url.username:
        # To kubectl, this login is before every other one.
        changes = {"token_file": "", "token": "", "username": unquote(of_url.username)}
        changes["password"] = unquote(of_url.password or "")
    login = KubeconfigLogin(user=user.model_copy(update=changes), certificate=certificate)
    if user.exec is None:
        return login
    options = user.exec
    if os.sep in options.command:
        options = options.model_copy(update={"command": _resolved(options.command, folder)})
    return PluginLogin(
        login, ExecPlugin(options=options, cluster=_told(cluster, folder) if options.provideClusterInfo else None)
    )


def _told(cluster: Cluster, folder: Path | None) -> dict[str, Any]:
    """What a login plugin is told with provideClusterInfo."""
    ca = _pem(cluster.certificate_authority, cluster.certificate_authority_data, folder, key="certificate-authority")
    told: dict[str, Any] = {
        "server": cluster.url,
        "tls-server-name": cluster.tls_server_name,
        "insecure-skip-tls-verify": cluster.insecure_skip_tls_verify,
        "certificate-authority-data": base64.b64encode(ca.encode()).decode() if ca else "",
        "proxy-url": cluster.proxy_url,
        "config": cluster.plugin_config,
    }
    return {key: value for key, value in told.items() if value}


def _pem(path: str, data: str, folder: Path | None, *, key: str) -> str | None:
    if data:
        # Line breaks are allowed in it.
        return base64.b64decode("".join(data.split()), validate=True).decode()
    try:
        return read_text(Path(_resolved(path, folder)), SIZE_LIMIT) if path else None
    except OSError as problem:
        raise KubeconfigError(f"the file that its {key} names cannot be read: {kind_of(problem)}") from None


def _resolved(path: str, folder: Path | None) -> str:
    return str(folder / path) if path and folder else path


def _proxy(url: str) -> str | None:
    try:
        return proxy_of(url)
    except ValueError:
        raise KubeconfigError("the proxy of the environment (HTTPS_PROXY or HTTP_PROXY) is not a URL") from None


def _in_pod() -> tuple[ApiAddress, Login]:
    """The service account of the pod that this process runs in."""
    host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ.get("KUBERNETES_SERVICE_PORT", "443")
    url = f"https://{f'[{host}]' if ':' in host else host}:{port}"
    try:
        ca = read_text(SERVICE_ACCOUNT / "ca.crt", SIZE_LIMIT)
    except OSError as problem:
        raise KubeconfigError(f"the service account of this pod cannot be read: {kind_of(problem)}") from None
    return ApiAddress(url=url, proxy=_proxy(url), ca=ca), TokenFileLogin(SERVICE_ACCOUNT / "token")
