"""Makes simulated parts misbehave, for tests: what is planted here is looked up at every use.

    from local.kubelet import faults
    faults.inject("my-namespace", "*", tme="silent")
    ...
    faults.clear("my-namespace")

`tme` and `agent`: `closed` (nobody listens) or `silent` (takes a connection and never answers). `kong_admin`: `closed`.
`kong_admin_drop`: a method, such as `PUT`; the Admin API ends the connection before it does what is asked, and with
`kong_admin_drop_after` when it has done it. `kong_config`: a text, with which every plugin of a configuration is
refused. `database`: `down`, for this node alone. They are kept in a file, so that another process can plant them; with
a pod's name in place of `*` they are that pod's only.
"""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, TypedDict, Unpack

from local import paths

FILE = paths.KUBELET / "faults.json"


class Faults(TypedDict, total=False):
    """What is wrong; a part that is not named works."""

    tme: Literal["closed", "silent"]
    agent: Literal["closed", "silent"]
    kong_admin: Literal["closed"]
    kong_admin_drop: str
    kong_admin_drop_after: str
    kong_config: str
    database: Literal["down"]


def inject(namespace: str, pod: str = "*", *, file: Path = FILE, **faults: Unpack[Faults]) -> None:
    """Makes these parts of the pod, or of every pod of the namespace, misbehave from now on."""
    with _changed(file) as known:
        known.setdefault(f"{namespace}/{pod}", {}).update(faults)


def clear(namespace: str, pod: str = "*", *, file: Path = FILE) -> None:
    """Takes back everything that was planted for exactly this."""
    with _changed(file) as known:
        known.pop(f"{namespace}/{pod}", None)


def find(namespace: str, pod: str, *, file: Path = FILE) -> Faults:
    """What is planted for this pod."""
    known = _read(file)
    return {**known.get(f"{namespace}/*", {}), **known.get(f"{namespace}/{pod}", {})}


@contextmanager
def _changed(file: Path) -> Iterator[dict[str, Faults]]:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        known = _read(file)
        yield known
        temporary = file.with_suffix(".new")
        temporary.write_text(json.dumps(known))
        temporary.replace(file)


def _read(file: Path) -> dict[str, Faults]:
    try:
        return dict(json.loads(file.read_text()))
    except OSError:
        return {}
