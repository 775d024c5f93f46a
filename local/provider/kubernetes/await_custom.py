"""The annotation `pulumi.com/waitFor`: conditions from the user that replace the built-in ones.

`condition=Type`, `condition=Type=Status`, `jsonpath={.path}`, `jsonpath={.path}=value`, or a JSON list of these, which
must all hold (provider/pkg/metadata/overrides.go, provider/pkg/jsonpath/jsonpath.go). JSONPath supports names, indexes,
`[*]` and filters such as `[?(@.type=="Ready")]`.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from local.provider.kubernetes import object_metadata
from local.provider.kubernetes.api_client import ApiError
from local.provider.kubernetes.await_progress import Progress, conditions, get
from local.provider.kubernetes.provider_context import Context
from local.provider.kubernetes.provider_errors import AwaitError

_STEP = re.compile(
    r"\.(?P<name>[A-Za-z_][\w-]*)|\[['\"](?P<quoted>[^'\"]+)['\"]\]|\[(?P<index>-?\d+|\*)\]"
    r"|\[\?\(?@\.(?P<key>[\w.]+)\s*==\s*['\"](?P<value>[^'\"]*)['\"]\)?\]"
)

Holds = Callable[[Mapping[str, Any]], bool]


def waiter(context: Context, applied: Mapping[str, Any]) -> Callable[[], Progress]:
    """Checks that all conditions in the object's annotation hold. Raises AwaitError if they cannot be parsed."""
    text = object_metadata.annotation(applied, object_metadata.WAIT_FOR)
    try:
        wanted = expressions(text)
        checks = [_check(each) for each in wanted]
    except ValueError as problem:
        raise AwaitError(str(problem), applied) from None
    kind = context.kinds.find(str(applied["apiVersion"]), str(applied["kind"]))
    path = kind.path(object_metadata.namespace(applied), object_metadata.name(applied))

    def observe() -> Progress:
        try:
            live = context.cluster.request("GET", path)
        except ApiError as problem:
            if not problem.not_found:
                raise
            live = dict(applied)
        missing = [name for name, check in zip(wanted, checks, strict=True) if not check(live)]
        return Progress(
            live, done=not missing, generic_timeout=True, message="Waiting for " + ", ".join(missing or wanted)
        )

    return observe


def expressions(text: str) -> list[str]:
    """Returns the expressions in an annotation. Raises ValueError if there are none."""
    try:
        parsed = json.loads(text)
    except ValueError:
        parsed = None
    found = parsed if isinstance(parsed, list) and all(isinstance(each, str) for each in parsed) else [text]
    if not found:
        raise ValueError("at least one condition must be specified")
    return found


def _check(expression: str) -> Holds:
    if expression.startswith("condition="):
        name, _, status = expression.removeprefix("condition=").partition("=")
        wanted = status or "True"
        return lambda live: _is_current(live) and conditions(live).get(name, {}).get("status") == wanted
    if expression.startswith("jsonpath="):
        return json_path(expression.removeprefix("jsonpath="))
    raise ValueError(f'expected a "jsonpath=" or "condition=" prefix, got "{expression}"')


def json_path(expression: str) -> Holds:
    """Returns a check that a path selects something, or a certain value. Raises ValueError."""
    match = re.fullmatch(r"\{\s*(.*?)\s*\}(?:=(.*))?", expression)
    if not match:
        raise ValueError(f"format should be {{.path}}=value or {{.path}}, got {expression!r}")
    path, value = match[1].removeprefix("$"), match[2]
    if value == "":
        raise ValueError(f"{{{path}}}= requires a value")
    steps = list(_STEP.finditer(path))
    if "".join(step[0] for step in steps) != path:
        raise ValueError(f"the stand-in plugin cannot read the JSONPath {path!r}")

    def holds(live: Mapping[str, Any]) -> bool:
        found: list[Any] = [live]
        for step in steps:
            found = [item for each in found for item in _select(each, step)]
        if not _is_current(live) or not found:
            return False
        return value is None or _text(found[0]) == value

    return holds


def _select(value: Any, step: re.Match[str]) -> list[Any]:
    name = step["name"] or step["quoted"]
    if name:
        return [value[name]] if isinstance(value, Mapping) and name in value else []
    if not isinstance(value, list):
        return []
    if step["key"]:
        return [item for item in value if _text(get(item, *step["key"].split("."))) == step["value"]]
    if step["index"] == "*":
        return value
    place = int(step["index"])
    return [value[place]] if -len(value) <= place < len(value) else []


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _is_current(live: Mapping[str, Any]) -> bool:
    observed = get(live, "status", "observedGeneration")
    return observed is None or observed >= (object_metadata.metadata(live).get("generation") or 0)
