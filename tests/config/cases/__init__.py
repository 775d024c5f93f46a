"""The stack files of these folders: `accepted`, and `refused` by one rule each.

The header of a refused file has the rule, the key, and parts of the problem and of its fix.
"""

from collections.abc import Collection
from pathlib import Path

from tests.config.stack_file import parse_file
from traceable_kong.config import parser, stack_config

ACCEPTED = sorted((Path(__file__).parent / "accepted").glob("*.yaml"))
REFUSED = sorted((Path(__file__).parent / "refused").glob("*.yaml"))


def header(path: Path) -> dict[str, str]:
    """`{rule, key, problem, fix}` of a refused file."""
    lines = [line[2:] for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("# ")]
    return dict(line.split(": ", 1) for line in lines)


def parse_refused(path: Path, *, without_rules: Collection[str] = ()) -> stack_config.StackConfig:
    """The config of a refused file, with some rules left out."""
    return parse_file(path, without_rules=without_rules)


def refusal(path: Path) -> parser.ConfigError:
    """The error for a refused file."""
    try:
        parse_refused(path)
    except parser.ConfigError as error:
        return error
    raise AssertionError(f"{path.name} was accepted")
