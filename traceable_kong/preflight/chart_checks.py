"""Checks that Helm can render the stack's charts, and that the charts use the values that they are given."""

from collections.abc import Iterator

from traceable_kong.cluster.agent_objects import AGENT_SERVICE, injector_webhook
from traceable_kong.cluster.api_objects import name_of
from traceable_kong.common.commands import config_remove, config_set
from traceable_kong.helm_values.known_values import suggestion
from traceable_kong.helm_values.object_names import name_problem
from traceable_kong.helm_values.rendered_chart import UnrenderedChart
from traceable_kong.plan.model import Plan
from traceable_kong.plan.release_model import HelmRelease, ReleaseKey
from traceable_kong.preflight.cached_reader import CachedReader
from traceable_kong.preflight.finding import Finding

SHOWN = 3
"""Names in one finding."""

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
                fix=_fix(release.key, rendering.reason),
            )


def objects_have_possible_names(reader: CachedReader, plan: Plan) -> Iterator[Finding]:
    """The names of the objects that the charts create are names that the API server accepts."""
    for release in plan.releases:
        chart = reader.rendered(release.key)
        named = [(str(item.get("kind")), name_of(item)) for item in chart.objects] if chart else []
        wrong = [f"{kind} {name} {problem}" for kind, name in named if (problem := name_problem(kind, name))]
        if wrong:
            more = f"; and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
            yield Finding(
                subject=f"{CHARTS[release.key]} ({release.chart.reference})",
                problem=f"would create objects that the API server refuses: {'; '.join(wrong[:SHOWN])}{more}",
                fix=_other_name(release),
            )


def _other_name(release: HelmRelease) -> str:
    if release.key == "agent":
        return "Correct the names in traceable-kong:agentValues"
    overriding = [key for key in ("fullnameOverride", "nameOverride") if release.values.get(key)]
    key = f"kongValues.{overriding[0]}" if overriding else "kong.release"
    return f"Most names begin with the name of Kong: `{config_set(key, 'NAME')}`"


def _fix(key: ReleaseKey, reason: str) -> str:
    if key == "kong" and "invalid semantic version" in reason.lower():
        # The chart needs the version of an image, and says only that it found none (kong chart 3.4.1).
        return (
            "Set kongValues.image.tag to a version, such as 3.9. Or leave the tag, and set "
            "kongValues.image.effectiveSemver to the version of that image"
        )
    return f"Correct {key}Values or {key}.chart. `helm show values` prints what a chart takes"


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


def agent_chart_creates_what_gateways_need(reader: CachedReader, plan: Plan) -> Iterator[Finding]:
    """The agent's chart creates the Service that the plugin or the TME calls and, in sync, the injector's webhook."""
    agent, chart = plan.managed_agent, reader.rendered("agent")
    if agent is None or chart is None:
        return
    where = f"the agent's chart ({agent.release.chart.reference})"
    if chart.find("Service", agent.namespace, AGENT_SERVICE) is None:
        yield Finding(
            subject=where,
            problem=f"would create no Service {AGENT_SERVICE} in namespace {agent.namespace}, which the gateway calls",
            fix="Remove the value in agentValues that moves or renames it. The namespace is agent.namespace",
        )
    webhook, wants_tme = injector_webhook(agent.namespace), plan.gateway is not None and plan.gateway.wants_tme
    if wants_tme and webhook not in [name_of(item) for item in chart.of_kind("MutatingWebhookConfiguration")]:
        yield Finding(
            subject=where,
            problem=f"would create no mutatingwebhookconfiguration {webhook}. No gateway pod would get the TME, which "
            "the plugin calls in the mode sync",
            fix=f"Remove it: `{config_remove('agentValues.injectorEnabled')}`. Or use the mode that needs no TME: "
            f"`{config_set('mode', 'async')}`",
        )
