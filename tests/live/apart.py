"""A platform beside that of the tests: another cluster, whose API server has other flags.

Where a platform is holds for a whole process (local/paths.py), so this one is made and removed by another:
`python -m tests.live.apart up|down`, which prints what it made.
"""

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local.platform import Platform

TIMEOUT_SECONDS = 180
FOLDERS = ("kubeconfig", "rock", "charts")


@contextmanager
def platform_apart(*api_server_flags: str) -> Iterator[Platform]:
    """A running platform with these flags of kube-apiserver, `name=value`; it is gone afterwards."""
    environment = {
        **os.environ,
        "TRACEABLE_KONG_STATE": f"{os.environ['TRACEABLE_KONG_STATE']}-apart",
        "TRACEABLE_KONG_API_SERVER": " ".join(api_server_flags),
    }
    try:
        made = json.loads(_run("up", environment))
        yield Platform(**{key: Path(value) if key in FOLDERS else value for key, value in made.items()})
    finally:
        _run("down", environment)


def _run(command: str, environment: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, "-m", __name__, command],
        cwd=Path(__file__).parents[2],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def main() -> None:
    """Makes it, or removes it; what is said meanwhile goes to stderr."""
    if sys.argv[1] == "down":
        Platform.stop()
        return
    made = Platform.ensure(report=lambda line: print(line, file=sys.stderr))
    print(json.dumps(dataclasses.asdict(made), default=str))


if __name__ == "__main__":
    main()
