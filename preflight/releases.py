"""Helm releases of our names: whose they are, and whether an interrupted operation left one that Helm refuses to touch.

Helm keeps each revision in a Secret `sh.helm.release.v1.<name>.v<revision>`; status and revision are its labels
(https://helm.sh/docs/topics/advanced/#storage-backends). Leaves out the mending (mending.py).
"""

import base64
import binascii
import gzip
import json
import zlib
from collections.abc import Iterator

from kube import Document
from ownership import release_mark
from preflight.finding import DeadRelease, Finding, Found
from preflight.intent import Intent
from preflight.looks import Looks, labels_of, name_of, secrets

Revisions = dict[int, str]
"""Status by revision."""

UNFINISHED_UPGRADES = ("pending-upgrade", "pending-rollback")
"""`another operation (install/upgrade/rollback) is in progress`, for ever."""


def release_is_ours_and_alive(looks: Looks, intent: Intent, *, namespace: str, name: str, key: str) -> Iterator[Found]:
    """A release of our name carries this stack's mark, and Helm can go on with it."""
    found = looks.list(secrets(namespace), metadata_only=True, labelSelector=f"owner=helm,name={name}")
    revisions = {
        int(labels_of(item).get("version", "0")): (labels_of(item).get("status", ""), name_of(item)) for item in found
    }
    if not revisions:
        return
    newest = max(revisions)
    secret = looks.get(f"{secrets(namespace)}/{revisions[newest][1]}")
    if secret is None:
        return
    if _owner(secret) != intent.owner:
        yield Finding(
            subject=f"Helm release {name} in namespace {namespace}",
            wrong="is there without this stack's mark: somebody else installed it, or changed it by hand since. The "
            "stack would take over what is theirs, and uninstall it in the end",
            mend=f"another {key}.namespace{' or kong.release' if key == 'kong' else ''}; or, if it was this stack's, "
            f"`helm history {name} --namespace {namespace}` and `helm rollback` to a revision of this stack",
        )
        return
    dead = dead_release(namespace, name, {number: status for number, (status, _) in revisions.items()})
    if dead:
        yield dead


def dead_release(namespace: str, name: str, revisions: Revisions) -> DeadRelease | None:
    """How a release of ours is brought back to where Helm can go on; None where it can. Pure.

    - an upgrade that did not end goes back to the revision that was deployed before it;
    - a removal that did not end is taken back, because the state still has the release: what is missing of it comes
      back with its own last revision, and a `destroy` removes it again;
    - an install that did not end, or failed and was not cleaned up, or a name that Helm keeps of a release that is
      gone, is removed: nothing ever stood, or nothing does.
    """
    newest = max(revisions)
    status = revisions[newest]
    stood = [number for number, was in revisions.items() if was == "deployed"] or [
        number for number, was in revisions.items() if was == "superseded"
    ]
    restore: int | None
    if status in UNFINISHED_UPGRADES:
        restore = max(stood, default=None)
    elif status == "uninstalling":
        restore = newest
    elif status in ("pending-install", "uninstalled") or (status == "failed" and not stood):
        restore = None
    else:
        return None
    return DeadRelease(namespace=namespace, name=name, status=status, revision=newest, restore=restore)


def _owner(secret: Document) -> str | None:
    """The stack whose mark a release's own values carry."""
    value: object = _release(secret).get("config")
    (key, below), *_ = release_mark("").items()
    for part in (key, *below, "stack"):
        value = value.get(part) if isinstance(value, dict) else None
    return value if isinstance(value, str) else None


def _release(secret: Document) -> Document:
    """Helm's document: base64 in the Secret's base64, gzip, JSON; {} where it is no such thing."""
    try:
        packed = base64.b64decode(base64.b64decode((secret.get("data") or {}).get("release") or ""))
        document = json.loads(gzip.decompress(packed) if packed[:2] == b"\x1f\x8b" else packed)
    except (binascii.Error, ValueError, OSError, EOFError, zlib.error):
        return {}
    return document if isinstance(document, dict) else {}
