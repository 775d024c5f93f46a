"""Values files of the kinds that people publish, accepted/*.yaml and refused/*.yaml.

Written for these tests from the documentation of the public chart (values.yaml and README.md of kong 3.4.1).
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent


@dataclass(frozen=True, kw_only=True)
class ValuesFile:
    """`kong_values` of a stack with these other keys in its `config`.

    A refused file has the words that the messages must have, and each message has one of them. The live test installs
    the accepted files of `run` 1 together and adds those of `run` 2 in an update, after it has created the ConfigMaps,
    Secrets and ServiceAccounts that they need. Without a number, the embedded platform cannot run it.
    """

    name: str
    description: str
    kong_values: dict[str, Any]
    config: dict[str, Any] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    run: int | None = None
    needs: dict[str, list[str]] = field(default_factory=dict)


def _files(folder: str) -> list[ValuesFile]:
    found = []
    for path in sorted((FOLDER / folder).glob("*.yaml")):
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        found.append(ValuesFile(name=path.stem, kong_values=document.pop("kongValues"), **document))
    return found


ACCEPTED = _files("accepted")
REFUSED = _files("refused")
