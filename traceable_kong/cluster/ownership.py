"""Which stack owns an object in the cluster: a label on every object, and a chart value in every Helm release.

The value is the stack's id. It is random, created once and kept in the stack's state: two stacks with the same name in
two backends never own each other's objects, and a stack keeps its objects when it is renamed or moved
(docs/decisions/stack-id.md). An object with the id that is not in the state was left by an interrupted update of the
same stack, and the next update adopts it. Any other object with the same name is refused.
"""

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

RECORD_NAME = "traceable-installation"
"""The ConfigMap in Kong's namespace that records what the stack deployed."""

AGENT_RECORD = "traceable-agent-installation"
"""The same of an agent-only stack, in the agent's namespace."""

STACK_LABEL = "traceable-kong/stack"

NAME_LABEL = "traceable-kong/stack-name"
"""The first part of the id, for people and selectors. It is known before the first update and proves nothing."""

GATEWAY_LABEL = "traceable-kong/gateway"
"""On the namespace of a stack's gateway, also an existing one. Permissions inside a namespace cannot set it."""

LABEL_LIMIT = 63
"""Characters in a label's value (https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/)."""

_LABEL_VALUE = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")

_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
"""An object's name (https://kubernetes.io/docs/concepts/overview/working-with-objects/names/)."""

_DIGEST_LENGTH = 8

_KEY_BYTES = 16
_RANDOM_BYTES = 4
_RANDOM_PART = re.compile(rf"-[0-9a-f]{{{2 * _RANDOM_BYTES}}}$")


@dataclass(frozen=True, kw_only=True)
class StackIdentity:
    """What a stack keeps in its state: the id that marks its objects, and the secret key of its public digests."""

    owner: str
    digest_key: str = field(repr=False)


def new_identity(project: str, stack: str) -> StackIdentity:
    """The identity of a new stack. The id is `<project>.<stack>-<8 random hex digits>`, always a valid label value."""
    return StackIdentity(
        owner=f"{stack_name(project, stack)}-{secrets.token_hex(_RANDOM_BYTES)}",
        digest_key=secrets.token_hex(_KEY_BYTES),
    )


def stack_name(project: str, stack: str) -> str:
    """`<project>.<stack>`; shortened, with a digest, where that and the random part are not a valid label value."""
    name = f"{project}.{stack}"
    longest = LABEL_LIMIT - 2 * _RANDOM_BYTES - 1
    if _LABEL_VALUE.fullmatch(name) and len(name) <= longest:
        return name
    safe = re.sub(r"[^A-Za-z0-9._-]", "-", name)
    return f"{safe[: longest - _DIGEST_LENGTH - 1]}-{_digest(name)}"


def handover_label(owner: str) -> str:
    """The label value with which a user gives an object to the stack `owner`: its id without the random part.

    This program never writes it. A preview can name it before the stack has an id.
    """
    return _RANDOM_PART.sub("", owner)


def is_owned(found: Mapping[str, str], owner: str) -> bool:
    """True where the labels of an object say that the stack owns it, or was given it."""
    return found.get(STACK_LABEL) in (owner, handover_label(owner))


def selector(owner: str) -> str:
    """A label selector for the objects that the stack owns (`is_owned()`)."""
    return f"{STACK_LABEL} in ({owner},{handover_label(owner)})"


def labels(owner: str) -> dict[str, str]:
    """The labels of an object of the stack `owner` (a stack id)."""
    return {"app.kubernetes.io/managed-by": "pulumi", STACK_LABEL: owner, NAME_LABEL: handover_label(owner)}


def release_owner_values(owner: str) -> dict[str, dict[str, dict[str, str]]]:
    """Chart values that mark a Helm release as the stack's; every chart accepts `global`.

    Source: https://helm.sh/docs/chart_template_guide/subcharts_and_globals/.
    """
    return {"global": {"traceableKong": {"stack": owner}}}


def cluster_wide_name(prefix: str, owner: str) -> str:
    """A name for a cluster-wide object that no other stack uses."""
    name = f"{prefix}-{owner}"
    if _SUBDOMAIN.fullmatch(name):
        return name
    return f"{re.sub(r'[^a-z0-9]+', '-', name.lower())}-{_digest(name)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST_LENGTH]
