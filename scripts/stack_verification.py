"""Verifies a stack's gateway, and writes the report as Markdown for the summary of a run.

    python -m scripts.stack_verification --stack dev > verification.md

Ends with the exit code of verify.py (docs/verification.md). A stack without a gateway has nothing to verify: 0.
"""

import argparse
import html
import json
import subprocess
import sys
from pathlib import Path

from scripts.preview_comment import code, pre

CLONE = Path(__file__).parents[1]

NOT_OBSERVED = 2


def verify(stack: str) -> tuple[int, str]:
    """The exit code, and the report."""
    done = subprocess.run(
        ["pulumi", "stack", "output", "--json", "--non-interactive", f"--stack={stack}"],
        cwd=CLONE,
        capture_output=True,
        text=True,
        check=False,
    )
    title = f"### Verification of {code(stack)}: "
    if done.returncode != 0:
        return NOT_OBSERVED, f"{title}not run\n\nThe outputs of the stack cannot be read:\n\n{pre(done.stderr.strip())}"
    # The program exports the digest of the record while Traceable is on a gateway of the stack.
    if not json.loads(done.stdout).get("recordDigest"):
        return 0, f"{title}no gateway\n\nTraceable is on no gateway of this stack.\n"
    done = subprocess.run(
        [sys.executable, "verify.py", "--stack", stack, "--output", "markdown"],
        cwd=CLONE,
        stdout=subprocess.PIPE,
        text=True,
        errors="replace",
        check=False,
    )
    return done.returncode, done.stdout or f"{title}`verify.py` did not run to its end (exit code {done.returncode})\n"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.stack_verification")
    parser.add_argument("--stack", required=True)
    exit_code, report = verify(parser.parse_args().stack)
    print(html.unescape(report), file=sys.stderr)
    sys.stdout.write(report)
    return exit_code


if __name__ == "__main__":
    sys.exit(main())
