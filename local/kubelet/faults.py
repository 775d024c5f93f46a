"""Fault injection for tests: makes simulated processes misbehave.

    from local.kubelet import faults
    faults.inject("my-namespace", "*", tme="silent")
    ...
    faults.clear("my-namespace")

- `tme`, `agent`: `closed` (nothing listens) or `silent` (accepts a connection and never answers)
- `kong_admin`: `closed` (the Admin API closes every connection)
- `kong_admin_drop`: a method such as `PUT`; the Admin API closes the connection and does not execute the request
- `kong_admin_drop_after`: the same, after the request was executed
- `kong_config`: a message; every plugin of a declarative configuration is rejected with it
- `database`: `down` for this node

Replace `*` with a pod's name to affect only that pod. Faults are in a file that is read at every use, so that another
process can inject them.
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
    """The active faults. A process that is not named works."""

    tme: Literal["closed", "silent"]
    agent: Literal["closed", "silent"]
    kong_admin: Literal["closed"]
    kong_admin_drop: str
    kong_admin_drop_after: str
    kong_config: str
    database: Literal["down"]


def inject(namespace: str, pod: str = "*", *, file: Path = FILE, **faults: Unpack[Faults]) -> None:
    """Adds faults for the pod, or for every pod of the namespace."""
    with _changed(file) as known:
        known.setdefault(f"{namespace}/{pod}", {}).update(faults)


def clear(namespace: str, pod: str = "*", *, file: Path = FILE) -> None:
    """Removes all faults that were injected for exactly this namespace and pod."""
    with _changed(file) as known:
        known.pop(f"{namespace}/{pod}", None)


def find(namespace: str, pod: str, *, file: Path = FILE) -> Faults:
    """Returns the faults that apply to this pod."""
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
