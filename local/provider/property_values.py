"""Property values as protobuf structs and as plain Python, including secrets and unknown values.

In Python they are dict, list, str, bool, int, float and None. A secret is a `Secret`, an unknown value is `UNKNOWN`, an
asset is an `Asset`. The model of `pulumi.provider.experimental` has no unknown values, so it is not used. The
signatures are those of `pulumi/runtime/rpc.py` in the Python SDK.
"""

import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from google.protobuf import struct_pb2

_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"
_OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
_ASSET = "c44067f5952c0a294b673a41bacd8c17"
_RESOURCE = "5cf8f73096256a8f31e491e813e4eb8e"

_UNKNOWN_STRING = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_UNKNOWNS = {
    _UNKNOWN_STRING,
    "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
    "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
    "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
    "030794c1-ac77-496b-92df-f27374a8bd58",
    "e48ece36-62e2-4504-bad9-02848725956a",
    "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
}

ASSET_TIMEOUT_SECONDS = 60


class _Unknown:
    """The type of `UNKNOWN`, a value that is not known in a preview."""

    def __repr__(self) -> str:
        return "UNKNOWN"

    def __deepcopy__(self, memo: dict[int, Any]) -> "_Unknown":
        return self

    def __copy__(self) -> "_Unknown":
        return self


UNKNOWN: Final = _Unknown()


@dataclass(frozen=True)
class Secret:
    """A value that the engine encrypts in the state and hides in its output."""

    value: Any

    def __repr__(self) -> str:
        return "Secret(...)"


@dataclass(frozen=True)
class Asset:
    """A file, a text or a URL, with the fields of its struct."""

    fields: dict[str, Any]

    def read(self) -> str:
        """Returns the content as text. Raises OSError."""
        if self.fields.get("path"):
            return Path(self.fields["path"]).read_text()
        if self.fields.get("uri"):
            with urllib.request.urlopen(self.fields["uri"], timeout=ASSET_TIMEOUT_SECONDS) as answer:
                return bytes(answer.read()).decode()
        return str(self.fields.get("text", ""))


def decode(struct: struct_pb2.Struct) -> dict[str, Any]:
    """Converts a struct to Python. The keys are sorted, because a struct has no order."""
    return {key: _decode(struct.fields[key]) for key in sorted(struct.fields)}


def _decode(value: struct_pb2.Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return UNKNOWN if value.string_value in _UNKNOWNS else value.string_value
    if kind == "bool_value":
        return value.bool_value
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    if kind == "list_value":
        return [_decode(item) for item in value.list_value.values]
    if kind == "struct_value":
        return _decode_struct(value.struct_value)
    return None


def _decode_struct(struct: struct_pb2.Struct) -> Any:
    fields = struct.fields
    signature = fields[_SIGNATURE].string_value if _SIGNATURE in fields else None
    if signature is None:
        return decode(struct)
    if signature == _SECRET:
        return Secret(_decode(fields["value"]))
    if signature == _OUTPUT:
        inner = _decode(fields["value"]) if "value" in fields else UNKNOWN
        return Secret(inner) if "secret" in fields and fields["secret"].bool_value else inner
    if signature == _ASSET:
        return Asset({key: _decode(item) for key, item in fields.items() if key != _SIGNATURE})
    if signature == _RESOURCE:
        return _decode(fields["id"]) if "id" in fields else fields["urn"].string_value
    raise ValueError(f"a property value with the signature {signature} is not supported by the stand-in plugin")


def encode(values: Mapping[str, Any]) -> struct_pb2.Struct:
    """Plain Python as a struct for the engine."""
    return struct_pb2.Struct(fields={key: _encode(value) for key, value in values.items()})


def _encode(value: Any) -> struct_pb2.Value:
    if value is None:
        return struct_pb2.Value(null_value=struct_pb2.NULL_VALUE)
    if value is UNKNOWN:
        return struct_pb2.Value(string_value=_UNKNOWN_STRING)
    if isinstance(value, bool):
        return struct_pb2.Value(bool_value=value)
    if isinstance(value, int | float):
        return struct_pb2.Value(number_value=float(value))
    if isinstance(value, str):
        return struct_pb2.Value(string_value=value)
    if isinstance(value, Secret):
        return _signed(_SECRET, {"value": value.value})
    if isinstance(value, Asset):
        return _signed(_ASSET, value.fields)
    if isinstance(value, Mapping):
        return struct_pb2.Value(struct_value=encode(value))
    if isinstance(value, list | tuple):
        return struct_pb2.Value(list_value=struct_pb2.ListValue(values=[_encode(item) for item in value]))
    raise ValueError(f"a value of type {type(value).__name__} cannot be a property")


def _signed(signature: str, fields: Mapping[str, Any]) -> struct_pb2.Value:
    return struct_pb2.Value(struct_value=encode({_SIGNATURE: signature, **fields}))


def plain(value: Any) -> Any:
    """Returns a copy without secret marks. Unknown values stay."""
    if isinstance(value, Secret):
        return plain(value.value)
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def has_unknown(value: Any) -> bool:
    """Returns True if any part of the value is unknown."""
    if value is UNKNOWN:
        return True
    if isinstance(value, Secret):
        return has_unknown(value.value)
    if isinstance(value, Mapping):
        return any(has_unknown(item) for item in value.values())
    if isinstance(value, list):
        return any(has_unknown(item) for item in value)
    return False


def has_secret(value: Any) -> bool:
    """Returns True if any part of the value is secret."""
    if isinstance(value, Secret):
        return True
    if isinstance(value, Mapping):
        return any(has_secret(item) for item in value.values())
    if isinstance(value, list):
        return any(has_secret(item) for item in value)
    return False


def mark_secrets(outputs: dict[str, Any], inputs: Mapping[str, Any] | None) -> dict[str, Any]:
    """Marks the outputs as secret whose inputs are secret, by leaf. Lists are marked as a whole.

    The data of a Secret is always secret (`annotateSecrets` in provider/pkg/provider/provider.go).
    """
    if outputs.get("kind") == "Secret":
        return {key: _secret(item) if key in ("data", "stringData") else item for key, item in outputs.items()}
    marked = dict(outputs)
    for key, given in (inputs or {}).items():
        if key not in marked:
            continue
        value = marked[key]
        if isinstance(value, Mapping) and isinstance(given, Mapping):
            marked[key] = mark_secrets(dict(value), given)
        elif has_secret(given):
            marked[key] = _secret(value)
    return marked


def _secret(value: Any) -> Secret:
    return value if isinstance(value, Secret) else Secret(value)


def mark_unknowns(outputs: Any, inputs: Any) -> Any:
    """Makes the outputs unknown whose inputs are unknown."""
    if isinstance(inputs, Secret):
        return mark_unknowns(outputs, inputs.value)
    if inputs is UNKNOWN:
        return UNKNOWN
    if isinstance(outputs, Mapping) and isinstance(inputs, Mapping):
        return {key: mark_unknowns(item, inputs[key]) if key in inputs else item for key, item in outputs.items()}
    if isinstance(outputs, list) and isinstance(inputs, list):
        return [
            mark_unknowns(item, inputs[place]) if place < len(inputs) else item for place, item in enumerate(outputs)
        ]
    return outputs
