"""The JSON schema of a stack file, for editors. `python -m traceable_kong.config.json_schema` writes it to schema/."""

import json
from pathlib import Path
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from traceable_kong.config.stack_config import FREE_FORM, StackConfig

PATH = Path(__file__).parents[2] / "schema" / "Pulumi.schema.json"

_SECURE = {
    "type": "object",
    "properties": {"secure": {"type": "string"}},
    "required": ["secure"],
    "additionalProperties": False,
    "description": "What `pulumi config set --secret` writes.",
}


class _Generator(GenerateJsonSchema):
    """As config/stack_config.py takes them: text for booleans and numbers, `secure:` for secrets, no titles."""

    def bool_schema(self, schema: core_schema.BoolSchema) -> JsonSchemaValue:
        return {"enum": [True, False, "true", "false"]}

    def int_schema(self, schema: core_schema.IntSchema) -> JsonSchemaValue:
        return {**super().int_schema(schema), "type": ["integer", "string"], "pattern": "^-?[0-9]{1,18}$"}

    def function_before_schema(self, schema: core_schema.BeforeValidatorFunctionSchema) -> JsonSchemaValue:
        inner = super().function_before_schema(schema)
        # A version or a message may look like a number or a boolean.
        return {**inner, "type": ["string", "number", "boolean"]} if inner.get("type") == "string" else inner

    def field_title_should_be_set(self, schema: object) -> bool:
        return False


def schema() -> dict[str, Any]:
    """The schema (JSON Schema 2020-12) of a whole `Pulumi.<stack>.yaml`."""
    generated = _without_titles(StackConfig.model_json_schema(by_alias=True, schema_generator=_Generator))
    definitions = generated.pop("$defs")
    keys = {
        f"traceable-kong:{key}": {"anyOf": [value, _SECURE]} if key in FREE_FORM else value
        for key, value in generated["properties"].items()
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A stack of traceable-kong",
        "type": "object",
        "properties": {
            "config": {
                "type": ["object", "null"],
                "properties": keys,
                "not": {"anyOf": [{"required": ["traceable-kong:agentToken", "traceable-kong:agentTokenSecret"]}]},
                "patternProperties": {"^(?!traceable-kong:)": {}},
                "additionalProperties": False,
            }
        },
        "$defs": definitions,
    }


def _without_titles(node: Any) -> Any:
    """Titles repeat the names; what is for passwords only is `secure:` in a stack file."""
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
