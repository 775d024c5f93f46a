"""The texts that the program can print, and the quotes of them in a page."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.docs.pages import CLONE

NOT_THE_PROGRAM = {"bench", "tests", "local", "scripts"}

VALUE = "\0"
"""Replaces a value in a text of the program."""

_PLACEHOLDER = re.compile(r"[A-Z][A-Z0-9_/]+\b")
_QUOTE = re.compile(r"^```text\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def texts() -> Iterator[str]:
    """Every string in the program's source, with VALUE for each formatted value."""
    for path in sorted(CLONE.rglob("*.py")):
        folder = path.relative_to(CLONE).parts[0]
        if folder not in NOT_THE_PROGRAM and not folder.startswith("."):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant | ast.JoinedStr | ast.BinOp):
                    yield " ".join(_text(node).split())


def _text(node: ast.AST) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(map(_text, node.values))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _text(node.left) + _text(node.right)
    return VALUE


def quotes(page: Path) -> list[str]:
    """The texts that a page quotes: the paragraphs of its `text` blocks, each as one line."""
    blocks = _QUOTE.findall(page.read_text(encoding="utf-8"))
    return [" ".join(part.split()) for block in blocks for part in re.split(r"\n\s*\n", block)]


def pattern(quote: str) -> re.Pattern[str]:
    """A pattern that finds a quote in a text of the program. A word in capitals is a placeholder or itself."""
    return re.compile(".+?".join(map(re.escape, literals(quote))))


def literals(quote: str) -> list[str]:
    """The parts of a quote between its placeholders."""
    return _PLACEHOLDER.split(quote)
