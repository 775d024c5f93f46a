"""The options of `verify` for requests through Kong, and what they ask for."""

import argparse
import math
import re
import string
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote, urlsplit

from traceable_kong.cluster.kubernetes_client import KubernetesClient
from traceable_kong.common.bounded_read import read_text
from traceable_kong.common.safe_text import kind_of
from traceable_kong.common.urls import is_host
from traceable_kong.plan.blocking_record import Blocking
from traceable_kong.plan.model import DesiredState
from traceable_kong.smoke.smoke_model import Header, SmokeReport, SmokeRequest
from traceable_kong.smoke.smoke_run import run_smoke
from traceable_kong.smoke.smoke_targets import pod_targets, url_target

SECONDS = 10.0

HEADERS_LIMIT = 64 * 1024
"""Bytes of a file with headers."""

DEFAULT_STATUS = 403
"""Traceable's default for a blocked request."""

DEPENDENT = {
    "smoke_host": "--smoke-host",
    "smoke_header": "--smoke-header",
    "smoke_timeout": "--smoke-timeout",
    "smoke_blocked": "--smoke-blocked",
    "smoke_blocked_header": "--smoke-blocked-header",
    "smoke_blocked_method": "--smoke-blocked-method",
    "smoke_blocked_status": "--smoke-blocked-status",
    "smoke_blocked_message": "--smoke-blocked-message",
}
"""Options that say more about the requests of --smoke or --smoke-route."""

_TOKEN = re.compile(r"[-!#$%&'*+.^_`|~0-9A-Za-z]+")
"""The name of a header, and a method (RFC 9110, 5.6.2)."""

_UNESCAPED = "".join(char for char in string.printable if char.isprintable() and char not in ' "<>#')


def add_smoke_options(parser: argparse.ArgumentParser) -> None:
    smoke = parser.add_argument_group("requests through Kong, after the verification")
    where = smoke.add_mutually_exclusive_group()
    where.add_argument("--smoke", metavar="URL", type=_url, help="send harmless GET requests to this URL")
    where.add_argument(
        "--smoke-route",
        metavar="PATH",
        type=_path,
        help="send them to this path of every gateway pod, by a port-forward to Kong's proxy port",
    )
    smoke.add_argument("--smoke-host", metavar="NAME", type=_host, help="the Host header, if the route needs one")
    smoke.add_argument(
        "--smoke-header",
        metavar="'NAME: VALUE'",
        type=_headers,
        action="extend",
        help="a header of every request, such as a login; can be repeated. Its value is not shown. @FILE reads a file",
    )
    smoke.add_argument("--smoke-timeout", metavar="SECONDS", type=_seconds, help=f"per request (default: {SECONDS:g})")
    smoke.add_argument("--smoke-insecure", action="store_true", help="with --smoke, accept any certificate")
    smoke.add_argument("--smoke-tls", action="store_true", help="with --smoke-route, use Kong's proxy port with TLS")
    smoke.add_argument(
        "--smoke-blocked",
        metavar="PATH",
        type=_path,
        help="also send a request with this path and query, which Traceable must block",
    )
    smoke.add_argument(
        "--smoke-blocked-header",
        metavar="'NAME: VALUE'",
        type=_headers,
        action="extend",
        help="a header of that request; can be repeated. Without --smoke-blocked, the path is the harmless one",
    )
    smoke.add_argument("--smoke-blocked-method", metavar="METHOD", type=_method, help="its method (default: GET)")
    smoke.add_argument(
        "--smoke-blocked-status",
        metavar="CODE",
        type=_status,
        help=f"the status of a blocked request (default: the record's, or {DEFAULT_STATUS})",
    )
    smoke.add_argument(
        "--smoke-blocked-message",
        metavar="TEXT",
        help="the text in the body of a blocked request (default: the record's)",
    )


def smoke_problem(options: argparse.Namespace) -> str:
    """Which options contradict one another, "" if none do."""
    given = [name for key, name in DEPENDENT.items() if getattr(options, key) is not None]
    if options.smoke_tls and not options.smoke_route:
        return "--smoke-tls needs --smoke-route"
    if options.smoke_insecure and not options.smoke:
        return "--smoke-insecure needs --smoke"
    if not wants_smoke(options):
        return f"{given[0]} needs --smoke or --smoke-route" if given else ""
    if options.watch:
        return "--watch sends no requests through Kong: use --smoke and --smoke-route without it"
    for_blocked = [name for name in given if name in ("--smoke-blocked-status", "--smoke-blocked-message")]
    if for_blocked and len(_requests(options)) == 1:
        return f"{for_blocked[0]} needs a request that must be blocked (--smoke-blocked)"
    return ""


def wants_smoke(options: argparse.Namespace) -> bool:
    return bool(options.smoke or options.smoke_route)


def smoke_report(
    api: KubernetesClient, desired: DesiredState, blocking: Blocking | None, options: argparse.Namespace
) -> SmokeReport:
    """Sends the requests. `blocking` is what the record says of blocked ones. Raises ApiError or Unreachable."""
    if options.smoke:
        targets = [url_target(options.smoke, insecure=options.smoke_insecure)]
    else:
        targets = pod_targets(api, desired, tls=options.smoke_tls)
    blocked = Blocking(
        status=options.smoke_blocked_status or (blocking.status if blocking else DEFAULT_STATUS),
        message=options.smoke_blocked_message or (blocking.message if blocking else None),
        off=_why_off(desired),
    )
    return run_smoke(targets, _requests(options), blocked, seconds=options.smoke_timeout or SECONDS)


def _why_off(desired: DesiredState) -> str:
    """Why Traceable blocks nothing, "" if it can."""
    if not desired.plugin.enabled:
        return "The plugin is disabled (enabled: false), so nothing is blocked."
    return "" if desired.plugin.mode == "sync" else f"With mode {desired.plugin.mode}, nothing is blocked."


def _requests(options: argparse.Namespace) -> list[SmokeRequest]:
    path = options.smoke_route or _path_of(options.smoke)
    common = [*([("Host", options.smoke_host)] if options.smoke_host else []), *(options.smoke_header or [])]
    found = [SmokeRequest(method="GET", target=path, headers=tuple(common))]
    own = options.smoke_blocked_header or []
    if options.smoke_blocked or own or options.smoke_blocked_method:
        headers = tuple(_replaced(common, own))
        method = options.smoke_blocked_method or "GET"
        found.append(
            SmokeRequest(method=method, target=options.smoke_blocked or path, headers=headers, expects_block=True)
        )
    return found


def _replaced(common: Sequence[Header], own: Sequence[Header]) -> list[Header]:
    names = {name.lower() for name, _ in own}
    return [*(header for header in common if header[0].lower() not in names), *own]


def _path_of(url: str) -> str:
    parts = urlsplit(url)
    return _path((parts.path or "/") + (f"?{parts.query}" if parts.query else ""))


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
        usable = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable or parts.scheme not in ("http", "https") or not text.isprintable() or " " in parts.netloc:
        raise argparse.ArgumentTypeError("is not an http or https URL")
    if "@" in parts.netloc:
        raise argparse.ArgumentTypeError("has a user or a password in it: use --smoke-header")
    if parts.fragment:
        raise argparse.ArgumentTypeError("has a fragment (#), which no client sends")
    return text


def _path(text: str) -> str:
    if not text.startswith("/"):
        raise argparse.ArgumentTypeError("does not begin with /")
    if "#" in text:
        raise argparse.ArgumentTypeError("has a fragment (#), which no client sends")
    # What a URL cannot have is encoded, so that an attack can be written as it is.
    return quote(text, safe=_UNESCAPED)


def _host(text: str) -> str:
    host, _, port = text.partition(":")
    if not is_host(host) or (port and not port.isdecimal()):
        raise argparse.ArgumentTypeError("is not the name of a host")
    return text


def _headers(text: str) -> list[Header]:
    """One header, or with `@FILE` those of a file, which the arguments of the process do not show."""
    if not text.startswith("@"):
        return [_header(text)]
    try:
        lines = read_text(Path(text[1:]), HEADERS_LIMIT).splitlines()
    except (OSError, ValueError) as problem:
        raise argparse.ArgumentTypeError(f"names a file that cannot be read: {kind_of(problem)}") from None
    return [_header(line) for line in lines if line.strip()]


def _header(text: str) -> Header:
    name, colon, value = text.partition(":")
    value = value.strip(" ")
    if not colon or not _TOKEN.fullmatch(name) or not value.isprintable():
        # The text is not shown: it may be a login.
        raise argparse.ArgumentTypeError("is not of the form 'NAME: VALUE'")
    return name, value


def _method(text: str) -> str:
    if not _TOKEN.fullmatch(text) or text.upper() == "CONNECT":
        raise argparse.ArgumentTypeError("is not a method")
    return text


def _status(text: str) -> int:
    if not (text.isdecimal() and len(text) == 3 and text >= "100"):
        raise argparse.ArgumentTypeError("is not an HTTP status")
    return int(text)


def number_of(text: str) -> float:
    """The number, NaN for another text."""
    try:
        return float(text)
    except ValueError:
        return math.nan


def _seconds(text: str) -> float:
    seconds = number_of(text)
    if not 0 < seconds <= 600:
        raise argparse.ArgumentTypeError("is not a number of seconds up to 600")
    return seconds
