"""The options of the kubernetes provider in the stack config (`kubernetes:NAME`), beside kubeconfig and context.

The program's provider is an explicit one, to which Pulumi does not apply them. They are passed on, or refused with the
reason (https://www.pulumi.com/registry/packages/kubernetes/api-docs/provider/).
"""

import difflib
import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from pydantic.alias_generators import to_snake

from traceable_kong.common.commands import config_remove, config_set
from traceable_kong.config.config_problem import Problem, path_of, shown
from traceable_kong.config.config_types import boolean

PROVIDER = "kubernetes"

OPTIONS: Mapping[str, str] = {
    "kubeconfig": "The kubeconfig: its text, or the path of a file. Unset: KUBECONFIG, or ~/.kube/config.",
    "context": "The context. Unset: the kubeconfig's current one.",
    "clusterIdentifier": "A name for the cluster: a change of the kubeconfig is then no change of the cluster.",
    "kubeClientSettings": "How the provider talks to the API server.",
    "helmReleaseSettings": "Where Helm keeps its files.",
    "suppressDeprecationWarnings": "True: no warnings about deprecated versions of APIs.",
    "suppressHelmHookWarnings": "True: no warnings about hooks of charts.",
}
"""What is passed on to the provider, and what it says."""

OBJECTS: Mapping[str, Mapping[str, str]] = {
    "kubeClientSettings": {
        "burst": "Requests that may exceed `qps` for a moment.",
        "qps": "Requests in a second.",
        "timeout": "How long a request may take, in seconds.",
    },
    "helmReleaseSettings": {
        "driver": "`secret`, the only driver that this program can read.",
        "pluginsPath": "Folder of Helm's plugins.",
        "registryConfigPath": "File with the credentials for registries.",
        "repositoryCache": "Folder of the cached indexes of repositories.",
        "repositoryConfigPath": "File with the names and URLs of repositories.",
    },
}
"""The options that are objects, and what is in them."""

SWITCHES = ("suppressDeprecationWarnings", "suppressHelmHookWarnings")
NUMBERS: Mapping[str, type[int] | type[float]] = {"burst": int, "qps": float, "timeout": int}
_IDENTIFIER = "clusterIdentifier"
_FIXED: Mapping[str, tuple[bool, str]] = {
    "alwaysRender": (False, "manifests would be written to a folder, and nothing would be installed"),
    "deleteUnreachable": (
        False,
        "objects that still run would be deleted from the state, and nothing would manage them",
    ),
    "enableConfigMapMutable": (True, "the record, which is updated in place, would be replaced"),
    "enablePatchForce": (
        True,
        "a field of this stack that was changed by hand would keep every update from succeeding",
    ),
    "enableSecretMutable": (True, "the token, which is updated in place, would be replaced"),
    "enableServerSideApply": (True, "label and annotation of the TME are patches, which need server-side apply"),
    "skipUpdateUnreachable": (False, "an update would succeed although it changed nothing"),
    "upsertExistingObjects": (True, "an object of an interrupted update would keep every later one from succeeding"),
}
"""What the program needs, and what would happen otherwise."""

_REFUSED: Mapping[str, tuple[str, str]] = {
    "cluster": (
        "selects a cluster without a context, which helm cannot do: the commands in this program's messages would be "
        "for another cluster",
        "kubectl config set-context NAME --cluster CLUSTER --user USER, then "
        f"{config_set('kubernetes:context', 'NAME')} and {config_remove('kubernetes:cluster')}",
    ),
    "namespace": (
        "has no effect: every object of this program has its namespace",
        f"{config_remove('kubernetes:namespace')}, and {config_set('kong.namespace', 'NAME')} or "
        f"{config_set('agent.namespace', 'NAME')}",
    ),
    "renderYamlToDirectory": (
        "would write manifests, with their secrets, to a folder, and install nothing",
        config_remove("kubernetes:renderYamlToDirectory"),
    ),
}

_HIGHEST = 1_000_000


def provider_arguments(given: Mapping[str, str]) -> dict[str, Any]:
    """The arguments for the provider from `{name: text}`, which has no problem by `provider_problems`."""
    found: dict[str, Any] = {}
    for name, text in given.items():
        if name in OBJECTS:
            found[to_snake(name)] = {
                to_snake(key): _number(value) if key in NUMBERS else value for key, value in _decoded(text).items()
            }
        elif name in SWITCHES:
            found[to_snake(name)] = boolean(text)
        elif name == _IDENTIFIER:
            found[to_snake(name)] = text
    return found


def provider_problems(given: Mapping[str, str]) -> Iterator[Problem]:
    """What this program cannot pass on to the provider."""
    for name, text in given.items():
        key = f"{PROVIDER}:{path_of(name)}"
        if name in _REFUSED:
            yield Problem(key, *_REFUSED[name])
        elif name in _FIXED:
            expected, otherwise = _FIXED[name]
            if boolean(text) is not expected:
                yield Problem(key, f"must be {shown(expected)}: {otherwise}", config_remove(key))
        elif name in SWITCHES:
            if not isinstance(boolean(text), bool):
                yield Problem(key, "must be true or false", config_set(key, "true"))
        elif name in OBJECTS:
            yield from _object_problems(name, _decoded(text), OBJECTS[name])
        elif name not in OPTIONS:
            close = difflib.get_close_matches(name[:100], OPTIONS, n=1)
            meant = f"; did you mean {PROVIDER}:{close[0]}?" if close else ""
            yield Problem(key, f"is not an option of the provider, and would be ignored{meant}", config_remove(key))


def _object_problems(option: str, value: Any, known: Collection[str]) -> Iterator[Problem]:
    key = f"{PROVIDER}:{option}"
    if not isinstance(value, dict):
        yield Problem(
            key, "must be an object", f"{config_set(f'{key}.{[*known][-1]}', 'VALUE')}, or {config_remove(key)}"
        )
        return
    for name, item in value.items():
        where = f"{PROVIDER}:{path_of(option, name)}"
        if name not in known:
            problem = f"is not one of {', '.join(known)}, and would be ignored"
            yield Problem(where, problem, config_remove(where))
        elif name == "driver" and item not in ("secret", "secrets"):
            problem = "must be secret: this program reads Helm's releases from Secrets, and would find none elsewhere"
            yield Problem(where, problem, config_remove(where))
        elif name in NUMBERS:
            number = _number(item)
            whole = NUMBERS[name] is float or isinstance(number, int)
            if number is None or not whole or not 0 < number <= _HIGHEST:
                problem = f"must be a {'' if NUMBERS[name] is float else 'whole '}number above 0"
                yield Problem(where, problem, config_remove(where))
        elif not isinstance(item, str) or not item.strip():
            yield Problem(where, "must be text", config_remove(where))


def _decoded(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _number(value: object) -> int | float | None:
    if isinstance(value, str):
        value = _decoded(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if isinstance(value, float) and value.is_integer() else value
