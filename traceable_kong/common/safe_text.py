"""Text from elsewhere as people may see it: on one line, without effect on a terminal, and without secrets.

Messages of a cluster, of Kong and of tools can hold anything that others wrote; an exception of a parser holds what it
could not parse. Every exception of this program that carries such text is a `PlainError`.
"""

import binascii
import json
import re
import ssl
from collections.abc import Iterable

import yaml

_ENGINE_TAG = re.compile(r"<(?=\{%)|%(?=\}>)")
"""What Pulumi's engine takes for the beginning or the end of a color (sdk/go/common/diag/colors): it stops at one that
it does not know."""


def printable(text: str) -> str:
    """`text` on one line: a line break or a tab is a space, and whatever else cannot be seen is written as an escape.

    That covers the control characters of terminals, characters without width, and marks that turn the direction.
    """
    line = " ".join(re.split(r"[\r\n\t\v\f\x85\u2028\u2029]+", text)) if not text.isprintable() else text
    seen = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in line)
    return _ENGINE_TAG.sub(lambda found: f"{found[0]} ", seen)


def printable_lines(lines: Iterable[str]) -> str:
    """Lines of a message, each of which stays one."""
    return "\n".join(map(printable, lines))


class PlainError(Exception):
    """An error whose text is safe to show: each of `lines` stays one printable line."""

    def __init__(self, *lines: str) -> None:
        super().__init__(printable_lines(lines))


def without_quoted(text: str) -> str:
    """What a tool says, without what it quotes: there it shows what it was given."""
    return re.sub(r"""(["'`])(?:\\.|(?!\1).)*\1""", '"..."', text, flags=re.DOTALL)


def kind_of(problem: BaseException) -> str:
    """What kind of problem an exception is and on which line, in words, and nothing of what caused it."""
    if isinstance(problem, yaml.YAMLError):
        mark = getattr(problem, "problem_mark", None)
        return f"it is not YAML (line {mark.line + 1})" if mark else "it is not YAML"
    if isinstance(problem, json.JSONDecodeError):
        return f"it is not JSON (line {problem.lineno})"
    if isinstance(problem, binascii.Error):
        return "something in it is not base64"
    if isinstance(problem, UnicodeError):
        return "something in it is not text that can be read or sent"
    if isinstance(problem, ssl.SSLCertVerificationError):
        return f"the certificate is not trusted: {problem.verify_message}"
    if isinstance(problem, TimeoutError):
        return "timed out"
    if isinstance(problem, OSError):
        # Of the system or of OpenSSL, and constant; the text of the exception names a file.
        return problem.strerror or type(problem).__name__
    return type(problem).__name__
