"""What runs in a container: the ingress controller, a listener, or nothing.

Kong's processes are in kong_processes.py, PostgreSQL's in postgres_process.py. A process is started and stopped with
its container. `endpoints` are the pod's ports that it serves while it runs.
"""

import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from local.kong.admin_routes import Response
from local.kubelet import container_config, faults, ingress_controller
from local.kubelet.kube_client import KubeClient
from local.kubelet.listeners import Listener, free_port
from local.kubelet.pod_roles import AGENT_PORT, Container, Pod
from local.kubelet.readiness_probes import Endpoint

SILENCE_SECONDS = 30


class ProcessFailed(Exception):
    """The process ended with an error. The message is its last output."""


class ProcessCompleted(Exception):
    """The process ended without an error."""


FindEndpoint = Callable[[str, str, int], Endpoint | None]
"""(namespace, pod, port) -> the endpoint on this machine, or None if nothing listens there."""


@dataclass
class PodContext:
    """What the processes of one pod share.

    `ports` maps the pod's ports to ports of this machine. `loaded` is the folder of the loaded plugins' history.
    `find_endpoint` finds a port of another pod.
    """

    api: KubeClient
    pod: Pod
    address: str
    directory: Path
    controller_binary: Path
    tls: ssl.SSLContext
    fault_file: Path
    loaded: Path
    find_endpoint: FindEndpoint = lambda namespace, pod, port: None
    ports: dict[int, int] = field(default_factory=dict)

    def endpoint(self, port: int, *, reachable: bool = True) -> Endpoint:
        if port not in self.ports:
            self.ports[port] = free_port(self.address, port)
        return Endpoint(address=self.address, port=self.ports[port], reachable=reachable)

    @property
    def namespace(self) -> str:
        return str(self.pod["metadata"]["namespace"])

    @property
    def name(self) -> str:
        return str(self.pod["metadata"]["name"])

    def log(self, container: str, text: str) -> None:
        """Adds a line to the container's log, which is deleted with the pod."""
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.directory / f"{container}.log").open("a") as file:
            file.write(f"{text.rstrip()}\n")

    def faults(self) -> faults.Faults:
        return faults.find(self.namespace, self.name, file=self.fault_file)


class ContainerProcess(Protocol):
    """The process of one container."""

    endpoints: dict[int, Endpoint]

    def start(self) -> None:
        """Raises MissingSource if it cannot start yet, ProcessFailed or ProcessCompleted if it ends at once."""

    def check(self) -> None:
        """Raises ProcessFailed or ProcessCompleted if the process has ended."""

    def stop(self) -> None:
        """Stops the process if it is running."""


class IdleProcess:
    """A process that runs and does nothing."""

    def __init__(self) -> None:
        self.endpoints: dict[int, Endpoint] = {}

    def start(self) -> None:
        """Does nothing."""

    def check(self) -> None:
        """Does nothing: the process never ends."""

    def stop(self) -> None:
        """Does nothing."""


class CompletedProcess:
    """A process that completes at once, such as that of an init container."""

    def __init__(self) -> None:
        self.endpoints: dict[int, Endpoint] = {}

    def start(self) -> None:
        raise ProcessCompleted

    def check(self) -> None:
        """Does nothing: the process has already ended."""

    def stop(self) -> None:
        """Does nothing: the process has already ended."""


class AgentProcess:
    """A TME or an agent: accepts requests on port 5442 and answers all of them with 200."""

    def __init__(self, pod_context: PodContext, fault: str) -> None:
        self._pod_context = pod_context
        self._fault = fault
        self._listener: Listener | None = None
        self.endpoints: dict[int, Endpoint] = {}

    def start(self) -> None:
        self.endpoints = {AGENT_PORT: self._pod_context.endpoint(AGENT_PORT)}
        self.check()

    def check(self) -> None:
        closed = self._fault_mode() == "closed"
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

    def _fault_mode(self) -> object:
        return self._pod_context.faults().get(self._fault)

    def _answer(self, *request: object) -> Response | None:
        if self._fault_mode() == "silent":
            time.sleep(SILENCE_SECONDS)
            return None
        return 200, {}


class IngressControllerProcess:
    """The real ingress controller."""

    def __init__(self, pod_context: PodContext, container: Container) -> None:
        self._pod_context = pod_context
        self._container = container
        self._process: ingress_controller.Process | None = None
        self.webhook: int | None = None
        self.endpoints: dict[int, Endpoint] = {}

    def start(self) -> None:
        pod_context = self._pod_context
        environment = ingress_controller.with_arguments(
            container_config.environment(pod_context.api, pod_context.pod, self._container),
            self._container.get("args", []),
        )
        files = container_config.files(pod_context.api, pod_context.pod, self._container)
        self.webhook = ingress_controller.webhook_port(environment)
        self.endpoints = {port: pod_context.endpoint(port) for port in ingress_controller.ports(environment)}
        self._process = ingress_controller.Process.start(
            pod_context.controller_binary,
            directory=pod_context.directory,
            environment=ingress_controller.adapted(
                environment, files, pod_context.directory, pod_context.address, pod_context.endpoint
            ),
            kubeconfig=ingress_controller.kubeconfig(pod_context.api, pod_context.pod),
        )

    def check(self) -> None:
        if self._process and (output := self._process.ended()) is not None:
            raise ProcessFailed(output)

    def stop(self) -> None:
        if self._process:
            self._process.stop()
        self._process, self.endpoints = None, {}
