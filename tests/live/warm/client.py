"""`python -IS client.py PYTHON ARGUMENT...`: runs Python with these arguments in a process forked by the server.

It imports little (no pathlib), so that it starts fast.
"""

import _signal  # type: ignore[import-not-found]
import _socket
import os
import select
import sys
from array import array

POLL_SECONDS = 1.0
ENDED_EARLY = 137


def main() -> None:
    python, *arguments = sys.argv[1:]
    path = os.environ.get("TRACEABLE_KONG_TEST_PYTHON")
    if path and arguments == ["-m", "pip", "list", "-v", "--format", "json"]:
        # The engine asks for the installed packages in every run. They do not change meanwhile.
        with open(f"{path}.packages", "rb") as packages:  # noqa: PTH123
            os.write(1, packages.read())
        return
    if not path or not _forkable(arguments):
        os.execv(python, [python, *arguments])
    server = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    server.connect(path)
    variables = (f"{name}={value}" for name, value in os.environ.items())
    parts = [os.getcwd(), str(len(arguments)), *arguments, *variables]  # noqa: PTH109
    message = os.fsencode("\0".join(parts))
    rights = [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, array("i", [0, 1, 2]))]
    header = len(message).to_bytes(8, "big")
    server.sendmsg([header], rights)
    server.sendall(message)
    # The engine interrupts a plugin that it no longer needs: it ends without a traceback.
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
    parent = os.getppid()
    while os.getppid() == parent:
        if select.select([server], [], [], POLL_SECONDS)[0]:
            status = server.recv(1)
            # Without a status, the forked process or the server was killed.
            os._exit(status[0] if status else ENDED_EARLY)


def _forkable(arguments: list[str]) -> bool:
    """Returns True for a script or a module, with no option but `-u`."""
    rest = arguments[1:] if arguments[:1] == ["-u"] else arguments
    return bool(rest) and (rest[0] == "-m" or not rest[0].startswith("-"))


main()
