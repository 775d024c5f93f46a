"""Kong's own answers, pod by pod: its Admin API, reached by a port-forward, as the pod's own settings leave it.

Leaves out the way there (admin/), and what the answers mean (proof/judging.py).
"""

import http.client
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import kube
from admin.access import Credentials
from admin.client import DEFAULT_WORKSPACE, Client
from admin.connection import forwarded
from admin.listener import AdminError, Listener, Silent
from safe_text import kind_of

ANSWER_TIMEOUT_SECONDS = 5.0


@dataclass(frozen=True)
class KongAnswer:
    """`available` is `{plugin: version}` of what this Kong can run, `plugins` what it is configured with."""

    available: Mapping[str, str]
    plugins: list[dict[str, Any]]


def ask(
    api: kube.Kube,
    namespace: str,
    pod: str,
    listener: Listener,
    *,
    credentials: Credentials | None = None,
    workspace: str = DEFAULT_WORKSPACE,
) -> KongAnswer:
    """What the Kong of a pod says of itself. Raises Silent, kube.ApiError or kube.Unreachable."""
    known = credentials or Credentials()
    connect = forwarded(api, namespace, pod, listener, certificate=known.certificate)
    asked = Client(
        connect, token=known.token, workspace=workspace, request_seconds=ANSWER_TIMEOUT_SECONDS, patient=False
    )
    try:
        with asked:
            available = (asked.root().get("plugins") or {}).get("available_on_server") or {}
            plugins = asked.list("/plugins")
    except AdminError as problem:
        raise Silent(str(problem)) from None
    versions = {name: str(item.get("version")) for name, item in available.items() if isinstance(item, dict)}
    return KongAnswer(available=versions, plugins=plugins)


def answers_http(api: kube.Kube, namespace: str, pod: str, port: int) -> None:
    """Returns where somebody answers HTTP on a port of a pod, with whatever status.

    Raises Silent, kube.ApiError or kube.Unreachable.
    """
    connect = forwarded(api, namespace, pod, Listener(port=port, tls=False))
    with closing(connect(ANSWER_TIMEOUT_SECONDS)) as connection:
        try:
            connection.request("GET", "/")
            connection.getresponse().read()
        except (OSError, http.client.HTTPException) as problem:
            raise Silent(f"port {port} does not answer ({kind_of(problem)})") from None
