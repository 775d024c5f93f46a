"""Reads Helm's releases: their revisions, their owner, and whether they serve.

Helm keeps each revision in a Secret `sh.helm.release.v1.<name>.v<revision>`; status and revision are its labels
(https://helm.sh/docs/topics/advanced/#storage-backends).
"""

import base64
import binascii
import json
import zlib
from dataclasses import dataclass, field

from traceable_kong.cluster.api_objects import Reader, annotations_of, deployments, labels_of, name_of, secrets
from traceable_kong.cluster.kubernetes_client import Document
from traceable_kong.cluster.ownership import release_owner_values

LARGEST_DOCUMENT_BYTES = 64 * 1024 * 1024
"""Of a release without compression. A Secret has at most 1 MiB, which could be a thousand times as much."""

Revisions = dict[int, str]
"""Status by revision."""

UNFINISHED_UPGRADES = ("pending-upgrade", "pending-rollback")
"""Helm refuses to change these: `another operation (install/upgrade/rollback) is in progress`."""

IN_PROGRESS = (*UNFINISHED_UPGRADES, "pending-install", "uninstalling")
"""What Helm records during an operation, and what an interrupted operation leaves for ever."""


@dataclass(frozen=True, kw_only=True)
class ReleaseHistory:
    """Helm's revisions of a release; `secret` is the path of the Secret with the newest one."""

    revisions: Revisions
    secret: str

    @property
    def status(self) -> str:
        """The newest revision's."""
        return self.revisions[max(self.revisions)]


def releases_in(reader: Reader, namespace: str) -> dict[str, ReleaseHistory]:
    """Every Helm release in a namespace by name."""
    by_name: dict[str, dict[int, Document]] = {}
    for item in reader.list(secrets(namespace), metadata_only=True, labelSelector="owner=helm"):
        name, version = labels_of(item).get("name", ""), labels_of(item).get("version", "")
        # Helm numbers its revisions. Other Secrets with Helm's labels are not Helm's.
        if version.isdecimal():
            by_name.setdefault(name, {})[int(version)] = item
    return {
        name: ReleaseHistory(
            revisions={number: labels_of(item).get("status", "") for number, item in found.items()},
            secret=f"{secrets(namespace)}/{name_of(found[max(found)])}",
        )
        for name, found in by_name.items()
    }


@dataclass(frozen=True, kw_only=True)
class NewestRevision:
    """The newest revision of a release. `owner` is the stack that its values name, None if they name none."""

    revisions: Revisions
    secret: Document = field(repr=False)
    owner: str | None

    @property
    def revision(self) -> int:
        return max(self.revisions)

    @property
    def status(self) -> str:
        return self.revisions[self.revision]


def newest_revision(reader: Reader, namespace: str, name: str) -> NewestRevision | None:
    """The newest revision of a release, None if there is no such release."""
    history = releases_in(reader, namespace).get(name)
    secret = reader.get(history.secret) if history else None
    if history is None or secret is None:
        return None
    return NewestRevision(revisions=history.revisions, secret=secret, owner=owner_of(secret))


def serving(reader: Reader, namespace: str, name: str) -> list[str]:
    """The Deployments of a Helm release that have ready pods.

    Helm annotates its objects with their release (https://helm.sh/docs/faq/changes_since_helm2/, ownership).
    """
    return [
        name_of(item)
        for item in reader.list(deployments(namespace))
        if annotations_of(item).get("meta.helm.sh/release-name") == name
        and int((item.get("status") or {}).get("readyReplicas") or 0) > 0
    ]


def owner_of(secret: Document) -> str | None:
    """The stack that a release's values name as its owner."""
    value: object = release_document(secret).get("config")
    (key, below), *_ = release_owner_values("").items()
    for part in (key, *below, "stack"):
        value = value.get(part) if isinstance(value, dict) else None
    return value if isinstance(value, str) else None


def release_document(secret: Document) -> Document:
    """Helm's document in a Secret (base64 of base64 of gzipped JSON), {} if it cannot be read.

    Anyone who may write Secrets in the namespace can have written it: its values can have any type.
    """
    try:
        packed = base64.b64decode(base64.b64decode((secret.get("data") or {}).get("release") or ""))
        document = json.loads(_unpacked(packed) if packed[:2] == b"\x1f\x8b" else packed)
    except (binascii.Error, ValueError, RecursionError, zlib.error):
        return {}
    return document if isinstance(document, dict) else {}


def _unpacked(packed: bytes) -> bytes:
    """What is compressed with gzip. Raises ValueError where it is incomplete or too large."""
    reader = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    document = reader.decompress(packed, LARGEST_DOCUMENT_BYTES)
    if not reader.eof:
        raise ValueError("not a complete document")
    return document
