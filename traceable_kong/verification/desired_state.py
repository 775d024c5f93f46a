"""The desired state of a gateway: made from the plan in `up`, and read from the record by verify.py."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any
from urllib.parse import urlsplit

from traceable_kong.cluster.kong_deployment import KongDeployment
from traceable_kong.cluster.ownership import RECORD_NAME
from traceable_kong.common.image_references import ImageReference, parse_image
from traceable_kong.common.safe_text import PlainError, kind_of
from traceable_kong.kong_admin.admin_endpoint import AdminEndpoint, endpoint_of
from traceable_kong.kong_admin.plugin_target import PluginTarget

_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_KONG_NAME = re.compile(r"[^\s/?#%]+")
"""A workspace, a route or a service, as the config allows them: a part of a path of the Admin API."""


class UnreadableRecord(PlainError):
    """The record was not written by a stack; the text says what is wrong with it."""


@dataclass(frozen=True, kw_only=True)
class Database:
    """The plugin entity's target, and Kong's Admin API with the names of its Secrets."""

    place: PluginTarget
    access: AdminEndpoint


@dataclass(frozen=True, kw_only=True)
class Guard:
    """The admission policy; its binding has the same name. `spec` is the policy's, `actions` are the binding's."""

    policy: str
    spec: Mapping[str, Any]
    actions: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Injection:
    """What makes the injector add the TME to new pods.

    `label` is on the namespace, `annotations` are in the Deployment's pod template. `webhook` is the injector's
    MutatingWebhookConfiguration, "" if it is unknown. `agent_release` is the agent's Helm release, "" if it is not
    managed by this stack. `webhook_domain` is what the webhook calls instead of the agent's Service, "" for the
    Service, None if this stack does not decide it.
    """

    label: Mapping[str, str]
    annotations: Mapping[str, str]
    webhook: str
    agent_release: str
    webhook_domain: str | None


@dataclass(frozen=True, kw_only=True)
class DesiredState:
    """A gateway, and what must hold for each of its pods.

    `container` is Kong's container in `deployment`. `plugin` is the plugin's name in Kong, `plugin_version` the version
    that Kong must have loaded, such as `2.1.2`. `plugin_object` is the KongClusterPlugin of the class `ingress_class`,
    "" with a database. `everywhere` False means only the routes and services that name the plugin, or those of the
    database's target. `files` is `{mount path: ConfigMap}`, `file_digests` `{ConfigMap: SHA-256 of its files}`.
    `tme_image` and `injection` are None if no TME is wanted, `guard` if no admission policy is. `agent_namespace` is ""
    for an agent outside the cluster. `installed` False: nothing of it may exist.
    """

    namespace: str
    release: str
    deployment: str
    container: str
    ingress_class: str
    plugin: str
    plugin_object: str
    plugin_version: str
    enabled: bool
    everywhere: bool
    config: Mapping[str, Any]
    files: Mapping[str, str] = field(default_factory=dict)
    file_digests: Mapping[str, str] = field(default_factory=dict)
    tme_image: ImageReference | None
    agent_namespace: str
    installed: bool = True
    database: Database | None = None
    guard: Guard | None = None
    injection: Injection | None = None

    def record(self) -> dict[str, str]:
        """The data of the record's ConfigMap."""
        return {
            "release": self.release,
            "deployment": self.deployment,
            "container": self.container,
            "ingressClass": self.ingress_class,
            "plugin": self.plugin,
            "pluginObject": self.plugin_object,
            "loadedVersion": self.plugin_version,
            "enabled": _text(self.enabled),
            "scope": "global" if self.everywhere else "selected",
            "pluginConfig": json.dumps(self.config, sort_keys=True),
            "files": json.dumps(self.files, sort_keys=True),
            "fileDigests": json.dumps(self.file_digests, sort_keys=True),
            "tmeImage": str(self.tme_image or ""),
            "agentNamespace": self.agent_namespace,
            "installed": _text(self.installed),
            "guard": json.dumps(vars(self.guard), sort_keys=True) if self.guard else "",
            "injection": json.dumps(vars(self.injection), sort_keys=True) if self.injection else "",
            **self._of_a_database(),
        }

    def _of_a_database(self) -> dict[str, str]:
        if self.database is None:
            return {"database": "off"}
        return {
            "database": "postgres",
            "pluginRow": json.dumps(vars(self.database.place), sort_keys=True),
            "adminApi": json.dumps(self.database.access.document(), sort_keys=True),
        }


def from_record(namespace: str, data: Mapping[str, str]) -> DesiredState:
    """The desired state of a record in `namespace`. Raises UnreadableRecord.

    Any user who may write ConfigMaps may have changed it: every value has its type, what becomes a part of a path or a
    command is a name, and everything is in `namespace`.
    """
    try:
        return DesiredState(
            namespace=namespace,
            release=_name(data, "release"),
            deployment=_name(data, "deployment"),
            container=_name(data, "container"),
            ingress_class=data["ingressClass"],
            plugin=_name(data, "plugin"),
            plugin_object=_name(data, "pluginObject"),
            plugin_version=data["loadedVersion"],
            enabled=_one_of(data, "enabled", "true", "false"),
            everywhere=_one_of(data, "scope", "global", "selected"),
            config=_config(data),
            files=_files(data),
            file_digests=_mapping(data, "fileDigests"),
            tme_image=parse_image(data["tmeImage"]) if data["tmeImage"] else None,
            agent_namespace=_name(data, "agentNamespace"),
            installed=_one_of(data, "installed", "true", "false"),
            database=_database(namespace, data),
            guard=_guard(data),
            injection=_injection(data),
        )
    except (KeyError, TypeError):
        raise UnreadableRecord(
            f"The record {namespace}/{RECORD_NAME} was not written by this version of the program. Nothing was "
            "verified. `pulumi up` writes it again."
        ) from None
    except (ValueError, RecursionError) as problem:
        raise UnreadableRecord(
            f"The record {namespace}/{RECORD_NAME} cannot be read: {kind_of(problem)}. Nothing was verified. "
            "`pulumi up --refresh` writes it again."
        ) from None


def _name(data: Mapping[str, str], key: str) -> str:
    return _checked(data[key], key) if data[key] else ""


def _checked(text: Any, what: str) -> str:
    """A name of a Kubernetes object or container."""
    if not isinstance(text, str) or not _NAME.fullmatch(text):
        raise _not_written(f"{what} is not a name")
    return text


def _one_of(data: Mapping[str, str], key: str, yes: str, no: str) -> bool:
    if data[key] not in (yes, no):
        raise _not_written(f"{key} is neither {yes} nor {no}")
    return data[key] == yes


def _config(data: Mapping[str, str]) -> dict[str, Any]:
    config = _mapping(data, "pluginConfig")
    endpoint = _string(config, "ext_cap_endpoint") if "ext_cap_endpoint" in config else ""
    try:
        # urlsplit checks the port only when it is read.
        _ = urlsplit(endpoint).port
    except ValueError:
        raise _not_written("ext_cap_endpoint is not an address") from None
    return config


def _files(data: Mapping[str, str]) -> dict[str, str]:
    return {path: _checked(name, "a ConfigMap in files") for path, name in _mapping(data, "files").items()}


def _guard(data: Mapping[str, str]) -> Guard | None:
    if not data["guard"]:
        return None
    found = _mapping(data, "guard")
    actions = found["actions"]
    if not isinstance(found["spec"], dict) or not isinstance(actions, list) or not _are_strings(actions):
        raise _not_written("guard is not an admission policy and its actions")
    return Guard(
        policy=_checked(found["policy"], "the name of the admission policy"), spec=found["spec"], actions=actions
    )


def _injection(data: Mapping[str, str]) -> Injection | None:
    if not data["injection"]:
        return None
    found = _mapping(data, "injection")
    for key in ("label", "annotations"):
        if not isinstance(found[key], dict) or not _are_strings(found[key].values()):
            raise _not_written(f"{key} of injection is not a map of strings")
    webhook, release = _string(found, "webhook"), _string(found, "agent_release")
    for what, name in (("webhook", webhook), ("Helm release", release)):
        if name:
            _checked(name, f"the name of the {what}")
    return Injection(
        label=found["label"],
        annotations=found["annotations"],
        webhook=webhook,
        agent_release=release,
        webhook_domain=None if found["webhook_domain"] is None else _string(found, "webhook_domain"),
    )


def _database(namespace: str, data: Mapping[str, str]) -> Database | None:
    if data["database"] == "off":
        return None
    row, document = _mapping(data, "pluginRow"), _mapping(data, "adminApi")
    place = PluginTarget(**{item.name: _string(row, item.name) for item in fields(PluginTarget)})
    access = endpoint_of(document)
    if document != access.document():
        raise _not_written("adminApi has values of other types")
    _checked(place.plugin, "the plugin of pluginRow")
    for what, text in (("workspace", place.workspace), ("route", place.route), ("service", place.service)):
        if text and not _KONG_NAME.fullmatch(text):
            raise _not_written(f"{what} is not a name in Kong")
    for secret in (access.token_secret, access.ca_secret):
        if secret:
            _checked(secret.name, "the name of a Secret")
    if access.client_certificate_secret:
        _checked(access.client_certificate_secret, "the name of a Secret")
    deployment = KongDeployment(namespace=namespace, name=data["deployment"], container=data["container"])
    if (access.deployment, access.workspace) != (deployment, place.workspace):
        raise _not_written("its Admin API is not that of its own gateway")
    return Database(place=place, access=access)


def _mapping(data: Mapping[str, str], key: str) -> dict[str, Any]:
    found = json.loads(data[key])
    if not isinstance(found, dict):
        raise ValueError(f"{key} is no object")
    return found


def _string(found: Mapping[str, Any], key: str) -> str:
    value = found[key]
    if not isinstance(value, str):
        raise _not_written(f"{key} is not a string")
    return value


def _are_strings(values: Iterable[Any]) -> bool:
    return all(isinstance(value, str) for value in values)


def _not_written(what: str) -> UnreadableRecord:
    return UnreadableRecord(
        f"The record is not what a stack writes: {what}. Nothing was verified. `pulumi up --refresh` writes it again."
    )


def _text(value: bool) -> str:
    return "true" if value else "false"
