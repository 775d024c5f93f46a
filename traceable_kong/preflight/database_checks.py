"""Whether Kong has a database, and what goes with one: its Secrets, and no KongClusterPlugin beside the row."""

import base64
import binascii
from collections.abc import Iterator, Mapping

from traceable_kong.common.commands import config_set
from traceable_kong.plugin.kong_cluster_plugin import INGRESS_CLASS
from traceable_kong.preflight.cached_reader import (
    CLUSTER_PLUGINS,
    NAMESPACES,
    STORAGE_CLASSES,
    CachedReader,
    annotations_of,
    config_maps,
    deployment,
    name_of,
    secrets,
)
from traceable_kong.preflight.existing_kong_checks import plain_environment
from traceable_kong.preflight.finding import Finding
from traceable_kong.preflight.intent import Intent

DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"


def database_is_the_one_that_stands(looks: CachedReader, intent: Intent) -> Iterator[Finding]:
    """Kong runs with the database that the stack says, or with none where it says so.

    Both what the record says and what the Deployment's pods are given: either may be there without the other.
    """
    gateway = intent.gateway
    record = (looks.get(f"{config_maps(gateway.namespace)}/{intent.record}") or {}).get("data")
    recorded = record.get("database", "off") if record else None
    live = looks.get(deployment(gateway.namespace, gateway.deployment))
    runs = plain_environment(live, gateway.container).get("KONG_DATABASE") if live else None
    if recorded not in (None, gateway.database) or (gateway.ours and runs not in (None, gateway.database)):
        stands = recorded if recorded not in (None, gateway.database) else runs
        yield Finding(
            subject="traceable-kong:kong.database",
            wrong=f"is {gateway.database}, and this stack stands with {stands}: Kong's configuration lives elsewhere "
            "then, its routes too, and the plugin that stands would be left behind",
            mend=f"`{config_set('kong.database', str(stands))}`; or `pulumi destroy` with that, then "
            f"`{config_set('kong.database', gateway.database)}` and `pulumi up`; or, without a time when nothing "
            "serves, a second stack beside this one, to which the clients move",
        )
    elif runs not in (None, gateway.database):
        known = runs in ("off", "postgres")
        yield Finding(
            subject=f"deployment {gateway.deployment} in namespace {gateway.namespace}",
            wrong=f"runs Kong with KONG_DATABASE {runs!r}, and kong.database is {gateway.database}: the plugin would "
            f"be {'a row' if gateway.database == 'postgres' else 'an object of Kubernetes'} that this Kong never reads",
            mend=f"`{config_set('kong.database', str(runs))}`"
            if known
            else "name a Kong with PostgreSQL, or without a database",
        )


def database_moves(looks: CachedReader, intent: Intent) -> Iterator[Finding]:
    """A Kong of ours goes on with the database that it has; another one is said, and what it takes."""
    gateway = intent.gateway
    live = looks.get(deployment(gateway.namespace, gateway.deployment))
    if not gateway.ours or gateway.database != "postgres" or live is None:
        return
    runs, wanted = (_address(item) for item in (plain_environment(live, gateway.container), gateway.environment))
    if all(runs) and all(wanted) and runs != wanted:
        yield Finding(
            subject="traceable-kong:kong.postgres",
            wrong=f"is {':'.join(wanted[:2])}/{wanted[2]}, and Kong runs with {':'.join(runs[:2])}/{runs[2]}: its "
            "routes and all else are what the new one holds then, and an upgrade prepares no empty database",
            mend="Copy it first (`pg_dump`, `pg_restore`), or leave kong.postgres as it was",
            only_warns=True,
        )


def _address(environment: Mapping[str, str | None]) -> tuple[str, str, str]:
    host, port, name = (environment.get(f"KONG_PG_{key}") or "" for key in ("HOST", "PORT", "DATABASE"))
    return host, port, name


def volume_can_be_had(looks: CachedReader, intent: Intent) -> Iterator[Finding]:
    """A database that is made here has its volume, or the cluster gives it one: its claim names no StorageClass.

    Source: https://kubernetes.io/docs/concepts/storage/storage-classes/#default-storageclass.
    """
    gateway = intent.gateway
    if gateway.made_database is None:
        return
    claim = f"data-{gateway.made_database}-0"
    if looks.get(f"{NAMESPACES}/{gateway.namespace}/persistentvolumeclaims/{claim}") is not None:
        return
    classes = looks.list(STORAGE_CLASSES)
    if any(annotations_of(item).get(DEFAULT_CLASS) == "true" for item in classes):
        return
    names = ", ".join(sorted(name_of(item) for item in classes))
    yield Finding(
        subject="traceable-kong:kong.postgres.managed",
        wrong=f"makes a database, and no StorageClass is the cluster's default (there are: {names or 'none'}): its "
        "volume claim would wait for a volume until the time is up",
        mend=f"`kubectl annotate storageclass NAME {DEFAULT_CLASS}=true`; or name a database that exists in "
        "kong.postgres.host",
    )


def named_secrets_are_there(looks: CachedReader, intent: Intent) -> Iterator[Finding]:
    """Every Secret that the stack names for Kong is there, with text at its keys."""
    namespace = intent.gateway.namespace
    for named in intent.named_secrets:
        found = looks.get(f"{secrets(namespace)}/{named.name}")
        subject = f"secret {named.name} in namespace {namespace}"
        if found is None:
            yield Finding(
                subject=subject,
                wrong=f"is missing, and {named.setting} names it: {named.meant}",
                mend=f"`kubectl create secret generic {named.name} --namespace {namespace} "
                f"--from-file={named.keys[0]}=FILE`"
                if len(named.keys) == 1
                else f"`kubectl create secret tls {named.name} --namespace {namespace} --cert=FILE --key=FILE`",
            )
            continue
        data = found.get("data") or {}
        missing = [key for key in named.keys if not _text(data.get(key))]
        if missing:
            yield Finding(
                subject=subject,
                wrong=f"has no text at {', '.join(missing)} (its keys: {', '.join(sorted(data)) or 'none'}), and "
                f"{named.setting} names it: {named.meant}",
                mend=f"`pulumi config set --path traceable-kong:{named.setting}.key KEY`"
                if len(named.keys) == 1
                else "make it anew as one of the type kubernetes.io/tls",
            )


def _text(value: object) -> str:
    try:
        return base64.b64decode(str(value or "")).decode().strip()
    except (binascii.Error, UnicodeDecodeError):
        return ""


def no_object_beside_the_row(looks: CachedReader, intent: Intent) -> Iterator[Finding]:
    """No KongClusterPlugin of the plugin and the gateway's class: its controller would write it as a second row."""
    if intent.row is None or not intent.installed:
        return
    for item in looks.list(CLUSTER_PLUGINS):
        if (
            item.get("plugin") == intent.plugin.name
            and annotations_of(item).get(INGRESS_CLASS) == intent.gateway.ingress_class
        ):
            yield Finding(
                subject=f"kongclusterplugin {name_of(item)}",
                wrong=f"is the plugin {intent.plugin.name} for the ingress class {intent.gateway.ingress_class}, and "
                "with a database this stack writes it as a row: the ingress controller would write another, and of two "
                "for the same routes Kong takes one",
                mend=f"`kubectl delete kongclusterplugin {name_of(item)}`, then again",
            )
