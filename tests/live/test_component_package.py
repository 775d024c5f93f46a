"""The component package, used by the Pulumi program in examples/yaml."""

import hashlib
import os
import shlex
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from local import toolchain
from local.toolchain.tools import YAML_HOST
from scripts.gateway_forecast import forecasts
from scripts.preview_reading import read
from tests.live.cluster_state import all_objects, created_since, gateway_pods, plugin, tme_count
from tests.live.stack import NO_CHANGES, TOKEN, LiveStack, NewStack
from traceable_kong.common.nested_data import merged

EXAMPLE = Path(__file__).parents[2] / "examples" / "yaml" / "Pulumi.yaml"

PYTHON = '#!/bin/sh\nPYTHONPATH={clone} exec {python} "$@"\n'
"""In place of the environment that `pulumi install` creates, in which the clone is installed."""

PLATFORM_KEYS = ("agent", "agentValues", "kong", "kongValues", "plugin")


def program_in_yaml(stack: LiveStack) -> LiveStack:
    """The example in a copy of the clone, with the names and the charts of this stack."""
    for name in ("pyproject.toml", "package/PulumiPlugin.yaml"):
        shutil.copy2(EXAMPLE.parents[2] / name, stack.directory / name)
    python = stack.directory / "package" / "venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(PYTHON.format(clone=shlex.quote(str(stack.directory)), python=shlex.quote(sys.executable)))
    python.chmod(0o755)
    tools = stack.directory / "tools"
    toolchain.ensure(tools, tools=(YAML_HOST,))
    environment = {**stack.platform.env, "PATH": os.pathsep.join([str(tools), stack.platform.env["PATH"]])}
    program = replace(
        stack,
        directory=stack.directory / "examples" / "yaml",
        platform=replace(stack.platform, env=environment),
    )
    program.directory.mkdir(parents=True)
    shutil.copy2(EXAMPLE, program.directory)
    program.pulumi("stack", "init", stack.name)
    program.pulumi("config", "set", "--secret", "agentToken", stdin=TOKEN)
    return program


def change(program: LiveStack, **changes: Any) -> None:
    """Writes these arguments into the program."""
    file = program.directory / EXAMPLE.name
    document = yaml.safe_load(file.read_text())
    arguments = document["resources"]["traceable"]["properties"]
    document["resources"]["traceable"]["properties"] = merged(arguments, changes)
    file.write_text(yaml.safe_dump(document))


@pytest.mark.cold
def test_a_program_in_yaml(new_stack: NewStack) -> None:
    stack = new_stack()
    before = all_objects(stack)
    program = program_in_yaml(stack)
    refused = program.failed_preview()
    assert "sha256" in refused and "RunError" not in refused and "Traceback" not in refused, refused

    digest = hashlib.sha256(stack.platform.rock.read_bytes()).hexdigest()
    change(program, **{key: stack.configured(key) for key in PLATFORM_KEYS})
    change(program, plugin={"sha256": digest})
    with stack.recorded():
        printed = program.up()
    assert TOKEN not in printed + program.pulumi("stack", "export")
    assert tme_count(stack) == len(gateway_pods(stack)) == 2
    assert plugin(stack)["config"]["mode"] == "sync"
    outputs = program.outputs()
    assert outputs["proxy"] == f"{stack.name}-kong-proxy.{stack.kong_namespace}"
    (forecast,) = forecasts(read(program.preview(NO_CHANGES, "--json", "--show-sames")))
    assert (forecast.name, forecast.is_change, (forecast.then or {})["mode"]) == ("traceable", False, "sync")

    command, *options = shlex.split(outputs["traceable"]["verify"])
    assert command == "traceable-kong"
    verified = program.execute(sys.executable, str(stack.directory / "verify.py"), *options[1:])
    assert (verified.returncode, "every check holds" in verified.stdout) == (0, True), verified
    program.destroy()
    assert created_since(stack, before) == set()
