"""The processes of Kong's image: a simulated node, its migrations, and the init container that waits for a node to
start.
"""

import json
import ssl
import time
from collections.abc import Mapping

from local.kong import admin_api_errors, admin_tls, migrations, proxy
from local.kong.admin_routes import Response
from local.kong.database import Database
from local.kong.dbless_node import DbLessNode
from local.kong.enabled_plugins import StartError
from local.kong.kong_config import KongConfig
from local.kong.kong_config import Listener as Wanted
from local.kong.traditional_node import TraditionalNode
from local.kubelet import container_config, loaded_plugins, pod_roles, service_endpoints
from local.kubelet.container_processes import PodContext, ProcessCompleted, ProcessFailed
from local.kubelet.listeners import Handle, Listener
from local.kubelet.pod_roles import Container
from local.kubelet.readiness_probes import Endpoint

TRY_AGAIN_SECONDS = 1.0


class KongProcess:
    """A simulated Kong node with its Admin API and status API, and without a database its proxy ports."""

    def __init__(self, pod_context: PodContext, container: Container) -> None:
        self._pod_context = pod_context
        self._container = container
        self._node: DbLessNode | TraditionalNode | None = None
        self._listeners: list[Listener] = []
        self.endpoints: dict[int, Endpoint] = {}

    def start(self) -> None:
        kong_config = kong_config_of(self._pod_context, self._container)
        try:
            self._node = start_node(self._pod_context, kong_config)
            self._listen_all(self._node, kong_config)
        except StartError as problem:
            self.stop()
            self._pod_context.log(self._container["name"], str(problem))
            raise ProcessFailed(f"Error: {problem}\n") from problem
        except OSError as problem:
            self.stop()
            raise ProcessFailed(f"nginx: [emerg] bind() failed ({problem})\n") from problem
        self._record_loaded()

    def check(self) -> None:
        """Polls the database if the node has one. A node never ends by itself."""
        if isinstance(self._node, TraditionalNode) and self._node.follow(time.monotonic()):
            self._record_loaded()

    def stop(self) -> None:
        for listener in self._listeners:
            listener.close()
        if isinstance(self._node, TraditionalNode):
            self._node.close()
        self._node, self._listeners, self.endpoints = None, [], {}

    def _record_loaded(self) -> None:
        if isinstance(self._node, TraditionalNode):
            loaded_plugins.record(
                self._pod_context.namespace,
                self._pod_context.name,
                self._node.loaded.plugins,
                folder=self._pod_context.loaded,
            )

    def _listen_all(self, node: DbLessNode | TraditionalNode, kong_config: KongConfig) -> None:
        secured = admin_tls.context(kong_config, self._pod_context.tls)
        asks = admin_tls.asks_certificate(kong_config)
        for listener in kong_config.admin:
            self._listen(listener, self._admin(node), secured, asks_certificate=asks and listener.tls)
        for listener in kong_config.status:
            self._listen(listener, lambda method, path, *_: node.status_api(path), self._pod_context.tls)
        if isinstance(node, DbLessNode):
            for listener in kong_config.proxy:
                self._listen(listener, self._proxy(node, listener), self._pod_context.tls)

    def _proxy(self, node: DbLessNode, listener: Wanted) -> Handle:
        def handle(
            method: str, path: str, query: Mapping[str, str], body: bytes, headers: Mapping[str, str]
        ) -> proxy.Answer:
            return proxy.answer(node.entities, method, path, query, headers, tls=listener.tls)

        return handle

    def _admin(self, node: DbLessNode | TraditionalNode) -> Handle:
        def handle(
            method: str, path: str, query: Mapping[str, str], body: bytes, headers: Mapping[str, str]
        ) -> Response | None:
            fault = self._pod_context.faults()
            if fault.get("kong_admin") == "closed" or fault.get("kong_admin_drop") == method:
                return None
            if "kong_config" in fault and (method, path) == ("POST", "/config"):
                return _refused(body, fault["kong_config"])
            answer = node.admin_api(method, path, query, body, headers)
            return None if fault.get("kong_admin_drop_after") == method else answer

        return handle

    def _listen(
        self, wanted: Wanted, handle: Handle, secured: ssl.SSLContext, *, asks_certificate: bool = False
    ) -> None:
        endpoint = self._pod_context.endpoint(wanted.port, reachable=wanted.reachable)
        tls = secured if wanted.tls else None
        self._listeners.append(
            Listener(endpoint.address, endpoint.port, handle, tls=tls, asks_certificate=asks_certificate)
        )
        self.endpoints[wanted.port] = endpoint


class MigrationProcess:
    """`kong migrations <command>`. It runs when the container starts, and ends."""

    def __init__(self, pod_context: PodContext, container: Container, command: str) -> None:
        self._pod_context = pod_context
        self._container = container
        self._command = command
        self.endpoints: dict[int, Endpoint] = {}

    def start(self) -> None:
        kong_config = kong_config_of(self._pod_context, self._container)
        database = database_for(self._pod_context, kong_config)
        try:
            migrations.run(self._command, kong_config, database, self._log)
        except StartError as problem:
            self._log(f"Error: {problem}")
            raise ProcessFailed(f"Error: {problem}\n") from problem
        finally:
            database.close()
        raise ProcessCompleted

    def check(self) -> None:
        """Does nothing: the process has already ended."""

    def stop(self) -> None:
        """Does nothing: the process has already ended."""

    def _log(self, line: str) -> None:
        self._pod_context.log(self._container["name"], line)


class WaitForKongProcess:
    """`until kong start; do sleep 1; done; kong stop`. It ends when a node's database and plugins are available."""

    def __init__(self, pod_context: PodContext, container: Container) -> None:
        self._pod_context = pod_context
        self._container = container
        self._kong_config: KongConfig | None = None
        self._next = 0.0
        self.endpoints: dict[int, Endpoint] = {}

    def start(self) -> None:
        self._kong_config = kong_config_of(self._pod_context, self._container)

    def check(self) -> None:
        """Raises ProcessCompleted when a node can start."""
        if not self._kong_config or time.monotonic() < self._next:
            return
        try:
            node = start_node(self._pod_context, self._kong_config)
        except StartError as problem:
            self._pod_context.log(self._container["name"], f"Error: {problem}\nwaiting for db")
            self._next = time.monotonic() + TRY_AGAIN_SECONDS
            return
        if isinstance(node, TraditionalNode):
            node.close()
        raise ProcessCompleted

    def stop(self) -> None:
        self._kong_config = None


def kong_config_of(pod_context: PodContext, container: Container) -> KongConfig:
    """Returns the configuration of the container's Kong. Raises MissingSource."""
    environment = container_config.environment(pod_context.api, pod_context.pod, container)
    files = container_config.files(pod_context.api, pod_context.pod, container)
    texts = {path: text.decode(errors="replace") for path, text in files.items()}
    return KongConfig(environment, texts, pod_roles.is_enterprise(container))


def start_node(pod_context: PodContext, kong_config: KongConfig) -> DbLessNode | TraditionalNode:
    """Returns a node that has started. Raises StartError."""
    if kong_config.database == "off":
        return DbLessNode(kong_config, hostname=pod_context.name)
    return TraditionalNode(kong_config, hostname=pod_context.name, database=database_for(pod_context, kong_config))


def database_for(pod_context: PodContext, kong_config: KongConfig) -> Database:
    """Returns the pod's connection to its database."""

    def resolve(host: str, port: int) -> tuple[str, int]:
        return service_endpoints.resolve(pod_context.api, pod_context.find_endpoint, pod_context.namespace, host, port)

    return Database(kong_config, resolve=resolve, down=lambda: pod_context.faults().get("database") == "down")


def _refused(body: bytes, message: str) -> Response:
    """Returns the response that rejects every plugin of a declarative configuration with this message."""
    plugins = json.loads(body).get("plugins") or []
    return 400, admin_api_errors.declarative_config(
        {}, [admin_api_errors.flattened("plugin", item, {"@entity": [message]}) for item in plugins]
    )
