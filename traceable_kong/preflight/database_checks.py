"""Checks of Kong's database: its mode and address, its volume, its Secrets, no KongClusterPlugin beside the entity."""

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


def database_mode_is_unchanged(reader: CachedReader, intent: Intent) -> Iterator[Finding]:
    """Kong runs with the database mode that the config names, by the record and by the Deployment's environment.

    Either of them may exist without the other.
    """
    gateway = intent.gateway
    record = (reader.get(f"{config_maps(gateway.namespace)}/{intent.record}") or {}).get("data")
    recorded = record.get("database", "off") if record else None
    live = reader.get(deployment(gateway.namespace, gateway.deployment))
    runs = plain_environment(live, gateway.container).get("KONG_DATABASE") if live else None
    if recorded not in (None, gateway.database) or (gateway.ours and runs not in (None, gateway.database)):
        current = recorded if recorded not in (None, gateway.database) else runs
        yield Finding(
            subject="traceable-kong:kong.database",
            problem=f"is {gateway.database}, but this stack was deployed with {current}. Kong would lose its "
            "configuration with all its routes, and the current plugin would be left behind",
            fix=f"Set the old value: `{config_set('kong.database', str(current))}`. Or run `pulumi destroy` with it, "
            f"then `{config_set('kong.database', gateway.database)}` and `pulumi up`. Without an outage: create a "
            "second stack and move the clients to it",
        )
    elif runs not in (None, gateway.database):
        known = runs in ("off", "postgres")
        yield Finding(
            subject=f"deployment {gateway.deployment} in namespace {gateway.namespace}",
            problem=f"runs Kong with KONG_DATABASE {runs!r}, but kong.database is {gateway.database}. The plugin "
            f"would be {'a plugin entity' if gateway.database == 'postgres' else 'a Kubernetes object'} that this "
            "Kong never reads",
            fix=f"Set the mode of this Kong: `{config_set('kong.database', str(runs))}`"
            if known
            else "Name a Kong with PostgreSQL, or one without a database",
        )


def database_address_is_unchanged(reader: CachedReader, intent: Intent) -> Iterator[Finding]:
    """A managed Kong keeps the address of its database."""
    gateway = intent.gateway
    live = reader.get(deployment(gateway.namespace, gateway.deployment))
    if not gateway.ours or gateway.database != "postgres" or live is None:
        return
    runs, wanted = (_address(item) for item in (plain_environment(live, gateway.container), gateway.environment))
    if all(runs) and all(wanted) and runs != wanted:
        yield Finding(
            subject="traceable-kong:kong.postgres",
            problem=f"is {':'.join(wanted[:2])}/{wanted[2]}, but Kong runs with {':'.join(runs[:2])}/{runs[2]}. Kong "
            "would have only the routes that are in the new database, and an upgrade prepares no empty database",
            fix="Copy the database first (`pg_dump`, `pg_restore`), or leave kong.postgres as it was",
            severity="warning",
        )


def _address(environment: Mapping[str, str | None]) -> tuple[str, str, str]:
    host, port, name = (environment.get(f"KONG_PG_{key}") or "" for key in ("HOST", "PORT", "DATABASE"))
    return host, port, name


def database_volume_is_available(reader: CachedReader, intent: Intent) -> Iterator[Finding]:
    """A managed database has its volume, or the cluster has a default StorageClass: its claim names none.

    Source: https://kubernetes.io/docs/concepts/storage/storage-classes/#default-storageclass.
    """
    gateway = intent.gateway
    if gateway.made_database is None:
        return
    claim = f"data-{gateway.made_database}-0"
    if reader.get(f"{NAMESPACES}/{gateway.namespace}/persistentvolumeclaims/{claim}") is not None:
        return
    classes = reader.list(STORAGE_CLASSES)
    if any(annotations_of(item).get(DEFAULT_CLASS) == "true" for item in classes):
        return
    names = ", ".join(sorted(name_of(item) for item in classes))
    yield Finding(
        subject="traceable-kong:kong.postgres.managed",
        problem=f"needs a volume, but the cluster has no default StorageClass (its classes: {names or 'none'}). The "
        "volume claim would stay pending until the timeout",
        fix=f"Choose a default: `kubectl annotate storageclass NAME {DEFAULT_CLASS}=true`. Or name an existing "
        "database in kong.postgres.host",
    )


def named_secrets_exist(reader: CachedReader, intent: Intent) -> Iterator[Finding]:
    """Every Secret that the config names for Kong exists, with text at its keys."""
    namespace = intent.gateway.namespace
    for named in intent.named_secrets:
        found = reader.get(f"{secrets(namespace)}/{named.name}")
        subject = f"secret {named.name} in namespace {namespace}"
        if found is None:
            yield Finding(
                subject=subject,
                problem=f"is missing, and {named.setting} names it. {named.meant}",
                fix=f"Create it: `kubectl create secret generic {named.name} --namespace {namespace} "
                f"--from-file={named.keys[0]}=FILE`"
                if len(named.keys) == 1
                else f"Create it: `kubectl create secret tls {named.name} --namespace {namespace} --cert=FILE "
                "--key=FILE`",
            )
            continue
        data = found.get("data") or {}
        missing = [key for key in named.keys if not _text(data.get(key))]
        if missing:
            yield Finding(
                subject=subject,
                problem=f"has no text at {', '.join(missing)} (its keys: {', '.join(sorted(data)) or 'none'}), and "
                f"{named.setting} names it. {named.meant}",
                fix=f"Name the right key: `{config_set(f'{named.setting}.key', 'KEY')}`"
                if len(named.keys) == 1
                else "Recreate it with the type kubernetes.io/tls",
            )


def _text(value: object) -> str:
    try:
        return base64.b64decode(str(value or "")).decode().strip()
    except (binascii.Error, UnicodeDecodeError):
        return ""


def no_object_beside_the_entity(reader: CachedReader, intent: Intent) -> Iterator[Finding]:
    """The gateway's class has no KongClusterPlugin of the plugin: its controller would write it as a second entity."""
    if intent.row is None or not intent.installed:
        return
    for item in reader.list(CLUSTER_PLUGINS):
        if (
            item.get("plugin") == intent.plugin.name
            and annotations_of(item).get(INGRESS_CLASS) == intent.gateway.ingress_class
        ):
            yield Finding(
                subject=f"kongclusterplugin {name_of(item)}",
                problem=f"is the plugin {intent.plugin.name} for the ingress class {intent.gateway.ingress_class}, "
                "but with a database this stack writes the plugin as an entity. The ingress controller would write a "
                "second one, and Kong uses only one of two for the same routes",
                fix=f"Delete it: `kubectl delete kongclusterplugin {name_of(item)}`. Then run again",
            )
