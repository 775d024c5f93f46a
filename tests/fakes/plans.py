"""Plans for tests, built from config keys as users write them."""

import dataclasses
import json
from collections.abc import Collection
from typing import Any

from traceable_kong.cluster.ownership import StackIdentity
from traceable_kong.config.parser import parse
from traceable_kong.config.secret_values import SecretPath
from traceable_kong.plan.build import PlanInputs, build_plan
from traceable_kong.plan.model import DesiredState, Gateway, Plan
from traceable_kong.plan.outputs import VerifyCommand
from traceable_kong.plugin.rock import Rock

OWNER = "traceable-kong.dev-0a1b2c3d"

IDENTITY = StackIdentity(owner=OWNER, digest_key="ab" * 16)

ROCK = Rock(
    version="2.1.2-1", sha256="c" * 64, plugins={"traceable": {"handler.lua": b"return {}", "schema.lua": b"return {}"}}
)

SELECTOR = {"matchLabels": {"app": "ingress-kong"}}
"""What the Deployment of an existing Kong selects its pods by."""


def plan(
    *,
    rock: Rock = ROCK,
    owner: str = OWNER,
    inputs: PlanInputs | None = None,
    secrets: Collection[SecretPath] = (),
    **config: Any,
) -> Plan:
    """The plan of a stack with these config keys beside a token and a rock, `kong={"install": False}`.

    `inputs` are what is read of the cluster; an existing Kong has the selector `SELECTOR` where they are not given.
    """
    given = {"agentToken": "t", "plugin": {"rock": "x.rock"}, **config}
    texts = {
        key: value if isinstance(value, str) else json.dumps(value) for key, value in given.items() if value is not None
    }
    identity = dataclasses.replace(IDENTITY, owner=owner)
    parsed = parse(texts, secret_paths=[("agentToken",), *secrets])
    if not parsed.gateway:
        return build_plan(parsed, PlanInputs(), identity)
    existing = {} if parsed.kong.install else SELECTOR
    return build_plan(parsed, inputs or PlanInputs(rock=rock, pod_selector=existing), identity)


def gateway(**arguments: Any) -> Gateway:
    """The gateway of `plan(...)`."""
    made = plan(**arguments).gateway
    assert made is not None
    return made


def desired(**arguments: Any) -> DesiredState:
    """The desired state of `plan(...)`."""
    made = plan(**arguments).desired
    assert made is not None
    return made


def verify_command(stack: str) -> VerifyCommand:
    """How a person verifies a stack of this project on the usual cluster."""
    return VerifyCommand(command=".venv/bin/python verify.py", stack_options=["--stack", stack], cluster_options="")
