"""A process for the tests of `background_process`: it writes its state and sleeps."""

import argparse
import json
import os
import time
from pathlib import Path


def main() -> None:
    """Sleeps until the process is stopped."""
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
