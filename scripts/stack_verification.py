"""Verifies a stack's gateway, and writes the report as Markdown for the summary of a run.

    python -m scripts.stack_verification --stack dev > verification.md

Ends with the exit code of verify.py (docs/verification.md). A stack without a gateway has nothing to verify: 0.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

from scripts.preview_comment import code, pre

CLONE = Path(__file__).parents[1]
LONGEST_REPORT = 6_000

NOT_OBSERVED = 2
MEANINGS = {
    0: "every serving gateway pod is as recorded",
    1: "⚠️ **a check does not hold**. The report names the pod, what was expected, what was found, and what to do",
    NOT_OBSERVED: "⚠️ **something could not be observed**, so the gateway may be protected or not",
}
UNKNOWN = "⚠️ **`verify.py` did not run to its end**"


def verify(stack: str) -> tuple[int, str]:
    """The exit code, and the report."""
    done = subprocess.run(
        ["pulumi", "stack", "output", "--json", "--non-interactive", f"--stack={stack}"],
        cwd=CLONE,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        return NOT_OBSERVED, f"The outputs of stack {stack} cannot be read:\n{done.stderr.strip()}"
    # The program exports the digest of the record while Traceable is on a gateway of the stack.
    if not json.loads(done.stdout).get("recordDigest"):
        return 0, ""
    done = subprocess.run(
        [sys.executable, "verify.py", "--stack", stack],
        cwd=CLONE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    return done.returncode, done.stdout


def markdown(stack: str, exit_code: int, report: str) -> str:
    title = f"### Verification of {code(stack)}: "
    if exit_code == 0 and not report:
        return f"{title}no gateway\n\nTraceable is on no gateway of this stack.\n"
    meaning = MEANINGS.get(exit_code, UNKNOWN)
    return f"{title}exit code {exit_code}\n\n{meaning} (`docs/verification.md`).\n\n{pre(report, limit=LONGEST_REPORT)}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.stack_verification")
    parser.add_argument("--stack", required=True)
    stack = parser.parse_args().stack
    exit_code, report = verify(stack)
    print(report, file=sys.stderr)
    sys.stdout.write(markdown(stack, exit_code, report))
    return exit_code


if __name__ == "__main__":
    sys.exit(main())
