"""Checks of Kong's Admin API: the verification can use it, with the credentials that this stack has."""

from collections.abc import Iterator

from traceable_kong.cluster.kong_listen import ADMIN_LISTEN, listeners
from traceable_kong.common.commands import config_remove, config_set
from traceable_kong.plan.kong_model import ManagedKong
from traceable_kong.plan.model import Gateway, Plan
from traceable_kong.preflight.cached_reader import CachedReader
from traceable_kong.preflight.finding import Finding, deployment_subject, kong_subject
from traceable_kong.preflight.kong_pod import kong_variables, removal_of, setting_is, setting_of

ENFORCE_RBAC = "KONG_ENFORCE_RBAC"
"""Kong Enterprise: whether its Admin API asks for a token (https://developer.konghq.com/gateway/entities/rbac/)."""

TRADITIONAL = "traditional"
"""KONG_ROLE of a Kong that is no part of a hybrid gateway, with or without a database; Kong's default.

Source: https://developer.konghq.com/gateway/deployment-topologies/.
"""

CLIENT_CERTIFICATE = "KONG_NGINX_ADMIN_SSL_VERIFY_CLIENT"
"""Set by the kong chart where `admin.tls.client` names who signed the controller's certificate (3.4.1).

The kong/ingress chart, whose controller runs in a Deployment of its own, takes that below `gateway` (0.24).
"""


def admin_api_is_reachable(reader: CachedReader, plan: Plan, gateway: Gateway) -> Iterator[Finding]:
    """A port-forward can reach Kong's Admin API, which tells the verification whether the plugin is on."""
    environment = kong_variables(reader, gateway)
    if environment is None:
        return
    subject = kong_subject(gateway.kong.deployment)
    listen = environment.get(ADMIN_LISTEN, "")
    role = environment.get("KONG_ROLE") or TRADITIONAL
    if role != TRADITIONAL:
        yield Finding(
            subject=subject,
            problem=f"is part of a hybrid gateway ({setting_is(gateway, 'KONG_ROLE', role)}). Its data planes "
            "need the files and the TME, but only its control plane has an Admin API for the plugin and the "
            "verification. One Deployment cannot have both",
            fix=removal_of(gateway, "KONG_ROLE")
            if isinstance(gateway.kong, ManagedKong)
            else "Name the Deployment of a Kong without that role, with or without a database",
        )
    elif listen is None:
        yield Finding(
            subject=subject,
            problem=f"takes {setting_of(gateway, ADMIN_LISTEN)} from another object (valueFrom). Only the verification "
            "will show whether Kong's Admin API can be reached",
            fix="If the verification fails, write it as a plain value",
            severity="warning",
        )
    elif listen and not listeners(listen):
        yield Finding(
            subject=subject,
            problem=f"has an Admin API that listens on no port ({setting_is(gateway, ADMIN_LISTEN, listen)}). "
            "The verification could never check the plugin, and an ingress controller in the pod could not configure "
            "Kong",
            fix=_admin_fix(gateway),
        )


def _admin_fix(gateway: Gateway) -> str:
    setting = setting_of(gateway, ADMIN_LISTEN)
    if isinstance(gateway.kong, ManagedKong) and setting == ADMIN_LISTEN:
        enable = config_set("kongValues.admin.tls.enabled", "true")
        return f"Enable it: `{enable}`. It only listens on localhost of its pod"
    return f"Set {setting} to `127.0.0.1:8444 http2 ssl`. It is not reachable from outside the pod"


def admin_api_needs_no_unknown_certificate(reader: CachedReader, plan: Plan, gateway: Gateway) -> Iterator[Finding]:
    """Kong's Admin API asks for no client certificate, or the config names one."""
    environment = kong_variables(reader, gateway) or {}
    entity = gateway.plugin.entity
    shown = entity is not None and entity.endpoint.client_certificate_secret
    if environment.get(CLIENT_CERTIFICATE) != "on" or shown:
        return
    managed = isinstance(gateway.kong, ManagedKong)
    if managed:
        fix = (
            f"Remove it: `{config_remove('kongValues.admin.tls.client')}`. The Admin API only listens on localhost of "
            "its own pod"
        )
    else:
        fix = (
            "Remove it from that release's values (admin.tls.client; in the kong/ingress chart "
            "gateway.admin.tls.client and controller.ingressController.adminApi.tls.client), and restrict the port to "
            "the controller with a NetworkPolicy. Or run Kong and its controller in one pod, as the kong chart does"
        )
    yield Finding(
        subject=deployment_subject(gateway.kong.deployment),
        problem="has an Admin API that asks for a client certificate "
        f"({setting_of(gateway, CLIENT_CERTIFICATE)}{' or kongValues.admin.tls.client' if managed else ''}). The "
        "verification could never check the plugin",
        fix=fix + (". Or name the certificate in kong.admin.clientCertificateSecret" if entity else ""),
    )


def access_control_has_a_token(reader: CachedReader, plan: Plan, gateway: Gateway) -> Iterator[Finding]:
    """Where Kong Enterprise requires a token for its Admin API, the config names one."""
    entity, environment = gateway.plugin.entity, kong_variables(reader, gateway) or {}
    if entity is None or entity.endpoint.token_secret or environment.get(ENFORCE_RBAC) not in ("on", "both", "entity"):
        return
    yield Finding(
        subject=deployment_subject(gateway.kong.deployment),
        problem=f"has an Admin API that asks for a token ({setting_of(gateway, ENFORCE_RBAC)}), and kong.admin names "
        "none. Kong would refuse to write the plugin",
        fix="Put the token of an RBAC user into a Secret in Kong's namespace, and name it: "
        f"`{config_set('kong.admin.tokenSecret.name', 'NAME')}` (and kong.admin.tokenSecret.key)",
    )
