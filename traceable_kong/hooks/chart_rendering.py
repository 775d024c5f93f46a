"""Renders the charts of a stack before anything is changed, with the provider that will install them."""

import asyncio
import dataclasses
from collections.abc import Iterable, Mapping

import pulumi

from traceable_kong.helm_values.known_values import unknown_values
from traceable_kong.helm_values.rendered_chart import RenderedChart, Rendering, UnrenderedChart
from traceable_kong.plan.chart_template import TEMPLATE, template_arguments
from traceable_kong.plan.release_model import HelmRelease, ReleaseKey


async def rendered_charts(
    releases: Iterable[HelmRelease], provider: pulumi.ProviderResource
) -> Mapping[ReleaseKey, Rendering]:
    """What the charts of these releases create with their values."""
    wanted = list(releases)
    found = await asyncio.gather(*(_judged(release, provider) for release in wanted))
    return {release.key: rendering for release, rendering in zip(wanted, found, strict=True)}


async def _judged(release: HelmRelease, provider: pulumi.ProviderResource) -> Rendering:
    """The rendering, and which undocumented values of Kong's chart change nothing in it."""
    rendering = await _rendered(release, provider)
    unknown = unknown_values(release.values) if release.key == "kong" else []
    if isinstance(rendering, UnrenderedChart) or not unknown:
        return rendering
    ignored = []
    for key in unknown:
        values = {name: value for name, value in release.values.items() if name != key}
        without = await _rendered(dataclasses.replace(release, values=values), provider)
        if isinstance(without, RenderedChart) and without.creates_the_same_as(rendering):
            ignored.append(key)
    return dataclasses.replace(rendering, ignored=tuple(ignored))


async def _rendered(release: HelmRelease, provider: pulumi.ProviderResource) -> Rendering:
    options = pulumi.InvokeOptions(provider=provider)
    try:
        answer = await pulumi.runtime.invoke_async(TEMPLATE, template_arguments(release), options)
    except Exception as problem:  # The SDK raises Exception itself for an error of the provider.
        return UnrenderedChart(reason=_reason(problem))
    return RenderedChart(objects=tuple((answer or {}).get("result") or ()))


def _reason(problem: Exception) -> str:
    """What Helm says, without what the SDK, the engine and the provider put before it."""
    return str(problem).rpartition(": failed to generate YAML for specified Helm chart: ")[2].rstrip(". \n")
