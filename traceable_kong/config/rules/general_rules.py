"""The rules between keys: each with what is wrong, what it would have meant, and the command that mends it.

A rule sees settings that are well-typed.
"""

import re
from collections.abc import Iterator

from traceable_kong.common.urls import unsafe_address
from traceable_kong.config.config_problem import Problem, config_remove, config_set, rule, shown
from traceable_kong.config.stack_config import ChartConfig, KongConfig, StackConfig


@rule
def agent_chart(settings: StackConfig) -> Iterator[Problem]:
    """A chart is a path, or a name with a version from an https repository or an OCI registry."""
    yield from _chart("agent.chart", settings.agent.chart)


@rule
def kong_chart(settings: StackConfig) -> Iterator[Problem]:
    """A chart is a path, or a name with a version from an https repository or an OCI registry."""
    yield from _chart("kong.chart", settings.kong.chart)


def _chart(key: str, chart: ChartConfig) -> Iterator[Problem]:
    yield from _chart_address(key, chart)
    if chart.path is not None:
        beside = [name for name in ("repository", "name", "version") if getattr(chart, name) is not None]
        if beside:
            yield Problem(
                f"{key}.path",
                f"stands beside {', '.join(beside)}, so it cannot be told which chart is meant",
                f"keep one: {config_remove(f'{key}.path')}",
            )
        return
    if chart.name is None:
        yield Problem(
            f"{key}.name", "is missing, and so is a path: there is no chart", config_set(f"{key}.name", "NAME")
        )
    elif chart.repository is None and not chart.name.startswith("oci://"):
        yield Problem(
            f"{key}.repository",
            f"is missing: {shown(chart.name)} would be looked up in whatever repositories this machine happens to know",
            config_set(f"{key}.repository", "URL"),
        )
    if chart.version is None or not re.fullmatch(r"v?[0-9]+\.[0-9]+\.[0-9]+([-+.][-+.0-9A-Za-z]*)?", chart.version):
        said = "is missing" if chart.version is None else f"is {shown(chart.version)}, which is not a version"
        yield Problem(
            f"{key}.version",
            f"{said}: the next run could install another chart than the one that was reviewed",
            f"helm search repo --versions, then {config_set(f'{key}.version', 'VERSION')}",
        )


def _chart_address(key: str, chart: ChartConfig) -> Iterator[Problem]:
    """Where a chart is loaded from: https, or an OCI registry, which Helm reaches over https alone."""
    by_hand = f"helm pull, as you log in to it, then {config_set(f'{key}.path', 'FILE.tgz')} alone"
    if chart.path is not None and "://" in chart.path:
        yield Problem(
            f"{key}.path",
            "is an address, and must be a folder or an archive: nothing would check how it is loaded",
            f"{config_set(f'{key}.repository', 'https://HOST')}, with name and version, without {key}.path",
        )
    for name, url, schemes in (("repository", chart.repository, ("https",)), ("name", chart.name, ("oci",))):
        if url is None or (name == "name" and "://" not in url):
            continue
        if wrong := unsafe_address(url, what="change the chart, and with it what runs", schemes=schemes):
            mend = config_set(f"{key}.{name}", f"{schemes[0]}://HOST/PATH")
            yield Problem(f"{key}.{name}", wrong, by_hand if "password" in wrong else mend)


@rule
def namespaces_differ(settings: StackConfig) -> Iterator[Problem]:
    """One namespace for both is made once, with Kong, which comes first; or it exists."""
    same = settings.gateway and settings.agent.namespace == settings.kong.namespace
    if same and settings.agent.install and settings.agent.create_namespace and settings.kong.create_namespace:
        yield Problem(
            "kong.namespace",
            f"is {settings.kong.namespace!r}, as agent.namespace is: it would be made twice, and the second would fail",
            f"{config_set('agent.createNamespace', 'false')}, or {config_set('kong.namespace', 'kong')}",
        )
    elif same and settings.agent.install and settings.agent.create_namespace:
        yield Problem(
            "agent.createNamespace",
            f"is true, and kong.createNamespace false, for the one namespace {settings.kong.namespace!r}: Kong's is "
            "looked up first, before the agent's would be made",
            f"{config_set('agent.createNamespace', 'false')}, and {config_set('kong.createNamespace', 'true')} unless "
            "the namespace exists",
        )


def _is_given(part: KongConfig, alias: str) -> bool:
    return any(type(part).model_fields[name].alias == alias for name in part.model_fields_set)


@rule
def foreign_kong(settings: StackConfig) -> Iterator[Problem]:
    """Keys that belong to a Kong of ours, or to one that is not."""
    if settings.kong.install:
        for key, value in (
            ("kong.deployment", settings.kong.deployment),
            ("kong.container", settings.kong.container),
        ):
            if value is not None:
                yield Problem(
                    key,
                    "is for a Kong that somebody else installed; with kong.install true it would be ignored",
                    f"{config_remove(key)}, or {config_set('kong.install', 'false')}",
                )
        if _is_given(settings.kong, "filesFrom"):
            yield Problem(
                "kong.filesFrom",
                "is for a Kong that somebody else installed; with kong.install true it would be ignored",
                f"{config_remove('kong.filesFrom')}, or {config_set('kong.install', 'false')}",
            )
        return
    for name in ("adopt", "chart", "createNamespace", "protect", "release"):
        if _is_given(settings.kong, name):
            key = f"kong.{name}"
            yield Problem(
                key, "belongs to a Kong of ours, and kong.install is false: it would be ignored", config_remove(key)
            )
    if settings.kong_values:
        yield Problem(
            "kongValues",
            "are for a Kong of ours, and kong.install is false: they would be ignored",
            config_remove("kongValues"),
        )


@rule
def database_keys(settings: StackConfig) -> Iterator[Problem]:
    """postgres and admin belong to DB mode."""
    if settings.kong.database == "off":
        for key, value in (("kong.postgres", settings.kong.postgres), ("kong.admin", settings.kong.admin)):
            if value is not None:
                yield Problem(
                    key, "is for kong.database postgres; without a database it would be ignored", config_remove(key)
                )
    elif settings.kong.install:
        postgres = settings.kong.postgres
        if postgres is None or not (postgres.managed or postgres.host):
            yield Problem(
                "kong.postgres",
                "names no database, and kong.database is postgres: Kong would not start",
                config_set("kong.postgres.host", "HOST"),
            )


@rule
def leaving_asks_for_disabled_first(settings: StackConfig) -> Iterator[Problem]:
    """installed: false comes after enabled: false."""
    if not settings.installed and settings.enabled:
        yield Problem(
            "installed",
            "is false while enabled is true: the files would go while the plugin still needs them",
            f"{config_set('enabled', 'false')}, pulumi up, and then this",
        )


@rule
def leaving_is_for_a_kong_of_ours(settings: StackConfig) -> Iterator[Problem]:
    """installed: false is for a Kong that this stack keeps; leaving another one is a destroy."""
    if not settings.installed and not settings.kong.install:
        yield Problem(
            "installed",
            "is false while kong.install is false: there would be nothing left for this stack to keep",
            f"{config_set('installed', 'true')}, then pulumi destroy: it takes Traceable off, and that Kong stays",
        )


@rule
def one_database(settings: StackConfig) -> Iterator[Problem]:
    """A database that exists, or one that is made here."""
    postgres = settings.kong.postgres
    if postgres is not None and postgres.managed and postgres.host is not None:
        yield Problem(
            "kong.postgres.managed",
            "stands beside kong.postgres.host, so it cannot be told which database Kong should use",
            f"keep one: {config_remove('kong.postgres.managed')}, or {config_remove('kong.postgres.host')}",
        )


@rule
def allowed_clusters_are_addresses(settings: StackConfig) -> Iterator[Problem]:
    """API servers are named by their URL; an empty list allows none, and is not what is meant."""
    if "allowed_clusters" in settings.model_fields_set and not settings.allowed_clusters:
        yield Problem(
            "allowedClusters",
            "is an empty list, which reads as no cluster, and would allow every cluster",
            f"{config_set('allowedClusters[0]', 'https://HOST:6443')}, or {config_remove('allowedClusters')}",
        )
    for number, url in enumerate(settings.allowed_clusters):
        if not re.fullmatch(r"https?://[^\s/@]+(/\S*)?", url):
            key = f"allowedClusters[{number}]"
            password = ", without a password in it" if "@" in url else ""
            yield Problem(
                key,
                f"is {shown(url)}, which is not the URL of an API server{password}: no cluster would ever fit",
                f"kubectl cluster-info shows it; {config_set(key, 'https://HOST:6443')}",
            )
