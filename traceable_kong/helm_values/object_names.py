"""Names that the API server refuses, by the kind of the object.

Source: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/ and the validation of each kind.
"""

import re

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_LONGEST_LABEL = 63
_LONGEST_NAME = 253

_SERVICE = (r"[a-z]([-a-z0-9]*[a-z0-9])?", _LONGEST_LABEL, "lowercase letters, digits and hyphens, first a letter")
_SUBDOMAIN = (
    rf"{_LABEL}(\.{_LABEL})*",
    _LONGEST_NAME,
    "lowercase letters, digits and hyphens, in parts with a dot between them",
)
_PATH_SEGMENT = (r"(?!\.{1,2}$)[^/%]+", 10_000, "any text without / and %")
_RULES = {
    "ClusterRole": _PATH_SEGMENT,
    "ClusterRoleBinding": _PATH_SEGMENT,
    "Role": _PATH_SEGMENT,
    "RoleBinding": _PATH_SEGMENT,
    "Namespace": (_LABEL, _LONGEST_LABEL, "lowercase letters, digits and hyphens"),
    "Service": _SERVICE,
    # Its name is a label of its pods, for a StatefulSet and a CronJob with a suffix.
    "Job": (_SUBDOMAIN[0], _LONGEST_LABEL, _SUBDOMAIN[2]),
    "CronJob": (_SUBDOMAIN[0], 52, _SUBDOMAIN[2]),
    "StatefulSet": (_SUBDOMAIN[0], 52, _SUBDOMAIN[2]),
}


def name_problem(kind: str, name: str) -> str | None:
    """Why no object of this kind can have this name; None where one can."""
    form, longest, words = _RULES.get(kind, _SUBDOMAIN)
    if len(name) > longest:
        return f"has {len(name)} characters, and the name of a {kind} has at most {longest}"
    if not re.fullmatch(form, name):
        return f"is not a name for a {kind}: {words}"
    return None
