"""Asks the Kong of one pod: its Admin API through a port-forward, on the port that the pod's own settings name."""

import http.client
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from traceable_kong.cluster.kong_listen import Listener
from traceable_kong.cluster.kubernetes_client import KubernetesClient
from traceable_kong.common.http_exchange import TooLong, exchange
from traceable_kong.common.safe_text import kind_of
from traceable_kong.kong_admin.admin_client import DEFAULT_WORKSPACE, AdminClient
from traceable_kong.kong_admin.admin_connection import port_forward
from traceable_kong.kong_admin.admin_endpoint import Credentials
from traceable_kong.kong_admin.admin_errors import AdminError, Unavailable
from traceable_kong.kong_admin.plugin_schema import PluginSchema, read_schema

ANSWER_TIMEOUT_SECONDS = 5.0

ANSWER_LIMIT = 65536
"""Bytes of an answer that only shows that something answers."""

UID_TAG = "k8s-uid:"


@dataclass(frozen=True)
class KongAnswer:
    """What a Kong reports.

    `available` is `{plugin: version}` of what it has loaded, `plugins` the configured instances. `schema` is the
    plugin's schema, None if Kong does not show it; `schema_problem` says why. `routed` is False if no route has the
    plugin. `lua_path` is where Kong looks for Lua files, None if it does not show the setting.
    """

    available: Mapping[str, str]
    plugins: list[dict[str, Any]]
    schema: PluginSchema | None = None
    schema_problem: str = ""
    routed: bool = True
    lua_path: str | None = None


def observe_kong(
    api: KubernetesClient,
    namespace: str,
    pod: str,
    listener: Listener,
    *,
    plugin: str,
    is_own: Callable[[Mapping[str, Any]], bool],
    credentials: Credentials | None = None,
    workspace: str = DEFAULT_WORKSPACE,
) -> KongAnswer:
    """What the Kong of a pod reports of itself and of the plugin `plugin`.

    `is_own` tells which instances of the plugin put it on a route. Raises Unavailable, ApiError or Unreachable.
    """
    known = credentials or Credentials()
    connect = port_forward(api, namespace, pod, listener, certificate=known.certificate)
    client = AdminClient(
        connect, token=known.token, workspace=workspace, request_seconds=ANSWER_TIMEOUT_SECONDS, retries=False
    )
    try:
        with client:
            root = client.root()
            available = (root.get("plugins") or {}).get("available_on_server") or {}
            plugins = client.list("/plugins")
            schema = read_schema(client, plugin) if plugin in available else ""
            routed = _is_routed(client, [item for item in plugins if item.get("name") == plugin and is_own(item)])
    except AdminError as problem:
        raise Unavailable(str(problem)) from None
    lua_path = (root.get("configuration") or {}).get("lua_package_path")
    versions = {name: str(item.get("version")) for name, item in available.items() if isinstance(item, dict)}
    return KongAnswer(
        available=versions,
        plugins=plugins,
        schema=schema if isinstance(schema, PluginSchema) else None,
        schema_problem=schema if isinstance(schema, str) else "",
        routed=routed,
        lua_path=None if lua_path is None else str(lua_path),
    )


def _is_routed(client: AdminClient, instances: list[dict[str, Any]]) -> bool:
    """Whether an instance is on a route for every consumer: on one route, on a service with a route, or everywhere."""
    bound = [item for item in instances if not (item.get("consumer") or item.get("consumer_group"))]
    if any(item.get("route") or not item.get("service") for item in bound):
        return True
    return any(client.list(f"/services/{item['service']['id']}/routes") for item in bound)


def is_copy_of(instance: Mapping[str, Any], uid: str) -> bool:
    """Whether an instance of a plugin is the ingress controller's copy of the object with this uid.

    The controller tags each instance with the uid of its object (KIC 3.4, `util.GenerateTagsForObject`) and with the
    tags of the annotation konghq.com/tags, in which another object may name this uid too. An instance without such a
    tag counts as a copy.
    """
    return {tag for tag in instance.get("tags") or [] if str(tag).startswith(UID_TAG)} <= {f"{UID_TAG}{uid}"}


def require_http(api: KubernetesClient, namespace: str, pod: str, port: int) -> None:
    """Returns if a port of a pod answers HTTP, with any status. Raises Unavailable, ApiError or Unreachable."""
    connect = port_forward(api, namespace, pod, Listener(port=port, tls=False))
    with closing(connect(ANSWER_TIMEOUT_SECONDS)) as connection:
        try:
            exchange(connection, "GET", "/", body=None, headers=(), seconds=ANSWER_TIMEOUT_SECONDS, limit=ANSWER_LIMIT)
        except TooLong:
            return
        except (OSError, http.client.HTTPException) as problem:
            raise Unavailable(f"port {port} does not answer ({kind_of(problem)})") from None
