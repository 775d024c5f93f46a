"""A second platform beside that of the tests: another cluster, whose API server has other flags.

Where a platform keeps its files holds for a whole process (local/paths.py), so another process creates and removes
this one: `python -m tests.live.second_platform up|down`, which prints what it created.
"""

import dataclasses
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local.platform import Platform
from tests.live.commands import run

PATHS = ("kubeconfig", "rock", "charts")


@contextmanager
def second_platform(*api_server_flags: str) -> Iterator[Platform]:
    """A running platform with these flags of kube-apiserver, `name=value`; it is removed afterwards."""
    environment = {
        **os.environ,
        "TRACEABLE_KONG_STATE": f"{os.environ['TRACEABLE_KONG_STATE']}-second",
        "TRACEABLE_KONG_API_SERVER": " ".join(api_server_flags),
    }
    command, clone = (sys.executable, "-m", __name__), Path(__file__).parents[2]
    try:
        created = json.loads(run(*command, "up", environment=environment, folder=clone))
        yield Platform(**{key: Path(value) if key in PATHS else value for key, value in created.items()})  # type: ignore[arg-type]
    finally:
        run(*command, "down", environment=environment, folder=clone)


def main() -> None:
    """Creates or removes it; progress goes to stderr."""
    if sys.argv[1] == "down":
        Platform.stop()
        return
    created = Platform.ensure(report=lambda line: print(line, file=sys.stderr))
    print(json.dumps(dataclasses.asdict(created), default=str))


if __name__ == "__main__":
    main()
