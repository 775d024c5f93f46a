"""Starts the server for one test session, and writes the client's commands."""

import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from local import paths
from local.toolchain import provider_plugins
from tests.live.commands import run, wait_until
from tests.live.warm import SOCKET_VARIABLE

VIRTUAL_ENVIRONMENT = paths.STATE / "warm-python"
"""Has `bin/python` and `bin/python3`, as a virtual environment does."""

PIP_LIST = ("-m", "pip", "list", "-v", "--format", "json")
"""What the language host runs (sdk/python/toolchain/pip.go)."""

START_SECONDS = 60


@contextmanager
def warm_python(environment: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """The environment in which Python starts warm. The stand-ins of this platform do so, too."""
    command = shlex.join([str(paths.VENV_BIN / "python"), "-IS", str(Path(__file__).with_name("client.py"))])
    commands = VIRTUAL_ENVIRONMENT / "bin"
    commands.mkdir(parents=True, exist_ok=True)
    for name in ("python", "python3"):
        script = commands / name
        script.write_text(f'#!/bin/sh\nexec {command} {shlex.quote(str(paths.VENV_BIN / name))} "$@"\n')
        script.chmod(0o755)
    for name, module in provider_plugins.STAND_INS.items():
        if provider_plugins.chosen(name) == provider_plugins.STAND_IN:
            python = shlex.quote(str(commands / "python"))
            provider_plugins.put_stand_in(name, paths.PULUMI_HOME, command=f"{python} -m {module}")
    with tempfile.TemporaryDirectory(prefix="warm-") as folder:
        socket = Path(folder, "socket")
        packages = run(paths.VENV_BIN / "python", *PIP_LIST, environment=environment)
        Path(f"{socket}.packages").write_text(packages)
        log = VIRTUAL_ENVIRONMENT / "server.log"
        with log.open("w") as output:
            server = subprocess.Popen(
                [sys.executable, "-m", "tests.live.warm.server", str(socket)],
                cwd=paths.CLONE,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        try:
            wait_until(socket.exists, f"the server did not start; its log is {log}", seconds=START_SECONDS)
            search_path = os.pathsep.join([str(commands), environment["PATH"]])
            yield {**environment, "PATH": search_path, SOCKET_VARIABLE: str(socket)}
        finally:
            server.kill()
            server.wait()
