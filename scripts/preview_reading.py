"""Reads `pulumi preview --json`: what changes, in which fields, and what that means for the gateway.

The document is Pulumi's `PreviewDigest` (github.com/pulumi/pulumi, pkg/display/json.go). Secrets come as the text
`[secret]` (pkg/backend/display/json.go, MassageSecrets). Fields are compared by a resource's inputs: they are what the
program asked for, and a patch's outputs are a whole Deployment. `detailedDiff` adds what inputs cannot show, which is
that a secret changed.
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
"""The key that marks an encrypted value in a state (sdk/go/common/resource/sig, Key); a preview should hold none."""

UNKNOWN_VALUE = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""What stands for a value that is not known yet (pkg/resource/stack/deployment.go, computedValuePlaceholder)."""

UNCHANGED = {"same", "read", "refresh", "read-discard"}
PARTS_OF_A_REPLACE = {"create-replacement", "delete-replaced", "read-replacement", "discard-replaced"}

# The program's own names for the resources that say what the gateway will do.
RECORD = "installation-record"
GATEWAY = "gateway-release"
EXISTING_GATEWAY = "gateway-files"
TME_PATCH = "tme-pod-annotation"
GUARD_BINDING = "tme-guard-binding"
ROLLING_VALUES = ("values", "chart", "version", "repositoryOpts")

LONGEST_SHOWN = 80
BASE64 = re.compile(r"(?![0-9a-fA-F]+$)[A-Za-z0-9+/]{40,}={0,2}")


@dataclass(frozen=True, kw_only=True)
class Field:
    """One leaf of a resource: None where it is not there, before or after; `replaces` where it makes a new one."""

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
    """What a preview says. `now` and `then` are the record's entries; `then` is None where the preview failed.

    Where the record stays as it is they are the stack's outputs, which name these entries alike. `guard` is what the
    guard does now and then (`deny`, `warn`, `off`), None where that does not change. `rollouts` has one reason for each
    time that the gateway's pods are made anew.
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
    """The preview in `text`; with what pulumi printed beside it, for where it ended before it could write any JSON."""
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        document = {}
        exit_code = exit_code or 1
    steps = [step for step in document.get("steps") or [] if _state(step, "newState") or _state(step, "oldState")]
    said: dict[str, list[str]] = {"error": [], "warning": []}
    notes: list[str] = []
    for diagnostic in document.get("diagnostics") or []:
        said.get(diagnostic.get("severity", ""), notes).append(str(diagnostic.get("message", "")).strip())
    failed = exit_code != 0 or bool(said["error"])
    if failed and not said["error"]:
        said["error"].append(error_output.strip() or f"pulumi preview ended with {exit_code} and said nothing.")
    now, then = _records(steps)
    return Preview(
        failed=failed,
        changes=tuple(_changes(steps)),
        now=now,
        then=None if failed else then,
        guard=_guard(steps),
        rollouts=tuple(_rollouts(steps)),
        errors=tuple(said["error"]),
        warnings=tuple(said["warning"]),
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
    """The leaf at `path`, or the one that it is a part of: a secret may be a whole map."""
    if path in leaves:
        return _shown(leaves[path])
    return next((_shown(leaf) for at, leaf in leaves.items() if _within(_plain(path), _plain(at))), None)


def _leaves(value: Any, path: str = "") -> dict[str, Any]:
    """Every leaf by its path; keys that start with `__` are the provider's own."""
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
    """A path without brackets: plugins write keys with dots in either way."""
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
    """`text`, or its length and the start of its SHA-256 where it is long, of several lines, or binary."""
    if len(text) <= LONGEST_SHOWN and text.isprintable() and not BASE64.fullmatch(text):
        return text
    lines = text.count("\n") + 1
    length = f"{len(text)} characters" + (f" in {lines} lines" if lines > 1 else "")
    return f"({length}, sha256 {hashlib.sha256(text.encode()).hexdigest()[:10]})"


def _records(steps: list[dict[str, Any]]) -> tuple[dict[str, str], dict[str, str]]:
    """What stands and what will: by the record, and where that stays as it is, by the stack's outputs."""
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
    """What the guard does, now and then. None where it stays as it is: a preview leaves out what is the same."""
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
    """Why the gateway's pods will be made anew, once for each time.

    A change of the chart's values counts as one, although some reach no pod: only Helm could tell.
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
            yield "the TME comes into its pods"
        elif before and not after:
            yield "the TME leaves its pods"
        elif before != after:
            yield "the TME is given other settings"
