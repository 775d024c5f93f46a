"""The rules about Helm charts: which chart it is, in which version, and that it is loaded safely."""

import re
import shlex
from collections.abc import Iterator

from traceable_kong.common.commands import config_remove, config_set
from traceable_kong.common.urls import unsafe_address
from traceable_kong.config.agent_config import ManagedAgentConfig
from traceable_kong.config.config_problem import Problem, shown
from traceable_kong.config.config_types import ChartConfig
from traceable_kong.config.kong_config import ManagedKongConfig
from traceable_kong.config.rule_registry import rule

_INGRESS = re.compile(r"(?<![^/])ingress(?=(-v?[0-9][^/]*)?(\.tgz)?/*$)")
"""The last part of the name or the path of the chart."""


@rule
def agent_chart(agent: ManagedAgentConfig) -> Iterator[Problem]:
    """A chart is a path, or a name with a version from an https repository or an OCI registry."""
    yield from _chart("agent.chart", agent.chart)


@rule
def kong_chart(kong: ManagedKongConfig) -> Iterator[Problem]:
    """A chart is a path, or a name with a version from an https repository or an OCI registry."""
    yield from _chart("kong.chart", kong.chart)


@rule
def chart_is_not_the_umbrella(kong: ManagedKongConfig) -> Iterator[Problem]:
    """Kong's chart is the chart kong, not the chart ingress, which has two of it inside."""
    chart = kong.chart
    for name, value in (("name", chart.name), ("path", chart.path)):
        if value is None or not _INGRESS.search(value):
            continue
        fix = f"{config_set('kong.chart.path', 'PATH')} (a folder or an archive of the chart kong)"
        if name == "name":
            fix = (
                f"{config_set('kong.chart.name', _INGRESS.sub('kong', value))}, and "
                f"{config_set('kong.chart.version', 'VERSION')} (one of the chart kong)"
            )
        yield Problem(
            f"kong.chart.{name}",
            "is the chart ingress, which has two charts of Kong inside, with their values below gateway and "
            "controller: it would not read the plugin's files from these values, and its Deployments have other names",
            fix,
        )


def _chart(key: str, chart: ChartConfig) -> Iterator[Problem]:
    yield from _chart_address(key, chart)
    if chart.path is not None:
        others = [name for name in ("repository", "name", "version") if getattr(chart, name) is not None]
        if others:
            yield Problem(
                f"{key}.path",
                f"conflicts with {', '.join(others)}: it cannot be determined which chart to use",
                f"keep one: {config_remove(f'{key}.path')}, or remove the others",
            )
        return
    if chart.name is None:
        yield Problem(
            f"{key}.name",
            "is missing, and so is the path: there would be no chart to install",
            config_set(f"{key}.name", "NAME"),
        )
    elif chart.repository is None and not chart.name.startswith("oci://"):
        yield Problem(
            f"{key}.repository",
            f"is missing: Helm would look up {shown(chart.name)} in the repositories that this machine happens to know",
            config_set(f"{key}.repository", "URL"),
        )
    if chart.version is None or not re.fullmatch(r"v?[0-9]+\.[0-9]+\.[0-9]+([-+.][-+.0-9A-Za-z]*)?", chart.version):
        invalid = "is missing" if chart.version is None else f"is {shown(chart.version)}, which is not a version"
        yield Problem(
            f"{key}.version",
            f"{invalid}: the next update could install a chart that was not reviewed",
            f"{_show_chart(chart)} prints the newest version; {config_set(f'{key}.version', 'VERSION')}",
        )


def _show_chart(chart: ChartConfig) -> str:
    repository = f" --repo {shlex.quote(chart.repository)}" if chart.repository else ""
    return f"helm show chart {shlex.quote(chart.name or 'NAME')}{repository}"


def _chart_address(key: str, chart: ChartConfig) -> Iterator[Problem]:
    """Where a chart is loaded from: https, or an OCI registry, which Helm reaches over https alone."""
    by_hand = (
        f"log in to the registry, download the chart with helm pull, then {config_set(f'{key}.path', 'FILE.tgz')} alone"
    )
    if chart.path is not None and "://" in chart.path:
        yield Problem(
            f"{key}.path",
            "is a URL, and must be a folder or an archive: the download would not be verified",
            f"{config_set(f'{key}.repository', 'https://HOST')}, with name and version, without {key}.path",
        )
    for name, url, schemes in (("repository", chart.repository, ("https",)), ("name", chart.name, ("oci",))):
        if url is None or (name == "name" and "://" not in url):
            continue
        if problem := unsafe_address(url, what="change the chart, and with it what runs", schemes=schemes):
            fix = config_set(f"{key}.{name}", f"{schemes[0]}://HOST/PATH")
            yield Problem(f"{key}.{name}", problem, by_hand if "password" in problem else fix)
