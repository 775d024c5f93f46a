"""A connection into a pod with `kubectl port-forward`."""

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager


@contextmanager
def port_forward(environment: Mapping[str, str], namespace: str, target: str, port: int) -> Iterator[str]:
    """`127.0.0.1:PORT`, forwarded to this port of `pod/NAME`, or of a pod of `deployment/NAME`."""
    with subprocess.Popen(
        ["kubectl", "port-forward", "--namespace", namespace, target, f":{port}"],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as forward:
        try:
            assert forward.stdout
            yield forward.stdout.readline().split(" ")[2]
        finally:
            forward.terminate()
