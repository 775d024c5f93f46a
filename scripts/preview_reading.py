"""Reads `pulumi preview --json`: what changes, in which fields, and what that means for the gateway.

The document is Pulumi's `PreviewDigest` (github.com/pulumi/pulumi, pkg/display/json.go). Secrets are the text
`[secret]` (pkg/backend/display/json.go, MassageSecrets). Fields are compared by the inputs of a resource, because the
outputs of a patch are a whole Deployment. `detailedDiff` adds what inputs cannot show: that a secret changed.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

SECRET = "[secret]"
UNKNOWN = "[known after the update]"

SECRET_SIGNATURE = "4dabf18193072939515e22adb298388d"
"""The key of an encrypted value in a state (sdk/go/common/resource/sig, Key); a preview should have none."""

UNKNOWN_VALUE = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""The placeholder of a value that is not known yet (pkg/resource/stack/deployment.go, computedValuePlaceholder)."""

UNCHANGED = {"same", "read", "read-discard"}
PARTS_OF_A_REPLACE = {"create-replacement", "delete-replaced", "read-replacement", "discard-replaced"}

# The logical names of the resources that affect the gateway.
RECORD = "traceable-installation-record"
GATEWAY = "traceable-gateway-release"
EXISTING_GATEWAY = "traceable-gateway-files"
TME_PATCH = "traceable-tme-pod-annotation"
GUARD_BINDING = "traceable-tme-guard-binding"
ROLLING_VALUES = ("values", "chart", "version", "repositoryOpts")

LONGEST_SHOWN = 80
BASE64 = re.compile(r"(?![0-9a-fA-F]+$)[A-Za-z0-9+/]{40,}={0,2}")


@dataclass(frozen=True, kw_only=True)
class Field:
    """One leaf of a resource; `old` or `new` is None where it does not exist. `replaces`: it replaces the resource."""

    path: str
    old: str | None
    new: str | None
    replaces: bool = False


@dataclass(frozen=True, kw_only=True)
class Change:
    """One resource that changes."""

    op: str
    kind: str
    name: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, kw_only=True)
class Preview:
    """The content of a preview. `now` and `then` are the entries of the record; `then` is None where it failed.

    Where the record does not change, they are the outputs of the stack, which have the same names. `guard` is the
    action of the admission policy now and then (`deny`, `warn`, `off`), None where it does not change. `rollouts` has
    one reason for each rollout of the gateway's pods.
    """

    failed: bool
    changes: tuple[Change, ...]
    now: Mapping[str, str]
    then: Mapping[str, str] | None
    guard: tuple[str, str] | None
    rollouts: tuple[str, ...]
    errors: tuple[str, ...]
    warnings: tuple[str, ...]
    notes: tuple[str, ...]


def read(text: str, *, exit_code: int = 0, error_output: str = "") -> Preview:
    """Reads the JSON in `text`; `error_output` is for a preview that failed before it wrote any."""
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        document = {}
        exit_code = exit_code or 1
    # With --refresh, a step that only reads comes before the one that says what would change.
    steps = [
        step
        for step in document.get("steps") or []
        if step["op"] != "refresh" and (_state(step, "newState") or _state(step, "oldState"))
    ]
    messages: dict[str, list[str]] = {"error": [], "warning": []}
    notes: list[str] = []
    for diagnostic in document.get("diagnostics") or []:
        messages.get(diagnostic.get("severity", ""), notes).append(str(diagnostic.get("message", "")).strip())
    failed = exit_code != 0 or bool(messages["error"])
    if failed and not messages["error"]:
        silent = f"pulumi preview failed with exit code {exit_code} and printed nothing."
        messages["error"].append(error_output.strip() or silent)
    now, then = _records(steps)
    return Preview(
        failed=failed,
        changes=tuple(_changes(steps)),
        now=now,
        then=None if failed else then,
        guard=_guard(steps),
        rollouts=tuple(_rollouts(steps)),
        errors=tuple(messages["error"]),
        warnings=tuple(messages["warning"]),
        notes=tuple(note for note in notes if note),
    )


def _state(step: Mapping[str, Any], which: str) -> Mapping[str, Any]:
    return step.get(which) or {}


def _inputs(step: Mapping[str, Any], which: str) -> Mapping[str, Any]:
    return _state(step, which).get("inputs") or {}


def _name(step: Mapping[str, Any]) -> str:
    return str(step.get("urn", "")).rsplit("::", 1)[-1]


def _changes(steps: list[dict[str, Any]]) -> Iterator[Change]:
    for step in steps:
        state = _state(step, "newState") or _state(step, "oldState")
        if step["op"] in UNCHANGED | PARTS_OF_A_REPLACE or not state.get("custom"):
            continue
        kind = str(state.get("type", ""))
        yield Change(
            op=step["op"],
            kind="Provider" if kind.startswith("pulumi:providers:") else kind.rsplit(":", 1)[-1],
            name=_name(step),
            fields=tuple(_fields(step)),
        )


def _fields(step: Mapping[str, Any]) -> Iterator[Field]:
    old, new = _leaves(_inputs(step, "oldState")), _leaves(_inputs(step, "newState"))
    detailed = step.get("detailedDiff") or {}
    replacing = [_plain(path) for path in step.get("replaceReasons") or []]
    differing = sorted(path for path in {**old, **new} if (path in old, old.get(path)) != (path in new, new.get(path)))
    unseen = sorted(path for path in detailed if not any(_overlap(path, other) for other in differing))
    for path in [*differing, *unseen]:
        before, after = (_at(path, leaves) for leaves in (old, new))
        if before == after != SECRET and path in old and path in new:  # 403 and "403"
            before, after = json.dumps(old[path]), json.dumps(new[path])
        yield Field(path=path, old=before, new=after, replaces=any(_overlap(path, other) for other in replacing))


def _at(path: str, leaves: Mapping[str, Any]) -> str | None:
    """The leaf at `path`, or the one that contains it: a secret may be a whole map."""
    if path in leaves:
        return _shown(leaves[path])
    return next((_shown(leaf) for at, leaf in leaves.items() if _within(_plain(path), _plain(at))), None)


def _leaves(value: Any, path: str = "") -> dict[str, Any]:
    """`{path: leaf}`; keys that start with `__` belong to the provider."""
    if isinstance(value, Mapping) and value and SECRET_SIGNATURE not in value:
        below = {
            f'{path}["{key}"]' if "." in key else f"{path}.{key}" if path else key: item
            for key, item in value.items()
            if not key.startswith("__")
        }
    elif isinstance(value, list) and value:
        below = {f"{path}[{index}]": item for index, item in enumerate(value)}
    else:
        return {path: value} if path else {}
    return {at: leaf for key, item in below.items() for at, leaf in _leaves(item, key).items()}


def _plain(path: str) -> str:
    """A path without brackets: providers write keys with dots with or without them."""
    return re.sub(r'\["?([^"\]]*)"?\]', r".\1", path)


def _overlap(one: str, other: str) -> bool:
    return _within(_plain(one), _plain(other)) or _within(_plain(other), _plain(one))


def _within(path: str, outer: str) -> bool:
    return path == outer or path.startswith(f"{outer}.")


def _shown(value: Any) -> str:
    if isinstance(value, Mapping) and SECRET_SIGNATURE in value:
        return SECRET
    if value == UNKNOWN_VALUE:
        return UNKNOWN
    return abbreviated(value if isinstance(value, str) and value else json.dumps(value))


def abbreviated(text: str) -> str:
    """The text; its length and the beginning of its SHA-256 where it is long, has several lines, or is binary."""
    if len(text) <= LONGEST_SHOWN and text.isprintable() and not BASE64.fullmatch(text):
        return text
    lines = text.count("\n") + 1
    length = f"{len(text)} characters" + (f" in {lines} lines" if lines > 1 else "")
    return f"({length}, sha256 {hashlib.sha256(text.encode()).hexdigest()[:10]})"


def _records(steps: list[dict[str, Any]]) -> tuple[dict[str, str], dict[str, str]]:
    """The entries now and then: of the record, or the outputs of the stack where the record does not change."""
    for step in steps:
        if _name(step) == RECORD:
            before, after = (_inputs(step, which).get("data") or {} for which in ("oldState", "newState"))
            return _texts(before), _texts(after)
    stack = next((step for step in steps if _state(step, "oldState").get("type") == "pulumi:pulumi:Stack"), {})
    outputs = _texts(_state(stack, "oldState").get("outputs") or {})
    return outputs, outputs


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    return {key: _shown(value) for key, value in values.items()}


def _guard(steps: list[dict[str, Any]]) -> tuple[str, str] | None:
    """The action of the admission policy now and then; None where it does not change."""
    for step in steps:
        if _name(step) == GUARD_BINDING and step["op"] not in UNCHANGED | PARTS_OF_A_REPLACE:
            now, then = (_action(_inputs(step, which)) for which in ("oldState", "newState"))
            return None if now == then else (now, then)
    return None


def _action(binding: Mapping[str, Any]) -> str:
    actions = (binding.get("spec") or {}).get("validationActions")
    if not actions:
        return "off"
    return "deny" if "Deny" in actions else "warn"


def _rollouts(steps: list[dict[str, Any]]) -> Iterator[str]:
    """The reason for each rollout of the gateway's pods.

    Every change of the chart values counts as one, although some do not change the pods: only Helm knows.
    """
    by_name = {_name(step): step for step in steps if step["op"] not in UNCHANGED | PARTS_OF_A_REPLACE}
    gateway = by_name.get(GATEWAY)
    if gateway:
        if gateway["op"] in ("create", "replace"):
            yield "the gateway is installed"
        elif gateway["op"] == "update" and any(f.path.startswith(ROLLING_VALUES) for f in _fields(gateway)):
            yield "the gateway's chart or its values change"
    files = by_name.get(EXISTING_GATEWAY)
    if files:
        old, new = (_inputs(files, which) for which in ("oldState", "newState"))
        if any(old.get(key) != new.get(key) for key in ("container", "files", "plugins")):
            yield "the plugin's files in its pods change"
    patch = by_name.get(TME_PATCH)
    if patch and patch["op"] != "delete":
        before, after = (_inputs(patch, which).get("spec") for which in ("oldState", "newState"))
        if after and not before:
            yield "the TME is injected into its pods"
        elif before and not after:
            yield "the TME is removed from its pods"
        elif before != after:
            yield "the settings of the TME change"
