"""Makes foreign text safe to show: on one line, without effect on a terminal, and without secrets.

Messages of a cluster, of Kong and of tools can contain anything; the exception of a parser contains what it could not
parse. Every exception of this program that has such text is a `PlainError`.
"""

import binascii
import http.client
import json
import re
import ssl
from collections.abc import Iterable

import yaml

from traceable_kong.common.foreign_documents import UnreadableDocument

_ENGINE_TAG = re.compile(r"<(?=\{%)|%(?=\}>)")
"""The beginning and the end of a color tag for Pulumi's engine (sdk/go/common/diag/colors), which stops at an unknown
one."""


def printable(text: str) -> str:
    """The text on one line: line breaks and tabs become spaces, and other invisible characters become escapes.

    These are the control characters of terminals, characters without width, and marks that change the direction.
    """
    line = " ".join(re.split(r"[\r\n\t\v\f\x85\u2028\u2029]+", text)) if not text.isprintable() else text
    seen = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in line)
    return _ENGINE_TAG.sub(lambda found: f"{found[0]} ", seen)


def printable_lines(lines: Iterable[str]) -> str:
    """A message of several lines, each of which stays one line."""
    return "\n".join(map(printable, lines))


class PlainError(Exception):
    """An error whose text is safe to show: each of `lines` stays one printable line."""

    def __init__(self, *lines: str) -> None:
        super().__init__(printable_lines(lines))


def without_quoted(text: str) -> str:
    """The text of a tool without quoted parts, which can repeat its input."""
    return re.sub(r"""(["'`])(?:\\.|(?!\1).)*\1""", '"..."', text, flags=re.DOTALL)


def kind_of(problem: BaseException) -> str:
    """The kind of a problem and its line, in words, without the input that caused it."""
    if isinstance(problem, yaml.YAMLError):
        mark = getattr(problem, "problem_mark", None)
        return f"it is not YAML (line {mark.line + 1})" if mark else "it is not YAML"
    if isinstance(problem, UnreadableDocument):
        return str(problem)
    if isinstance(problem, RecursionError):
        return "it is nested too deep"
    if isinstance(problem, json.JSONDecodeError):
        return f"it is not JSON (line {problem.lineno})"
    if isinstance(problem, binascii.Error):
        return "a value in it is not base64"
    if isinstance(problem, UnicodeError):
        return "a value in it is not text that can be decoded or sent"
    if isinstance(problem, ssl.SSLCertVerificationError):
        return f"the certificate is not trusted: {problem.verify_message}"
    if isinstance(problem, TimeoutError):
        return "timed out"
    if isinstance(problem, http.client.HTTPException):
        return "its response is not HTTP, or ends too early"
    if isinstance(problem, OSError):
        # Constant texts of the system or of OpenSSL; the text of the exception names a file.
        return problem.strerror or type(problem).__name__
    return type(problem).__name__
