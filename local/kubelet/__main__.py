"""The kubelet's process, one for the cluster. `local.kubelet.start` starts it."""

import argparse
import json
import logging
import os
import shutil
import signal
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import urllib3

from local import certificates, paths
from local.kubelet import STATE_FILE, pod_roles
from local.kubelet.container_processes import PodContext
from local.kubelet.kube_client import ApiError, KubeClient
from local.kubelet.listeners import Addresses, free_port
from local.kubelet.pod_worker import PodWorker, address_of
from local.kubelet.readiness_probes import Endpoint
from local.kubelet.volume_provisioner import VolumeProvisioner
from local.kubelet.webhook_router import WebhookRouter

PODS = "/api/v1/pods"
RETRY_SECONDS = 1
SETTLE_SECONDS = 5

log = logging.getLogger("local.kubelet")


class Kubelet:
    """Runs a PodWorker for every scheduled pod that needs one."""

    def __init__(self, api: KubeClient, directory: Path, controller_binary: Path) -> None:
        self._api = api
        self._directory = directory
        self._controller_binary = controller_binary
        self._addresses = Addresses(paths.STATE)
        self._workers: dict[tuple[str, str], PodWorker] = {}
        self._lock = threading.Lock()
        certificates.ensure(directory)
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(directory / certificates.SERVER_FILE)
        self._tls.set_alpn_protocols(["http/1.1"])

    def find_endpoint(self, namespace: str, pod: str, port: int) -> Endpoint | None:
        with self._lock:
            worker = self._workers.get((namespace, pod))
        return worker.endpoint(port) if worker else None

    def webhook(self, namespace: str, pod: str) -> Endpoint | None:
        with self._lock:
            worker = self._workers.get((namespace, pod))
        return worker.webhook() if worker else None

    def follow(self, ready: Callable[[], None]) -> None:
        """Watches the cluster's pods until the process ends. Calls `ready` after the first complete list."""
        while True:
            try:
                for kind, item in self._api.watch(PODS):
                    if kind == "LISTED":
                        self._listed(item["items"])
                        ready()
                    else:
                        self._changed(kind, item)
            except (ApiError, urllib3.exceptions.HTTPError, ValueError) as problem:
                log.warning("cannot watch pods: %s", problem)
                time.sleep(RETRY_SECONDS)

    def end(self) -> None:
        with self._lock:
            workers = list(self._workers.values())
        for worker in workers:
            worker.end()
        for worker in workers:
            worker.join(5)

    def _listed(self, found: list[pod_roles.Pod]) -> None:
        listed = {_key(pod) for pod in found}
        with self._lock:
            for key in [key for key in self._workers if key not in listed]:
                self._end(key)
        # Pods that already have an IP come first, because they keep it.
        for pod in sorted(found, key=lambda pod: address_of(pod) is None):
            self._changed("MODIFIED", pod)
        with self._lock:
            workers = list(self._workers.values())
        for worker in workers:
            worker.settled.wait(SETTLE_SECONDS)

    def _changed(self, kind: str, pod: pod_roles.Pod) -> None:
        key = _key(pod)
        has_ended = kind == "DELETED" or pod.get("status", {}).get("phase") in ("Succeeded", "Failed")
        with self._lock:
            worker = self._workers.get(key)
            if worker and (has_ended or worker.uid != pod["metadata"]["uid"]):
                self._end(key)
                worker = None
            if worker:
                worker.update(pod)
            elif (
                not has_ended
                and pod["spec"].get("nodeName")
                and (pod_roles.needs_kubelet(pod) or pod_roles.traceable_containers(pod))
            ):
                self._workers[key] = self._start(pod)

    def _end(self, key: tuple[str, str]) -> None:
        worker = self._workers.pop(key)
        worker.end()
        self._addresses.release(worker.address)

    def _start(self, pod: pod_roles.Pod) -> PodWorker:
        pod_context = PodContext(
            api=self._api,
            pod=pod,
            address=self._addresses.allocate(address_of(pod)),
            directory=self._directory / "pods" / pod["metadata"]["uid"],
            controller_binary=self._controller_binary,
            tls=self._tls,
            fault_file=self._directory / "faults.json",
            loaded=self._directory / "loaded",
            find_endpoint=self.find_endpoint,
        )
        worker = PodWorker(pod_context)
        worker.start()
        return worker


def _key(pod: pod_roles.Pod) -> tuple[str, str]:
    return pod["metadata"]["namespace"], pod["metadata"]["name"]


def main() -> None:
    """Runs until the process is stopped."""
    parser = argparse.ArgumentParser(prog="python -m local.kubelet")
    parser.add_argument("--directory", required=True, type=Path)
    parser.add_argument("--kubeconfig", required=True, type=Path)
    parser.add_argument("--controller", required=True, type=Path)
    parser.add_argument("--version", help="identifies the code and the cluster; another version is another process")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")

    # Files of pods that a killed process has left. Its child processes ended with it.
    shutil.rmtree(arguments.directory / "pods", ignore_errors=True)
    api = KubeClient(arguments.kubeconfig)
    kubelet = Kubelet(api, arguments.directory, arguments.controller)
    port = _router_port(arguments.directory / STATE_FILE)
    WebhookRouter(api, kubelet.webhook).listen(arguments.directory, port)
    VolumeProvisioner(api, arguments.directory / "volumes").start()
    state = {
        "router": f"https://127.0.0.1:{port}",
        "caBundle": certificates.ca_bundle(arguments.directory),
        "pid": os.getpid(),
    }

    def stop(number: int, frame: Any) -> None:
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, stop)
    try:
        kubelet.follow(lambda: _write_state(arguments.directory / STATE_FILE, state))
    finally:
        kubelet.end()


def _router_port(state_file: Path) -> int:
    """Returns the previous port if it is free, because installed webhooks name it."""
    wanted = 0
    if state_file.exists():
        wanted = int(json.loads(state_file.read_text())["router"].rsplit(":", 1)[1])
    return free_port("127.0.0.1", wanted)


def _write_state(file: Path, state: dict[str, Any]) -> None:
    temporary = file.with_suffix(".new")
    temporary.write_text(json.dumps(state))
    temporary.replace(file)


if __name__ == "__main__":
    main()
