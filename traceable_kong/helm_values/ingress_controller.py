"""The settings of Kong's ingress controller: whether it reads KongClusterPlugins, and of which ingress class.

Facts of the ingress controller 3.4 and 3.5 (internal/cmd/rootcmd): every flag is an argument or the variable
CONTROLLER_<FLAG>, and the argument has priority. `--watch-namespace` does not apply to KongClusterPlugins, which have
no namespace.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from traceable_kong.cluster.pods import variables
from traceable_kong.common.image_references import image_name

Document = dict[str, Any]

DEFAULT_CLASS = "kong"
READS_CLASS = "ingress-class"
READS_PLUGINS = "enable-controller-kongclusterplugin"

IMAGE = "kubernetes-ingress-controller"
CONTAINER = "ingress-controller"
"""The container's name in Kong's own manifests and in the kong chart (3.4.1)."""

_FALSE = ("0", "f", "F", "false", "FALSE", "False")
"""What Go's strconv.ParseBool reads as false."""


@dataclass(frozen=True, kw_only=True)
class Controller:
    """An ingress controller.

    `container` is its container as in a pod template, `service_account` the one of its pods.
    """

    container: Document
    service_account: str


@dataclass(frozen=True, kw_only=True)
class Setting:
    """The value of a flag; `source` is the argument or the variable, "" for the default.

    `value` is None where it comes from another object (valueFrom, a Secret).
    """

    source: str
    value: str | None


@dataclass(frozen=True, kw_only=True)
class Obstacle:
    """Why a controller would not read the plugin; `is_certain` is False where the value is not known."""

    setting: Setting
    flag: str
    problem: str
    is_certain: bool = True


def is_controller(container: Mapping[str, Any]) -> bool:
    """True for a container that runs Kong's ingress controller."""
    names = {str(item.get("name")) for item in container.get("env") or []}
    return (
        image_name(str(container.get("image", ""))) == IMAGE
        or container.get("name") == CONTAINER
        or "CONTROLLER_INGRESS_CLASS" in names
        or any(name.startswith("CONTROLLER_KONG_ADMIN_") for name in names)
        or any(word.startswith("--kong-admin-") for word in _arguments(container))
    )


def obstacles(
    container: Mapping[str, Any],
    *,
    ingress_class: str,
    given: Mapping[str, str | None] | None = None,
    named: Callable[[str], str] = str,
) -> Iterator[Obstacle]:
    """Why the controller in `container` would not read a KongClusterPlugin of `ingress_class`.

    `given` are the variables of its envFrom, None for a value that is not known. `named` says how messages name the
    source of a setting.
    """
    reads = setting(container, READS_CLASS, default=DEFAULT_CLASS, given=given)
    if reads.value is None:
        yield Obstacle(
            setting=reads,
            flag=READS_CLASS,
            problem=f"the ingress class that its controller reads comes from another object ({named(reads.source)}), "
            f"and the plugin has {ingress_class!r}",
            is_certain=False,
        )
    elif reads.value != ingress_class:
        by = f" ({named(reads.source)})" if reads.source else ""
        yield Obstacle(
            setting=reads,
            flag=READS_CLASS,
            problem=f"its controller reads the ingress class {reads.value!r}{by}, and the plugin has "
            f"{ingress_class!r}, so the controller would never read it",
        )
    switch = setting(container, READS_PLUGINS, default="true", given=given)
    if switch.value is None:
        yield Obstacle(
            setting=switch,
            flag=READS_PLUGINS,
            problem="whether its controller reads KongClusterPlugins comes from another object "
            f"({named(switch.source)})",
            is_certain=False,
        )
    elif switch.value in _FALSE:
        yield Obstacle(
            setting=switch,
            flag=READS_PLUGINS,
            problem=f"its controller does not read KongClusterPlugins ({named(switch.source)} is {switch.value}), so "
            "it would never read the plugin",
        )


def setting(
    container: Mapping[str, Any], flag: str, *, default: str, given: Mapping[str, str | None] | None = None
) -> Setting:
    """The value of a flag of the controller in `container`."""
    environment = {**(given or {}), **variables(container)}
    argument = _argument(_arguments(container), flag)
    if argument is not None:
        return Setting(source=f"--{flag}", value=_expanded(argument, environment))
    variable = f"CONTROLLER_{flag.upper().replace('-', '_')}"
    if variable in environment:
        value = environment[variable]
        return Setting(source=variable, value=None if value is None else _expanded(value, environment))
    return Setting(source="", value=default)


def _arguments(container: Mapping[str, Any]) -> list[str]:
    """The arguments after the program; without a `command`, the image has the program."""
    command = [str(word) for word in container.get("command") or []]
    return [*command[1:], *(str(word) for word in container.get("args") or [])]


def _argument(arguments: Sequence[str], flag: str) -> str | None:
    """The last value of a flag in a command line; None where the flag is missing."""
    found = None
    for index, word in enumerate(arguments):
        if word == "--":
            break
        if word.startswith(f"--{flag}="):
            found = word.split("=", 1)[1]
        elif word == f"--{flag}":
            # A boolean flag takes its value after an equals sign only.
            following = arguments[index + 1 : index + 2]
            found = "true" if flag == READS_PLUGINS else (following[0] if following else "")
    return found


def _expanded(text: str, environment: Mapping[str, str | None]) -> str | None:
    """The text with $(VARIABLE) replaced, as the kubelet does; None where a value is not known."""
    names = re.findall(r"\$\(([A-Za-z_][A-Za-z0-9_]*)\)", text)
    for name in names:
        if name in environment:
            value = environment[name]
            if value is None:
                return None
            text = text.replace(f"$({name})", value)
    return text
