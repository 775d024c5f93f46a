"""Names, namespaces and `pulumi.com/` annotations of an object.

Annotations: https://www.pulumi.com/registry/packages/kubernetes/how-to-guides/annotations/ and
provider/pkg/metadata/annotations.go. Autonaming: provider/pkg/metadata/naming.go.
"""

import random
from collections.abc import Mapping
from typing import Any

from local.provider.property_values import UNKNOWN

AUTONAMED = "pulumi.com/autonamed"
SKIP_AWAIT = "pulumi.com/skipAwait"
WAIT_FOR = "pulumi.com/waitFor"
TIMEOUT_SECONDS = "pulumi.com/timeoutSeconds"
REPLACE_UNREADY = "pulumi.com/replaceUnready"
PATCH_FORCE = "pulumi.com/patchForce"
PATCH_FIELD_MANAGER = "pulumi.com/patchFieldManager"
DELETION_PROPAGATION = "pulumi.com/deletionPropagationPolicy"
HELM_HOOK = "helm.sh/hook"

DEFAULT_TIMEOUT_SECONDS = 600.0

FIELD_MANAGER_PREFIX = "pulumi-kubernetes-"
CREATE_FIELD_MANAGER = "pulumi-kubernetes"

_SUFFIX_LENGTH = 8


def metadata(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Returns the object's metadata, empty if it is missing or unknown."""
    found = document.get("metadata")
    return found if isinstance(found, Mapping) else {}


def name(document: Mapping[str, Any]) -> str:
    """Returns the object's name, empty if it is missing or unknown."""
    return _text(metadata(document).get("name"))


def namespace(document: Mapping[str, Any]) -> str:
    """Returns the object's namespace, empty if it is missing or unknown."""
    return _text(metadata(document).get("namespace"))


def annotation(document: Mapping[str, Any], key: str) -> str:
    """Returns an annotation, empty if it is missing."""
    annotations = metadata(document).get("annotations")
    return _text(annotations.get(key)) if isinstance(annotations, Mapping) else ""


def is_true(document: Mapping[str, Any], key: str) -> bool:
    """Returns True if an annotation is `true`."""
    return annotation(document, key) == "true"


def is_named(document: Mapping[str, Any]) -> bool:
    """Returns True if the object has a name, known or unknown."""
    return metadata(document).get("name") is UNKNOWN or bool(name(document))


def generates_name(document: Mapping[str, Any]) -> bool:
    """Returns True if the API server chooses the name."""
    return not is_named(document) and bool(metadata(document).get("generateName"))


def set_autonamed(document: dict[str, Any], chosen: str) -> None:
    """Sets a name and marks it as chosen by the plugin."""
    known = document.setdefault("metadata", {})
    if not isinstance(known, dict):
        return
    known["name"] = chosen
    annotations = known.setdefault("annotations", {})
    if isinstance(annotations, dict):
        annotations[AUTONAMED] = "true"


def unique_name(prefix: str, seed: bytes = b"") -> str:
    """Returns the prefix with eight hexadecimal digits, random or from the seed."""
    digits = random.Random(seed) if seed else random.SystemRandom()
    return prefix + "".join(digits.choices("0123456789abcdef", k=_SUFFIX_LENGTH))


def timeout_seconds(document: Mapping[str, Any], custom_seconds: float) -> float:
    """Returns how long to wait for an object: the resource option, else the annotation, else ten minutes."""
    if custom_seconds:
        return custom_seconds
    try:
        return float(int(annotation(document, TIMEOUT_SECONDS)))
    except ValueError:
        return DEFAULT_TIMEOUT_SECONDS


def propagation(document: Mapping[str, Any]) -> str:
    """Returns the deletion propagation: `Foreground`, unless the annotation says otherwise."""
    wanted = annotation(document, DELETION_PROPAGATION).lower()
    return {"orphan": "Orphan", "background": "Background"}.get(wanted, "Foreground")


def identifier(document: Mapping[str, Any]) -> str:
    """Returns a resource's id: `namespace/name`, or the name alone."""
    return f"{namespace(document)}/{name(document)}" if namespace(document) else name(document)


def parse_identifier(text: str) -> tuple[str, str]:
    """Returns namespace (empty if there is none) and name of an id."""
    first, separator, rest = text.partition("/")
    return (first, rest.partition("/")[0]) if separator else ("", first)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
