"""Whether the permissions that a run needs are there, asked for by SelfSubjectAccessReview, so that none is missing
half-way. One question first: whoever may do anything is asked no further.

Permissions to read what preflight reads are not asked for: what is missing shows when it looks.
"""

from collections.abc import Iterable, Iterator

from kube import ApiError
from preflight.finding import Finding
from preflight.intent import AloneIntent, Intent
from preflight.looks import Looks
from preflight.permissions import EVERYWHERE, Purpose, Right


def rights_for(looks: Looks, intent: Intent | AloneIntent, *, purpose: Purpose) -> Iterator[Finding]:
    """We may do what a purpose needs. A preview only says what is missing: it changes nothing itself."""
    missing = [right for right in purpose.rights if not _may(looks, right)]
    if missing and purpose.unless and all(_may(looks, right) for right in purpose.unless):
        return
    if missing:
        yield Finding(
            subject=purpose.subject,
            wrong=f"needs rights that are missing ({_text(missing)}): {purpose.meant}",
            mend=f"have them granted to whoever runs this (`{missing[0].command}` says whether it is so; "
            f"docs/security.md has the Roles){purpose.instead}",
            only_warns=not intent.live_change,
        )


def _text(rights: Iterable[Right]) -> str:
    verbs: dict[str, list[str]] = {}
    for right in rights:
        verbs.setdefault(right.object, []).append(right.verb)
    return "; ".join(f"{', '.join(of)} {what}" for what, of in verbs.items())


def _may(looks: Looks, right: Right) -> bool:
    return looks.allowed(
        right.verb, right.resource, group=right.group, namespace=right.namespace, subresource=right.subresource
    )


def may_do_anything(looks: Looks) -> bool:
    """Whether every right is there, as a cluster's administrator has it; False where that may not be asked."""
    try:
        return looks.allowed("*", "*", group="*", namespace=EVERYWHERE, subresource="")
    except ApiError as problem:
        if problem.status == 403:
            return False
        raise
