"""The process of a container with PostgreSQL's official image: a real, private instance on the pod's address.

Based on https://hub.docker.com/_/postgres: user, password and database are used only for an empty folder, and the
default PGDATA depends on the version from 18 on. The version is always that of the installed programs, whatever the
tag. Initialization scripts and other settings are not supported.
"""

import re
from pathlib import Path

from local.kubelet import container_config, volume_provisioner
from local.kubelet.container_config import MissingSource
from local.kubelet.container_processes import PodContext, ProcessFailed
from local.kubelet.pod_roles import POSTGRES_PORT, Container
from local.kubelet.readiness_probes import Endpoint
from local.postgres.postgres_server import PostgresError, Server

NO_PASSWORD = (
    "Error: Database is uninitialized and superuser password is not specified.\n"
    "       You must specify POSTGRES_PASSWORD to a non-empty value for the\n"
    '       superuser. For example, "-e POSTGRES_PASSWORD=password" on "docker run".\n'
)
OLD_PLACE = "/var/lib/postgresql/data"
IN_OLD_PLACE = (
    "Error: in 18+, these Docker images are configured to store database data in a\n"
    '       format which is compatible with "pg_ctlcluster"\n'
    "       See also https://github.com/docker-library/postgres/pull/1259\n"
    f"       Counter to that, there appears to be PostgreSQL data in:\n         {OLD_PLACE} (unused mount/volume)\n"
)
NEW_PLACE_SINCE = 18

_running: dict[Path, Server] = {}
"""By data folder. The previous pod may still use a folder when the next one starts."""


class PostgresProcess:
    """A PostgreSQL instance that runs as long as its container."""

    def __init__(self, pod_context: PodContext, container: Container) -> None:
        self._pod_context = pod_context
        self._container = container
        self._server: Server | None = None
        self.endpoints: dict[int, Endpoint] = {}

    def start(self) -> None:
        pod_context = self._pod_context
        environment = self._environment()
        folder = self._folder(environment)
        if folder in _running:
            raise MissingSource("ContainerCreating", f"the previous pod still uses {folder.name}")
        endpoint = pod_context.endpoint(POSTGRES_PORT)
        user = environment.get("POSTGRES_USER") or "postgres"
        password = environment.get("POSTGRES_PASSWORD", "")
        if not password and not (folder / "PG_VERSION").exists():
            raise ProcessFailed(NO_PASSWORD)
        pod_context.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            self._server = Server.start(
                folder,
                user=user,
                password=password,
                database=environment.get("POSTGRES_DB") or user,
                address=endpoint.address,
                port=endpoint.port,
                log=pod_context.directory / f"{self._container['name']}.log",
            )
        except PostgresError as problem:
            raise ProcessFailed(str(problem)) from problem
        _running[folder] = self._server
        self.endpoints = {POSTGRES_PORT: endpoint}

    def check(self) -> None:
        if self._server and (output := self._server.ended()) is not None:
            raise ProcessFailed(output)

    def stop(self) -> None:
        if self._server:
            self._server.stop()
            _running.pop(self._server.folder, None)
        self._server, self.endpoints = None, {}

    def _environment(self) -> dict[str, str]:
        """Returns the variables, including those read from a file (`..._FILE`)."""
        pod_context = self._pod_context
        result = container_config.environment(pod_context.api, pod_context.pod, self._container)
        files = container_config.files(pod_context.api, pod_context.pod, self._container)
        for name in ("POSTGRES_USER", "POSTGRES_PASSWORD", "POSTGRES_DB"):
            where = result.get(f"{name}_FILE")
            if where in files:
                result[name] = files[where].decode(errors="replace").rstrip("\n")
        return result

    def _folder(self, environment: dict[str, str]) -> Path:
        """Returns the folder of PGDATA on this machine: in its volume, or in the pod's own folder."""
        major = _major(str(self._container["image"]))
        new_place = f"/var/lib/postgresql/{major}/docker"
        data = environment.get("PGDATA") or (new_place if major >= NEW_PLACE_SINCE else OLD_PLACE)
        mounts = {str(item["mountPath"]).rstrip("/"): item for item in self._container.get("volumeMounts", [])}
        if data == new_place and OLD_PLACE in mounts:
            raise ProcessFailed(IN_OLD_PLACE)
        above = [path for path in mounts if data == path or data.startswith(f"{path}/")]
        if above:
            path = max(above, key=len)
            volume = volume_provisioner.volume_folder(
                self._pod_context.api, self._pod_context.pod, mounts[path]["name"]
            )
            if volume:
                return volume / str(mounts[path].get("subPath", "")) / data.removeprefix(path).lstrip("/") / "pgdata"
        return self._pod_context.directory / "pgdata"


def _major(image: str) -> int:
    found = re.search(r":(\d+)", image.split("@")[0].rsplit("/", 1)[-1])
    return int(found[1]) if found else NEW_PLACE_SINCE
