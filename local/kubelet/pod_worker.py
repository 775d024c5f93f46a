"""Runs one pod in a thread of its own, from its start to its end.

For a pod that kwok leaves alone, the worker writes the status. For another pod with an agent it only opens the ports,
with a PortForward object (https://kwok.sigs.k8s.io/docs/user/port-forward-configuration/).
"""

import logging
import shutil
import threading
import time
from typing import Any

from local.kubelet import pod_roles
from local.kubelet.container_lifecycle import ContainerRun, Policy, timestamp
from local.kubelet.container_processes import (
    AgentProcess,
    CompletedProcess,
    ContainerProcess,
    IdleProcess,
    IngressControllerProcess,
    PodContext,
)
from local.kubelet.kong_processes import KongProcess, MigrationProcess, WaitForKongProcess
from local.kubelet.kube_client import MERGE, STRATEGIC, ApiError
from local.kubelet.pod_status import pod_status
from local.kubelet.postgres_process import PostgresProcess
from local.kubelet.readiness_probes import Endpoint

TICK_SECONDS = 0.1
FORWARDS = "/apis/kwok.x-k8s.io/v1alpha1/namespaces/{}/portforwards"

log = logging.getLogger(__name__)


class PodWorker(threading.Thread):
    """Runs one pod until `end()`. `update()` gives it the current pod."""

    def __init__(self, pod_context: PodContext) -> None:
        pod = pod_context.pod
        super().__init__(name=f"{pod['metadata']['namespace']}/{pod['metadata']['name']}", daemon=True)
        self.uid = str(pod["metadata"]["uid"])
        self._pod_context = pod_context
        self._needs_kubelet = pod_roles.needs_kubelet(pod)
        before = {item["name"]: item["restartCount"] + 1 for item in pod["status"].get("containerStatuses", [])}
        waits_for = "PodInitializing" if pod["spec"].get("initContainers") else "ContainerCreating"
        policy: Policy = pod["spec"].get("restartPolicy", "Always")
        self._containers = [
            ContainerRun(
                item, self._process_for(item), policy=policy, restarts=before.get(item["name"], 0), waits_for=waits_for
            )
            for item in pod["spec"]["containers"]
        ]
        self._init = [
            ContainerRun(item, self._init_process_for(item), policy=_init_policy(item, policy), init=True)
            for item in pod["spec"].get("initContainers", [])
        ]
        self.settled = threading.Event()
        """Set when this process, and not a previous one, has written the pod's status."""
        self._stopped = threading.Event()
        self._written: Any = None
        self._forwarded: dict[int, Endpoint] = {}

    def update(self, pod: pod_roles.Pod) -> None:
        self._pod_context.pod = pod

    def end(self) -> None:
        self._stopped.set()

    @property
    def address(self) -> str:
        return self._pod_context.address

    def webhook(self) -> Endpoint | None:
        """Returns the endpoint of the controller's admission webhook, or None if there is none."""
        for item in self._containers:
            if isinstance(item.process, IngressControllerProcess) and item.process.webhook:
                return item.process.endpoints.get(item.process.webhook)
        return None

    def endpoint(self, port: int) -> Endpoint | None:
        """Returns the endpoint of a port of this pod, or None if nothing listens there."""
        for item in self._containers:
            if port in item.process.endpoints:
                return item.process.endpoints[port]
        return None

    def run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._tick(time.monotonic())
            except ApiError as problem:
                if problem.code != 404:
                    log.warning("%s: %s", self.name, problem)
                self._stopped.wait(1)
            except Exception:
                log.exception("%s", self.name)
                self._stopped.wait(1)
            self._stopped.wait(TICK_SECONDS)
        for item in self._containers:
            item.stop()
        shutil.rmtree(self._pod_context.directory, ignore_errors=True)

    def _tick(self, now: float) -> None:
        for item in self._init:
            item.tick(now)
            if not (item.ready or item.succeeded):
                break
        else:
            for item in self._containers:
                item.tick(now)
        self._forward()
        if self._needs_kubelet:
            self._write()
        self.settled.set()

    def _process_for(self, container: pod_roles.Container) -> ContainerProcess:
        pod = self._pod_context.pod
        for found, process in (
            (pod_roles.kong(pod), KongProcess),
            (pod_roles.ingress_controller(pod), IngressControllerProcess),
        ):
            if found and found["name"] == container["name"]:
                return process(self._pod_context, container)
        command = pod_roles.migration(container)
        if command:
            return MigrationProcess(self._pod_context, container, command)
        if pod_roles.is_postgres(container):
            return PostgresProcess(self._pod_context, container)
        if any(item["name"] == container["name"] for item in pod_roles.traceable_containers(pod)):
            return AgentProcess(self._pod_context, "tme" if pod_roles.kong(pod) else "agent")
        return IdleProcess()

    def _init_process_for(self, container: pod_roles.Container) -> ContainerProcess:
        if container.get("restartPolicy") == "Always":
            return IdleProcess()
        known = self._pod_context.pod["status"].get("initContainerStatuses", [])
        done = [item["name"] for item in known if item["state"].get("terminated", {}).get("exitCode") == 0]
        if pod_roles.waits_for_kong(container) and container["name"] not in done:
            return WaitForKongProcess(self._pod_context, container)
        return CompletedProcess()

    def _forward(self) -> None:
        """Publishes the pod's ports. They stay the same while the pod exists; a closed port refuses connections."""
        wanted = {port: end for item in self._containers for port, end in item.process.endpoints.items()}
        if set(wanted) <= set(self._forwarded):
            return
        metadata = self._pod_context.pod["metadata"]
        self._forwarded |= wanted
        body = {
            "apiVersion": "kwok.x-k8s.io/v1alpha1",
            "kind": "PortForward",
            "metadata": {
                "name": metadata["name"],
                # So that it is deleted with its pod.
                "ownerReferences": [
                    {"apiVersion": "v1", "kind": "Pod", "name": metadata["name"], "uid": metadata["uid"]}
                ],
            },
            "spec": {
                "forwards": [
                    {"ports": [port], "target": {"address": end.address, "port": end.port}}
                    for port, end in sorted(self._forwarded.items())
                ]
            },
        }
        path = FORWARDS.format(metadata["namespace"])
        try:
            self._pod_context.api.request("POST", path, body)
        except ApiError as problem:
            if problem.code != 409:
                raise
            self._pod_context.api.request("PATCH", f"{path}/{metadata['name']}", body, MERGE)

    def _write(self) -> None:
        containers = [item.status() for item in self._containers]
        init = [item.status() for item in self._init]
        shown = (containers, init)
        if shown == self._written:
            return
        pod = self._pod_context.pod
        metadata = pod["metadata"]
        status = pod_status(
            current=pod.get("status", {}),
            containers=containers,
            init_containers=init,
            pod_ip=pod_ip(self._pod_context.address),
            host_ip="10.0.0.1",
            now=timestamp(),
        )
        path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}/status"
        self._pod_context.pod = self._pod_context.api.request(
            "PATCH", path, {"metadata": {"uid": metadata["uid"]}, "status": status}, STRATEGIC
        )
        self._written = shown


def pod_ip(address: str) -> str:
    """Returns the IP that the pod shows. An EndpointSlice does not accept a loopback address."""
    return f"10.{address.removeprefix('127.')}"


def address_of(pod: pod_roles.Pod) -> str | None:
    """Returns the loopback address of a pod that already shows an IP."""
    shown = str(pod.get("status", {}).get("podIP", ""))
    return f"127.{shown.removeprefix('10.')}" if shown.startswith("10.") else None


def _init_policy(container: pod_roles.Container, policy: Policy) -> Policy:
    """Returns an init container's restart policy: it is done when it completes, unless it is a sidecar."""
    if container.get("restartPolicy") == "Always":
        return "Always"
    return "Never" if policy == "Never" else "OnFailure"
