"""The first gate: preflight, in previews and in every `up`, and the mending of what a killed run left."""

import pulumi

from traceable_kong.common.commands import on_cluster
from traceable_kong.common.safe_text import printable, printable_lines
from traceable_kong.hooks.hook_runner import Connection
from traceable_kong.preflight import examination, repair
from traceable_kong.preflight.cached_reader import Reader
from traceable_kong.preflight.finding import Finding
from traceable_kong.preflight.intent import AloneIntent, Intent


def run_preflight(cluster: Connection, intent: Intent | AloneIntent) -> Reader:
    """Says what is to be said, repairs interrupted releases (in an `up` only), and returns when the run may begin.

    Returns what preflight has read, or the cluster itself where a repair changed it. Raises pulumi.RunError with
    everything that stands in the way; nothing was touched then.
    """
    found = examination.examine(cluster.api, intent)

    def warn(text: str) -> None:
        pulumi.log.warn(on_cluster(printable(text), cluster.command_options))

    for warning in found.warnings:
        warn(f"{warning.subject} {warning.wrong}. {warning.mend}")
    if found.refusals:
        raise pulumi.RunError(on_cluster(_text(found.refusals, "Nothing was touched."), cluster.command_options))
    stuck = []
    for dead in found.dead:
        problem = repair.mend(cluster.api, dead, kubeconfig=cluster.kubeconfig, context=cluster.context, say=warn)
        if problem is not None:
            stuck.append(problem)
    if stuck:
        changed = "Nothing else was changed than what is said above of Helm releases."
        raise pulumi.RunError(on_cluster(_text(stuck, changed), cluster.command_options))
    return cluster.api if found.dead or found.seen is None else found.seen


def _text(findings: list[Finding], changed: str) -> str:
    """`changed` says what was changed by then."""
    count = "one thing stands" if len(findings) == 1 else f"{len(findings)} things stand"
    lines = [f"In the cluster {count} in the way. {changed}"]
    for finding in findings:
        lines += ["", f"  {finding.subject}", f"    {finding.wrong}.", f"    -> {finding.mend}"]
    return printable_lines(lines)
