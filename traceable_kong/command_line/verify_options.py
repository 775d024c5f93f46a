"""The options of `verify`."""

import argparse
import math
from collections.abc import Callable, Sequence
from typing import NoReturn

from traceable_kong.cluster.secret_key import SecretKey
from traceable_kong.command_line.output_formats import FORMATS
from traceable_kong.command_line.smoke_options import add_smoke_options, number_of, smoke_problem
from traceable_kong.command_line.verify_outcome import MEANINGS, USAGE
from traceable_kong.common.safe_text import printable
from traceable_kong.common.urls import unsafe_address
from traceable_kong.verification import deadline

ADMIN_OPTIONS = ("admin_url", "admin_token_secret", "admin_ca_secret", "admin_client_certificate_secret")

WATCH_FORMATS = ("table", "json")

INTERVAL_SECONDS = 10.0
SHORTEST_INTERVAL = 1.0

EXIT_CODES = "\n".join(
    [
        "exit codes:",
        *(f"  {code:<4} {meaning}" for code, meaning in MEANINGS.items()),
        "A watch that is interrupted ends with the code of its last observation.",
    ]
)


class _Parser(argparse.ArgumentParser):
    """Ends with USAGE for wrong options, without the list of all options, which would hide the error."""

    def error(self, message: str) -> NoReturn:
        text = f"{self.prog}: error: {printable(message)}. Nothing was verified. --help lists the options.\n"
        self.exit(USAGE, text)


def parse_options(arguments: Sequence[str], command: str) -> argparse.Namespace:
    """The options of the command, which a person calls `command`. Ends the program if they cannot be used."""
    parser = _parser(command)
    options = parser.parse_args(arguments)
    if problem := _problem(options):
        parser.error(problem)
    if options.interval is None:
        options.interval = INTERVAL_SECONDS
    if options.wait_seconds is None:
        options.wait_seconds = deadline.SECONDS
    return options


def _problem(options: argparse.Namespace) -> str:
    """Which options contradict one another, "" if none do."""
    if not (options.stack or options.namespace):
        return "one of --stack and --namespace is required"
    if options.stack and any(getattr(options, name) for name in ADMIN_OPTIONS):
        return "the options --admin-* cannot be used with --stack: the stack says how to reach Kong's Admin API"
    if options.stack_output and not options.stack:
        return "--stack-output needs --stack"
    if options.interval is not None and not options.watch:
        return "--interval needs --watch"
    if options.watch and options.wait_seconds is not None:
        return "--wait-seconds cannot be used with --watch, which observes again in any case"
    if options.watch and options.output not in WATCH_FORMATS:
        return f"--watch has no output {options.output}: use {' or '.join(WATCH_FORMATS)}"
    return smoke_problem(options)


def _parser(command: str) -> _Parser:
    parser = _Parser(
        prog=command,
        description="Verifies that every gateway pod is protected as configured. Changes nothing.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    what = parser.add_argument_group("what is verified")
    what.add_argument("--stack", metavar="NAME", help="the stack; a record that is not what it wrote is refused")
    what.add_argument(
        "--stack-output",
        metavar="NAME",
        help="the output of the stack that holds the outputs of TraceableOnKong, if it is a program of your own",
    )
    what.add_argument("--namespace", metavar="NAME", help="Kong's namespace (default with --stack: the stack's)")
    what.add_argument("--deployment", metavar="NAME", help="Kong's Deployment (default: the record's)")
    _add_admin_options(parser)
    cluster = parser.add_argument_group("cluster")
    cluster.add_argument(
        "--kubeconfig",
        metavar="FILE",
        help="a kubeconfig (default: KUBECONFIG or ~/.kube/config; in a pod, its service account)",
    )
    cluster.add_argument("--context", metavar="NAME", help="a context of the kubeconfig (default: the current one)")
    how = parser.add_argument_group("how it is reported")
    how.add_argument(
        "--output", choices=FORMATS, default="table", help="the format of the report (default: %(default)s)"
    )
    how.add_argument(
        "--wait-seconds",
        metavar="N",
        type=_seconds_from(0.0),
        help=f"how long to observe again until every check holds (default: {deadline.SECONDS:g})",
    )
    how.add_argument(
        "--watch",
        action="store_true",
        help="observe until interrupted: a table on a terminal, in a log a line for each change",
    )
    how.add_argument(
        "--interval",
        metavar="SECONDS",
        type=_seconds_from(SHORTEST_INTERVAL),
        help=f"with --watch, from one observation to the next (default: {INTERVAL_SECONDS:g})",
    )
    add_smoke_options(parser)
    return parser


def _add_admin_options(parser: argparse.ArgumentParser) -> None:
    admin = parser.add_argument_group("Kong's Admin API, for a Kong with a database, without --stack")
    admin.add_argument("--admin-url", metavar="URL", type=_url, help="its URL (default: a port-forward into the pods)")
    for name, what in (("token", "its token"), ("ca", "its CA certificate")):
        admin.add_argument(
            f"--admin-{name}-secret",
            metavar="NAME/KEY",
            type=_secret,
            help=f"Secret in Kong's namespace with {what}",
        )
    admin.add_argument(
        "--admin-client-certificate-secret",
        metavar="NAME",
        help="Secret in Kong's namespace with the client certificate for it",
    )


def _url(text: str) -> str:
    if problem := unsafe_address(text, what="read the token and answer in its place"):
        raise argparse.ArgumentTypeError(problem)
    return text


def _secret(text: str) -> SecretKey:
    name, _, key = text.partition("/")
    if not (name and key) or "/" in key:
        raise argparse.ArgumentTypeError("is not of the form NAME/KEY")
    return SecretKey(name=name, key=key)


def _seconds_from(least: float) -> Callable[[str], float]:
    def seconds_of(text: str) -> float:
        seconds = number_of(text)
        if not least <= seconds < math.inf:
            raise argparse.ArgumentTypeError(f"is not a number of seconds from {least:g} on")
        return seconds

    return seconds_of
