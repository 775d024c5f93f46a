"""What a message says to do is pasted into a shell, and the problem is gone."""

import json
import re
from pathlib import Path

import pytest
import yaml

from tests.common.pulumi_config import apply, commands, given
from tests.config.cases import REFUSED, header, refusal
from tests.config.stack_file import parse_file
from traceable_kong.config import parser

BY_HAND = {"list-as-object", "nested-without-end", "object-as-list", "object-as-text"}
"""Stack files whose fix is in an editor."""

OTHERS_FOLLOW = {"agent-chart-twice", "agent-only-without-an-agent", "agent-url-of-a-managed-agent"}
"""Stack files that have another problem once this one is fixed, because the fix selects another variant."""

PLACEHOLDER = re.compile(r"[A-Z]+(\.tgz)?|.*HOST.*")


@pytest.mark.parametrize("path", [path for path in REFUSED if path.stem not in BY_HAND], ids=lambda path: path.stem)
def test_a_pasted_fix_fixes_it(path: Path, tmp_path: Path) -> None:
    (problem,) = refusal(path).problems
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    before = json.dumps(document)
    # Every command works, and those before the first "or" belong together.
    made = [given(command, tmp_path) for command in commands(problem.fix)]
    first = made[: len(commands(re.split(r"(?:,|;) or ", problem.fix)[0]))]
    assert first
    for command in first:
        apply(document["config"], command)
    assert json.dumps(document) != before
    fixed = tmp_path / path.name
    fixed.write_text(yaml.safe_dump(document), encoding="utf-8")
    if any(PLACEHOLDER.fullmatch(command.value or "") for command in first):
        return
    try:
        parse_file(fixed)
    except parser.ConfigError as error:
        assert path.stem in OTHERS_FOLLOW and header(path)["key"] not in {other.key for other in error.problems}
    else:
        assert path.stem not in OTHERS_FOLLOW
