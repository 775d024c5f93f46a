"""What the components register is what the SDK's own classes would register."""

import importlib
import re
from typing import Any

import pulumi
import pytest

from tests.fakes.program import Program
from tests.fakes.recording import Registration, Secret, record

DATABASE: dict[str, Any] = {"kong": {"database": "postgres", "postgres": {"managed": True}}}
FROM_THE_CONFIG: dict[str, Any] = {"agentTokenSecret": None, "agentToken": "the-token"}


def through_the_sdk(registered: Registration) -> Registration:
    """The registration of the same object by the class of its kind in pulumi_kubernetes."""
    _, group_version, kind = registered.type.split(":")
    group, version = group_version.split("/")
    module = importlib.import_module(f"pulumi_kubernetes.{group.split('.')[0]}.{version}")
    ours = ("apiVersion", "kind", "compat")

    def register() -> None:
        given = {_snake_case(key): _input(value) for key, value in registered.inputs.items() if key not in ours}
        getattr(module, kind)(registered.name, **given)

    recording = record(register)
    return recording[registered.name]


def _input(value: Any) -> Any:
    return pulumi.Output.secret(value.value) if isinstance(value, Secret) else value


def _snake_case(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def _shown(value: Any) -> Any:
    """`value` with every secret as a value that can be compared."""
    if isinstance(value, Secret):
        return ("secret", value.value)
    return {key: _shown(item) for key, item in value.items()} if isinstance(value, dict) else value


@pytest.mark.parametrize("config", [{}, {"mode": "async"}, DATABASE, FROM_THE_CONFIG])
def test_every_object_is_registered_as_by_the_sdk(program: Program, config: dict[str, Any]) -> None:
    program.secret_keys = ("agentToken",)
    registrations = [
        item
        for item in program.up(**config).registrations
        if item.type.startswith("kubernetes:") and "konghq.com" not in item.type
    ]
    assert len(registrations) > 8
    for registered in registrations:
        by_sdk = through_the_sdk(registered)
        assert (registered.type, _shown(registered.inputs)) == (by_sdk.type, _shown(by_sdk.inputs))
        assert set(registered.additional_secret_outputs) >= set(by_sdk.additional_secret_outputs)
