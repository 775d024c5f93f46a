"""The bench's platform: a fresh cluster that logs the requests of one user, and that user's kubeconfig.

`python -m bench` sets the environment variables that the platform reads before this module is imported.
"""

import shutil
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from bench.audit_log import POLICY, USER, AuditLog
from bench.byte_counter import ByteCounter
from local import paths
from local.platform import Platform

AUDIT_LOG = paths.STATE / "audit.log"
AUDIT_POLICY = paths.STATE / "audit-policy.yaml"
FOLDER = paths.STATE / "bench"
"""Programs, kubeconfig and values files of the bench."""

_TOKEN_LIFETIME = "24h"


class BenchCluster:
    """A fresh platform. `environment` is that of the measured commands, `admin` that of the bench itself."""

    def __init__(self) -> None:
        Platform.stop()
        paths.STATE.mkdir(parents=True, exist_ok=True)
        AUDIT_POLICY.write_text(POLICY)
        self.platform = Platform.ensure()
        self.admin = {**self.platform.env, "NO_COLOR": "1"}
        FOLDER.mkdir()
        self._kubeconfig = FOLDER / "kubeconfig"
        self.environment = {**self.admin, "KUBECONFIG": str(self._kubeconfig)}
        self.audit_log = AuditLog(AUDIT_LOG)
        account = USER.split(":")[-1]
        self.kubectl("create", "serviceaccount", account)
        self.kubectl(
            "create",
            "clusterrolebinding",
            account,
            "--clusterrole=cluster-admin",
            f"--serviceaccount=default:{account}",
        )
        self._token = self.kubectl("create", "token", account, f"--duration={_TOKEN_LIFETIME}")
        cluster = yaml.safe_load(self.platform.kubeconfig.read_text())["clusters"][0]["cluster"]
        self._authority = cluster["certificate-authority"]
        server = urlsplit(cluster["server"])
        assert server.hostname and server.port
        self._server = (server.hostname, server.port)
        self.bytes = ByteCounter(self._server)
        self.count_bytes(False)

    def count_bytes(self, on: bool) -> None:
        """Lets the measured commands reach the API server through the counter of bytes, or directly."""
        host, port = self._server[0], self.bytes.port if on else self._server[1]
        cluster = {"server": f"https://{host}:{port}", "certificate-authority": self._authority}
        self._kubeconfig.write_text(
            yaml.safe_dump(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "clusters": [{"name": "bench", "cluster": cluster}],
                    "users": [{"name": "bench", "user": {"token": self._token}}],
                    "contexts": [{"name": "bench", "context": {"cluster": "bench", "user": "bench"}}],
                    "current-context": "bench",
                }
            )
        )
        self._kubeconfig.chmod(0o600)

    def kubectl(self, *arguments: str) -> str:
        done = subprocess.run(
            ["kubectl", *arguments],
            env=self.admin,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"kubectl {' '.join(arguments)}: {done.stderr}")
        return done.stdout.strip()

    def stop(self) -> None:
        self.bytes.close()
        Platform.stop()


def program_folder(name: str) -> Path:
    """Creates an empty folder for a Pulumi program, with the virtual environment of this repository."""
    folder = FOLDER / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / ".venv").symlink_to(paths.VENV_BIN.parent)
    return folder
