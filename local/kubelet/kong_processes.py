"""The processes of Kong's image: a simulated node, its migrations, and the wait until a node would start."""

import json
import ssl
import time
from collections.abc import Mapping

from local.kong import admin_api_errors, admin_tls, migrations
from local.kong.admin_routes import Answer
from local.kong.database import Database
from local.kong.dbless_node import Node
from local.kong.enabled_plugins import StartError
from local.kong.kong_config import Listener as Wanted
from local.kong.kong_config import Settings
from local.kong.traditional_node import Traditional
from local.kubelet import container_config, loaded_plugins, pod_roles, service_endpoints
from local.kubelet.container_processes import Done, Failed, Surroundings
from local.kubelet.listeners import Handle, Listener
from local.kubelet.pod_roles import Container
from local.kubelet.readiness_probes import Endpoint

TRY_AGAIN_SECONDS = 1.0


class KongPart:
    """A simulated Kong with its Admin and status APIs."""

    def __init__(self, around: Surroundings, container: Container) -> None:
        self._around = around
        self._container = container
        self._node: Node | Traditional | None = None
        self._listeners: list[Listener] = []
        self.endpoints: dict[int, Endpoint] = {}

    def start(self) -> None:
        settings = settings_of(self._around, self._container)
        try:
            self._node = node_of(self._around, settings)
            self._listen_all(self._node, settings)
        except StartError as problem:
            self.stop()
            self._around.log(self._container["name"], str(problem))
            raise Failed(f"Error: {problem}\n") from problem
        except OSError as problem:
            self.stop()
            raise Failed(f"nginx: [emerg] bind() failed ({problem})\n") from problem
        self._tell()

    def check(self) -> None:
        """It never ends by itself."""
        if isinstance(self._node, Traditional) and self._node.follow(time.monotonic()):
            self._tell()

    def stop(self) -> None:
        for listener in self._listeners:
            listener.close()
        if isinstance(self._node, Traditional):
            self._node.close()
        self._node, self._listeners, self.endpoints = None, [], {}

    def _tell(self) -> None:
        if isinstance(self._node, Traditional):
            loaded_plugins.add(
                self._around.namespace, self._around.name, self._node.loaded.rows, folder=self._around.loaded
            )

    def _listen_all(self, node: Node | Traditional, settings: Settings) -> None:
        secured = admin_tls.context(settings, self._around.tls)
        asks = admin_tls.asks_certificate(settings)
        for listener in settings.admin:
            self._listen(listener, self._admin(node), secured, asks_certificate=asks and listener.tls)
        for listener in settings.status:
            self._listen(listener, lambda method, path, *_: node.status_api(path), self._around.tls)

    def _admin(self, node: Node | Traditional) -> Handle:
        def handle(
            method: str, path: str, query: Mapping[str, str], body: bytes, headers: Mapping[str, str]
        ) -> Answer | None:
            planted = self._around.faults()
            if planted.get("kong_admin") == "closed" or planted.get("kong_admin_drop") == method:
                return None
            if "kong_config" in planted and (method, path) == ("POST", "/config"):
                return _refused(body, planted["kong_config"])
            answer = node.admin_api(method, path, query, body, headers)
            return None if planted.get("kong_admin_drop_after") == method else answer

        return handle

    def _listen(
        self, wanted: Wanted, handle: Handle, secured: ssl.SSLContext, *, asks_certificate: bool = False
    ) -> None:
        endpoint = self._around.endpoint(wanted.port, reachable=wanted.reachable)
        tls = secured if wanted.tls else None
        self._listeners.append(
            Listener(endpoint.address, endpoint.port, handle, tls=tls, asks_certificate=asks_certificate)
        )
        self.endpoints[wanted.port] = endpoint


class MigrationPart:
    """`kong migrations <command>`: does it when it starts, and ends."""

    def __init__(self, around: Surroundings, container: Container, command: str) -> None:
        self._around = around
        self._container = container
        self._command = command
        self.endpoints: dict[int, Endpoint] = {}

    def start(self) -> None:
        settings = settings_of(self._around, self._container)
        database = database_of(self._around, settings)
        try:
            migrations.run(self._command, settings, database, self._say)
        except StartError as problem:
            self._say(f"Error: {problem}")
            raise Failed(f"Error: {problem}\n") from problem
        finally:
            database.close()
        raise Done

    def check(self) -> None:
        """It does not run."""

    def stop(self) -> None:
        """Nothing to stop."""

    def _say(self, line: str) -> None:
        self._around.log(self._container["name"], line)


class WaitPart:
    """`until kong start; do sleep 1; done; kong stop`: what a node needs, its database and its plugins among it."""

    def __init__(self, around: Surroundings, container: Container) -> None:
        self._around = around
        self._container = container
        self._settings: Settings | None = None
        self._next = 0.0
        self.endpoints: dict[int, Endpoint] = {}

    def start(self) -> None:
        self._settings = settings_of(self._around, self._container)

    def check(self) -> None:
        """Done once a node starts."""
        if not self._settings or time.monotonic() < self._next:
            return
        try:
            node = node_of(self._around, self._settings)
        except StartError as problem:
            self._around.log(self._container["name"], f"Error: {problem}\nwaiting for db")
            self._next = time.monotonic() + TRY_AGAIN_SECONDS
            return
        if isinstance(node, Traditional):
            node.close()
        raise Done

    def stop(self) -> None:
        self._settings = None


def settings_of(around: Surroundings, container: Container) -> Settings:
    """What the container's Kong is told; Missing where a source of it is not there."""
    environment = container_config.environment(around.api, around.pod, container)
    files = container_config.files(around.api, around.pod, container)
    texts = {path: text.decode(errors="replace") for path, text in files.items()}
    return Settings(environment, texts, pod_roles.enterprise(container))


def node_of(around: Surroundings, settings: Settings) -> Node | Traditional:
    """A node that has started, or StartError."""
    if settings.database == "off":
        return Node(settings, hostname=around.name)
    return Traditional(settings, hostname=around.name, database=database_of(around, settings))


def database_of(around: Surroundings, settings: Settings) -> Database:
    """The way to the database from this pod."""

    def locate(host: str, port: int) -> tuple[str, int]:
        return service_endpoints.locate(around.api, around.reach, around.namespace, host, port)

    return Database(settings, locate=locate, down=lambda: around.faults().get("database") == "down")


def _refused(body: bytes, message: str) -> Answer:
    """Every plugin of the configuration refused with this message."""
    plugins = json.loads(body).get("plugins") or []
    return 400, admin_api_errors.declarative_config(
        {}, [admin_api_errors.flattened("plugin", item, {"@entity": [message]}) for item in plugins]
    )
