"""pinned-charts: a chart is loaded in one version, over a connection on which it cannot be changed."""

import re
from collections.abc import Iterator, Mapping, Sequence

from .registered_resource import RELEASE, Resource, message, printable

_EXACT = re.compile(r"v?[0-9]+\.[0-9]+\.[0-9]+([-+.][-+.0-9A-Za-z]*)?")


def unpinned_charts(resource: Resource, *, approved: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """A message for each way in which the release's chart is not pinned.

    `approved` has the versions that are approved, for some charts: `{name of the chart: versions}`.
    """
    if resource.type != RELEASE:
        return
    chart, version = str(resource.get("chart") or ""), resource.get("version")
    source = str(resource.get("repositoryOpts", "repo") or chart)
    key = "agent" if resource.of_agent else "kong"
    if source.startswith("http://"):
        yield message(
            f"{resource}: its chart is loaded over plain http from {_without_login(source)}",
            "Whoever is between this machine and that server can put another chart in its place",
            _fix(resource, f"{key}.chart.repository", "https://HOST"),
        )
    if version is not None and not _EXACT.fullmatch(str(version)):
        yield message(
            f"{resource}: the version of its chart is {printable(str(version))}, which is not one version",
            "Another run can install another chart",
            _fix(resource, f"{key}.chart.version", "VERSION"),
        )
    name = re.split(r"[/\\]", chart.rstrip("/"))[-1]
    if version is not None and name in approved and str(version) not in approved[name]:
        yield message(
            f"{resource}: chart {name} {printable(str(version))} is not approved",
            "What it would change has not been reviewed",
            _fix(resource, f"{key}.chart.version", approved[name][-1]),
        )


def _without_login(url: str) -> str:
    return re.sub(r"//[^/@]*@", "//", url)


def _fix(resource: Resource, key: str, value: str) -> str:
    if resource.installs_traceable:
        return f"pulumi config set --path traceable-kong:{key} {value}"
    return f"set {key.split('.', 1)[1]} of the release to {value}"
