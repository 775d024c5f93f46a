"""The Roles in docs/security.md, made from preflight's table: `python -m tests.preflight.security_page` writes them.

The live tests run every operation under these same documents (tests/live/test_permissions.py).
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.fakes.plans import plan
from traceable_kong.plan.model import Plan
from traceable_kong.preflight.permission_table import Operation, needed
from traceable_kong.preflight.permissions import EVERYWHERE, Permission

PATH = Path(__file__).parents[2] / "docs" / "security.md"
START, END = "<!-- roles -->\n", "<!-- end -->\n"
OPERATIONS: tuple[Operation, ...] = ("verify", "preview", "up", "destroy")

INTRODUCTIONS: dict[Operation, str] = {
    "verify": "Reads, and port-forwards into the gateway's pods. With `mode: async` also into the agent's.",
    "preview": "Reads only. What the preview would change is computed on the client where a dry run is not permitted.",
    "up": "What `preview` and `verify` need, and every object that the stack and the two charts create.",
    "destroy": "Deletes what `up` created, and returns the fields that it patched.",
}

AGENT_OPERATIONS: tuple[Operation, ...] = ("preview", "up", "destroy")

AGENT_ALONE = (
    "With `gateway: false`, a stack has no gateway and no `verify`. To find a gateway or another agent of this stack, "
    "preflight reads\nnamespaces and the names of ConfigMaps in the whole cluster."
)

LATER = "the same, where an administrator ran the first `up`"


EXISTING_NAMESPACES: dict[str, Any] = {"kong": {"createNamespace": False}, "agent": {"createNamespace": False}}


def usual(**config: Any) -> Plan:
    """The stack that the page describes: a managed Kong without a database, a managed agent, existing namespaces.

    `config` are other keys; those of the sections `kong` and `agent` are added to the ones of this stack.
    """
    sections: dict[str, Any] = {key: {**value, **config.pop(key, {})} for key, value in EXISTING_NAMESPACES.items()}
    return plan(**sections, **config)


def agent_alone(**agent: Any) -> Plan:
    """An agent-only stack in an existing namespace, with these keys of the section `agent`."""
    return plan(gateway=False, plugin=None, agent={"createNamespace": False, **agent})


def existing_kong(kong: str = "kong", agent: str = "traceable") -> Plan:
    """A stack with an existing Kong; `kong` and `agent` are the namespaces."""
    return plan(
        kong={"install": False, "deployment": "quickstart-kong", "namespace": kong},
        agent={"createNamespace": False, "namespace": agent},
    )


OTHER_STACKS: tuple[tuple[str, Plan], ...] = (
    ("`kong.createNamespace`, `agent.createNamespace` true", plan()),
    ("`mode: async`", usual(mode="async")),
    ("`tmeGuard: off`", usual(tmeGuard="off")),
    (
        "`agent.install: false`",
        plan(kong={"createNamespace": False}, agent={"install": False}, agentToken=None),
    ),
    ("`kong.install: false`", existing_kong()),
    ("`kong.postgres.managed`", usual(kong={"database": "postgres", "postgres": {"managed": True}})),
    ("`kongValues.autoscaling.enabled`", usual(kongValues={"autoscaling": {"enabled": True}})),
)


def documents(wanted: Plan, operation: Operation, *, first: bool = True) -> list[dict[str, Any]]:
    """A Role for each namespace and a ClusterRole for the rest."""
    permissions = needed(wanted, operation, first=first)
    name = f"traceable-{'kong' if wanted.gateway else 'agent'}-{operation}"
    namespaces = list(dict.fromkeys(permission.namespace for permission in permissions))
    ordered = [*(item for item in namespaces if item), *([EVERYWHERE] if EVERYWHERE in namespaces else [])]
    return [_document(namespace, name, permissions) for namespace in ordered]


def _document(namespace: str, name: str, permissions: Iterable[Permission]) -> dict[str, Any]:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role" if namespace else "ClusterRole",
        "metadata": metadata,
        "rules": rules([permission for permission in permissions if permission.namespace == namespace]),
    }


def rules(permissions: Iterable[Permission]) -> list[dict[str, list[str]]]:
    """RBAC rules for these permissions of one namespace: resources of a group with the same verbs are one rule."""
    verbs: dict[tuple[str, str], list[str]] = {}
    for permission in permissions:
        resource = f"{permission.resource}/{permission.subresource}" if permission.subresource else permission.resource
        verbs.setdefault((permission.group, resource), []).append(permission.verb)
    joined: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (group, resource), of in verbs.items():
        joined.setdefault((group, tuple(sorted(of, key=_order))), []).append(resource)
    return [
        {"apiGroups": [group], "resources": sorted(resources), "verbs": list(of)}
        for (group, of), resources in sorted(joined.items())
    ]


def _order(verb: str) -> int:
    return ("get", "list", "watch", "create", "update", "patch", "delete", "escalate", "bind").index(verb)


def section() -> str:
    """The part of the page between the marks."""
    parts = []
    for operation in OPERATIONS:
        text = "---\n".join(map(_yaml, documents(usual(), operation)))
        parts.append(f"### {operation}\n\n{INTRODUCTIONS[operation]}\n\n```yaml\n{text}```\n")
    alone = "---\n".join(_yaml(item) for operation in AGENT_OPERATIONS for item in documents(agent_alone(), operation))
    parts.append(f"### Agent-only stack\n\n{AGENT_ALONE}\n\n```yaml\n{alone}```\n")
    parts.append("### Other stacks\n\n" + _others())
    return "\n".join(parts)


def _yaml(document: dict[str, Any]) -> str:
    where = document["metadata"].get("namespace")
    metadata = f"{{name: {document['metadata']['name']}{f', namespace: {where}' if where else ''}}}"
    lines = [f"apiVersion: {document['apiVersion']}", f"kind: {document['kind']}", f"metadata: {metadata}", "rules:"]
    for rule in document["rules"]:
        (group,) = rule["apiGroups"]
        texts = (", ".join(rule["resources"]), ", ".join(rule["verbs"]))
        lines.append(f"  - {{apiGroups: [{group or chr(34) * 2}], resources: [{texts[0]}], verbs: [{texts[1]}]}}")
    return "\n".join(lines) + "\n"


def _others() -> str:
    lines = ["What `up` needs more or less with another config:\n", "| stack | more | less |", "|---|---|---|"]
    base = needed(usual(), "up")
    others = [(name, needed(other, "up")) for name, other in OTHER_STACKS]
    for name, permissions in [(LATER, needed(usual(), "up", first=False)), *others]:
        more = [permission for permission in permissions if permission not in base]
        less = [permission for permission in base if permission not in permissions]
        lines.append(f"| {name} | {_listed(more)} | {_listed(less)} |")
    return "\n".join(lines) + "\n"


def _listed(permissions: list[Permission]) -> str:
    verbs: dict[str, list[str]] = {}
    for permission in permissions:
        resource = f"{permission.resource}/{permission.subresource}" if permission.subresource else permission.resource
        group = f".{permission.group}" if permission.group else ""
        where = f" in `{permission.namespace}`" if permission.namespace else ""
        verbs.setdefault(f"`{resource}{group}`{where}", []).append(permission.verb)
    joined: dict[str, list[str]] = {}
    for what, of in verbs.items():
        joined.setdefault(", ".join(sorted(of, key=_order)), []).append(what)
    return "; ".join(f"{of}: {', '.join(what)}" for of, what in joined.items())


def page(text: str) -> str:
    """The page's text with the current section in it."""
    before, after = re.split(re.escape(START) + ".*" + re.escape(END), text, flags=re.DOTALL)
    return before + START + "\n" + section() + "\n" + END + after


if __name__ == "__main__":
    PATH.write_text(page(PATH.read_text(encoding="utf-8")), encoding="utf-8")
