"""A Helm release that was installed by hand and shall be this stack's: whether it can be, and what it would lose.

Nothing is taken over that the stack's config does not name (`kong.adopt`, `agent.adopt`). From then on the release has
the stack's values and no others, so what its owner set must be among them. The import
writes the values of the release into the state in plain text (pulumi-kubernetes 4,
provider/pkg/provider/helm_release.go, Read).
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import SecretStr

from traceable_kong.common.commands import config_set
from traceable_kong.preflight.cached_reader import CachedReader
from traceable_kong.preflight.finding import Finding
from traceable_kong.preflight.helm_releases import document_of, newest_of
from traceable_kong.preflight.intent import Adoption, AloneIntent, Intent

SECRET = re.compile(r"(?i)(password|token|license_data|keyB64)$")
"""Names of values that are secret where they are text (kong chart 3.4.1, traceable-agent chart 1.58.0)."""

INJECTION = ("podAnnotations", "tme.traceable.ai/inject")
NOTHING: tuple[object, ...] = (None, "", {}, [])

Path = tuple[str, ...]


def it_can_be_taken_over(
    looks: CachedReader, intent: Intent | AloneIntent, *, namespace: str, name: str, key: str, adoption: Adoption
) -> Iterator[Finding]:
    """The release is there, deployed, of the right chart, without secrets in its values, and keeps what it has."""
    subject = f"Helm release {name} in namespace {namespace}"
    setting = f"traceable-kong:{key}.adopt"
    newest = newest_of(looks, namespace, name)
    if newest is None:
        yield Finding(
            subject=subject,
            wrong=f"is not there, and {key}.adopt is true: another would be installed beside the one that is meant",
            mend="`helm list --all-namespaces` shows them"
            + (", then kong.namespace and kong.release; " if key == "kong" else f", then {key}.namespace; ")
            + f"or, if there is none, `pulumi config rm --path {setting}`",
        )
        return
    if newest.owner is not None:
        return  # It is taken over, or another stack's, which is said elsewhere (releases.py).
    release = document_of(newest.secret)
    chart = _map(_map(release.get("chart")).get("metadata"))
    if newest.status != "deployed":
        yield Finding(
            subject=subject,
            wrong=f"is {newest.status}: what a release half-way comes to is not taken over",
            mend=f"`helm history {name} --namespace {namespace}`, and `helm rollback` or `helm upgrade` until it is "
            "deployed",
        )
    if chart.get("name") != adoption.chart:
        yield Finding(
            subject=subject,
            wrong=f"is of the chart {chart.get('name')}, and this stack's is {adoption.chart}: an upgrade from one to "
            "the other would take everything down that the first one made",
            mend=f"`pulumi config rm --path {setting}`, and {key}.install false for what stays its owner's",
        )
        return
    version = str(chart.get("version", ""))
    if adoption.version and adoption.version.removeprefix("v") != version.removeprefix("v"):
        yield Finding(
            subject=subject,
            wrong=f"is of chart version {version}, and this stack's is {adoption.version}: the take-over would be an "
            "upgrade, and roll its pods",
            mend=f"`{config_set(f'{key}.chart.version', version)}`, and upgrade afterwards",
            only_warns=True,
        )
    theirs = _map(release.get("config"))
    yield from _values_that_are_secret(theirs, adoption.values, subject, key)
    yield from _values_that_would_go(theirs, adoption.values, subject, key)


def _values_that_are_secret(
    theirs: Mapping[str, Any], ours: Mapping[str, Any], subject: str, key: str
) -> Iterator[Finding]:
    """By their names, or because the stack keeps them as secrets: the import reads them as plain text all the same."""
    secret_here = {path for path, value in leaves(ours) if isinstance(value, SecretStr)}
    found = [
        path
        for path, value in leaves(theirs)
        if isinstance(value, str) and value and (SECRET.search(path[-1]) or path in secret_here)
    ]
    if found:
        yield Finding(
            subject=subject,
            wrong=f"has {_listed(found)} in its values as plain text: the take-over would write that into the stack's "
            "state in clear",
            mend="move it into a Secret that the values name, with a `helm upgrade`; docs/adopting-a-release.md has "
            "the commands" + (" for the agent's token" if key == "agent" else ""),
        )


def _values_that_would_go(
    theirs: Mapping[str, Any], ours: Mapping[str, Any], subject: str, key: str
) -> Iterator[Finding]:
    gone = [
        path
        for path, value in leaves(theirs)
        if value not in NOTHING and not _is_in(ours, path) and not SECRET.search(path[-1])
    ]
    if INJECTION in gone:
        gone.remove(INJECTION)
        yield Finding(
            subject=subject,
            wrong=f"asks for the TME in its own values ({_listed([INJECTION])}): with this stack's, pods without the "
            "TME would serve until the stack asks for it",
            mend="if a plugin stands in sync, put it in async first; then a `helm upgrade` without that annotation "
            "(docs/adopting-a-release.md)",
        )
    if gone:
        yield Finding(
            subject=subject,
            wrong=f"has values that this stack does not: {_listed(gone)}. They would be as the chart has them",
            mend=f"write them below traceable-kong:{key}Values (`helm get values` prints them); what shall go, goes "
            "first, with a `helm upgrade` without it",
        )


def leaves(values: Mapping[str, Any], path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Everything in `values` that is no map with something in it, by its path."""
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
            return True  # Something else stands there, which the preview shows.
        if part not in values:
            return False
        values = values[part]
    return True


def _listed(paths: list[Path]) -> str:
    """Paths alone, never what stands there: that is other people's."""
    return ", ".join(sorted(".".join(part.encode("unicode_escape").decode() for part in path) for path in paths))
