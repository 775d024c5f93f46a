"""The options of the invoke `kubernetes:helm:template`: parsed from `jsonOpts`, and rejected if not supported.

Names and types are those of `HelmChartOpts` and `HelmFetchOpts` in provider/pkg/provider/invoke_helm_template.go. The
official plugin ignores the options in `_NO_EFFECT`, which the SDKs' `helm.v3.Chart` sends too. It also ignores unknown
options; here they are an error.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn
from urllib.parse import urlsplit

from local.provider.kubernetes.provider_errors import ProviderError

_TEXT, _SWITCH, _TEXTS, _MAP = "string", "bool", "[]string", "map[string]interface {}"

_FETCH_OPTIONS = {
    **dict.fromkeys(("ca_file", "cert_file", "home", "key_file", "keyring", "password"), _TEXT),
    **dict.fromkeys(("repo", "username", "version"), _TEXT),
    **dict.fromkeys(("devel", "verify"), _SWITCH),
}
_OPTIONS = {
    **dict.fromkeys(("chart", "namespace", "path", "release_name", "repo", "version"), _TEXT),
    **dict.fromkeys(("helm_registry_config", "kube_version"), _TEXT),
    **dict.fromkeys(("include_test_hook_resources", "skip_crd_rendering", "helm_chart_debug"), _SWITCH),
    "api_versions": _TEXTS,
    "values": _MAP,
}
_NO_EFFECT = {"resource_prefix", "skip_await", "transformations"}
_NO_EFFECT_FETCH = {"destination", "prov", "untar", "untar_dir"}

_JSON_TYPES: dict[type, str] = {str: "string", bool: "bool", list: "array", dict: "object"}
_ZEROS: dict[str, Any] = {_TEXT: "", _SWITCH: False, _TEXTS: (), _MAP: {}}


@dataclass(frozen=True, kw_only=True)
class FetchOptions:
    """How a chart is downloaded. `repo` is the URL of a repository."""

    ca_file: str = ""
    cert_file: str = ""
    devel: bool = False
    home: str = ""
    key_file: str = ""
    keyring: str = ""
    password: str = field(default="", repr=False)
    repo: str = ""
    username: str = ""
    verify: bool = False
    version: str = ""


@dataclass(frozen=True, kw_only=True)
class TemplateOptions:
    """Which chart is rendered, and how. `path` is a local chart; `repo` is the name of a repository."""

    api_versions: tuple[str, ...] = ()
    chart: str = ""
    fetch: FetchOptions = FetchOptions()
    helm_registry_config: str = ""
    include_test_hook_resources: bool = False
    kube_version: str = ""
    namespace: str = ""
    path: str = ""
    release_name: str = ""
    repo: str = ""
    skip_crd_rendering: bool = False
    values: Mapping[str, Any] = field(default_factory=dict, repr=False)
    version: str = ""


def parse(arguments: Mapping[str, Any]) -> TemplateOptions:
    """Returns the options from the arguments of the invoke, without secret marks. Raises ProviderError."""
    text = arguments.get("jsonOpts")
    if not isinstance(text, str):
        raise ProviderError("missing required field 'jsonOpts' of type string")
    try:
        given = json.loads(text, parse_constant=_reject_number, parse_float=_float)
    except ValueError as problem:
        raise _malformed(str(problem)) from None
    if not isinstance(given, dict | None):
        raise _malformed(f"json: cannot unmarshal {_type_name(given)} into Go value of type provider.HelmChartOpts")
    given = given or {}
    fetch = given.pop("fetch_opts", None)
    if not isinstance(fetch, dict | None):
        raise _mistyped(fetch, "fetch_opts", "provider.HelmFetchOpts")
    options = _typed(given, _OPTIONS, _NO_EFFECT, "")
    _reject_unsupported(options)
    del options["helm_chart_debug"]
    fetched = FetchOptions(**_typed(fetch or {}, _FETCH_OPTIONS, _NO_EFFECT_FETCH, "fetch_opts."))
    _reject_credentials(options, fetched)
    return TemplateOptions(**options, fetch=fetched)


def _typed(given: Mapping[str, Any], known: Mapping[str, str], no_effect: set[str], prefix: str) -> dict[str, Any]:
    """Returns a value for each known option. null is the zero value of the type."""
    for name in given:
        if name not in known and name not in no_effect:
            raise ProviderError(f"the stand-in kubernetes plugin knows no option '{prefix}{name}' of helm:template")
    return {name: _value(given.get(name), prefix + name, kind) for name, kind in known.items()}


def _value(value: Any, name: str, kind: str) -> Any:
    if value is None:
        return _ZEROS[kind]
    if kind == _TEXTS:
        if not isinstance(value, list):
            raise _mistyped(value, name, kind)
        return tuple(_value(item, name, _TEXT) for item in value)
    expected = {_TEXT: str, _SWITCH: bool, _MAP: dict}[kind]
    if not isinstance(value, expected):
        raise _mistyped(value, name, kind)
    return value


def _reject_unsupported(options: Mapping[str, Any]) -> None:
    if options["helm_chart_debug"]:
        raise ProviderError(
            "the stand-in kubernetes plugin does not support 'helm_chart_debug'; use the official plugin"
        )
    for version in options["api_versions"]:
        if any(character in version for character in ',"\n'):
            raise ProviderError(
                "the stand-in kubernetes plugin does not support commas, quotes and line breaks in 'api_versions'"
            )


def _reject_credentials(options: Mapping[str, Any], fetch: FetchOptions) -> None:
    """Rejects credentials that helm could only get in its arguments, where every user of the machine sees them."""
    for name, url in (("chart", options["chart"]), ("fetch_opts.repo", fetch.repo)):
        if "@" in urlsplit(url).netloc:
            raise ProviderError(
                f"the stand-in kubernetes plugin does not support a user or password in the URL of '{name}'; set "
                "'fetch_opts.username' and 'fetch_opts.password'"
            )
    local = bool(options["path"]) or options["chart"].startswith("oci://")
    if fetch.password and not fetch.repo and not local:
        raise ProviderError(
            "the stand-in kubernetes plugin supports 'fetch_opts.password' only together with 'fetch_opts.repo'"
        )


def _reject_number(name: str) -> NoReturn:
    raise ValueError(f"invalid number {name}")


def _float(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        _reject_number(text)
    return number


def _type_name(value: Any) -> str:
    return _JSON_TYPES.get(type(value), "number")


def _malformed(reason: str) -> ProviderError:
    return ProviderError(f"failed to unmarshal 'jsonOpts': {reason}")


def _mistyped(value: Any, name: str, expected: str) -> ProviderError:
    return _malformed(
        f"json: cannot unmarshal {_type_name(value)} into Go struct field HelmChartOpts.{name} of type {expected}"
    )
