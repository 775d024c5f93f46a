"""The JSON schema of a stack file, for editors. `python -m traceable_kong.config.json_schema` writes it to schema/."""

import json
from pathlib import Path
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from traceable_kong.config.config_layout import FAMILIES, FLAT_KEYS
from traceable_kong.config.stack_config import FREE_FORM, GatewayStack

PATH = Path(__file__).parents[2] / "schema" / "Pulumi.schema.json"

_PREFIX = "traceable-kong:"

_REFERENCE = "#/$defs/{model}"

_SECURE = {
    "type": "object",
    "properties": {"secure": {"type": "string"}},
    "required": ["secure"],
    "additionalProperties": False,
    "description": "What `pulumi config set --secret` writes.",
}


class _Generator(GenerateJsonSchema):
    """As the config takes values: text for booleans and numbers, `secure:` for secrets, no titles."""

    def bool_schema(self, schema: core_schema.BoolSchema) -> JsonSchemaValue:
        return {"enum": [True, False, "true", "false"]}

    def int_schema(self, schema: core_schema.IntSchema) -> JsonSchemaValue:
        return {**super().int_schema(schema), "type": ["integer", "string"], "pattern": "^-?[0-9]{1,18}$"}

    def literal_schema(self, schema: core_schema.LiteralSchema) -> JsonSchemaValue:
        texts = [json.dumps(value) for value in schema["expected"] if not isinstance(value, str)]
        return {"enum": [*schema["expected"], *texts]}

    def function_before_schema(self, schema: core_schema.BeforeValidatorFunctionSchema) -> JsonSchemaValue:
        inner = super().function_before_schema(schema)
        # A version or a message may look like a number or a boolean.
        return {**inner, "type": ["string", "number", "boolean"]} if inner.get("type") == "string" else inner

    def tagged_union_schema(self, schema: core_schema.TaggedUnionSchema) -> JsonSchemaValue:
        return {"anyOf": super().tagged_union_schema(schema)["oneOf"]}

    def field_title_should_be_set(self, schema: object) -> bool:
        return False


def schema() -> dict[str, Any]:
    """The schema (JSON Schema 2020-12) of a whole `Pulumi.<stack>.yaml`."""
    definitions: dict[str, Any] = {}
    stacks = []
    for model in FAMILIES[GatewayStack]:
        generated = _without_titles(
            model.model_json_schema(by_alias=True, schema_generator=_Generator, ref_template=_REFERENCE)
        )
        definitions |= generated.pop("$defs")
        stacks.append(generated)
    flat, owners = _taken_out(definitions)
    for stack in stacks:
        stack["properties"] |= {key: value for key, value in flat.items() if FLAT_KEYS[key] in stack["properties"]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A stack of traceable-kong",
        "type": "object",
        "properties": {"config": {"anyOf": [{"type": "null"}, *(_of_stack(stack, owners) for stack in stacks)]}},
        "$defs": definitions,
    }


def _taken_out(definitions: dict[str, Any]) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """Takes the flat keys out of the classes that have them. Returns their schemas, and the names of these classes."""
    flat: dict[str, Any] = {}
    owners: dict[str, list[str]] = {}
    for name, definition in definitions.items():
        for key in FLAT_KEYS:
            if key in definition.get("properties", {}):
                flat[key] = definition["properties"].pop(key)
                owners.setdefault(key, []).append(name)
    return {key: flat[key] for key in FLAT_KEYS}, owners


def _of_stack(stack: dict[str, Any], owners: dict[str, list[str]]) -> dict[str, Any]:
    """The schema of the keys below `config:`."""
    properties = stack["properties"]
    keys = {
        f"{_PREFIX}{key}": {"anyOf": [value, _SECURE]} if key in FREE_FORM else value
        for key, value in properties.items()
    }
    # A flat key goes with the variants of its part that have it.
    needs = {
        f"{_PREFIX}{key}": {
            "properties": {
                f"{_PREFIX}{FLAT_KEYS[key]}": {"anyOf": [{"$ref": _REFERENCE.format(model=name)} for name in names]}
            }
        }
        for key, names in owners.items()
        if key in properties
    }
    return {
        "type": "object",
        "description": stack["description"],
        "properties": keys,
        "required": [f"{_PREFIX}{key}" for key in stack.get("required", ())],
        "dependentSchemas": needs,
        "not": {"required": [f"{_PREFIX}agentToken", f"{_PREFIX}agentTokenSecret"]},
        "patternProperties": {f"^(?!{_PREFIX})": {}},
        "additionalProperties": False,
    }


def _without_titles(node: Any) -> Any:
    """Leaves out titles, which repeat the names; a value for passwords only is `secure:` in a stack file."""
    if isinstance(node, dict):
        if node.get("format") == "password":
            return _SECURE
        return {
            key: _without_titles(value) for key, value in node.items() if key != "title" or not isinstance(value, str)
        }
    return [_without_titles(item) for item in node] if isinstance(node, list) else node


def text() -> str:
    """The file's whole text."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    PATH.parent.mkdir(exist_ok=True)
    PATH.write_text(text(), encoding="utf-8")
