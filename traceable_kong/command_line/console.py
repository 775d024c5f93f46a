"""The command `traceable-kong` of the installed package."""

import sys

from traceable_kong.command_line import verify_command

COMMAND = "traceable-kong"

USAGE = f"""usage: {COMMAND} verify [options]

  verify   Verifies that every gateway pod is protected as configured. Changes nothing.

`{COMMAND} verify --help` lists the options."""


def main() -> int:
    """Runs the command in the program's arguments and returns its exit code."""
    match sys.argv[1:]:
        case ["verify", *options]:
            return verify_command.main(options, command=f"{COMMAND} verify")
        case ["-h" | "--help"]:
            print(USAGE)
            return 0
        case _:
            print(USAGE, file=sys.stderr)
            return 2
