"""The JSON schema and docs/configuration.md match the code."""

from pathlib import Path

import jsonschema
import pytest
import yaml

from tests.config import arguments_module, configuration_page
from tests.config.cases import ACCEPTED, REFUSED, header
from traceable_kong.config import json_schema

PROJECT = Path(__file__).parents[2]
VALIDATOR = jsonschema.Draft202012Validator(json_schema.schema())
KNOWN_TO_THE_SCHEMA = {
    "unknown_key",
    "choice",
    "switch",
    "whole_number",
    "range",
    "form",
    "missing",
    "not_empty",
    "other_variant",
    "text",
    "structure",
}
"""The rules that a schema can express; only the program judges those between keys."""


def errors(path: Path) -> list[str]:
    return [error.message for error in VALIDATOR.iter_errors(yaml.safe_load(path.read_text(encoding="utf-8")))]


def test_the_arguments_of_the_component_are_current() -> None:
    written = arguments_module.PATH.read_text(encoding="utf-8")
    assert written == arguments_module.text(), "python -m tests.config.arguments_module"


def test_the_schema_is_current() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema.schema())
    assert json_schema.PATH.read_text(encoding="utf-8") == json_schema.text(), (
        "python -m traceable_kong.config.json_schema"
    )


def test_the_page_is_current() -> None:
    written = configuration_page.PATH.read_text(encoding="utf-8")
    assert written == configuration_page.page(), "python -m tests.config.configuration_page"


@pytest.mark.parametrize("name", ["Pulumi.dev.yaml", "Pulumi.local.yaml"])
def test_the_stack_files_name_the_schema_and_fit_it(name: str) -> None:
    path = PROJECT / name
    assert path.read_text(encoding="utf-8").startswith("# yaml-language-server: $schema=schema/Pulumi.schema.json\n")
    assert errors(path) == []


@pytest.mark.parametrize("path", ACCEPTED, ids=lambda path: path.stem)
def test_the_schema_accepts_what_the_program_accepts(path: Path) -> None:
    assert errors(path) == []


# How deep a thing may be nested, no schema can say.
KNOWN = [p for p in REFUSED if header(p)["rule"] in KNOWN_TO_THE_SCHEMA and p.stem != "nested-without-end"]


@pytest.mark.parametrize("path", KNOWN, ids=lambda path: path.stem)
def test_the_schema_refuses_what_a_schema_can_say(path: Path) -> None:
    assert errors(path) != []
