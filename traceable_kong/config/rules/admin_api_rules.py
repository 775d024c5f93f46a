"""The rules about Kong's Admin API, through which the plugin is written where Kong has a database."""

import re
from collections.abc import Iterator

from traceable_kong.common.commands import config_remove, config_set
from traceable_kong.common.urls import unsafe_address
from traceable_kong.config.config_problem import Problem
from traceable_kong.config.kong_config import ManagedPostgresKongConfig, PostgresKongConfig
from traceable_kong.config.plugin_source import PluginConfig
from traceable_kong.config.rule_registry import rule


@rule
def admin_address(kong: PostgresKongConfig) -> Iterator[Problem]:
    """The Admin API is used over https: a token and the plugin are sent to it, and its answers are trusted."""
    url = kong.admin.url
    if url is None:
        return
    problem = unsafe_address(url, what="read the token and change the plugin")
    if problem is None and re.search(r"[?#]", url):
        problem = "has a query or a fragment, which the Admin API does not support: the plugin could not be written"
    if problem:
        yield Problem(
            "kong.admin.url",
            problem,
            f"{config_set('kong.admin.url', 'https://HOST:8444')}; or {config_remove('kong.admin.url')}: a "
            "port-forward into a Kong pod needs no URL",
        )


@rule
def admin_certificate(kong: PostgresKongConfig) -> Iterator[Problem]:
    """insecure and caSecret exclude each other, and apply only to kong.admin.url."""
    admin = kong.admin
    if admin.insecure and admin.ca_secret is not None:
        yield Problem(
            "kong.admin.insecure",
            "is true, but kong.admin.caSecret is set: the CA would be ignored",
            config_set("kong.admin.insecure", "false"),
        )
    elif admin.url is None:
        for key, given in (("insecure", admin.insecure), ("caSecret", admin.ca_secret is not None)):
            if given:
                yield Problem(
                    f"kong.admin.{key}",
                    "does not apply to a port-forward (kong.admin.url is not set): it ends inside the pod, and the key "
                    "would be ignored",
                    f"{config_remove(f'kong.admin.{key}')}, or {config_set('kong.admin.url', 'https://HOST:8444')}",
                )


@rule
def selected_route_or_service(kong: PostgresKongConfig, scope: str) -> Iterator[Problem]:
    """With a database, scope selected names one route or one service, and scope global none."""
    named = {
        key: value for key, value in (("route", kong.admin.route), ("service", kong.admin.service)) if value is not None
    }
    if scope == "global":
        for key in named:
            yield Problem(
                f"kong.admin.{key}",
                "does not apply to scope global, and would be ignored",
                f"{config_remove(f'kong.admin.{key}')}, or {config_set('scope', 'selected')}",
            )
    elif len(named) != 1:
        count = "are both set" if named else "are missing"
        yield Problem(
            "kong.admin.route",
            f"and kong.admin.service {count}, but scope is selected: a plugin entity applies to exactly one of them",
            f"{config_remove('kong.admin.service')}" if named else config_set("kong.admin.route", "NAME"),
        )
    for key, value in named.items():
        if value in (".", "..") or not re.fullmatch(r"[^\s/?#%]+", value):
            yield Problem(
                f"kong.admin.{key}",
                "is not a name or an id in Kong: nothing would be protected",
                config_set(f"kong.admin.{key}", "NAME"),
            )


@rule
def admin_secrets_can_exist(kong: ManagedPostgresKongConfig) -> Iterator[Problem]:
    """The Secrets for the Admin API are in a namespace that exists."""
    secrets = {
        "tokenSecret": kong.admin.token_secret,
        "caSecret": kong.admin.ca_secret,
        "clientCertificateSecret": kong.admin.client_certificate_secret,
    }
    key = next((key for key, secret in secrets.items() if secret is not None), None)
    if key is not None and kong.create_namespace:
        yield Problem(
            "kong.createNamespace",
            f"is true, but the Secret of kong.admin.{key} must exist in namespace {kong.namespace}: in a new namespace "
            "it would be missing when the plugin is written",
            f"kubectl create namespace {kong.namespace}, create the Secret there, and "
            + config_set("kong.createNamespace", "false"),
        )


@rule
def plugin_entity_has_no_name(kong: PostgresKongConfig, plugin: PluginConfig) -> Iterator[Problem]:
    """plugin.name is the name of a KongClusterPlugin; a plugin entity has none."""
    if "name" in plugin.model_fields_set:
        yield Problem(
            "plugin.name",
            "does not apply to Kong with a database (kong.database: postgres), where there is no KongClusterPlugin, "
            "and would be ignored",
            config_remove("plugin.name"),
        )
