"""Checks of Kong's database: its mode and address, its volume, its Secrets, no KongClusterPlugin beside the entity."""

import base64
import binascii
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from traceable_kong.cluster.api_objects import (
    CLUSTER_PLUGINS,
    NAMESPACES,
    STORAGE_CLASSES,
    annotations_of,
    name_of,
    secrets,
)
from traceable_kong.cluster.kubernetes_client import Document
from traceable_kong.cluster.pods import variables
from traceable_kong.common.commands import config_set
from traceable_kong.helm_values.kong_database import ExternalPostgres
from traceable_kong.kong_admin.admin_endpoint import CERTIFICATE_KEYS
from traceable_kong.plan.kong_model import ExistingKong, ManagedKong
from traceable_kong.plan.model import Gateway, Plan
from traceable_kong.plugin.kong_cluster_plugin import INGRESS_CLASS
from traceable_kong.preflight.cached_reader import CachedReader
from traceable_kong.preflight.existing_kong_checks import plain_environment
from traceable_kong.preflight.finding import Finding, deployment_subject
from traceable_kong.preflight.installation_record import recorded

WAITS_FOR_DATABASE = "wait-for-db"
"""The init container of Kong's pods that starts Kong until it reaches its database (kong chart 3.4.1)."""

PASSWORD = "kong.postgres.passwordSecret"

DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"


def database_mode_is_unchanged(reader: CachedReader, plan: Plan, gateway: Gateway) -> Iterator[Finding]:
    """Kong runs with the database mode that the config names, by the record and by the Deployment's environment.

    Either of them may exist without the other.
    """
    wanted, kong = gateway.database_mode, gateway.kong
    data = recorded(reader, plan)
    deployed = data.get("database", "off") if data else None
    live = reader.get(kong.deployment.path)
    runs = plain_environment(live, kong.deployment.container).get("KONG_DATABASE") if live else None
    found = [mode for mode in (deployed, runs if isinstance(kong, ManagedKong) else None) if mode not in (None, wanted)]
    if found:
        yield Finding(
            subject="traceable-kong:kong.database",
            problem=f"is {wanted}, but this stack was deployed with {found[0]}. Kong would lose its configuration with "
            "all its routes, and the current plugin would be left behind",
            fix=f"Set the old value: `{config_set('kong.database', str(found[0]))}`. Or run `pulumi destroy` with it, "
            f"then `{config_set('kong.database', wanted)}` and `pulumi up`. Without an outage: create a second stack "
            "and move the clients to it",
        )
    elif runs not in (None, wanted):
        kind = "a plugin entity" if wanted == "postgres" else "a Kubernetes object"
        yield Finding(
            subject=deployment_subject(kong.deployment),
            problem=f"runs Kong with KONG_DATABASE {runs!r}, but kong.database is {wanted}. The plugin would be {kind} "
            "that this Kong never reads",
            fix=f"Set the mode of this Kong: `{config_set('kong.database', str(runs))}`"
            if runs in ("off", "postgres")
            else "Name a Kong with PostgreSQL, or one without a database",
        )


def database_address_is_unchanged(reader: CachedReader, plan: Plan, gateway: Gateway) -> Iterator[Finding]:
    """A managed Kong keeps the address of its database."""
    live = reader.get(gateway.kong.deployment.path)
    if isinstance(gateway.kong, ExistingKong) or gateway.kong.database is None or live is None:
        return
    runs, wanted = (
        _address(item)
        for item in (plain_environment(live, gateway.kong.deployment.container), gateway.kong.environment)
    )
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


def every_pod_reaches_the_database(reader: CachedReader, plan: Plan, gateway: Gateway) -> Iterator[Finding]:
    """A database on loopback is behind a sidecar that every pod has which connects to it, those of migrations too."""
    if not isinstance(gateway.kong, ManagedKong) or gateway.kong.database is None:
        return
    chart = reader.rendered(gateway.kong.release.key)
    without = [
        f"{item['kind'].lower()} {name_of(item)}"
        for kind in ("Deployment", "Job")
        for item in (chart.of_kind(kind) if chart else ())
        if _looks_for_it_alone(item["spec"]["template"]["spec"], kind)
    ]
    if without:
        yield Finding(
            subject="traceable-kong:kong.postgres.host",
            problem=f"is {gateway.kong.database.host}, which is on loopback, but nothing else would run in the pods "
            f"that wait for the database and migrate it ({', '.join(without)}). They would wait until the timeout",
            fix=f"Name the database's own address: `{config_set('kong.postgres.host', 'HOST')}`. Or run its proxy as a "
            "native sidecar, an init container with restartPolicy Always, in kongValues.deployment.initContainers: the "
            "chart adds those to the Jobs of the migrations too",
        )


def _looks_for_it_alone(pod: Document, kind: str) -> bool:
    """Whether a container of a pod connects to loopback, and nothing that could listen there runs beside it.

    While an init container waits, only native sidecars run
    (https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/).
    """
    first, containers = pod.get("initContainers") or [], pod["containers"]
    waiting = [item for item in first if item["name"] == WAITS_FOR_DATABASE] if kind == "Deployment" else containers
    if pod.get("hostNetwork") or any(item.get("restartPolicy") == "Always" for item in first):
        return False
    return any(map(_is_on_loopback, waiting)) and (kind == "Deployment" or len(containers) == 1)


def _is_on_loopback(container: Document) -> bool:
    host = variables(container).get("KONG_PG_HOST") or ""
    return host == "localhost" or host.startswith("127.") or host == "::1"


def database_volume_is_available(reader: CachedReader, plan: Plan, gateway: Gateway) -> Iterator[Finding]:
    """A managed database has its volume, or the cluster has a default StorageClass: its claim names none.

    Source: https://kubernetes.io/docs/concepts/storage/storage-classes/#default-storageclass.
    """
    postgres = gateway.kong.managed_postgres
    if postgres is None:
        return
    claim = f"data-{postgres.name}-0"
    if reader.get(f"{NAMESPACES}/{postgres.namespace}/persistentvolumeclaims/{claim}") is not None:
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


def named_secrets_exist(reader: CachedReader, plan: Plan, gateway: Gateway) -> Iterator[Finding]:
    """Every Secret that the config names for Kong exists, with text at its keys."""
    namespace = gateway.kong.deployment.namespace
    for named in _named_secrets(gateway):
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
        elif named.setting == PASSWORD and _decoded(data[named.keys[0]])[-1:] in ("\n", "\r"):
            yield Finding(
                subject=subject,
                problem=f"ends in a line break at {named.keys[0]}, and {PASSWORD} names it. Kong would log in to the "
                "database with that line break, and be refused",
                fix="Create it again from a file without one: `printf %s PASSWORD > FILE`, then `kubectl create secret "
                f"generic {named.name} --namespace {namespace} --from-file={named.keys[0]}=FILE`",
            )


@dataclass(frozen=True, kw_only=True)
class NamedSecret:
    """A Secret in Kong's namespace that the key `setting` names; `meant` is what happens without `keys` in it."""

    setting: str
    name: str
    keys: tuple[str, ...]
    meant: str


def _named_secrets(gateway: Gateway) -> Iterator[NamedSecret]:
    kong, entity = gateway.kong, gateway.plugin.entity
    if entity is None:
        return
    password = (
        kong.database.password_secret
        if isinstance(kong, ManagedKong) and isinstance(kong.database, ExternalPostgres)
        else None
    )
    admin = entity.endpoint
    for setting, secret, meant in (
        (PASSWORD, password, "Kong could not log in to the database"),
        ("kong.admin.tokenSecret", admin.token_secret, "Kong would refuse to write the plugin"),
        ("kong.admin.caSecret", admin.ca_secret, "The identity of Kong's Admin API could not be verified"),
    ):
        if secret:
            yield NamedSecret(setting=setting, name=secret.name, keys=(secret.key,), meant=meant)
    if admin.client_certificate_secret:
        yield NamedSecret(
            setting="kong.admin.clientCertificateSecret",
            name=admin.client_certificate_secret,
            keys=CERTIFICATE_KEYS,
            meant="Kong's Admin API would refuse this stack's connections",
        )


def _text(value: object) -> str:
    return _decoded(value).strip()


def _decoded(value: object) -> str:
    try:
        return base64.b64decode(str(value or "")).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""


def no_object_beside_the_entity(reader: CachedReader, plan: Plan, gateway: Gateway) -> Iterator[Finding]:
    """The gateway's class has no KongClusterPlugin of the plugin: its controller would write it as a second entity."""
    if gateway.plugin.entity is None or not gateway.installed:
        return
    for item in reader.list(CLUSTER_PLUGINS):
        if (
            item.get("plugin") == gateway.plugin.name
            and annotations_of(item).get(INGRESS_CLASS) == gateway.kong.ingress_class
        ):
            yield Finding(
                subject=f"kongclusterplugin {name_of(item)}",
                problem=f"is the plugin {gateway.plugin.name} for the ingress class {gateway.kong.ingress_class}, "
                "but with a database this stack writes the plugin as an entity. The ingress controller would write a "
                "second one, and Kong uses only one of two for the same routes",
                fix=f"Delete it: `kubectl delete kongclusterplugin {name_of(item)}`. Then run the command again",
            )
