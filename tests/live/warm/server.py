"""`python -m tests.live.warm.server SOCKET`: imports what the programs import, and forks a process for each client."""

import array
import gc
import importlib
import os
import runpy
import selectors
import signal
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from kubernetes.config import kube_config

PRELOADED = (
    *(
        "traceable_kong.components",
        "traceable_kong.command_line.verify_command",
        "traceable_kong.hooks.preflight_run",
        "traceable_kong.hooks.stack_hooks",
    ),
    *("traceable_kong.config.loader", "traceable_kong.plan.build", "traceable_kong.preflight.examination"),
    *("local.provider.plugin_server", "local.provider.kubernetes.kubernetes_servicer"),
    *("local.provider.random.random_servicer", "pulumi.dynamic", "grpc.aio"),
    *("pulumi_kubernetes.core.v1", "pulumi_kubernetes.apps.v1", "pulumi_kubernetes.helm.v3"),
)
"""With all that they import. The program is imported from the clone, whose copy a stack has."""


@dataclass(frozen=True)
class Request:
    """What a client's process was started with."""

    folder: str
    arguments: list[str]
    environment: dict[str, str]
    files: list[int]


def main() -> None:
    path = sys.argv[1]
    for name in PRELOADED:
        importlib.import_module(name)
    # What the interpreter puts in front for a module; a forked program has its own folder there.
    search_path = sys.path[1:]
    gc.collect()
    gc.freeze()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{path}.new")
        listener.listen(64)
        Path(f"{path}.new").rename(path)
        request = _serve(listener)
    _become(request, search_path)


def _serve(listener: socket.socket) -> Request:
    """Returns in a forked process. The server itself ends with its parent."""
    clients: dict[int, socket.socket] = {}
    parent = os.getppid()
    woken, wakes = os.pipe()
    os.set_blocking(wakes, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    selector.register(woken, selectors.EVENT_READ)
    while os.getppid() == parent:
        for key, _ in selector.select(1.0):
            if key.fileobj is listener:
                client = listener.accept()[0]
                with suppress(OSError, EOFError):
                    request = _received(client)
                    pid = os.fork()
                    if pid == 0:
                        signal.set_wakeup_fd(-1)
                        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                        selector.close()
                        for each in (listener, client, *clients.values()):
                            each.close()
                        os.close(woken)
                        os.close(wakes)
                        return request
                    for file in request.files:
                        os.close(file)
                    clients[pid] = client
                    selector.register(client, selectors.EVENT_READ, pid)
            elif key.fileobj == woken:
                os.read(woken, 4096)
                _report_ended(clients, selector)
            else:
                # A client says nothing more: it has ended, or was killed. Helm, for example, ends with its program.
                for kill in (os.killpg, os.kill):
                    with suppress(ProcessLookupError):
                        kill(key.data, signal.SIGKILL)
                selector.unregister(key.fileobj)
    os._exit(0)


def _report_ended(clients: dict[int, socket.socket], selector: selectors.BaseSelector) -> None:
    """Tells the clients of ended processes their exit codes."""
    with suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            client = clients.pop(ended[0])
            code = os.waitstatus_to_exitcode(ended[1])
            with suppress(OSError):
                client.sendall(bytes([code if code >= 0 else 128 - code]))
            with suppress(KeyError):
                selector.unregister(client)
            client.close()


def _received(client: socket.socket) -> Request:
    header, rights, _, _ = client.recvmsg(8, socket.CMSG_SPACE(3 * array.array("i").itemsize))
    files = array.array("i")
    for _, _, data in rights:
        files.frombytes(data)
    message, left = b"", int.from_bytes(header, "big")
    while left:
        part = client.recv(min(left, 65536))
        if not part:
            raise EOFError
        message += part
        left -= len(part)
    folder, count, *rest = os.fsdecode(message).split("\0")
    variables = (variable.partition("=") for variable in rest[int(count) :])
    return Request(folder, rest[: int(count)], {name: value for name, _, value in variables}, list(files))


def _become(request: Request, search_path: list[str]) -> None:
    """Runs the program of the request in this process, as `python ARGUMENT...` does."""
    os.setsid()
    for number, file in enumerate(request.files):
        os.dup2(file, number)
        os.close(file)
    os.environ.clear()
    os.environ.update(request.environment)
    os.chdir(request.folder)
    # The only variable of those that live tests set that a module reads when it is imported.
    kube_config.KUBE_CONFIG_DEFAULT_LOCATION = os.environ.get("KUBECONFIG", "~/.kube/config")
    arguments = list(request.arguments)
    if arguments[0] == "-u" or os.environ.get("PYTHONUNBUFFERED"):
        for stream in (sys.stdout, sys.stderr):
            stream.reconfigure(write_through=True)  # type: ignore[union-attr]
    if arguments[0] == "-u":
        del arguments[0]
    added = [folder for folder in os.environ.get("PYTHONPATH", "").split(os.pathsep) if folder]
    if arguments[0] == "-m":
        sys.argv = arguments[1:]
        sys.path[:] = [request.folder, *added, *search_path]
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = arguments
        sys.path[:] = [str(Path(arguments[0]).resolve().parent), *added, *search_path]
        runpy.run_path(arguments[0], run_name="__main__")


if __name__ == "__main__":
    main()
