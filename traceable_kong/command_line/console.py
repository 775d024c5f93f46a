"""The command `traceable-kong` of the installed package."""

import sys
from importlib import metadata
from typing import NoReturn

from traceable_kong.command_line import verify_command
from traceable_kong.command_line.verify_outcome import USAGE
from traceable_kong.common.quick_exit import leave
from traceable_kong.common.safe_text import printable

COMMAND = "traceable-kong"

PACKAGE = "traceable-kong"

HELP = f"""usage: {COMMAND} verify [options]
       {COMMAND} --version

  verify   Verifies that every gateway pod is protected as configured. Changes nothing.

`{COMMAND} verify --help` lists the options."""


def main() -> int:
    """Runs the command in the program's arguments and returns its exit code."""
    match sys.argv[1:]:
        case ["verify", *options]:
            return verify_command.main(options, command=f"{COMMAND} verify")
        case ["-h" | "--help"]:
            print(HELP)
            return 0
        case ["--version"]:
            print(f"{COMMAND} {_version()}")
            return 0
        case unknown:
            error = f"{COMMAND}: error: unrecognized arguments: {printable(' '.join(unknown))}\n\n" if unknown else ""
            print(error + HELP, file=sys.stderr)
            return USAGE


def run() -> NoReturn:
    """The entry point."""
    leave(main())


def _version() -> str:
    try:
        return metadata.version(PACKAGE)
    except metadata.PackageNotFoundError:
        return "(not installed)"
