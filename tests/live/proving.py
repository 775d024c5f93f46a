"""What the verification says of a live stack, and what can be broken for it: the record, pods, rights."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import yaml

from local.kubelet import faults
from tests.live.stack import PROGRAM, LiveStack

SECONDS_TO_FOLLOW = 20


def look(stack: LiveStack) -> dict[str, Any]:
    done = stack.verify("--json", "--wait-seconds", "0")
    document: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == (0 if document["ok"] else 1)
    return document


def failing(stack: LiveStack) -> set[str]:
    """The names of the checks that fail, as soon as one does."""
    deadline = time.monotonic() + SECONDS_TO_FOLLOW
    while not (names := {check["name"] for check in look(stack)["checks"] if not check["ok"]}):
        assert time.monotonic() < deadline, "everything still holds"
        time.sleep(0.3)
    return names


@contextmanager
def recorded_otherwise(stack: LiveStack, **data: str) -> Iterator[None]:
    """The record says something else meanwhile: as if the gateway were not what the last `up` left."""
    place = ("configmap", "traceable-installation", "--namespace", stack.kong_namespace)
    before = json.loads(stack.kubectl("get", *place, "--output", "json"))["data"]
    try:
        stack.kubectl("patch", *place, "--type=merge", "--patch", json.dumps({"data": data}))
        yield
    finally:
        stack.kubectl("patch", *place, "--type=merge", "--patch", json.dumps({"data": before}))


@contextmanager
def fault(stack: LiveStack, pod: str = "*", **planted: Any) -> Iterator[None]:
    namespace = stack.agent_namespace if "agent" in planted else stack.kong_namespace
    faults.inject(namespace, pod, **planted)
    try:
        yield
    finally:
        faults.clear(namespace, pod)


def rules_of_verify() -> list[dict[str, Any]]:
    """The rules that docs/security.md gives to `verify`: in Kong's namespace, in the agent's, in the cluster."""
    page = (PROGRAM / "docs" / "security.md").read_text(encoding="utf-8")
    block = page.split("\n### verify\n")[1].split("```yaml\n")[1].split("```")[0]
    return [document["rules"] for document in yaml.safe_load_all(block)]


def grant(stack: LiveStack, kind: str, namespace: str, rules: list[dict[str, Any]]) -> None:
    """Gives the ServiceAccount `auditor` these rules and no others, in a namespace or in the cluster."""
    group, name = "rbac.authorization.k8s.io", f"{stack.name}-auditor"
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    subject = {"kind": "ServiceAccount", "name": "auditor", "namespace": stack.kong_namespace}
    bound = {"roleRef": {"apiGroup": group, "kind": kind, "name": name}, "subjects": [subject]}
    stack.apply({"apiVersion": f"{group}/v1", "kind": kind, "metadata": metadata, "rules": rules})
    stack.apply({"apiVersion": f"{group}/v1", "kind": f"{kind}Binding", "metadata": metadata, **bound})
