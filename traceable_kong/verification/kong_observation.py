"""Kong's own answers, pod by pod: its Admin API, reached by a port-forward, as the pod's own settings leave it."""

import http.client
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from traceable_kong.cluster.kubernetes_client import KubernetesClient
from traceable_kong.common.safe_text import kind_of
from traceable_kong.kong_admin.admin_client import DEFAULT_WORKSPACE, Client
from traceable_kong.kong_admin.admin_connection import forwarded
from traceable_kong.kong_admin.admin_endpoint import Credentials
from traceable_kong.kong_admin.admin_listen import AdminError, Listener, Unavailable
from traceable_kong.kong_admin.plugin_schema import PluginSchema, shown

ANSWER_TIMEOUT_SECONDS = 5.0

UID_TAG = "k8s-uid:"


@dataclass(frozen=True)
class KongAnswer:
    """`available` is `{plugin: version}` of what this Kong can run, `plugins` what it is configured with.

    `schema` is the plugin's own, None where Kong does not show it; `schema_problem` says why. `routed` is False where
    no route has the plugin. `lua_path` is where it looks for Lua files, None where it does not show it.
    """

    available: Mapping[str, str]
    plugins: list[dict[str, Any]]
    schema: PluginSchema | None = None
    schema_problem: str = ""
    routed: bool = True
    lua_path: str | None = None


def ask(
    api: KubernetesClient,
    namespace: str,
    pod: str,
    listener: Listener,
    *,
    plugin: str,
    counts: Callable[[Mapping[str, Any]], bool] = lambda _: True,
    credentials: Credentials | None = None,
    workspace: str = DEFAULT_WORKSPACE,
) -> KongAnswer:
    """What the Kong of a pod says of itself, and of the plugin `plugin`.

    `counts` says which of its instances put it on a route. Raises Silent, kube.ApiError or kube.Unreachable.
    """
    known = credentials or Credentials()
    connect = forwarded(api, namespace, pod, listener, certificate=known.certificate)
    asked = Client(
        connect, token=known.token, workspace=workspace, request_seconds=ANSWER_TIMEOUT_SECONDS, patient=False
    )
    try:
        with asked:
            root = asked.root()
            available = (root.get("plugins") or {}).get("available_on_server") or {}
            plugins = asked.list("/plugins")
            schema = shown(asked, plugin) if plugin in available else ""
            routed = _routed(asked, [item for item in plugins if item.get("name") == plugin and counts(item)])
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


def _routed(asked: Client, instances: list[dict[str, Any]]) -> bool:
    """Whether one of these is on a route, for all requests on it: its own route, a service's, or every route."""
    bound = [item for item in instances if not (item.get("consumer") or item.get("consumer_group"))]
    if any(item.get("route") or not item.get("service") for item in bound):
        return True
    return any(asked.list(f"/services/{item['service']['id']}/routes") for item in bound)


def made_from(instance: Mapping[str, Any], uid: str) -> bool:
    """Whether an instance of a plugin is the ingress controller's copy of the object with this uid.

    The controller tags each instance with the uid of its object (KIC 3.4, `util.GenerateTagsForObject`), and adds the
    tags of the annotation konghq.com/tags: that another object names this uid too does not count. An instance without
    such a tag is counted.
    """
    return {tag for tag in instance.get("tags") or [] if str(tag).startswith(UID_TAG)} <= {f"{UID_TAG}{uid}"}


def answers_http(api: KubernetesClient, namespace: str, pod: str, port: int) -> None:
    """Returns where somebody answers HTTP on a port of a pod, with whatever status.

    Raises Silent, kube.ApiError or kube.Unreachable.
    """
    connect = forwarded(api, namespace, pod, Listener(port=port, tls=False))
    with closing(connect(ANSWER_TIMEOUT_SECONDS)) as connection:
        try:
            connection.request("GET", "/")
            connection.getresponse().read()
        except (OSError, http.client.HTTPException) as problem:
            raise Unavailable(f"port {port} does not answer ({kind_of(problem)})") from None
