"""The rules between the parts of a stack: its clusters, its namespaces, and how Traceable is uninstalled."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from traceable_kong.common.commands import config_set
from traceable_kong.common.urls import is_host
from traceable_kong.config.agent_config import ManagedAgentConfig
from traceable_kong.config.config_problem import Problem, shown
from traceable_kong.config.kong_config import ExistingKongConfig, KongConfig, ManagedKongConfig
from traceable_kong.config.rule_registry import rule


@rule
def namespaces_differ(agent: ManagedAgentConfig, kong: KongConfig) -> Iterator[Problem]:
    """A namespace that agent and Kong share is created once, with Kong, or it exists."""
    if agent.namespace != kong.namespace or not agent.create_namespace:
        return
    if isinstance(kong, ManagedKongConfig) and kong.create_namespace:
        yield Problem(
            "kong.namespace",
            f"is {kong.namespace!r}, and so is agent.namespace: the namespace would be created twice, and the second "
            "attempt would fail",
            f"{config_set('agent.createNamespace', 'false')}, or {config_set('kong.namespace', 'kong')}",
        )
        return
    reason = "kong.createNamespace is false" if isinstance(kong, ManagedKongConfig) else "the Kong exists"
    fix = config_set("agent.createNamespace", "false")
    if isinstance(kong, ManagedKongConfig):
        fix += f", and {config_set('kong.createNamespace', 'true')} unless the namespace exists"
    yield Problem(
        "agent.createNamespace",
        f"is true, but {reason} and both use namespace {kong.namespace!r}: this stack looks up Kong's namespace before "
        "it would create the agent's",
        fix,
    )


@rule
def uninstall_disables_first(installed: bool, enabled: bool) -> Iterator[Problem]:
    """installed: false comes after enabled: false."""
    if not installed and enabled:
        yield Problem(
            "installed",
            "is false while enabled is true: the files would be removed while the plugin still needs them",
            f"{config_set('enabled', 'false')} and pulumi up, then {config_set('installed', 'false')}",
        )


@rule
def uninstall_keeps_a_managed_kong(installed: bool, kong: ExistingKongConfig) -> Iterator[Problem]:
    """installed: false is for a managed Kong; to uninstall Traceable from an existing Kong, destroy the stack."""
    if not installed:
        yield Problem(
            "installed",
            "is false while kong.install is false: this stack would have nothing left to manage",
            f"{config_set('installed', 'true')}, then pulumi destroy: it uninstalls Traceable and keeps the existing "
            "Kong",
        )


def _is_api_server(url: str) -> bool:
    try:
        parts = urlsplit(url)
        valid_port = parts.port is None or parts.port > 0
    except ValueError:
        return False
    return valid_port and is_host(parts.hostname or "") and bool(re.fullmatch(r"https?://[^\s/@?#]+(/\S*)?", url))


@rule
def allowed_clusters_are_addresses(allowed_clusters: tuple[str, ...]) -> Iterator[Problem]:
    """Every entry of allowedClusters is the URL of an API server."""
    for number, url in enumerate(allowed_clusters):
        if not _is_api_server(url):
            key = f"allowedClusters[{number}]"
            password = ", without a password in it" if "@" in url else ""
            yield Problem(
                key,
                f"is {shown(url)}, which is not the URL of an API server{password}: no cluster would ever match",
                f"run kubectl cluster-info to see the URL; {config_set(key, 'https://HOST:6443')}",
            )
