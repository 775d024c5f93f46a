"""A process for the tests of `local.processes.background_process`: says that it is ready, and does nothing."""

import argparse
import json
import os
import time
from pathlib import Path


def main() -> None:
    """Sleeps until it is stopped."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--directory", type=Path, required=True)
    parser.add_argument("--fails", action="store_true")
    parser.add_argument("--other", action="store_true")
    arguments = parser.parse_args()
    if arguments.fails:
        raise SystemExit("no")
    (arguments.directory / "state.json").write_text(json.dumps({"pid": os.getpid()}))
    time.sleep(60)


if __name__ == "__main__":
    main()
