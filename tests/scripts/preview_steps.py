"""Small previews: single steps, and a component with what is in it."""

import json
from collections.abc import Iterator
from typing import Any

from scripts.preview_reading import COMPONENT, Preview, read

STACK = "urn:pulumi:dev::p::pulumi:pulumi:Stack::p-dev"
CONFIG_MAP = "kubernetes:core/v1:ConfigMap"
RECORD = ("Installation", CONFIG_MAP)
RELEASE = ("KongGateway", "kubernetes:helm.sh/v3:Release")
AGENT = ("TraceableAgent", "kubernetes:helm.sh/v3:Release")
FILES = ("ExistingKong", "pulumi-python:dynamic/traceable:DeploymentFiles")
PATCH = ("TmeInjection", "kubernetes:apps/v1:DeploymentPatch")
BINDING = ("TmeGuard", "kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicyBinding")


def step(
    op: str,
    *,
    old: Any = None,
    new: Any = None,
    name: str = "it",
    types: tuple[str, ...] = (CONFIG_MAP,),
    parent: str = STACK,
    **more: Any,
) -> dict[str, Any]:
    custom = not types[-1].startswith("traceable-kong:")
    states = {
        which: {"custom": custom, "type": types[-1], "parent": parent, "inputs": inputs}
        for which, inputs in (("oldState", old), ("newState", new))
        if inputs is not None
    }
    return {"op": op, "urn": urn(types, name), **states, **more}


def urn(types: tuple[str, ...], name: str) -> str:
    return f"urn:pulumi:dev::p::{'$'.join(types)}::{name}"


def component(
    *resources: tuple[str, tuple[str, str], Any, Any],
    op: str = "same",
    name: str = "edge",
    below: tuple[str, ...] = (),
    installed: bool = True,
) -> Iterator[dict[str, Any]]:
    """A component with these resources: operation, inner component and type, old and new inputs."""
    types = (*below, COMPONENT)
    own: tuple[dict[str, Any] | None, ...] = tuple(None if op == none else {} for none in ("create", "delete"))
    yield step(op, name=name, types=types, old=own[0], new=own[1])
    inner = dict.fromkeys([*(wanted[0] for _, wanted, _, _ in resources), *(["Installation"] if installed else [])])
    for kind in inner:
        of_inner = (*types, f"traceable-kong:index:{kind}")
        yield step(op, name=f"{name}-{kind}", types=of_inner, parent=urn(types, name), old=own[0], new=own[1])
    for number, (done, (kind, resource), old, new) in enumerate(resources):
        of_inner = (*types, f"traceable-kong:index:{kind}")
        yield step(
            done,
            name=f"{name}-{kind}-{number}",
            types=(*of_inner, resource),
            parent=urn(of_inner, f"{name}-{kind}"),
            old=old,
            new=new,
        )


def preview(*steps: dict[str, Any], **more: Any) -> Preview:
    return read(json.dumps({"steps": steps, **more}))
