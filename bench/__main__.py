"""`python -m bench`: measures, and writes the figures of docs/performance.md. `--page` only writes the page again."""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

from bench import performance_page

CLONE = Path(__file__).parents[1]


def main() -> int:
    arguments = _arguments()
    state = CLONE / os.environ.setdefault("TRACEABLE_KONG_STATE", ".local-bench")
    results = CLONE / arguments.results
    if not arguments.page:
        # The platform reads both variables when its modules are imported.
        os.environ["TRACEABLE_KONG_API_SERVER"] = (
            f"audit-policy-file={state / 'audit-policy.yaml'} audit-log-path={state / 'audit.log'}"
        )
        from bench.schedule import run

        started = time.monotonic()
        try:
            run(
                results,
                rounds=arguments.rounds,
                gateways=arguments.gateways,
                pods=arguments.pods,
                unrelated=arguments.unrelated,
            )
        except KeyboardInterrupt:
            print("interrupted; the page gets what was measured", flush=True)
        print(f"measured in {(time.monotonic() - started) / 60:.0f} min; the records are in {results}")
    performance_page.write(CLONE / "docs", results)
    print(
        subprocess.run(["git", "diff", "--stat", "docs"], cwd=CLONE, capture_output=True, text=True, check=True).stdout
    )
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="rounds whose median is shown (default: %(default)s)")
    parser.add_argument(
        "--gateways", type=_numbers, default=[1, 3, 10], help="gateways in the cluster (default: 1,3,10)"
    )
    parser.add_argument("--pods", type=_numbers, default=[1, 10, 50], help="pods of the gateway (default: 1,10,50)")
    parser.add_argument("--unrelated", type=int, default=5000, help="unrelated pods, ConfigMaps and Secrets, each")
    parser.add_argument("--results", default=".local-bench.jsonl", help="file of the records (default: %(default)s)")
    parser.add_argument("--page", action="store_true", help="measure nothing, only write the page from the records")
    return parser.parse_args()


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",") if part]


if __name__ == "__main__":
    sys.exit(main())
