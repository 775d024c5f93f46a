"""What stands for the process of a container: the real ingress controller, a listener, or nothing; Kong's and
PostgreSQL's have files of their own.

A part is started and stopped as a container is. `endpoints` are the pod's ports that it answers on while it runs.
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
    """The process ended; the text is what it said last."""


class ProcessCompleted(Exception):
    """The process ended well."""


FindEndpoint = Callable[[str, str, int], Endpoint | None]
"""Where a port of a pod is to be found, by namespace, name and number; None where nobody answers."""


@dataclass
class PodContext:
    """What the parts of one pod share: `ports` remembers what each of its ports is on this machine.

    `loaded` is the folder for what Kong nodes have loaded; `reach` finds another pod.
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
        """Adds a line to the container's log, which goes with the pod."""
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.directory / f"{container}.log").open("a") as file:
            file.write(f"{text.rstrip()}\n")

    def faults(self) -> faults.Faults:
        return faults.find(self.namespace, self.name, file=self.fault_file)


class ContainerProcess(Protocol):
    """The process of one container."""

    endpoints: dict[int, Endpoint]

    def start(self) -> None:
        """Missing where the container cannot be made yet, Failed or Done where its process ends at once."""

    def check(self) -> None:
        """Failed or Done where its process has ended."""

    def stop(self) -> None:
        """Ends it; nothing where it does not run."""


class IdleProcess:
    """A container with nothing behind it: it runs, and that is all."""

    def __init__(self) -> None:
        self.endpoints: dict[int, Endpoint] = {}

    def start(self) -> None:
        """Nothing to start."""

    def check(self) -> None:
        """It never ends."""

    def stop(self) -> None:
        """Nothing to stop."""


class CompletedProcess:
    """A process that ends well at once, as an init container's that has done its work."""

    def __init__(self) -> None:
        self.endpoints: dict[int, Endpoint] = {}

    def start(self) -> None:
        raise ProcessCompleted

    def check(self) -> None:
        """It does not run."""

    def stop(self) -> None:
        """Nothing to stop."""


class AgentProcess:
    """A TME or an agent: takes requests on 5442 and answers each with nothing to object."""

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
        environment = container_config.environment(pod_context.api, pod_context.pod, self._container)
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
        if self._process and (said := self._process.ended()) is not None:
            raise ProcessFailed(said)

    def stop(self) -> None:
        if self._process:
            self._process.stop()
        self._process, self.endpoints = None, {}
