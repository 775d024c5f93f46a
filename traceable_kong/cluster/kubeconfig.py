"""Connects to the cluster that a kubeconfig names, by kubectl's rules.

Source: https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/. The official Python
client knows no impersonation, ignores a login that failed, and reads several files in another order.
"""

import base64
import binascii
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import yaml

from traceable_kong.cluster.api_connection import ApiAddress
from traceable_kong.cluster.kubeconfig_model import (
    Cluster,
    Context,
    Kubeconfig,
    KubeconfigError,
    NamedCluster,
    NamedContext,
    NamedUser,
    User,
    find,
    kubeconfig_of,
)
from traceable_kong.cluster.kubernetes_client import REQUEST_SECONDS, KubernetesClient, Unreachable
from traceable_kong.cluster.login import KubeconfigLogin, Login, PluginLogin, TokenFileLogin
from traceable_kong.cluster.login_plugin import ExecPlugin
from traceable_kong.cluster.proxies import proxy_of
from traceable_kong.common.bounded_read import read_text
from traceable_kong.common.foreign_documents import MAX_VALUES, yaml_document
from traceable_kong.common.safe_text import PlainError, kind_of
from traceable_kong.common.tls import tls_context

SIZE_LIMIT = 1024 * 1024
"""Characters of a kubeconfig, and of each file that it names."""

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Source: https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/."""


def is_text(kubeconfig: str) -> bool:
    """True for the text of a kubeconfig, False for a path."""
    return "\n" in kubeconfig or kubeconfig.lstrip().startswith("{")


def connect(
    *,
    kubeconfig: str | None = None,
    context: str | None = None,
    cluster: str | None = None,
    request_seconds: float = REQUEST_SECONDS,
    as_provider: bool = False,
) -> KubernetesClient:
    """A client for a kubeconfig: a path or its text; None for KUBECONFIG and ~/.kube/config.

    `context` None is the current one, `cluster` None the context's. Relative paths in a file begin at its folder, as
    with kubectl. With `as_provider` they begin at this process's: the kubernetes provider only reads the content of a
    path that it is given. Raises Unreachable for a kubeconfig that cannot be used. The error shows nothing of it, not
    even the path: a kubeconfig that lost its line breaks looks like one.
    """
    try:
        sources = _sources(kubeconfig, as_provider)
        if all(source.content.is_empty for source in sources):
            if kubeconfig or context or cluster or "KUBERNETES_SERVICE_HOST" not in os.environ:
                raise KubeconfigError("it does not exist, or is empty")
            return KubernetesClient(*_in_pod(), request_seconds)
        return KubernetesClient(*_found(sources, context, cluster), request_seconds)
    except PlainError as problem:
        raise Unreachable(f"no usable kubeconfig: {problem}") from None
    except (OSError, UnicodeError, binascii.Error) as problem:
        raise Unreachable(f"no usable kubeconfig: {kind_of(problem)}") from None
    except ValueError:
        raise Unreachable("no usable kubeconfig: a path in it is none") from None


@dataclass(frozen=True, kw_only=True)
class _Source:
    """A kubeconfig and its folder, which its relative paths begin at; None for this process's."""

    content: Kubeconfig = field(repr=False)
    folder: Path | None


def _sources(kubeconfig: str | None, as_provider: bool) -> list[_Source]:
    if kubeconfig and is_text(kubeconfig):
        return [_Source(content=_parsed(kubeconfig), folder=None)]
    if kubeconfig:
        try:
            found = _file(Path(kubeconfig).expanduser())
            return [replace(found, folder=None) if as_provider else found]
        except RuntimeError:
            raise KubeconfigError("its home folder does not exist") from None
    # The empty parts of KUBECONFIG, and files that do not exist, are skipped.
    named = [Path(part) for part in os.environ.get("KUBECONFIG", "").split(os.pathsep) if part]
    return [_file(path) for path in named or _usual() if path.exists()]


def _usual() -> list[Path]:
    try:
        return [Path("~/.kube/config").expanduser()]
    except RuntimeError:
        # In a container, the user often has no home folder.
        return []


def _file(path: Path) -> _Source:
    return _Source(content=_parsed(read_text(path, SIZE_LIMIT)), folder=path.parent)


def _parsed(text: str) -> Kubeconfig:
    if len(text) > SIZE_LIMIT or sum(map(text.count, "\n,:")) > MAX_VALUES:
        # Reading a value takes far longer than reading a byte. A hundred clusters have 5,000 values.
        raise KubeconfigError(f"it is longer than {SIZE_LIMIT // 1024} KiB, or has more than {MAX_VALUES} values")
    try:
        return kubeconfig_of(yaml_document(text))
    except yaml.YAMLError as problem:
        raise KubeconfigError(kind_of(problem)) from None
    except ValueError:
        raise KubeconfigError("it is not YAML, or is too deep, or repeats too many of its values") from None


def _found(sources: list[_Source], context: str | None, cluster: str | None) -> tuple[ApiAddress, Login]:
    # An entry is whole: what a later file says about the same name is ignored.
    wanted = context or next((item.content.current_context for item in sources if item.content.current_context), "")
    if not wanted and not cluster:
        raise KubeconfigError("it has no current-context")
    chosen = _first_context(sources, wanted)
    if chosen is None and wanted:
        raise KubeconfigError("it does not have the context")
    names = chosen or Context()
    found = _first_cluster(sources, cluster or names.cluster)
    if found is None:
        raise KubeconfigError("it does not have the context's cluster")
    user = _first_user(sources, names.user) if names.user else (User(), None)
    if user is None:
        raise KubeconfigError("it does not have the context's user")
    for part in (found[0], user[0]):
        if problem := part.problem():
            raise KubeconfigError(problem)
    return _address(*found), _login(*user, found[0])


def _first_context(sources: list[_Source], name: str) -> Context | None:
    found = (find(source.content.contexts, name) for source in sources)
    return next((item.context for item in found if isinstance(item, NamedContext)), None)


def _first_cluster(sources: list[_Source], name: str) -> tuple[Cluster, Path | None] | None:
    found = ((find(source.content.clusters, name), source.folder) for source in sources)
    return next(((item.cluster, folder) for item, folder in found if isinstance(item, NamedCluster)), None)


def _first_user(sources: list[_Source], name: str) -> tuple[User, Path | None] | None:
    found = ((find(source.content.users, name), source.folder) for source in sources)
    return next(((item.user, folder) for item, folder in found if isinstance(item, NamedUser)), None)


def _address(cluster: Cluster, folder: Path | None) -> ApiAddress:
    ca = _pem(cluster.certificate_authority, cluster.certificate_authority_data, folder)
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
            _pem(user.client_certificate, user.client_certificate_data, folder),
            _pem(user.client_key, user.client_key_data, folder),
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
    ca = _pem(cluster.certificate_authority, cluster.certificate_authority_data, folder)
    told: dict[str, Any] = {
        "server": cluster.url,
        "tls-server-name": cluster.tls_server_name,
        "insecure-skip-tls-verify": cluster.insecure_skip_tls_verify,
        "certificate-authority-data": base64.b64encode(ca.encode()).decode() if ca else "",
        "proxy-url": cluster.proxy_url,
        "config": cluster.plugin_config,
    }
    return {key: value for key, value in told.items() if value}


def _pem(path: str, data: str, folder: Path | None) -> str | None:
    if data:
        # Line breaks are allowed in it.
        return base64.b64decode("".join(data.split()), validate=True).decode()
    return read_text(Path(_resolved(path, folder)), SIZE_LIMIT) if path else None


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
    address = ApiAddress(url=url, proxy=_proxy(url), ca=read_text(SERVICE_ACCOUNT / "ca.crt", SIZE_LIMIT))
    return address, TokenFileLogin(SERVICE_ACCOUNT / "token")
