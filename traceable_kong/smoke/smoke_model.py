"""Requests through Kong, and what was observed of each."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from traceable_kong.common.safe_text import printable, printable_lines

Header = tuple[str, str]

Verdict = Literal["passed", "failed", "not observed"]
"""`not observed`: the response, or that there was none, does not say whether what was expected is so."""

LATENCIES = {
    "X-Kong-Proxy-Latency": "Kong",
    "X-Kong-Upstream-Latency": "upstream",
    "X-Kong-Response-Latency": "Kong alone",
}
"""Kong's headers with milliseconds (`headers` in kong.conf): before the upstream was asked, until it answered, and of a
response that Kong produced itself."""

LIMIT_NOTE = "a response shows that Kong answered, not that Traceable was asked; only a request that is blocked does"


@dataclass(frozen=True, kw_only=True)
class SmokeRequest:
    """`target` is path and query. `headers` may be secret, and are not shown. `expects_block`: it must be blocked."""

    method: str
    target: str
    headers: tuple[Header, ...] = field(default=(), repr=False)
    expects_block: bool = False

    @property
    def label(self) -> str:
        return printable(f"{self.method} {self.target}") + (" (must be blocked)" if self.expects_block else "")


@dataclass(frozen=True, kw_only=True)
class SmokeResponse:
    """`code` is the status, `kong` are Kong's headers, `excerpt` is the beginning of the body, on one line."""

    code: int
    milliseconds: int
    kong: Mapping[str, str]
    excerpt: str

    @property
    def latencies(self) -> str:
        """What Kong says about the time: `Kong 1 ms, upstream 8 ms`."""
        return ", ".join(f"{word} {self.kong[name]} ms" for name, word in LATENCIES.items() if name in self.kong)


@dataclass(frozen=True, kw_only=True)
class SmokeResult:
    """`server` is a pod or a host; `response` is None where there was none. `found` is one sentence."""

    server: str
    request: SmokeRequest
    response: SmokeResponse | None
    verdict: Verdict
    found: str

    def details(self) -> list[str]:
        lines = [f"{self.server}: {self.request.label}: {self.verdict}", f"  {self.found}"]
        if self.response:
            kong = ", ".join(f"{name}: {value}" for name, value in self.response.kong.items())
            lines += [f"  body: {self.response.excerpt or '(empty)'}", f"  headers: {kong or 'none of Kong'}"]
        return lines


@dataclass(frozen=True, kw_only=True)
class SmokeReport:
    """The results of all requests."""

    results: tuple[SmokeResult, ...]

    @property
    def is_failed(self) -> bool:
        return any(result.verdict == "failed" for result in self.results)

    @property
    def is_observed(self) -> bool:
        """True if every response says whether what was expected is so."""
        return all(result.verdict != "not observed" for result in self.results)

    def rows(self) -> list[tuple[str, ...]]:
        """A table, its header first."""
        header = ("REQUEST", "TO", "STATUS", "TIME", "LATENCY HEADERS", "RESULT")
        return [header, *(_row(result) for result in self.results)]

    def distinct(self) -> list[SmokeResult]:
        """One result of those that only differ in the time."""
        found: dict[tuple[str, ...], SmokeResult] = {}
        for result in self.results:
            status = str(result.response.code) if result.response else ""
            found.setdefault((result.server, result.request.label, result.verdict, result.found, status), result)
        return list(found.values())

    def text(self) -> str:
        rows = self.rows()
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
        for result in self.distinct():
            lines += ["", *(f"  {line}" for line in result.details())]
        return printable_lines([*lines, "", f"  note: {LIMIT_NOTE}"])

    def document(self) -> list[dict[str, object]]:
        """The results for programs."""
        return [
            {
                "server": result.server,
                "method": result.request.method,
                "target": result.request.target,
                "must_be_blocked": result.request.expects_block,
                "verdict": result.verdict,
                "found": result.found,
                "status": result.response.code if result.response else None,
                "milliseconds": result.response.milliseconds if result.response else None,
                "kong_headers": dict(result.response.kong) if result.response else {},
                "body": result.response.excerpt if result.response else "",
            }
            for result in self.results
        ]


def _row(result: SmokeResult) -> tuple[str, ...]:
    response = result.response
    seen = (str(response.code), f"{response.milliseconds} ms", response.latencies or "-") if response else ("-",) * 3
    return (result.request.label, result.server, *seen, result.verdict)
