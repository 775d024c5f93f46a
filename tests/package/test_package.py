"""The component package: its schema, and what it does differently from the SDK's host of components."""

import asyncio
import re
from types import SimpleNamespace
from typing import Any

import pulumi
import pytest
import yaml

from package.__main__ import CLONE, SCHEMA, Package

COMPONENT = "TraceableOnKong"


@pytest.fixture(scope="module")
def package() -> Package:
    return Package()


def test_the_schema_is_current(package: Package) -> None:
    assert SCHEMA.read_text(encoding="utf-8") == package.text, "python -m package schema"


def test_a_description_has_no_indents_of_python(package: Package) -> None:
    described = re.findall(r'"description": "(.*)"', package.text)
    assert len(described) > 50 and [text for text in described if re.search(r"(?<!\\n)\\n(?!\\n)|\\n ", text)] == []


def test_the_engine_finds_the_plugin_and_what_it_needs() -> None:
    plugin = yaml.safe_load((CLONE / "package" / "PulumiPlugin.yaml").read_text(encoding="utf-8"))
    assert plugin["runtime"] == {"name": "python", "options": {"toolchain": "pip", "virtualenv": "venv"}}
    installed = (CLONE / "package" / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert installed[-1] == "-e .."


def test_an_object_that_is_secret_as_a_whole_is_kept(package: Package) -> None:
    async def run() -> Any:
        sent: dict[str, Any] = {"kong": pulumi.Output.secret({"namespace": "edge"})}
        mapped = package.map_inputs(sent, package._component_defs[COMPONENT])["kong"]
        return await mapped.future(), await mapped.is_secret()

    kong, secret = asyncio.run(run())
    assert (kong, secret) == ({"namespace": "edge"}, True)


def state(package: Package, outputs: Any) -> Any:
    async def run() -> Any:
        component = SimpleNamespace(outputs=outputs())
        found = package.get_state(component, package._component_defs[COMPONENT])["outputs"]  # type: ignore[arg-type]
        return await found.future(), await found.is_secret(), await found.is_known()

    return asyncio.run(run())


def test_an_error_of_the_program_is_handed_over_as_it_is(package: Package) -> None:
    async def fails() -> Any:
        raise pulumi.RunError("The arguments have 1 problem.\n\n  plugin.sha256")

    with pytest.raises(pulumi.InputPropertiesError) as raised:
        state(package, lambda: pulumi.Output.from_input(fails()))
    assert (raised.value.message, raised.value.errors) == ("The arguments have 1 problem.\n\n  plugin.sha256", [])


def test_outputs_stay_secret_or_unknown(package: Package) -> None:
    assert state(package, lambda: pulumi.Output.secret({"mode": "sync"})) == ({"mode": "sync"}, True, True)
    assert state(package, lambda: pulumi.Output.from_input(pulumi.UNKNOWN)) == (None, False, False)
