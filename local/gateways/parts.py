"""What stands for the process of a container: a simulated Kong, the real ingress controller, a listener, or nothing.

A part is started and stopped as a container is. `endpoints` are the pod's ports that it answers on while it runs.
"""

import json
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from local.gateways import contents, controller, faults
from local.gateways.api import Api
from local.gateways.listeners import Listener, free_port
from local.gateways.pods import AGENT_PORT, Container, Pod
from local.gateways.probes import Endpoint
from local.kong import errors
from local.kong.node import Node
from local.kong.plugins import StartError
from local.kong.settings import Settings
from local.kong.shown import Answer

SILENCE_SECONDS = 30


class Failed(Exception):
    """The process ended; the text is what it said last."""


@dataclass
class Surroundings:
    """What the parts of one pod share: `ports` remembers what each of its ports is on this machine."""

    api: Api
    pod: Pod
    address: str
    directory: Path
    controller_binary: Path
    tls: ssl.SSLContext
    fault_file: Path
    ports: dict[int, int] = field(default_factory=dict)

    def endpoint(self, port: int, *, reachable: bool = True) -> Endpoint:
        if port not in self.ports:
            self.ports[port] = free_port(self.address, port)
        return Endpoint(address=self.address, port=self.ports[port], reachable=reachable)

    def faults(self) -> faults.Faults:
        metadata = self.pod["metadata"]
        return faults.find(metadata["namespace"], metadata["name"], file=self.fault_file)


class Part(Protocol):
    """The process of one container."""

    endpoints: dict[int, Endpoint]

    def start(self) -> None:
        """Missing where the container cannot be made yet, Failed where its process ends at once."""

    def check(self) -> None:
        """Failed where its process has ended."""

    def stop(self) -> None:
        """Ends it; nothing where it does not run."""


class Nothing:
    """A container with nothing behind it: it runs, and that is all."""

    def __init__(self) -> None:
        self.endpoints: dict[int, Endpoint] = {}

    def start(self) -> None:
        """Nothing to start."""

    def check(self) -> None:
        """It never ends."""

    def stop(self) -> None:
        """Nothing to stop."""


class KongPart:
    """A simulated Kong with its Admin and status APIs."""

    def __init__(self, around: Surroundings, container: Container) -> None:
        self._around = around
        self._container = container
        self._listeners: list[Listener] = []
        self.endpoints: dict[int, Endpoint] = {}

    def start(self) -> None:
        around = self._around
        environment = contents.environment(around.api, around.pod, self._container)
        files = contents.files(around.api, around.pod, self._container)
        settings = Settings(environment, {path: text.decode(errors="replace") for path, text in files.items()})
        try:
            node = Node(settings, hostname=around.pod["metadata"]["name"])
        except StartError as problem:
            raise Failed(f"Error: {problem}\n") from problem
        try:
            self._listen_all(node, settings)
        except OSError as problem:
            self.stop()
            raise Failed(f"nginx: [emerg] bind() failed ({problem})\n") from problem

    def _listen_all(self, node: Node, settings: Settings) -> None:
        for listener in settings.admin:
            self._listen(listener.port, listener.tls, listener.reachable, self._admin(node))
        for listener in settings.status:
            self._listen(
                listener.port, listener.tls, listener.reachable, lambda method, path, *_: node.status_api(path)
            )

    def check(self) -> None:
        """It never ends by itself."""

    def stop(self) -> None:
        for listener in self._listeners:
            listener.close()
        self._listeners, self.endpoints = [], {}

    def _admin(self, node: Node) -> Callable[[str, str, dict[str, str], bytes], Answer | None]:
        def handle(method: str, path: str, query: dict[str, str], body: bytes) -> Answer | None:
            planted = self._around.faults()
            if planted.get("kong_admin") == "closed":
                return None
            if "kong_config" in planted and (method, path) == ("POST", "/config"):
                return _refused(body, planted["kong_config"])
            return node.admin_api(method, path, query, body)

        return handle

    def _listen(
        self, port: int, tls: bool, reachable: bool, handle: Callable[[str, str, dict[str, str], bytes], Answer | None]
    ) -> None:
        endpoint = self._around.endpoint(port, reachable=reachable)
        context = self._around.tls if tls else None
        self._listeners.append(Listener(endpoint.address, endpoint.port, handle, tls=context))
        self.endpoints[port] = endpoint


def _refused(body: bytes, message: str) -> Answer:
    """Every plugin of the configuration refused with this message."""
    plugins = json.loads(body).get("plugins") or []
    return 400, errors.declarative_config(
        {}, [errors.flattened("plugin", item, {"@entity": [message]}) for item in plugins]
    )


class AgentPart:
    """A TME or an agent: takes requests on 5442 and answers each with nothing to object."""

    def __init__(self, around: Surroundings, fault: str) -> None:
        self._around = around
        self._fault = fault
        self._listener: Listener | None = None
        self.endpoints: dict[int, Endpoint] = {}

    def start(self) -> None:
        self.endpoints = {AGENT_PORT: self._around.endpoint(AGENT_PORT)}
        self.check()

    def check(self) -> None:
        closed = self._planted() == "closed"
        if closed and self._listener:
            self._listener.close()
            self._listener = None
        elif not closed and not self._listener:
            endpoint = self.endpoints[AGENT_PORT]
            self._listener = Listener(endpoint.address, endpoint.port, self._answer)

    def stop(self) -> None:
        if self._listener:
            self._listener.close()
        self._listener, self.endpoints = None, {}

    def _planted(self) -> object:
        return self._around.faults().get(self._fault)

    def _answer(self, method: str, path: str, query: dict[str, str], body: bytes) -> Answer | None:
        if self._planted() == "silent":
            time.sleep(SILENCE_SECONDS)
            return None
        return 200, {}


class ControllerPart:
    """The real ingress controller."""

    def __init__(self, around: Surroundings, container: Container) -> None:
        self._around = around
        self._container = container
        self._process: controller.Process | None = None
        self.webhook: int | None = None
        self.endpoints: dict[int, Endpoint] = {}

    def start(self) -> None:
        around = self._around
        environment = contents.environment(around.api, around.pod, self._container)
        files = contents.files(around.api, around.pod, self._container)
        self.webhook = controller.webhook_port(environment)
        self.endpoints = {port: around.endpoint(port) for port in controller.ports(environment)}
        self._process = controller.Process.start(
            around.controller_binary,
            directory=around.directory,
            environment=controller.adapted(environment, files, around.directory, around.address, around.endpoint),
            kubeconfig=controller.kubeconfig(around.api, around.pod),
        )

    def check(self) -> None:
        if self._process and (said := self._process.ended()) is not None:
            raise Failed(said)

    def stop(self) -> None:
        if self._process:
            self._process.stop()
        self._process, self.endpoints = None, {}
