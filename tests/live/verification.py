"""Reports of `verify.py` on a live stack, and ways to break a single check: the record, a fault, permissions."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import yaml

from local.kubelet import faults
from tests.live.commands import wait_until
from tests.live.stack import CLONE, LiveStack

SECONDS_TO_FOLLOW = 20
"""How long the ingress controller and Kong may take to follow a change."""


def failed_checks(stack: LiveStack) -> list[dict[str, Any]]:
    """The checks that fail now, as `verify.py --output json` prints them."""
    done = stack.verify("--output", "json", "--wait-seconds", "0")
    document: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == (0 if document["ok"] else 1)
    return [check for check in document["checks"] if not check["ok"]]


def failing(stack: LiveStack) -> set[str]:
    """The names of the checks that fail, once any does."""
    return wait_until(
        lambda: {check["name"] for check in failed_checks(stack)}, "no check fails", seconds=SECONDS_TO_FOLLOW
    )


@contextmanager
def record_changed(stack: LiveStack, **data: str) -> Iterator[None]:
    """Changes the record meanwhile, so that the gateway differs from it in one thing."""
    place = ("configmap", "traceable-installation", "--namespace", stack.kong_namespace)
    before = json.loads(stack.kubectl("get", *place, "--output", "json"))["data"]
    try:
        stack.kubectl("patch", *place, "--type=merge", "--patch", json.dumps({"data": data}))
        yield
    finally:
        stack.kubectl("patch", *place, "--type=merge", "--patch", json.dumps({"data": before}))


@contextmanager
def fault(stack: LiveStack, pod: str = "*", **planted: Any) -> Iterator[None]:
    """A fault of the simulated containers meanwhile (local/kubelet)."""
    namespace = stack.agent_namespace if "agent" in planted else stack.kong_namespace
    faults.inject(namespace, pod, **planted)
    try:
        yield
    finally:
        faults.clear(namespace, pod)


def documented_rules() -> list[list[dict[str, Any]]]:
    """The rules in docs/security.md for `verify`: in Kong's namespace, in the agent's, in the cluster."""
    page = (CLONE / "docs" / "security.md").read_text(encoding="utf-8")
    block = page.split("\n### verify\n")[1].split("```yaml\n")[1].split("```")[0]
    return [document["rules"] for document in yaml.safe_load_all(block)]


def grant(stack: LiveStack, kind: str, namespace: str, rules: list[dict[str, Any]]) -> None:
    """Gives the ServiceAccount `auditor` these rules and no others, in a namespace or in the cluster."""
    group, name = "rbac.authorization.k8s.io", f"{stack.name}-auditor"
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    subject = {"kind": "ServiceAccount", "name": "auditor", "namespace": stack.kong_namespace}
    bound = {"roleRef": {"apiGroup": group, "kind": kind, "name": name}, "subjects": [subject]}
    stack.apply(
        {"apiVersion": f"{group}/v1", "kind": kind, "metadata": metadata, "rules": rules},
        {"apiVersion": f"{group}/v1", "kind": f"{kind}Binding", "metadata": metadata, **bound},
    )
