"""Runs preflight on the cluster and the rendered charts, and in an `up` the repair of interrupted Helm operations."""

import asyncio
import dataclasses

import pulumi

from traceable_kong.cluster.api_objects import Reader
from traceable_kong.cluster.target import ClusterTarget
from traceable_kong.common.safe_text import printable, printable_lines
from traceable_kong.common.secret_texts import fix_without_secrets, without_secrets
from traceable_kong.common.wording import Wording
from traceable_kong.hooks.chart_rendering import rendered_charts
from traceable_kong.plan.model import Plan
from traceable_kong.preflight import examination, repair
from traceable_kong.preflight.cached_reader import CachedReader
from traceable_kong.preflight.finding import Finding
from traceable_kong.preflight.releases_to_render import releases_to_render


async def run_preflight(
    cluster: ClusterTarget, plan: Plan, provider: pulumi.ProviderResource, *, live_change: bool, wording: Wording
) -> Reader:
    """Renders the charts with `provider`, logs warnings, repairs interrupted releases, and raises pulumi.RunError
    with every problem.

    Returns what preflight has read, or the client itself if a repair has changed the cluster since.
    """
    reader = CachedReader(cluster.reads)
    # In threads: meanwhile the program registers the provider, and the engine starts its plugin.
    reader.charts = await rendered_charts(await asyncio.to_thread(releases_to_render, plan, reader), provider)
    found = await asyncio.to_thread(examination.examine, reader, plan, live_change=live_change)

    def warn(text: str) -> None:
        pulumi.log.warn(wording.logged(printable(without_secrets(text, plan.secrets))))

    component = wording.component

    def stopped(findings: list[Finding], changed: str) -> pulumi.RunError:
        return pulumi.RunError(wording.shown(_text([shown(finding) for finding in findings], changed, component)))

    def shown(finding: Finding) -> Finding:
        return dataclasses.replace(
            finding,
            subject=without_secrets(finding.subject, plan.secrets),
            problem=without_secrets(finding.problem, plan.secrets),
            fix=fix_without_secrets(finding.fix, plan.secrets),
        )

    for warning in map(shown, found.warnings):
        warn(f"{warning.subject} {warning.problem}. {warning.fix}")
    if found.errors:
        raise stopped(found.errors, f"Nothing of {component} was changed." if component else "Nothing was changed.")
    unrepaired = []
    for stuck in found.stuck:
        problem = repair.repair(
            cluster.api, stuck, owner=plan.owner, kubeconfig=cluster.kubeconfig, context=cluster.context, say=warn
        )
        if problem is not None:
            unrepaired.append(problem)
    if unrepaired:
        raise stopped(unrepaired, "Only the Helm releases named above were changed.")
    cluster.reads.outdated = bool(found.stuck)
    return cluster.api if found.stuck else reader


def _text(findings: list[Finding], changed: str, component: str | None) -> str:
    count = "1 problem" if len(findings) == 1 else f"{len(findings)} problems"
    lines = [f"Preflight found {count}{f' for {component}' if component else ''}. {changed}"]
    for finding in findings:
        lines += ["", f"  {finding.subject}", f"    {finding.problem}.", f"    -> {finding.fix}"]
    return printable_lines(lines)
