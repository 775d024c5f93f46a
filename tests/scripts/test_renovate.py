"""What Renovate finds in this repository: renovate.json has patterns of files and of texts in them."""

import json
import re
from typing import Any

from tests.scripts.recorded import CLONE
from traceable_kong.config.agent_config import ManagedAgentConfig
from traceable_kong.config.kong_config import ManagedKongConfig

SETTINGS: dict[str, Any] = json.loads((CLONE / "renovate.json").read_text(encoding="utf-8"))
FOLDERS = (
    "",
    ".github/actions/setup",
    "docs/examples",
    "examples/python",
    "package",
    "policy",
    "traceable_kong/config",
)
FILES = [path.relative_to(CLONE).as_posix() for folder in FOLDERS for path in (CLONE / folder).iterdir()]


def matching(patterns: list[str]) -> set[str]:
    return {name for name in FILES if any(re.search(pattern.strip("/"), name) for pattern in patterns)}


def found(manager: dict[str, Any]) -> dict[str, set[str]]:
    """`{file: versions}` for a custom manager."""
    patterns = [text.replace("(?<", "(?P<") for text in manager["matchStrings"]]
    texts = {name: (CLONE / name).read_text(encoding="utf-8") for name in matching(manager["managerFilePatterns"])}
    return {
        name: {match["currentValue"] for pattern in patterns for match in re.finditer(pattern, text)}
        for name, text in texts.items()
    }


def test_it_knows_every_file_that_pins_packages() -> None:
    locked = {name for name in FILES if name.endswith(".txt") and "--hash=" in (CLONE / name).read_text()}
    assert matching(SETTINGS["pip-compile"]["managerFilePatterns"]) == locked


def test_it_finds_the_charts_and_the_cli() -> None:
    kong, agent, cli = [found(manager) for manager in SETTINGS["customManagers"]]
    for charts, model, place in (
        (kong, ManagedKongConfig, "traceable_kong/config/kong_config.py"),
        (agent, ManagedAgentConfig, "traceable_kong/config/agent_config.py"),
    ):
        version = model.model_fields["chart"].default.version
        assert {name for name, versions in charts.items() if versions} == {place, "Pulumi.dev.yaml", "Pulumi.prod.yaml"}
        assert set().union(*charts.values()) == {version}
    (installed,) = re.findall(r"^pulumi==(\S+)", (CLONE / "requirements.txt").read_text(), re.MULTILINE)
    assert cli == {".github/actions/setup/action.yaml": {installed}, "docs/examples/gitlab-ci.yml": {installed}}
