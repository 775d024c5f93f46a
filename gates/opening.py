"""The first gate: preflight, in previews and in every `up`, and the mending of what a killed run left.

Leaves out the looking itself (preflight/).
"""

import pulumi

import preflight
from gates.hooks import Connection
from preflight import AloneIntent, Finding, Intent
from safe_text import printable, printable_lines


def open_or_refuse(cluster: Connection, intent: Intent | AloneIntent) -> None:
    """Says what is to be said, mends what is dead (in an `up` only), and returns when the run may begin.

    Raises pulumi.RunError with everything that stands in the way; nothing was touched then.
    """
    found = preflight.examine(cluster.api, intent)
    for warning in found.warnings:
        pulumi.log.warn(printable(f"{warning.subject} {warning.wrong}. {warning.mend}"))
    if found.refusals:
        raise pulumi.RunError(_text(found.refusals))
    stuck = []
    for dead in found.dead:
        problem = preflight.mend(
            cluster.api, dead, kubeconfig=cluster.kubeconfig, context=cluster.context, say=pulumi.log.warn
        )
        if problem is not None:
            stuck.append(problem)
    if stuck:
        raise pulumi.RunError(_text(stuck))


def _text(findings: list[Finding]) -> str:
    count = "one thing stands" if len(findings) == 1 else f"{len(findings)} things stand"
    lines = [f"In the cluster {count} in the way. Nothing was touched."]
    for finding in findings:
        lines += ["", f"  {finding.subject}", f"    {finding.wrong}.", f"    -> {finding.mend}"]
    return printable_lines(lines)
