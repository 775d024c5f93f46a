"""The properties of a Release, their defaults, and the values merged from files and inputs.

Names are those of https://www.pulumi.com/registry/packages/kubernetes/api-docs/helm/v3/release/. A property that is not
given is recorded with its zero value, as by the official plugin.
"""

import os
from collections.abc import Mapping
from typing import Any

import yaml

from local.provider.kubernetes.provider_context import Context
from local.provider.kubernetes.provider_errors import ProviderError
from local.provider.property_values import UNKNOWN, Asset, plain

DEFAULT_TIMEOUT_SECONDS = 300

OUTPUTS = ("resourceNames", "status")

_TEXTS = ("chart", "description", "keyring", "name", "namespace", "postrender", "version")
_SWITCHES = (
    *("allowNullValues", "atomic", "cleanupOnFail", "createNamespace", "dependencyUpdate", "devel", "disableCRDHooks"),
    *("disableOpenapiValidation", "disableWebhooks", "forceUpdate", "lint", "recreatePods", "renderSubchartNotes"),
    *("replace", "resetValues", "reuseValues", "skipCrds", "verify", "skipAwait", "waitForJobs"),
)
_REPOSITORY_TEXTS = ("repo", "caFile", "certFile", "keyFile", "password", "username")


def set_defaults(context: Context, given: dict[str, Any]) -> None:
    """Sets namespace, timeout and keyring if they are not given."""
    if given.get("namespace") in (None, ""):
        given["namespace"] = context.default_namespace
    if not given.get("skipAwait") and "timeout" not in given:
        given["timeout"] = DEFAULT_TIMEOUT_SECONDS
    if given.get("verify") is True and not given.get("keyring"):
        given["keyring"] = os.path.expandvars("$HOME/.gnupg/pubring.gpg")


def decode(given: Mapping[str, Any]) -> dict[str, Any]:
    """Returns all properties of a release, with zero values for missing ones. Value files are merged into the
    values.
    """
    known = plain(given)
    release: dict[str, Any] = {name: known.get(name) or "" for name in _TEXTS}
    release |= {name: known.get(name) or False for name in _SWITCHES}
    release["timeout"] = known.get("timeout") or 0
    if known.get("maxHistory") is not None:
        release["maxHistory"] = known["maxHistory"]
    options = known.get("repositoryOpts")
    if options is UNKNOWN:
        release["repositoryOpts"] = UNKNOWN
    elif options is not None:
        release["repositoryOpts"] = {name: options.get(name) or "" for name in _REPOSITORY_TEXTS}
    values: dict[str, Any] = {}
    for file in known.get("valueYamlFiles") or []:
        if not isinstance(file, Asset):
            raise ProviderError("unsupported type for 'valueYamlFiles' arg: they must be assets")
        values = merged(values, yaml.safe_load(file.read()) or {})
    own = known.get("values")
    release["values"] = UNKNOWN if own is UNKNOWN else merged(values, own or {})
    for name in OUTPUTS:
        if name in known:
            release[name] = known[name]
    return release


def merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a deep merge of both. `other` wins."""
    result = dict(one)
    for key, value in other.items():
        before = result.get(key)
        both = isinstance(before, Mapping) and isinstance(value, Mapping)
        result[key] = merged(before, value) if both else value  # type: ignore[arg-type]
    return result
