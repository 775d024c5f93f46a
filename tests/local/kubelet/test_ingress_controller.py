"""The environment of the real ingress controller: only settings that must differ are changed."""

from pathlib import Path

import pytest

from local.kubelet import ingress_controller
from local.kubelet.readiness_probes import Endpoint

CHART = {
    "CONTROLLER_INGRESS_CLASS": "kong",
    "CONTROLLER_KONG_ADMIN_URL": "https://localhost:8444",
    "CONTROLLER_ADMISSION_WEBHOOK_LISTEN": "0.0.0.0:8080",
    "CONTROLLER_PROXY_SYNC_SECONDS": "0.5",
    "POD_NAMESPACE": "ns",
}
FILES = {"/admission-webhook/tls.crt": b"c", "/admission-webhook/tls.key": b"k"}


def endpoint(port: int) -> Endpoint:
    return Endpoint(address="127.9.9.9", port=port + 1)


def adapted(folder: Path, **changes: str) -> dict[str, str]:
    return ingress_controller.adapted({**CHART, **changes}, FILES, folder, "127.9.9.9", endpoint)


def test_only_settings_that_must_differ_are_changed(tmp_path: Path) -> None:
    found = adapted(tmp_path)
    assert {name: value for name, value in found.items() if CHART.get(name) != value} == {
        "CONTROLLER_KUBECONFIG": str(tmp_path / "kubeconfig"),
        "CONTROLLER_ANONYMOUS_REPORTS": "false",
        "CONTROLLER_KONG_ADMIN_URL": "https://127.9.9.9:8445",
        "CONTROLLER_ADMISSION_WEBHOOK_LISTEN": "127.9.9.9:8081",
        "CONTROLLER_HEALTH_PROBE_BIND_ADDRESS": "127.9.9.9:10255",
        "CONTROLLER_METRICS_BIND_ADDRESS": "127.9.9.9:10256",
        "CONTROLLER_DIAGNOSTIC_SERVER_PORT": "10257",
        "CONTROLLER_ELECTION_NAMESPACE": "ns",
        "CONTROLLER_ADMISSION_WEBHOOK_CERT_FILE": str(tmp_path / "files/admission-webhook/tls.crt"),
        "CONTROLLER_ADMISSION_WEBHOOK_KEY_FILE": str(tmp_path / "files/admission-webhook/tls.key"),
    }
    assert (tmp_path / "files/admission-webhook/tls.key").read_bytes() == b"k"


def test_arguments_are_variables_and_have_priority() -> None:
    arguments = ["--log-level=debug", "--ingress-class", "internal", "--dump-config", "--publish-service=a/b"]
    assert ingress_controller.with_arguments({"CONTROLLER_INGRESS_CLASS": "kong", "POD_NAME": "p"}, arguments) == {
        "CONTROLLER_DUMP_CONFIG": "true",
        "CONTROLLER_INGRESS_CLASS": "internal",
        "CONTROLLER_LOG_LEVEL": "debug",
        "CONTROLLER_PUBLISH_SERVICE": "a/b",
        "POD_NAME": "p",
    }


def test_an_admin_api_in_another_pod_is_not_changed(tmp_path: Path) -> None:
    found = adapted(tmp_path, CONTROLLER_KONG_ADMIN_URL="https://kong-admin.ns:8444")
    assert found["CONTROLLER_KONG_ADMIN_URL"] == "https://kong-admin.ns:8444"


@pytest.mark.parametrize(
    ("listen", "port", "ports"), [("0.0.0.0:8080", 8080, [10254, 10255, 8080]), ("off", None, [10254, 10255])]
)
def test_ports_come_from_the_environment(listen: str, port: int | None, ports: list[int], tmp_path: Path) -> None:
    environment = {**CHART, "CONTROLLER_ADMISSION_WEBHOOK_LISTEN": listen}
    assert ingress_controller.webhook_port(environment) == port
    assert ingress_controller.ports(environment) == ports
    assert ("CONTROLLER_ADMISSION_WEBHOOK_CERT_FILE" in adapted(tmp_path, **environment)) is (port is not None)


def test_a_controller_that_ended_returns_the_end_of_its_log(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\necho $WHAT; exit 1\n")
    program.chmod(0o755)
    process = ingress_controller.Process.start(
        program, directory=tmp_path / "d", environment={"WHAT": "no"}, kubeconfig={}
    )
    process.process.wait(10)
    assert process.ended() == "no\n"
