"""Serves TraceableOnKong to Pulumi programs in other languages. The engine starts it as a plugin."""

import json
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

import pulumi
from pulumi.provider import main
from pulumi.provider.experimental import host
from pulumi.provider.experimental.analyzer import ComponentDefinition
from pulumi.provider.experimental.component import ComponentProvider

from traceable_kong.program.arguments import TraceableOnKongArgs
from traceable_kong.program.traceable_on_kong import TraceableOnKong

CLONE = Path(__file__).parents[1]
SCHEMA = CLONE / "schema" / "component.json"


class Package(ComponentProvider):
    """The SDK's host of components. It keeps the caller's arguments, and shows errors of this program as they are."""

    def __init__(self) -> None:
        # The SDK cannot describe a union. A program in another language always gives arguments.
        TraceableOnKong.__init__.__annotations__["args"] = TraceableOnKongArgs
        project = tomllib.loads((CLONE / "pyproject.toml").read_text())["project"]
        super().__init__([TraceableOnKong], project["name"], version=project["version"])
        # The generated programs add `Args` to the names of types themselves.
        described = re.sub(r'(:index:\w+)Args"', r'\1"', str(self.schema))
        # A docstring's lines become one line, which every language wraps in its own way.
        described = re.sub(r"((?:\\n)+) *", lambda found: " " if found[1] == r"\n" else r"\n\n", described)
        self.text = json.dumps(json.loads(described), indent=2, sort_keys=True) + "\n"
        self.schema = self.text

    def map_inputs(self, inputs: Any, component_def: ComponentDefinition) -> Any:
        """The SDK would replace an object that is secret or unknown as a whole with an empty one."""
        return inputs

    def get_state(self, instance: pulumi.ComponentResource, component_def: ComponentDefinition) -> dict[str, Any]:
        state = super().get_state(instance, component_def)
        return {key: pulumi.Output.from_input(_readable(output)) for key, output in state.items()}


async def _readable(output: pulumi.Output[Any]) -> pulumi.Output[Any]:
    """`output`, when it is known. Raises the only error that the SDK passes on as it is: of any other it would show the
    class, or a traceback.
    """
    try:
        await output.future()
    except pulumi.RunError as problem:
        raise pulumi.InputPropertiesError(str(problem), []) from None
    return output


if __name__ == "__main__":
    if sys.argv[1:] == ["schema"]:
        SCHEMA.write_text(Package().text)
    else:
        # What component_provider_host does.
        host.is_hosting = True
        main(Package(), sys.argv[1:])
