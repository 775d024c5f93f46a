"""Checks that Helm can render the stack's charts, and that the charts use the values that they are given."""

from collections.abc import Iterator

from traceable_kong.common.commands import config_remove
from traceable_kong.helm_values.known_values import suggestion
from traceable_kong.helm_values.rendered_chart import UnrenderedChart
from traceable_kong.plan.model import Plan
from traceable_kong.preflight.cached_reader import CachedReader
from traceable_kong.preflight.finding import Finding

CHARTS = {"kong": "Kong's chart", "agent": "the agent's chart"}


def charts_can_be_rendered(reader: CachedReader, plan: Plan) -> Iterator[Finding]:
    """Helm can download the stack's charts and render them with their values."""
    for release in plan.releases:
        rendering = reader.charts.get(release.key)
        if isinstance(rendering, UnrenderedChart):
            yield Finding(
                subject=f"{CHARTS[release.key]} ({release.chart.reference})",
                problem=f"cannot be rendered with traceable-kong:{release.key}Values, so Helm could not install it: "
                f"{rendering.reason}",
                fix=f"Correct {release.key}Values or {release.key}.chart. `helm show values` prints what a chart takes",
            )


def chart_uses_its_values(reader: CachedReader, plan: Plan) -> Iterator[Finding]:
    """No top-level value of Kong's chart is one that the chart ignores without a word."""
    chart = reader.rendered("kong")
    for key in chart.ignored if chart else ():
        where = f"kongValues.{key}"
        remove = f"Remove it: `{config_remove(where)}`"
        yield Finding(
            subject=f"traceable-kong:{where}",
            problem="is no value of Kong's chart: the chart creates the same without it",
            fix=f"{suggestion(key)}. {remove}".removeprefix(". ").replace("?. ", "? "),
        )
