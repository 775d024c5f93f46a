"""Normalizes inputs to the form that the API server returns, so that equal objects do not differ.

The official plugin converts built-in objects to their Go types and back (`Normalize` in
provider/pkg/clients/unstructured.go). This module normalizes what is common in practice: a Secret's `stringData`,
quantities, a CRD's `status`, and read-only metadata. Zero values, which Go drops, are not removed.
"""

import base64
import binascii
import copy
import re
from collections.abc import Mapping
from decimal import ROUND_CEILING, Decimal
from typing import Any

from local.provider.kubernetes.api_discovery import is_built_in, is_crd
from local.provider.property_values import has_unknown

_READ_ONLY = (
    *("creationTimestamp", "deletionGracePeriodSeconds", "deletionTimestamp", "generation", "managedFields"),
    *("resourceVersion", "uid"),
)

_QUANTITY_MAPS = {"limits", "requests", "hard", "capacity", "allocatable", "default", "defaultRequest", "max", "min"}
_QUANTITY_LEAVES = {"sizeLimit"}

_QUANTITY = re.compile(r"^([+-]?\d+(?:\.\d*)?|[+-]?\.\d+)(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]|[eE][+-]?\d+)?$")
_BINARY = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
_DECIMAL = {-9: "n", -6: "u", -3: "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T", 15: "P", 18: "E"}


def normalized(document: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a normalized copy. If any input is unknown, only read-only metadata is removed."""
    result = copy.deepcopy(dict(document))
    if not has_unknown(result) and is_built_in(str(result.get("apiVersion", ""))) and result.get("kind"):
        if result.get("apiVersion") == "v1" and result.get("kind") == "Secret":
            _normalize_secret(result)
        elif is_crd(result):
            _normalize_crd(result)
        else:
            result = _with_quantities(result)
    metadata = result.get("metadata")
    if isinstance(metadata, dict):
        for name in _READ_ONLY:
            metadata.pop(name, None)
    return result


def _normalize_secret(secret: dict[str, Any]) -> None:
    texts = secret.get("stringData")
    data = dict(secret.get("data") or {})
    if texts:
        data.update({name: base64.b64encode(str(text).encode()).decode() for name, text in texts.items()})
        secret["data"] = data
        del secret["stringData"]
        return
    for name, value in data.items():
        if isinstance(value, str):
            try:
                data[name] = base64.b64encode(base64.b64decode(value)).decode()
            except (binascii.Error, ValueError):
                continue
    if data:
        secret["data"] = data


def _normalize_crd(definition: dict[str, Any]) -> None:
    definition.pop("status", None)
    spec = definition.get("spec")
    if isinstance(spec, dict) and spec.get("preserveUnknownFields") is False:
        del spec["preserveUnknownFields"]


def _with_quantities(value: Any, name: str = "") -> Any:
    if isinstance(value, Mapping):
        if name in _QUANTITY_MAPS and value and all(isinstance(item, str | int | float) for item in value.values()):
            return {key: quantity(item) for key, item in value.items()}
        return {key: _with_quantities(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_quantities(item) for item in value]
    return quantity(value) if name in _QUANTITY_LEAVES else value


def quantity(value: Any) -> Any:
    """Returns a resource quantity in canonical form: `0.5` is `500m`, `1000m` is `1`, `1024Mi` is `1Gi`.

    https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return value
    match = _QUANTITY.match(str(value))
    if not match:
        return value
    number, suffix = Decimal(match[1]), match[2] or ""
    if suffix in _BINARY and suffix:
        return _binary(number, _BINARY.index(suffix))
    if suffix[:1] in ("e", "E") and len(suffix) > 1:
        return value
    exponent = next(power for power, name in _DECIMAL.items() if name == suffix)
    return _decimal(number * Decimal(10) ** exponent)


def _binary(number: Decimal, power: int) -> str:
    total = number * 1024**power
    if total != total.to_integral_value():
        return _decimal(total)
    whole = int(total)
    power = 0
    while whole and whole % 1024 == 0 and power < len(_BINARY) - 1:
        whole //= 1024
        power += 1
    return f"{whole}{_BINARY[power]}"


def _decimal(total: Decimal) -> str:
    nano = int((total * 10**9).to_integral_value(rounding=ROUND_CEILING))
    power = -9
    while nano and nano % 1000 == 0 and power < 18:
        nano //= 1000
        power += 3
    return "0" if nano == 0 else f"{nano}{_DECIMAL[power]}"
