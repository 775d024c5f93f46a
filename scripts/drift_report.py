"""Says whether a stack has drifted, by a preview and a verification, and writes the text of the issue about it.

    python -m scripts.drift_report --stack dev --preview-code 7 --errors preview.err --verify-code 0 \\
        --verification verification.md --run URL --report report.md preview.json

Prints `state=drift`, `state=none`, or `state=unknown` where something could not be observed.
"""

import argparse
from pathlib import Path

from scripts.preview_comment import LIMIT, WARNING, body, code, size
from scripts.preview_reading import read

CHANGES_PROPOSED = 7
"""The exit code of `pulumi preview --expect-no-changes` that would change something.

Source: github.com/pulumi/pulumi, sdk/go/common/util/cmdutil/exit.go, ExitNoChanges.
"""

NOT_AS_RECORDED = 1

HEADLINES = {
    "drift": f"{WARNING} **Stack {{stack}} has drifted.**",
    "none": "Stack {stack} has not drifted.",
    "unknown": f"{WARNING} **Whether stack {{stack}} has drifted could not be determined.**",
}


def marker(stack: str) -> str:
    """The hidden first line by which the workflow finds the issue of this stack."""
    return f"<!-- traceable-kong drift: {stack} -->"


def state(preview_code: int, verify_code: int) -> str:
    """What the two exit codes say together. What was found counts, whatever else could not be looked at."""
    if preview_code == CHANGES_PROPOSED or verify_code == NOT_AS_RECORDED:
        return "drift"
    return "none" if preview_code == verify_code == 0 else "unknown"


def opening(stack: str, *, found: str, verification: str, run: str) -> str:
    """The text of the issue before the preview."""
    return (
        f"{marker(stack)}\n{HEADLINES[found].format(stack=code(stack))} This is the result of [this run]({run}).\n\n"
        "If the cluster is wrong, `pulumi up --refresh` restores what the preview below lists, and the report of "
        "the verification has the commands for the rest. If the cluster is right, change the stack's config.\n\n"
        f"{verification}\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m scripts.drift_report")
    parser.add_argument(
        "preview", type=Path, help="the output of `pulumi preview --refresh --expect-no-changes --json`"
    )
    parser.add_argument("--stack", required=True)
    parser.add_argument("--preview-code", type=int, required=True, help="the exit code of the preview")
    parser.add_argument("--errors", type=Path, required=True, help="the error output of the preview")
    parser.add_argument("--verify-code", type=int, required=True, help="the exit code of scripts.stack_verification")
    parser.add_argument("--verification", type=Path, required=True, help="the output of scripts.stack_verification")
    parser.add_argument("--run", required=True, help="the address of this run")
    parser.add_argument("--report", type=Path, required=True, help="the file for the text of the issue")
    options = parser.parse_args()
    found = state(options.preview_code, options.verify_code)
    preview = read(
        options.preview.read_text(errors="replace"),
        exit_code=0 if options.preview_code == CHANGES_PROPOSED else options.preview_code,
        error_output=options.errors.read_text(errors="replace"),
    )
    verification = options.verification.read_text()
    before = opening(options.stack, found=found, verification=verification, run=options.run)
    options.report.write_text(before + body(preview, stack=options.stack, room=LIMIT - size(before)))
    print(f"state={found}")


if __name__ == "__main__":
    main()
