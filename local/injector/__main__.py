"""The injector's process: HTTPS on loopback, one for each agent. `local.injector.start` starts it."""

import argparse
import http.server
import json
import os
import ssl
from pathlib import Path
from typing import Any

from local import certificates
from local.injector import STATE_FILE, admission_review
from local.kubelet.kube_client import ApiError, KubeClient

CONFIG_MAP = "/api/v1/namespaces/{}/configmaps/traceable-agent-config-map"


class _Handler(http.server.BaseHTTPRequestHandler):
    agent_namespace: str
    api: KubeClient

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path.split("?")[0] != admission_review.PATH:
            self._answer(404, {"message": f"no such path: {self.path}"})
            return
        try:
            answer = admission_review.respond(json.loads(body), self._agent_config())
        except (admission_review.ConfigurationError, ApiError) as problem:
            self._answer(500, {"message": str(problem)})
            return
        self._answer(200, answer)

    def _agent_config(self) -> str:
        found = self.api.request("GET", CONFIG_MAP.format(self.agent_namespace))
        return str(found["data"]["agentconfig.yaml"])

    def _answer(self, status: int, document: dict[str, Any]) -> None:
        content = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def main() -> None:
    """Serves until the process is stopped."""
    parser = argparse.ArgumentParser(prog="python -m local.injector")
    parser.add_argument("--agent-namespace", required=True)
    parser.add_argument("--directory", required=True, type=Path)
    parser.add_argument("--kubeconfig", required=True, type=Path)
    arguments = parser.parse_args()

    certificates.ensure(arguments.directory)
    state_file = arguments.directory / STATE_FILE
    port = 0
    if state_file.exists():
        port = int(json.loads(state_file.read_text())["domain"].split(":")[1])

    _Handler.agent_namespace = arguments.agent_namespace
    _Handler.api = KubeClient(arguments.kubeconfig)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), _Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(arguments.directory / certificates.SERVER_FILE)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    state = {
        "domain": f"127.0.0.1:{server.server_address[1]}",
        "caBundle": certificates.ca_bundle(arguments.directory),
        "pid": os.getpid(),
    }
    temporary = state_file.with_suffix(".new")
    temporary.write_text(json.dumps(state))
    temporary.replace(state_file)
    server.serve_forever()


if __name__ == "__main__":
    main()
