"""How what this stack made in a cluster is told from everything else: a label on every object, a mark in every Release.

A killed run leaves objects that no state knows. What carries this stack's label is taken over by the next run, and
anything else of the same name is refused. Leaves out the looking (preflight).
"""

import hashlib
import re

STACK_LABEL = "traceable-kong/stack"

LABEL_LIMIT = 63
"""Characters in a label's value (https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/)."""

_LABEL_VALUE = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")

_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
"""An object's name (https://kubernetes.io/docs/concepts/overview/working-with-objects/names/)."""

_DIGEST_LENGTH = 8


def stack_id(project: str, stack: str) -> str:
    """The label's value for a stack: `project.stack`, changed and with a digest where that is no label's value."""
    name = f"{project}.{stack}"
    if _LABEL_VALUE.fullmatch(name):
        return name
    safe = re.sub(r"[^A-Za-z0-9._-]", "-", name)
    return f"{safe[: LABEL_LIMIT - _DIGEST_LENGTH - 1]}-{_digest(name)}"


def labels(owner: str) -> dict[str, str]:
    """The labels of an object of the stack `owner` (what `stack_id()` gave)."""
    return {"app.kubernetes.io/managed-by": "pulumi", STACK_LABEL: owner}


def release_mark(owner: str) -> dict[str, dict[str, dict[str, str]]]:
    """Chart values that mark a Release as this stack's; `global` is what Helm hands to every chart.

    Source: https://helm.sh/docs/chart_template_guide/subcharts_and_globals/.
    """
    return {"global": {"traceableKong": {"stack": owner}}}


def cluster_wide_name(prefix: str, owner: str) -> str:
    """The name of a cluster-wide object of the stack `owner`: two stacks in one cluster never meet."""
    name = f"{prefix}-{owner}"
    if _SUBDOMAIN.fullmatch(name):
        return name
    return f"{re.sub(r'[^a-z0-9]+', '-', name.lower())}-{_digest(name)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST_LENGTH]
