"""The rules about Kong's Admin API, over which the plugin is written where Kong has a database."""

import re
from collections.abc import Iterator

from traceable_kong.common.urls import unsafe_address
from traceable_kong.config.config_problem import Problem, config_remove, config_set, rule
from traceable_kong.config.stack_config import AdminApiConfig, StackConfig


def _admin(settings: StackConfig) -> AdminApiConfig | None:
    return settings.kong.admin if settings.kong.database == "postgres" else None


@rule
def admin_address(settings: StackConfig) -> Iterator[Problem]:
    """The Admin API is reached over https: a token and the plugin itself go over it, and the answers are believed."""
    admin = _admin(settings)
    if admin is None or admin.url is None:
        return
    wrong = unsafe_address(admin.url, what="read the token and change the plugin")
    if wrong is None and re.search(r"[?#]", admin.url):
        wrong = "has a query or a fragment, which the Admin API does not have: the plugin could not be written"
    if wrong:
        yield Problem(
            "kong.admin.url",
            wrong,
            f"{config_set('kong.admin.url', 'https://HOST:8444')}; or {config_remove('kong.admin.url')}: a "
            "port-forward into a pod of Kong needs no address",
        )


@rule
def admin_certificate(settings: StackConfig) -> Iterator[Problem]:
    """A certificate is checked, or it is not; and only where there is one to be checked."""
    admin = _admin(settings)
    if admin is None:
        return
    if admin.insecure and admin.ca_secret is not None:
        yield Problem(
            "kong.admin.insecure",
            "is true beside kong.admin.caSecret: the certificate authority would be ignored",
            config_set("kong.admin.insecure", "false"),
        )
    elif admin.url is None:
        for key, given in (("insecure", admin.insecure), ("caSecret", admin.ca_secret is not None)):
            if given:
                yield Problem(
                    f"kong.admin.{key}",
                    "would be ignored: a port-forward ends inside the pod, whose certificate is not looked at",
                    f"{config_remove(f'kong.admin.{key}')}, or {config_set('kong.admin.url', 'https://HOST:8444')}",
                )


@rule
def what_is_selected(settings: StackConfig) -> Iterator[Problem]:
    """With a database, scope selected names a route or a service, and scope global none."""
    if settings.kong.database != "postgres":
        return
    admin = settings.kong.admin or AdminApiConfig()
    named = {key: value for key, value in (("route", admin.route), ("service", admin.service)) if value is not None}
    if settings.scope == "global":
        for key in named:
            yield Problem(
                f"kong.admin.{key}",
                "is for scope selected, and scope is global: it would be ignored",
                f"{config_remove(f'kong.admin.{key}')}, or {config_set('scope', 'selected')}",
            )
    elif len(named) != 1:
        wrong = "are both there" if named else "are missing"
        yield Problem(
            "kong.admin.route",
            f"and kong.admin.service {wrong}, and scope is selected: a row of Kong's database is for one of them",
            f"{config_remove('kong.admin.service')}" if named else config_set("kong.admin.route", "NAME"),
        )
    for key, value in named.items():
        if not re.fullmatch(r"[^\s/?#%]+", value):
            yield Problem(
                f"kong.admin.{key}",
                "is no name and no id of Kong's: nothing could be protected",
                config_set(f"kong.admin.{key}", "NAME"),
            )


@rule
def admin_secrets_have_a_place(settings: StackConfig) -> Iterator[Problem]:
    """A Secret that exists is in a namespace that exists."""
    admin = _admin(settings)
    if admin is None or not (settings.kong.install and settings.kong.create_namespace):
        return
    for key, given in (
        ("tokenSecret", admin.token_secret),
        ("caSecret", admin.ca_secret),
        ("clientCertificateSecret", admin.client_certificate_secret),
    ):
        if given is not None:
            namespace = settings.kong.namespace
            yield Problem(
                "kong.createNamespace",
                f"is true, and kong.admin.{key} is a Secret in {namespace!r} that exists: it would not be there when "
                "the plugin is written",
                f"kubectl create namespace {namespace}, make the Secret there, and "
                + config_set("kong.createNamespace", "false"),
            )
            return


@rule
def plugin_name_is_an_objects(settings: StackConfig) -> Iterator[Problem]:
    """plugin.name is the name of a KongClusterPlugin; a row has none."""
    if settings.kong.database == "postgres" and "name" in settings.plugin.model_fields_set:
        yield Problem(
            "plugin.name",
            "is the name of a KongClusterPlugin, and with a database there is none: it would be ignored",
            config_remove("plugin.name"),
        )
