"""Messages of a run whose config is a component's arguments: no command of the stack's config is left in them."""

import re
from pathlib import Path
from typing import is_typeddict

import pytest

from tests.config.cases import REFUSED, header, refusal
from traceable_kong.common.wording import Wording
from traceable_kong.config.python_spelling import PYTHON_NAMES, python_spelling
from traceable_kong.program import arguments

ARGUMENTS = Wording(options="", component="edge", spelled=python_spelling)
OF_A_STACK = re.compile(r"pulumi config|stack file|stack's config|Pulumi\.<stack>|traceable-kong:|kubernetes:|--secret")


def test_every_argument_is_spelled_as_in_the_arguments_of_the_component() -> None:
    types = [item for item in vars(arguments).values() if is_typeddict(item)]
    names = {name for item in types for name in item.__annotations__ if "_" in name}
    assert set(PYTHON_NAMES.values()) == names


@pytest.mark.parametrize("path", REFUSED, ids=lambda path: path.stem)
def test_every_refusal_of_a_config_names_arguments(path: Path) -> None:
    said = ARGUMENTS.shown(str(refusal(path)))
    assert said.startswith("The arguments of edge have 1 problem. Nothing was changed.")
    assert not OF_A_STACK.search(said), said
    assert python_spelling(header(path)["key"]) in said


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("`pulumi config set traceable-kong:tmeGuard off`, then", "set the argument tme_guard to off, then"),
        ("pulumi config set kubernetes:context NAME", "set the argument kubernetes.context to NAME"),
        (
            "`pulumi config set --path traceable-kong:kong.admin.adopt true`;",
            "set the argument kong.admin.adopt to true;",
        ),
        ("`pulumi config rm traceable-kong:agentToken`", "remove the argument agent_token"),
        ("pulumi config set 'traceable-kong:kongValues[\"a b\"]' 'c d'", "the argument kong_values[\"a b\"] to 'c d'"),
        ("traceable-kong:allowedClusters is checked", "allowed_clusters is checked"),
        ("set `kong.protect` and `agentToken`", "set `kong.protect` and `agent_token`"),
        ("label traceable-kong/stack=x", "label traceable-kong/stack=x"),
    ],
)
def test_what_is_said_of_a_key(text: str, expected: str) -> None:
    assert expected in ARGUMENTS.shown(text)


def test_the_stacks_config_is_not_reworded() -> None:
    for path in REFUSED:
        assert Wording(options="").shown(str(refusal(path))) == str(refusal(path))
