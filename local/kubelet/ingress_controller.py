"""The real Kong Ingress Controller (https://github.com/Kong/kubernetes-ingress-controller, 3.4.0) as a pod's process.

It gets its container's environment, and its arguments as variables. Only what must differ on this machine is changed:
the address of the pod's Kong, its own listen addresses, the path of its certificates, and its access to the cluster,
which uses a token of the pod's ServiceAccount, so that the chart's RBAC applies. Anonymous reports are off.
"""

import base64
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from local.kubelet.kube_client import KubeClient
from local.kubelet.pod_roles import Pod
from local.kubelet.readiness_probes import Endpoint
from local.processes import bound_process

HEALTH, METRICS, DIAGNOSTICS = 10254, 10255, 10256
"""The controller's default ports (`internal/manager/consts`)."""

TOKEN_SECONDS = 30 * 24 * 3600
STOP_SECONDS = 3
TAIL_BYTES = 2000


def with_arguments(environment: dict[str, str], arguments: Sequence[str]) -> dict[str, str]:
    """Returns the environment with the flags in `arguments` as variables, over those of the same name.

    Every flag `--a-b` can also be the variable CONTROLLER_A_B (`internal/cmd/rootcmd/env.go`).
    """
    result, rest = dict(environment), list(arguments)
    while rest:
        flag, has_value, value = rest.pop(0).removeprefix("--").partition("=")
        if not has_value:
            value = rest.pop(0) if rest and not rest[0].startswith("--") else "true"
        result[f"CONTROLLER_{flag.upper().replace('-', '_')}"] = value
    return result


def ports(environment: dict[str, str]) -> list[int]:
    """Returns the ports that the controller listens on."""
    listens = [
        environment.get("CONTROLLER_HEALTH_PROBE_BIND_ADDRESS", f":{HEALTH}"),
        environment.get("CONTROLLER_METRICS_BIND_ADDRESS", f":{METRICS}"),
        environment.get("CONTROLLER_ADMISSION_WEBHOOK_LISTEN", "off"),
    ]
    return [int(listen.rsplit(":", 1)[1]) for listen in listens if ":" in listen]


def webhook_port(environment: dict[str, str]) -> int | None:
    """Returns the port of its admission webhook, or None if that is off."""
    listen = environment.get("CONTROLLER_ADMISSION_WEBHOOK_LISTEN", "off")
    return int(listen.rsplit(":", 1)[1]) if ":" in listen else None


def adapted(
    environment: dict[str, str],
    files: dict[str, bytes],
    directory: Path,
    address: str,
    endpoint: Callable[[int], Endpoint],
) -> dict[str, str]:
    """Returns the environment with the changes for this machine. Writes the container's files below `directory`."""

    def here(listen: str) -> str:
        return listen if listen == "off" else f"{address}:{endpoint(int(listen.rsplit(':', 1)[1])).port}"

    def local_url(found: re.Match[str]) -> str:
        return f"{found[1]}{address}:{endpoint(int(found[2])).port}"

    result = {
        **environment,
        "CONTROLLER_KUBECONFIG": str(directory / "kubeconfig"),
        "CONTROLLER_ANONYMOUS_REPORTS": "false",
        "CONTROLLER_HEALTH_PROBE_BIND_ADDRESS": here(
            environment.get("CONTROLLER_HEALTH_PROBE_BIND_ADDRESS", f":{HEALTH}")
        ),
        "CONTROLLER_METRICS_BIND_ADDRESS": here(environment.get("CONTROLLER_METRICS_BIND_ADDRESS", f":{METRICS}")),
        "CONTROLLER_DIAGNOSTIC_SERVER_PORT": str(endpoint(DIAGNOSTICS).port),
        # Outside a pod, the controller cannot detect the namespace for its lease.
        "CONTROLLER_ELECTION_NAMESPACE": environment.get(
            "CONTROLLER_ELECTION_NAMESPACE", environment.get("POD_NAMESPACE", "default")
        ),
    }
    if "CONTROLLER_KONG_ADMIN_URL" in environment:
        result["CONTROLLER_KONG_ADMIN_URL"] = re.sub(
            r"(https?://)(?:localhost|127\.0\.0\.1):(\d+)", local_url, environment["CONTROLLER_KONG_ADMIN_URL"]
        )
    listen = environment.get("CONTROLLER_ADMISSION_WEBHOOK_LISTEN", "off")
    if listen != "off":
        result["CONTROLLER_ADMISSION_WEBHOOK_LISTEN"] = here(listen)
        result.setdefault("CONTROLLER_ADMISSION_WEBHOOK_CERT_FILE", "/admission-webhook/tls.crt")
        result.setdefault("CONTROLLER_ADMISSION_WEBHOOK_KEY_FILE", "/admission-webhook/tls.key")
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path, content in files.items():
        file = directory / "files" / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        result = {name: str(file) if value == path else value for name, value in result.items()}
    return result


def kubeconfig(api: KubeClient, pod: Pod) -> dict[str, Any]:
    """Returns a kubeconfig for the pod's ServiceAccount. The token is bound to the pod, like a kubelet's."""
    metadata, account = pod["metadata"], pod["spec"].get("serviceAccountName", "default")
    asked = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {
            "expirationSeconds": TOKEN_SECONDS,
            "boundObjectRef": {
                "apiVersion": "v1",
                "kind": "Pod",
                "name": metadata["name"],
                "uid": metadata["uid"],
            },
        },
    }
    path = f"/api/v1/namespaces/{metadata['namespace']}/serviceaccounts/{account}/token"
    token = api.request("POST", path, asked)["status"]["token"]
    authority = base64.b64encode(Path(api.ca_file).read_bytes()).decode()
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": api.host, "certificate-authority-data": authority}}],
        "users": [{"name": "u", "user": {"token": token}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u", "namespace": metadata["namespace"]}}],
        "current-context": "x",
    }


@dataclass
class Process:
    """A running controller. Its log is in its folder."""

    process: "subprocess.Popen[bytes]"
    log: Path

    @classmethod
    def start(
        cls, binary: Path, *, directory: Path, environment: dict[str, str], kubeconfig: dict[str, Any]
    ) -> "Process":
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = directory / "kubeconfig"
        file.touch(mode=0o600)
        file.write_text(yaml.safe_dump(kubeconfig))
        log = directory / "controller.log"
        with log.open("ab") as output:
            process = subprocess.Popen(
                # The controller ends with this process, even if this process is killed.
                [sys.executable, bound_process.__file__, str(os.getpid()), str(binary.resolve())],
                cwd=directory,
                env={"PATH": os.defpath, "HOME": str(directory), **environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        return cls(process, log)

    def ended(self) -> str | None:
        """Returns the last lines of its log if it has ended, otherwise None."""
        if self.process.poll() is None:
            return None
        return self.log.read_bytes()[-TAIL_BYTES:].decode(errors="replace")

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
