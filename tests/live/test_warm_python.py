"""A program in a process that the server forked is a program that Python started."""

import json
import signal
import subprocess
from pathlib import Path

import pytest

from local.platform import Platform
from tests.live.commands import execute, wait_until
from tests.live.warm import SOCKET_VARIABLE

SHOWN = """\
import json, os, sys
imported = "traceable_kong.components" in sys.modules
print(json.dumps([sys.argv, os.getcwd(), os.environ["GIVEN"], sys.stdin.read(), imported]))
sys.exit(7)
"""

WITH_A_CHILD = """\
import subprocess, time
child = subprocess.Popen(["sleep", "600"])
print(child.pid, flush=True)
time.sleep(600)
"""


def test_it_has_its_arguments_folder_environment_and_input_and_returns_its_code(
    platform: Platform, tmp_path: Path
) -> None:
    (tmp_path / "shown.py").write_text(SHOWN)
    environment = {**platform.env, "GIVEN": "a b"}
    done = execute("python3", "-u", "shown.py", "1", "b c", environment=environment, folder=tmp_path, stdin="in")
    assert (done.returncode, done.stderr) == (7, "")
    assert json.loads(done.stdout) == [["shown.py", "1", "b c"], str(tmp_path), "a b", "in", True]


def test_a_mistake_in_it_is_shown(platform: Platform, tmp_path: Path) -> None:
    (tmp_path / "wrong.py").write_text("raise ValueError('a mistake')\n")
    done = execute("python3", "wrong.py", environment=platform.env, folder=tmp_path)
    assert done.returncode == 1 and done.stderr.endswith("ValueError: a mistake\n")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_it_ends_with_its_client_and_so_do_its_children(platform: Platform, tmp_path: Path, how: int) -> None:
    (tmp_path / "child.py").write_text(WITH_A_CHILD)
    command = ["python3", "child.py"]
    with subprocess.Popen(command, cwd=tmp_path, env=platform.env, stdout=subprocess.PIPE, text=True) as client:
        assert client.stdout
        child = Path("/proc", client.stdout.readline().strip())
        assert child.exists()
        client.send_signal(how)
    wait_until(lambda: not child.exists(), "the child still runs", seconds=5)


def test_without_the_server_it_is_the_real_python(platform: Platform, tmp_path: Path) -> None:
    (tmp_path / "shown.py").write_text("import sys\nprint('traceable_kong.components' in sys.modules)\n")
    environment = {key: value for key, value in platform.env.items() if key != SOCKET_VARIABLE}
    assert execute("python3", "shown.py", environment=environment, folder=tmp_path).stdout == "False\n"
