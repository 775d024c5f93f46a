"""Listeners of pods, readiness probes, the webhook router, and faults."""

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.kubelet import container_processes, faults, pod_worker, readiness_probes
from local.kubelet.listeners import Addresses, Listener, free_port
from local.kubelet.readiness_probes import Endpoint
from local.kubelet.webhook_router import SLICES, WebhookRouter
from tests.local.kubelet.endpoints import ask
from tests.local.kubelet.pods import FakeKubeClient


def test_each_clone_has_a_block_and_each_pod_an_address() -> None:
    given = Addresses(Path("/a"))
    here = [given.allocate() for _ in range(300)]
    assert len(set(here)) == 300
    assert {item.split(".")[1] for item in here} != {Addresses(Path("/b")).allocate().split(".")[1]}
    assert all(item.startswith("127.") and not item.startswith(("127.0.", "127.1.")) for item in here)


def test_a_pod_keeps_its_address() -> None:
    first = Addresses(Path("/a")).allocate()
    again = Addresses(Path("/a"))
    assert again.allocate(first) == first
    assert again.allocate() != first
    assert again.allocate("127.0.0.1") != "127.0.0.1", "it is in the block of another clone"
    shown = {"status": {"podIP": pod_worker.pod_ip(first)}}
    assert pod_worker.address_of(shown) == first


def test_a_port_in_use_is_replaced(address: str) -> None:
    with socket.socket() as taken:
        taken.bind((address, 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert free_port(address, port) != port
    assert free_port(address, port) == port


def test_a_client_without_tls_does_not_block_others(address: str, tls: ssl.SSLContext) -> None:
    endpoint = Endpoint(address=address, port=free_port(address, 0))
    listener = Listener(endpoint.address, endpoint.port, lambda *_: (200, {"a": 1}), tls=tls)
    with socket.create_connection((endpoint.address, endpoint.port)):
        assert ask(endpoint, tls=True) == (200, {"a": 1})
    listener.close()
    with pytest.raises(ConnectionError):
        ask(endpoint, tls=True)


@pytest.fixture
def served(address: str) -> Iterator[Endpoint]:
    endpoint = Endpoint(address=address, port=free_port(address, 0))
    listener = Listener(
        endpoint.address, endpoint.port, lambda method, path, *_: (200 if path == "/ready" else 503, {})
    )
    yield endpoint
    listener.close()


@pytest.mark.parametrize(
    ("probe", "passes"),
    [
        (None, True),
        ({"httpGet": {"path": "/ready", "port": 8100}}, True),
        ({"httpGet": {"path": "/ready", "port": "status"}}, True),
        ({"httpGet": {"path": "/other", "port": "status"}}, False),
        ({"httpGet": {"path": "/ready", "port": 8100, "scheme": "HTTPS"}}, False),
        ({"tcpSocket": {"port": 8100}}, True),
        ({"httpGet": {"path": "/other", "port": 9999}}, True),
        ({"exec": {"command": ["false"]}}, True),
    ],
)
def test_readiness_probes(served: Endpoint, probe: Any, passes: bool) -> None:
    container = {"ports": [{"name": "status", "containerPort": 8100}], "readinessProbe": probe}
    assert readiness_probes.passes(container, {8100: served}) is passes


def test_a_probe_cannot_reach_the_loopback_address_of_the_pod(served: Endpoint) -> None:
    inside = Endpoint(address=served.address, port=served.port, reachable=False)
    assert readiness_probes.passes({"readinessProbe": {"tcpSocket": {"port": 1}}}, {1: inside}) is False


def test_faults_apply_to_a_pod_or_to_a_namespace(tmp_path: Path) -> None:
    file = tmp_path / "faults.json"
    faults.inject("ns", tme="silent", file=file)
    faults.inject("ns", "p", kong_admin="closed", file=file)
    assert faults.find("ns", "p", file=file) == {"tme": "silent", "kong_admin": "closed"}
    assert faults.find("ns", "q", file=file) == {"tme": "silent"}
    assert faults.find("other", "p", file=file) == {}
    faults.clear("ns", file=file)
    assert faults.find("ns", "p", file=file) == {"kong_admin": "closed"}


def test_a_tme_answers_or_is_silent_or_closed(pod_context: container_processes.PodContext) -> None:
    process = container_processes.AgentProcess(pod_context, "tme")
    process.start()
    endpoint = process.endpoints[5442]
    assert ask(endpoint)[0] == 200
    faults.inject("ns", tme="silent", file=pod_context.fault_file)
    with pytest.raises(TimeoutError):
        ask(endpoint, timeout=0.3)
    faults.inject("ns", tme="closed", file=pod_context.fault_file)
    process.check()
    with pytest.raises(ConnectionRefusedError):
        ask(endpoint)
    faults.clear("ns", file=pod_context.fault_file)
    process.check()
    assert ask(endpoint)[0] == 200
    process.stop()
    with pytest.raises(ConnectionRefusedError):
        ask(endpoint)


def test_the_router_forwards_to_a_ready_pod_or_fails(address: str, tmp_path: Path, tls: ssl.SSLContext) -> None:
    webhook = Endpoint(address=address, port=free_port(address, 0))
    reviews: list[bytes] = []

    def answer(method: str, path: str, query: Any, body: bytes, headers: Any) -> tuple[int, Any]:
        reviews.append(body)
        return 200, {"response": {"allowed": False}}

    behind = Listener(webhook.address, webhook.port, answer, tls=tls)
    entry = {"conditions": {"ready": True}, "targetRef": {"name": "p"}}
    slices = {SLICES.format("ns", "hook"): {"items": [{"endpoints": [entry]}, {"endpoints": None}]}}
    router = WebhookRouter(FakeKubeClient(slices), lambda namespace, name: webhook if name == "p" else None)  # type: ignore[arg-type]
    assert router._handle("POST", "/ns/hook", {}, b"{}", {}) == (200, {"response": {"allowed": False}})
    assert reviews == [b"{}"]
    entry["conditions"] = {"ready": False}
    assert router._handle("POST", "/ns/hook", {}, b"{}", {})[0] == 503
    assert router._handle("POST", "/ns/other", {}, b"{}", {})[0] == 503
    behind.close()
    entry["conditions"] = {"ready": True}
    assert router._handle("POST", "/ns/hook", {}, b"{}", {})[0] == 503


def test_concurrent_faults_are_all_written(tmp_path: Path) -> None:
    file = tmp_path / "faults.json"
    injecting = [
        threading.Thread(target=faults.inject, args=(f"n{i}",), kwargs={"tme": "closed", "file": file})
        for i in range(20)
    ]
    for thread in injecting:
        thread.start()
    for thread in injecting:
        thread.join()
    assert len(json.loads(file.read_text())) == 20
