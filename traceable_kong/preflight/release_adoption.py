"""Whether this stack can adopt a Helm release that was installed by hand, and which of its values would be lost.

The config names the releases to adopt (`kong.adopt`, `agent.adopt`). An adopted release has the stack's chart values
and no others, so the stack needs all values that its owner set. The import writes the values into the state in plain
text (pulumi-kubernetes 4, provider/pkg/provider/helm_release.go, Read).
"""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from traceable_kong.cluster.agent_objects import AGENT_CHART
from traceable_kong.cluster.helm_releases import newest_revision, release_document
from traceable_kong.common import nested_data
from traceable_kong.common.commands import config_remove, config_set
from traceable_kong.plan.model import Plan
from traceable_kong.plan.release_model import HelmRelease, ReleaseKey
from traceable_kong.preflight.cached_reader import CachedReader
from traceable_kong.preflight.finding import Finding

CHART_NAMES: Mapping[ReleaseKey, str] = {"kong": "kong", "agent": AGENT_CHART}
"""The charts' names in their Chart.yaml (kong 3.4.1, traceable-agent 1.58.0)."""

SECRET = re.compile(r"(?i)(password|token|license_data|keyB64)$")
"""Names of values that hold secrets if they are text (kong chart 3.4.1, traceable-agent chart 1.58.0)."""

INJECTION = ("podAnnotations", "tme.traceable.ai/inject")
NOTHING: tuple[object, ...] = (None, "", {}, [])

Path = tuple[str, ...]


def release_can_be_adopted(reader: CachedReader, plan: Plan, wanted: HelmRelease) -> Iterator[Finding]:
    """The release exists, is deployed, has the right chart, no secrets in its values, and would lose no values."""
    namespace, name, key = wanted.namespace, wanted.name, wanted.key
    subject = f"Helm release {name} in namespace {namespace}"
    newest = newest_revision(reader, namespace, name)
    if newest is None:
        yield Finding(
            subject=subject,
            problem=f"is missing, and {key}.adopt is true. A second one would be installed beside the one that you "
            "mean",
            fix="Find it with `helm list --all-namespaces`, and correct "
            + ("kong.namespace and kong.release" if key == "kong" else f"{key}.namespace")
            + f". If there is none, install a new one: `{config_remove(f'{key}.adopt')}`",
        )
        return
    if newest.owner is not None:
        return  # It is adopted, or another stack's, which release_is_owned_and_usable reports.
    release = release_document(newest.secret)
    chart = _map(_map(release.get("chart")).get("metadata"))
    if newest.status != "deployed":
        yield Finding(
            subject=subject,
            problem=f"is {newest.status}. A release with an unfinished operation cannot be adopted",
            fix=f"Look at `helm history {name} --namespace {namespace}`, and run `helm rollback` or `helm upgrade` "
            "until it is deployed",
        )
    if chart.get("name") != CHART_NAMES[key]:
        yield Finding(
            subject=subject,
            problem=f"is of the chart {chart.get('name')}, and this stack's is {CHART_NAMES[key]}. An upgrade to "
            "another chart would delete everything that the first one created",
            fix=f"Leave it to its owner: `{config_remove(f'{key}.adopt')}` and "
            f"`{config_set(f'{key}.install', 'false')}`",
        )
        return
    version = str(chart.get("version", ""))
    if wanted.chart.version and wanted.chart.version.removeprefix("v") != version.removeprefix("v"):
        yield Finding(
            subject=subject,
            problem=f"has the chart version {version}, and this stack's is {wanted.chart.version}. The adoption would "
            "also upgrade it, and roll its pods",
            fix=f"Adopt it with its version, and upgrade later: `{config_set(f'{key}.chart.version', version)}`",
            severity="warning",
        )
    current = _map(release.get("config"))
    yield from _values_that_are_secret(current, wanted.secret_values, subject, key)
    yield from _values_that_would_go(current, wanted.values, subject, key)


def _values_that_are_secret(
    current: Mapping[str, Any], secret_here: Collection[nested_data.Path], subject: str, key: str
) -> Iterator[Finding]:
    """No value is a secret, by its name or because the stack keeps it secret: the import would expose it."""
    found = [
        path
        for path, value in leaves(current)
        if isinstance(value, str) and value and (SECRET.search(path[-1]) or path in secret_here)
    ]
    if found:
        yield Finding(
            subject=subject,
            problem=f"has {_listed(found)} in its values as plain text. The adoption would write it to the stack's "
            "state in plain text",
            fix="Move it to a Secret that the values name, with `helm upgrade` (docs/adopting-a-release.md has the "
            "commands" + (" for the agent's token)" if key == "agent" else ")"),
        )


def _values_that_would_go(
    current: Mapping[str, Any], wanted: Mapping[str, Any], subject: str, key: str
) -> Iterator[Finding]:
    lost = [
        path
        for path, value in leaves(current)
        if value not in NOTHING and not _is_in(wanted, path) and not SECRET.search(path[-1])
    ]
    if INJECTION in lost:
        lost.remove(INJECTION)
        yield Finding(
            subject=subject,
            problem=f"requests the TME in its own values ({_listed([INJECTION])}). With this stack's values, pods "
            "without the TME would serve until the stack requests it",
            fix="If a plugin runs in sync, switch it to async first. Then run `helm upgrade` without that annotation "
            "(docs/adopting-a-release.md)",
        )
    if lost:
        yield Finding(
            subject=subject,
            problem=f"has values that this stack does not: {_listed(lost)}. They would get the chart's defaults",
            fix=f"Add them to traceable-kong:{key}Values (`helm get values` prints them). Remove those that you do "
            "not want with `helm upgrade` first",
        )


def leaves(values: Mapping[str, Any], path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """All values by path, without maps that have entries."""
    for key, value in values.items():
        at = (*path, str(key))
        if isinstance(value, Mapping) and value:
            yield from leaves(value, at)
        else:
            yield at, value


def _map(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _is_in(values: Any, path: Path) -> bool:
    for part in path:
        if not isinstance(values, Mapping):
            return True  # Another type of value, which the preview shows.
        if part not in values:
            return False
        values = values[part]
    return True


def _listed(paths: list[Path]) -> str:
    """The paths without their values, which may be private."""
    return ", ".join(sorted(".".join(part.encode("unicode_escape").decode() for part in path) for path in paths))
