"""Private instances of PostgreSQL: password, data, and end."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from local.postgres import postgres_server
from local.postgres.postgres_server import PostgresError, Server

STARTS_AND_SLEEPS = """
import sys, time, pathlib
from local.postgres.postgres_server import Server
print(Server.start(pathlib.Path(sys.argv[1]), password="x").process.pid, flush=True)
time.sleep(60)
"""

Start = Callable[..., Server]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    made: list[Server] = []

    def begin(**how: object) -> Server:
        made.append(Server.start(tmp_path / "closed" / "data", user="kong", **how))  # type: ignore[arg-type]
        return made[-1]

    (tmp_path / "closed").mkdir(mode=0o700)
    yield begin
    for item in made:
        item.stop()


def test_a_connection_requires_the_password(start: Start) -> None:
    running = start(password="a'b:c d", database="kong")
    with psycopg.connect(running.conninfo("a'b:c d", "kong")) as connection:
        assert connection.execute("SELECT current_database(), current_user").fetchone() == ("kong", "kong")
    with pytest.raises(psycopg.OperationalError, match='password authentication failed for user "kong"'):
        psycopg.connect(running.conninfo("x", "kong"))


def test_data_and_password_survive_a_restart(start: Start) -> None:
    running = start(password="one", database="kong")
    with psycopg.connect(running.conninfo("one", "kong")) as connection:
        connection.execute("CREATE TABLE kept (value int)")
    running.stop()
    assert running.ended() is not None
    assert not postgres_server.accepts(running.address, running.port)
    again = start(password="two", database="other")
    assert postgres_server.accepts(again.address, again.port)
    with psycopg.connect(again.conninfo("one", "kong")) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)
    postgres_server.remove(again.folder)
    assert not again.folder.exists()


def test_a_port_in_use_is_reported(start: Start) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(PostgresError, match="Address already in use"):
            start(password="x", port=taken.getsockname()[1])


def test_an_instance_ends_with_its_parent(tmp_path: Path) -> None:
    command = [sys.executable, "-c", STARTS_AND_SLEEPS, str(tmp_path / "data")]
    with subprocess.Popen(command, cwd=Path(__file__).parents[3], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        pid = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and _running(pid):
        assert time.monotonic() < deadline, "it is still running"
        time.sleep(0.05)


def test_an_instance_does_not_run_as_root(start: Start) -> None:
    running = start(password="x")
    status = Path(f"/proc/{running.process.pid}/status").read_text()
    (users,) = [line.split()[1:] for line in status.splitlines() if line.startswith("Uid:")]
    assert "0" not in users
    assert (running.folder / "PG_VERSION").stat().st_uid == int(users[0])
    assert os.geteuid() in (0, int(users[0]))


def _running(pid: int) -> bool:
    return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
