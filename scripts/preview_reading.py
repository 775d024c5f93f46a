"""Reads `pulumi preview --json --show-sames`: which resources there are, which of them change, and in which fields.

The document is Pulumi's `PreviewDigest` (github.com/pulumi/pulumi, pkg/display/json.go). Secrets are the text
`[secret]` (pkg/backend/display/json.go, MassageSecrets). Fields are compared by the inputs of a resource, because the
outputs of a patch are a whole Deployment. `detailedDiff` adds what inputs cannot show: that a secret changed. Of some
providers, there are only the names of properties (`diffReasons`), or nothing.
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

COMPONENT = "traceable-kong:index:TraceableOnKong"
"""The type of the component that has one gateway, or an agent alone. Its resources are below it in their URNs."""

UNCHANGED = {"same", "read", "discard", "refresh"}
PARTS_OF_A_REPLACE = {
    "create-replacement",
    "delete-replaced",
    "discard-replaced",
    "import-replacement",
    "read-replacement",
    "remove-pending-replace",
}

NO_SAMES = (
    "The preview lacks the resources that do not change, so which gateway a change belongs to is not known. Run "
    "`pulumi preview` with --show-sames."
)

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
class Step:
    """What happens to one resource; `old` and `new` are its inputs.

    `op` is Pulumi's, but `forget` for a deletion that only removes the resource from the state. `types` are those of
    its parents and its own. `component` is the URN of the TraceableOnKong that it belongs to, or is; None for another
    resource of the program.
    """

    op: str
    name: str
    types: tuple[str, ...]
    component: str | None
    custom: bool
    old: Mapping[str, Any]
    new: Mapping[str, Any]
    fields: tuple[Field, ...]

    @property
    def kind(self) -> str:
        return "Provider" if self.types[-1].startswith("pulumi:providers:") else self.types[-1].rsplit(":", 1)[-1]

    @property
    def is_change(self) -> bool:
        """Components change with what is in them."""
        return self.custom and self.op not in UNCHANGED


@dataclass(frozen=True, kw_only=True)
class Preview:
    """The content of a preview."""

    failed: bool
    steps: tuple[Step, ...]
    errors: tuple[str, ...]
    warnings: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def changes(self) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.is_change)


def read(text: str, *, exit_code: int = 0, error_output: str = "") -> Preview:
    """Reads the JSON in `text`; `error_output` is for a preview that failed before it wrote any."""
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        document = {}
        exit_code = exit_code or 1
    messages: dict[str, list[str]] = {"error": [], "warning": []}
    notes: list[str] = []
    for diagnostic in document.get("diagnostics") or []:
        messages.get(diagnostic.get("severity", ""), notes).append(str(diagnostic.get("message", "")).strip())
    failed = exit_code != 0 or bool(messages["error"])
    if failed and not messages["error"]:
        silent = f"pulumi preview failed with exit code {exit_code} and printed nothing."
        messages["error"].append(error_output.strip() or silent)
    steps = tuple(_steps([step for step in document.get("steps") or [] if step["op"] not in PARTS_OF_A_REPLACE]))
    if not failed and any(COMPONENT in step.types and step.component is None for step in steps):
        failed = True
        messages["error"].append(NO_SAMES)
    return Preview(
        failed=failed,
        steps=steps,
        errors=tuple(messages["error"]),
        warnings=tuple(messages["warning"]),
        notes=tuple(note for note in notes if note),
    )


def _steps(steps: list[dict[str, Any]]) -> Iterator[Step]:
    parents: dict[str, str] = {}
    renamed: dict[str, str] = {}
    for step in steps:
        for state in filter(None, (_state(step, "oldState"), _state(step, "newState"))):
            parents[state.get("urn", step["urn"])] = state.get("parent", "")
            renamed[state.get("urn", step["urn"])] = step["urn"]

    def component(urn: str) -> str | None:
        while urn in parents and _types(urn)[-1] != COMPONENT:
            urn = parents[urn]
        # A resource that is deleted has the name that an alias has replaced in its parent's URN.
        return renamed.get(urn)

    for step in steps:
        state = _state(step, "newState") or _state(step, "oldState")
        kept = step["op"] == "delete" and state.get("retainOnDelete")
        types = _types(step["urn"])
        yield Step(
            op="forget" if kept else step["op"],
            name=step["urn"].split("::", 3)[-1],
            types=types,
            component=component(step["urn"]) if COMPONENT in types else None,
            custom=bool(state.get("custom")),
            old=_inputs(step, "oldState"),
            new=_inputs(step, "newState"),
            fields=() if step["op"] in UNCHANGED else tuple(_fields(step)),
        )


def _types(urn: str) -> tuple[str, ...]:
    return tuple(urn.split("::", 3)[2].split("$"))


def _state(step: Mapping[str, Any], which: str) -> Mapping[str, Any]:
    return step.get(which) or {}


def _inputs(step: Mapping[str, Any], which: str) -> Mapping[str, Any]:
    return _state(step, which).get("inputs") or {}


def _fields(step: Mapping[str, Any]) -> Iterator[Field]:
    old, new = _leaves(_inputs(step, "oldState")), _leaves(_inputs(step, "newState"))
    reasons = [*(step.get("diffReasons") or ()), *(step.get("replaceReasons") or ())]
    detailed = step.get("detailedDiff") or [key for key in reasons if not key.startswith("__")]
    replacing = [_plain(path) for path in step.get("replaceReasons") or []]
    differing = sorted(path for path in {**old, **new} if (path in old, old.get(path)) != (path in new, new.get(path)))
    # Of an object that is unknown as a whole, its old leaves are shown.
    whole = {path for path in set(new) - set(old) if new[path] == UNKNOWN_VALUE}
    whole = {path for path in whole if any(_within(_plain(leaf), _plain(path)) for leaf in old)}
    differing = [path for path in differing if path not in whole]
    unseen = sorted(path for path in set(detailed) if not any(_overlap(path, other) for other in differing))
    for path in [*differing, *unseen]:
        before, after = (_at(path, leaves) for leaves in (old, new))
        if before == after != SECRET and path in old and path in new:  # 403 and "403"
            before, after = json.dumps(old[path]), json.dumps(new[path])
        yield Field(path=path, old=before, new=after, replaces=any(_overlap(path, other) for other in replacing))


def _at(path: str, leaves: Mapping[str, Any]) -> str | None:
    """The leaf at `path`, or the one that contains it: a secret may be a whole map."""
    if path in leaves:
        return shown(leaves[path])
    return next((shown(leaf) for at, leaf in leaves.items() if _within(_plain(path), _plain(at))), None)


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


def shown(value: Any) -> str:
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
