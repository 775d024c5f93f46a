"""The settings of an ingress controller, in its arguments, its environment and the chart values."""

from typing import Any

import pytest

from traceable_kong.helm_values.ingress_controller import (
    is_controller,
    obstacles,
    setting,
)

Document = dict[str, Any]
SWITCH = "enable-controller-kongclusterplugin"


def controller(*args: str, command: list[str] | None = None, **env: str | None) -> Document:
    variables = [
        {"name": name, "valueFrom": {"configMapKeyRef": {}}} if value is None else {"name": name, "value": value}
        for name, value in env.items()
    ]
    return {"name": "ingress-controller", "image": "kic:3", "args": list(args), "env": variables, "command": command}


@pytest.mark.parametrize(
    ("container", "source", "value"),
    [
        (controller(), "", "kong"),
        (controller(CONTROLLER_INGRESS_CLASS="a"), "CONTROLLER_INGRESS_CLASS", "a"),
        (controller("--ingress-class=b", CONTROLLER_INGRESS_CLASS="a"), "--ingress-class", "b"),
        (controller("--ingress-class", "b", "--v=2"), "--ingress-class", "b"),
        (controller("--ingress-class=b", "--ingress-class=c"), "--ingress-class", "c"),
        (controller("--ingress-class=b=c"), "--ingress-class", "b=c"),
        (controller("--ingress-classes=b", "--", "--ingress-class=c"), "", "kong"),
        (controller(command=["/manager", "--ingress-class=d"]), "--ingress-class", "d"),
        (controller("--ingress-class=$(CLASS)", CLASS="e"), "--ingress-class", "e"),
        (controller("--ingress-class=$(CLASS)", CLASS=None), "--ingress-class", None),
        (controller(CONTROLLER_INGRESS_CLASS=None), "CONTROLLER_INGRESS_CLASS", None),
        (controller(CONTROLLER_INGRESS_CLASS=""), "CONTROLLER_INGRESS_CLASS", ""),
    ],
)
def test_the_ingress_class_of_a_controller(container: Document, source: str, value: str | None) -> None:
    found = setting(container, "ingress-class", default="kong")
    assert (found.source, found.value) == (source, value)


@pytest.mark.parametrize(
    ("container", "is_off"),
    [
        (controller(), False),
        (controller(f"--{SWITCH}"), False),
        (controller(f"--{SWITCH}", "false"), False),
        (controller(f"--{SWITCH}=false"), True),
        (controller(f"--{SWITCH}=0"), True),
        (controller(f"--{SWITCH}=true", CONTROLLER_ENABLE_CONTROLLER_KONGCLUSTERPLUGIN="false"), False),
        (controller(CONTROLLER_ENABLE_CONTROLLER_KONGCLUSTERPLUGIN="False"), True),
        (controller(CONTROLLER_ENABLE_CONTROLLER_KONGCLUSTERPLUGIN="true"), False),
        (controller(CONTROLLER_ENABLE_CONTROLLER_KONGPLUGIN="false"), False),
    ],
)
def test_the_switch_for_kongclusterplugins(container: Document, is_off: bool) -> None:
    found = list(obstacles(container, ingress_class="kong"))
    assert [item.flag for item in found] == ([SWITCH] if is_off else [])
    assert all(item.is_certain for item in found)


def test_a_value_from_another_object_is_not_certain() -> None:
    told = controller(CONTROLLER_INGRESS_CLASS=None, CONTROLLER_ENABLE_CONTROLLER_KONGCLUSTERPLUGIN=None)
    assert [item.is_certain for item in obstacles(told, ingress_class="kong")] == [False, False]


def test_variables_of_envfrom_have_the_lowest_priority() -> None:
    given = {"CONTROLLER_INGRESS_CLASS": "edge"}
    (found,) = obstacles(controller(), ingress_class="kong", given=given)
    assert "reads the ingress class 'edge' (CONTROLLER_INGRESS_CLASS)" in found.problem
    assert not list(obstacles(controller(CONTROLLER_INGRESS_CLASS="kong"), ingress_class="kong", given=given))


@pytest.mark.parametrize(
    ("container", "expected"),
    [
        ({"name": "a", "image": "kong/kubernetes-ingress-controller:3.4"}, True),
        ({"name": "a", "image": "registry:5000/x/kubernetes-ingress-controller@sha256:" + "0" * 64}, True),
        ({"name": "ingress-controller", "image": "mirror/kic"}, True),
        ({"name": "a", "image": "kic", "env": [{"name": "CONTROLLER_KONG_ADMIN_SVC"}]}, True),
        ({"name": "a", "image": "kic", "args": ["--kong-admin-url=https://localhost:8444"]}, True),
        ({"name": "proxy", "image": "kong:3.9", "env": [{"name": "KONG_ADMIN_LISTEN"}]}, False),
        ({"name": "controller", "image": "ingress-nginx/controller", "args": ["--ingress-class=nginx"]}, False),
    ],
)
def test_which_container_is_the_controller(container: Document, expected: bool) -> None:
    assert is_controller(container) is expected
