"""Helm releases of our names: whose they are, and whether an interrupted operation left one that Helm refuses to touch.

Helm keeps each revision in a Secret `sh.helm.release.v1.<name>.v<revision>`; status and revision are its labels
(https://helm.sh/docs/topics/advanced/#storage-backends).
"""

import base64
import binascii
import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from traceable_kong.cluster.kubernetes_client import Document
from traceable_kong.cluster.ownership import handover_label, release_owner_values
from traceable_kong.preflight.cached_reader import (
    CLUSTER_ROLES,
    CachedReader,
    Reader,
    annotations_of,
    labels_of,
    name_of,
    secrets,
)
from traceable_kong.preflight.finding import Finding, Found, StuckRelease
from traceable_kong.preflight.intent import AloneIntent, Intent

Revisions = dict[int, str]
"""Status by revision."""

UNFINISHED_UPGRADES = ("pending-upgrade", "pending-rollback")
"""`another operation (install/upgrade/rollback) is in progress`, for ever."""

IN_PROGRESS = (*UNFINISHED_UPGRADES, "pending-install", "uninstalling")
"""What Helm records while it works, and what an operation that was killed leaves for ever."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What Helm knows of a release: `revisions`, and the `secret` that holds the newest."""

    revisions: Revisions
    secret: str

    @property
    def status(self) -> str:
        """The newest revision's."""
        return self.revisions[max(self.revisions)]


def standing_in(looks: Reader, namespace: str) -> dict[str, Standing]:
    """Every Helm release in a namespace, whoever made it, by its name."""
    by_name: dict[str, dict[int, Document]] = {}
    for item in looks.list(secrets(namespace), metadata_only=True, labelSelector="owner=helm"):
        name, version = labels_of(item).get("name", ""), labels_of(item).get("version", "")
        # Helm counts; anything else is a Secret with Helm's labels that Helm did not write.
        if version.isdecimal():
            by_name.setdefault(name, {})[int(version)] = item
    return {
        name: Standing(
            revisions={number: labels_of(item).get("status", "") for number, item in found.items()},
            secret=f"{secrets(namespace)}/{name_of(found[max(found)])}",
        )
        for name, found in by_name.items()
    }


@dataclass(frozen=True, kw_only=True)
class Newest:
    """The newest revision of a release: `secret` holds it, `owner` is the stack whose mark it carries."""

    revisions: Revisions
    secret: Document = field(repr=False)
    owner: str | None

    @property
    def revision(self) -> int:
        return max(self.revisions)

    @property
    def status(self) -> str:
        return self.revisions[self.revision]


def newest_of(looks: Reader, namespace: str, name: str) -> Newest | None:
    """The newest revision of a release, None where there is no such release."""
    standing = standing_in(looks, namespace).get(name)
    secret = looks.get(standing.secret) if standing else None
    if standing is None or secret is None:
        return None
    return Newest(revisions=standing.revisions, secret=secret, owner=owner_of(secret))


def release_is_ours_and_alive(
    looks: CachedReader,
    intent: Intent | AloneIntent,
    *,
    namespace: str,
    name: str,
    key: str,
    timeout_seconds: int,
    may_run_seconds: int,
    adopt: bool,
) -> Iterator[Found]:
    """A release of our name carries this stack's mark, and Helm can go on with it.

    `adopt` True lets one pass that carries nobody's (hooks/release_imports.py).
    """
    newest = newest_of(looks, namespace, name)
    if newest is None:
        return
    owner = newest.owner
    if owner is None and adopt:
        return
    if owner != intent.owner:
        another = f"another {key}.namespace{' or kong.release' if key == 'kong' else ''}"
        if owner:
            yield Finding(
                subject=f"Helm release {name} in namespace {namespace}",
                wrong=f"carries the mark of another stack, {owner} (this one is {intent.owner}): it would change "
                "hands, and a later `pulumi destroy` here would remove it there",
                mend=another_stack(owner, intent.owner, instead=another),
            )
            return
        yield Finding(
            subject=f"Helm release {name} in namespace {namespace}",
            wrong="is there without this stack's mark: somebody else installed it, or changed it by hand since. The "
            "stack would take over what is theirs, and uninstall it in the end",
            mend=f"{another}; or, if it was this stack's, `helm history {name} --namespace {namespace}` and `helm "
            "rollback` to a revision of this stack; or, if this stack shall have it from now on, `pulumi config set "
            f"--path traceable-kong:{key}.adopt true` (docs/adopting-a-release.md)",
        )
        return
    dead = dead_release(
        namespace,
        name,
        newest.revisions,
        owner=owner,
        serving=bool(serving(looks, namespace, name)),
        timeout_seconds=timeout_seconds,
        may_run_seconds=may_run_seconds,
    )
    if dead:
        yield dead


def another_stack(owner: str, own: str, *, instead: str) -> str:
    """What to do about something that carries the id `owner` of another stack, where this one's is `own`."""
    if handover_label(owner) != handover_label(own):
        return f"{instead}; or, if that stack is not needed any more, `pulumi destroy` it first"
    return (
        f"{instead}. It is a stack of the same name in another backend or organization, or it was this one before its "
        "state was lost; then restore the state: `pulumi stack import --file BACKUP.json`"
    )


def serving(looks: Reader, namespace: str, name: str) -> list[str]:
    """The Deployments of a Helm release that have ready pods.

    Helm notes on what it makes which release it belongs to (https://helm.sh/docs/faq/changes_since_helm2/, ownership).
    """
    return [
        name_of(item)
        for item in looks.list(f"/apis/apps/v1/namespaces/{namespace}/deployments")
        if annotations_of(item).get("meta.helm.sh/release-name") == name
        and int((item.get("status") or {}).get("readyReplicas") or 0) > 0
    ]


def roles_are_free(looks: CachedReader, intent: Intent) -> Iterator[Finding]:
    """Kong's cluster-wide roles are no other release's: the chart calls them as its Deployment (kong chart 3.4.1).

    Helm notes on what it makes whose it is, and takes no other release's
    (https://helm.sh/docs/faq/changes_since_helm2/, ownership).
    """
    gateway = intent.gateway
    if not gateway.ours:
        return
    noted = annotations_of(looks.get(f"{CLUSTER_ROLES}/{gateway.deployment}") or {})
    name, namespace = noted.get("meta.helm.sh/release-name"), noted.get("meta.helm.sh/release-namespace")
    if name and (name, namespace) != (gateway.release, gateway.namespace):
        yield Finding(
            subject=f"clusterrole {gateway.deployment}",
            wrong=f"belongs to the Helm release {name} in namespace {namespace}, and Kong's chart would call its own "
            "alike: Helm would refuse to install it",
            mend="`pulumi config set --path traceable-kong:kong.release ANOTHER`",
        )


def dead_release(
    namespace: str,
    name: str,
    revisions: Revisions,
    *,
    owner: str,
    serving: bool,
    timeout_seconds: int,
    may_run_seconds: int,
) -> StuckRelease | None:
    """How a release of the stack `owner` is brought back to where Helm can go on; None where it can. Pure.

    - an upgrade that did not end goes back to the revision that was deployed before it;
    - a removal that did not end is taken back, because the state still has the release: what is missing of it comes
      back with its own last revision, and a `destroy` removes it again;
    - an install that did not end, or failed and was not cleaned up, or a name that Helm keeps of a release that is
      gone, is removed; where pods of it are `serving`, it is completed instead, by a rollback to its own revision.
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
    if restore is None and serving:
        restore = newest
    return StuckRelease(
        namespace=namespace,
        name=name,
        owner=owner,
        status=status,
        revision=newest,
        restore=restore,
        timeout_seconds=timeout_seconds,
        may_run_seconds=may_run_seconds,
    )


def owner_of(secret: Document) -> str | None:
    """The stack whose mark a release's own values carry."""
    value: object = document_of(secret).get("config")
    (key, below), *_ = release_owner_values("").items()
    for part in (key, *below, "stack"):
        value = value.get(part) if isinstance(value, dict) else None
    return value if isinstance(value, str) else None


def document_of(secret: Document) -> Document:
    """Helm's document: base64 in the Secret's base64, gzip, JSON; {} where it is no such thing.

    Anybody may have written it who may write Secrets there: its values can be of any type.
    """
    try:
        packed = base64.b64decode(base64.b64decode((secret.get("data") or {}).get("release") or ""))
        document = json.loads(gzip.decompress(packed) if packed[:2] == b"\x1f\x8b" else packed)
    except (binascii.Error, ValueError, OSError, EOFError, RecursionError, zlib.error):
        return {}
    return document if isinstance(document, dict) else {}
