"""The machine and the versions with which the figures were taken."""

import datetime
import os
import platform
import subprocess

from local import paths


def describe(*, provider: str) -> dict[str, str]:
    """What the page says about a run."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=paths.CLONE, capture_output=True, text=True, check=False
    ).stdout.strip()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "cores": str(os.cpu_count()),
        "memory": f"{memory / 2**30:.0f} GiB",
        "python": platform.python_version(),
        "provider": provider,
        "commit": commit,
    }
