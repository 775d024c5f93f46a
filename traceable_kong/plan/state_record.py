"""The record: what a stack deployed, as the data of a ConfigMap, and back. The one place that knows its keys.

It holds no secrets: everybody who may read ConfigMaps in the namespace may read it. What is None is an absent key.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any
from urllib.parse import urlsplit

from traceable_kong.cluster.kong_deployment import KongDeployment
from traceable_kong.cluster.ownership import RECORD_NAME
from traceable_kong.common.foreign_documents import UnreadableDocument, json_document
from traceable_kong.common.image_references import ImageReference, ImageReferenceError, parse_image, without_version
from traceable_kong.common.safe_text import PlainError, kind_of
from traceable_kong.kong_admin.admin_endpoint import endpoint_of
from traceable_kong.kong_admin.plugin_target import PluginTarget
from traceable_kong.plan.agent_model import ManagedAgent
from traceable_kong.plan.blocking_record import blocking_data
from traceable_kong.plan.kong_model import ExistingKong
from traceable_kong.plan.model import AdmissionPolicy, DesiredState, Gateway, Injection, Plan
from traceable_kong.plan.plugin_model import KongClusterPlugin, Plugin, PluginEntity
from traceable_kong.plan.release_model import HelmRelease

PROTECTED = "protected"
"""The key with the parts that the state protects against deletion: `agent`, `kong`, separated by commas."""

TRUSTED_TME_IMAGE = "trustedTmeImage"
"""The key with the registry and repository of the TME's image, which an existing agent may not change by itself."""

_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_KONG_NAME = re.compile(r"[^\s/?#%]+")
"""What the config accepts for a workspace, a route or a service: it becomes a part of a path of the Admin API."""


class UnreadableRecord(PlainError):
    """The record is not one that this program writes; the text says what is wrong with it."""


def record_data(plan: Plan) -> dict[str, str] | None:
    """The record's data; None where Traceable is uninstalled, because then there is no record."""
    if plan.gateway is None:
        return _agent_data(plan)
    state = plan.desired
    if state is None or not state.installed:
        return None
    return {**state_data(state), **_reported_data(plan, plan.gateway), **blocking_data(plan), **_protected_data(plan)}


def record_digest(data: Mapping[str, str]) -> str:
    """What the stack's output `recordDigest` says of the record that it wrote."""
    return hashlib.sha256(json.dumps(dict(data), sort_keys=True).encode()).hexdigest()


def state_of(namespace: str, data: Mapping[str, str]) -> DesiredState:
    """The desired state by a record in `namespace`. Raises UnreadableRecord.

    Other clients can write it: every value has its type, what becomes a part of a path or of a command is a name, and
    everything is in `namespace`.
    """
    try:
        deployment = KongDeployment(
            namespace=namespace, name=_name(data, "deployment"), container=_name(data, "container")
        )
        return DesiredState(
            deployment=deployment,
            release_name=_name(data, "release") if "release" in data else None,
            plugin=_plugin(data, deployment),
            files=_files(data),
            file_digests=_mapping(data["fileDigests"], "fileDigests"),
            injection=_injection(data),
            policy=_policy(data),
            agent_namespace=_name(data, "agentNamespace") if "agentNamespace" in data else None,
        )
    except (KeyError, TypeError):
        raise UnreadableRecord(
            f"The record {namespace}/{RECORD_NAME} was not written by this version of the program. Nothing was "
            "verified. `pulumi up` writes it again."
        ) from None
    except ValueError as problem:
        raise UnreadableRecord(
            f"The record {namespace}/{RECORD_NAME} cannot be read: {kind_of(problem)}. Nothing was verified. "
            "`pulumi up --refresh` writes it again."
        ) from None


# --- writing ---------------------------------------------------------------------------------------------------


def _agent_data(plan: Plan) -> dict[str, str]:
    agent = plan.agent
    assert isinstance(agent, ManagedAgent), "an agent-only stack manages its agent"
    return {
        "gateway": "false",
        "agentNamespace": agent.namespace,
        "endpoint": agent.endpoint,
        "tmeImage": str(agent.tme_image),
        **release_digests(agent.release),
        **_protected_data(plan),
    }


def state_data(state: DesiredState) -> dict[str, str]:
    """The part of the data that `state_of()` reads back."""
    data: dict[str, str | None] = {
        "release": state.release_name,
        "deployment": state.deployment.name,
        "container": state.deployment.container,
        "plugin": state.plugin.name,
        "loadedVersion": state.plugin.version,
        "enabled": "true" if state.plugin.enabled else "false",
        "scope": "global" if state.plugin.everywhere else "selected",
        "pluginConfig": _json(state.plugin.config),
        "files": _json(state.files),
        "fileDigests": _json(state.file_digests),
        "agentNamespace": state.agent_namespace,
    }
    if resource := state.plugin.custom_resource:
        data |= {"database": "off", "pluginObject": resource.name, "ingressClass": resource.ingress_class}
    if entity := state.plugin.entity:
        target = {item.name: getattr(entity.target, item.name) for item in fields(PluginTarget)}
        data |= {"database": "postgres", "pluginEntity": _json(target), "adminApi": _json(entity.endpoint.document())}
    if injection := state.injection:
        data["tmeImage"] = str(injection.image)
        data["injection"] = _json(
            {
                "label": dict(injection.label),
                "annotations": dict(injection.annotations),
                "webhook": injection.webhook,
                "webhookDomain": injection.webhook_domain,
                "agentRelease": injection.agent_release,
            }
        )
    if policy := state.policy:
        data["policy"] = _json({"name": policy.name, "action": policy.action, "spec": dict(policy.spec)})
    return {key: value for key, value in data.items() if value is not None}


def _reported_data(plan: Plan, gateway: Gateway) -> dict[str, str]:
    """What only people, and the next run's preflight, read."""
    kong = gateway.kong
    data = {
        "mode": gateway.plugin.mode,
        "endpoint": gateway.plugin.endpoint,
        "failMode": gateway.plugin.fail_mode,
        "rockVersion": gateway.rock.version,
        "rockSha256": gateway.rock.sha256,
    }
    if plan.agent_namespace is not None:
        data[TRUSTED_TME_IMAGE] = str(without_version(gateway.injection.image))
    if isinstance(plan.agent, ManagedAgent):
        data |= release_digests(plan.agent.release)
    if isinstance(kong, ExistingKong):
        data["filesMountedBy"] = "owner" if gateway.mounted_by_owner else "stack"
    else:
        data |= release_digests(kong.release)
    return data


def release_digests(release: HelmRelease) -> dict[str, str]:
    """What the record says of a Helm release: the digests of its chart and of its values."""
    return {f"{release.key}ChartDigest": release.chart_digest, f"{release.key}ValuesDigest": release.values_digest}


def _protected_data(plan: Plan) -> dict[str, str]:
    return {PROTECTED: ",".join(plan.protected)} if plan.protected else {}


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


# --- reading ---------------------------------------------------------------------------------------------------


def _plugin(data: Mapping[str, str], deployment: KongDeployment) -> Plugin:
    return Plugin(
        name=_name(data, "plugin"),
        version=data["loadedVersion"],
        enabled=_one_of(data, "enabled", "true", "false"),
        everywhere=_one_of(data, "scope", "global", "selected"),
        config=_config(data),
        backend=_backend(data, deployment),
    )


def _backend(data: Mapping[str, str], deployment: KongDeployment) -> KongClusterPlugin | PluginEntity:
    if not _one_of(data, "database", "postgres", "off"):
        return KongClusterPlugin(name=_name(data, "pluginObject"), ingress_class=data["ingressClass"])
    written, document = _mapping(data["pluginEntity"], "pluginEntity"), _mapping(data["adminApi"], "adminApi")
    target = PluginTarget(**{item.name: _string(written, item.name) for item in fields(PluginTarget)})
    endpoint = endpoint_of(document)
    if document != endpoint.document():
        raise _not_written("adminApi has values of other types")
    _checked(target.plugin, "the plugin of pluginEntity")
    for what, text in (("workspace", target.workspace), ("route", target.route), ("service", target.service)):
        if text and not _KONG_NAME.fullmatch(text):
            raise _not_written(f"{what} is not a name that Kong accepts")
    for secret in (endpoint.token_secret, endpoint.ca_secret):
        if secret:
            _checked(secret.name, "the name of a Secret")
    if endpoint.client_certificate_secret:
        _checked(endpoint.client_certificate_secret, "the name of a Secret")
    if (endpoint.deployment, endpoint.workspace) != (deployment, target.workspace):
        raise _not_written("its Admin API is not that of its own gateway")
    return PluginEntity(target=target, endpoint=endpoint)


def _config(data: Mapping[str, str]) -> dict[str, Any]:
    config = _mapping(data["pluginConfig"], "pluginConfig")
    endpoint = _string(config, "ext_cap_endpoint") if "ext_cap_endpoint" in config else ""
    try:
        # A port that is no number shows only when it is asked for.
        _ = urlsplit(endpoint).port
    except ValueError:
        raise _not_written("ext_cap_endpoint is not an address") from None
    return config


def _files(data: Mapping[str, str]) -> dict[str, str]:
    return {path: _checked(name, "a ConfigMap in files") for path, name in _mapping(data["files"], "files").items()}


def _policy(data: Mapping[str, str]) -> AdmissionPolicy | None:
    if "policy" not in data:
        return None
    written = _mapping(data["policy"], "policy")
    action, spec = written["action"], written["spec"]
    if action not in ("deny", "warn") or not isinstance(spec, dict):
        raise _not_written("policy is not an admission policy and its action")
    return AdmissionPolicy(name=_checked(written["name"], "the name of the policy"), action=action, spec=spec)


def _injection(data: Mapping[str, str]) -> Injection | None:
    if "injection" not in data:
        return None
    written = _mapping(data["injection"], "injection")
    for key in ("label", "annotations"):
        if not isinstance(written[key], dict) or not _are_strings(written[key].values()):
            raise _not_written(f"{key} of injection is not a map of strings")
    webhook, release, domain = written["webhook"], written["agentRelease"], written["webhookDomain"]
    return Injection(
        image=_image(data),
        label=written["label"],
        annotations=written["annotations"],
        webhook=None if webhook is None else _checked(webhook, "the name of the webhook"),
        webhook_domain=None if domain is None else _string(written, "webhookDomain"),
        agent_release=None if release is None else _checked(release, "the name of the Helm release"),
    )


def _image(data: Mapping[str, str]) -> ImageReference:
    try:
        return parse_image(data["tmeImage"])
    except ImageReferenceError:
        raise UnreadableDocument("tmeImage is not the name of an image") from None


def _name(data: Mapping[str, str], key: str) -> str:
    return _checked(data[key], key)


def _checked(text: Any, what: str) -> str:
    """A name as Kubernetes gives them to objects and containers."""
    if not isinstance(text, str) or not _NAME.fullmatch(text):
        raise _not_written(f"{what} is not a name")
    return text


def _one_of(data: Mapping[str, str], key: str, yes: str, no: str) -> bool:
    if data[key] not in (yes, no):
        raise _not_written(f"{key} is neither {yes} nor {no}")
    return data[key] == yes


def _mapping(text: str, what: str) -> dict[str, Any]:
    value = json_document(text)
    if not isinstance(value, dict):
        raise UnreadableDocument(f"{what} is not an object")
    return value


def _string(written: Mapping[str, Any], key: str) -> str:
    value = written[key]
    if not isinstance(value, str):
        raise _not_written(f"{key} is not a string")
    return value


def _are_strings(values: Iterable[Any]) -> bool:
    return all(isinstance(value, str) for value in values)


def _not_written(what: str) -> UnreadableRecord:
    return UnreadableRecord(
        f"The record is not what a stack writes: {what}. Nothing was verified. `pulumi up --refresh` writes it again."
    )
