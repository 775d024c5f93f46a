"""The desired state goes into the record's data and comes back the same, field by field."""

import dataclasses
from typing import Any

import pytest

from tests.fakes.protected_gateway import ASYNC, IN_DATABASE, INJECTION, POLICY, desired
from traceable_kong.cluster.kong_deployment import KongDeployment
from traceable_kong.common.image_references import parse_image
from traceable_kong.plan.plugin_model import KongClusterPlugin
from traceable_kong.plan.state_record import UnreadableRecord, state_data, state_of

CHANGES: list[dict[str, Any]] = [
    {},
    ASYNC,
    {"deployment": KongDeployment(namespace="gw", name="other", container="kong")},
    {"release_name": None},
    {"name": "traceable-ai-extension"},
    {"version": "2.3.0"},
    {"enabled": False},
    {"everywhere": False},
    {"config": {"a": {"b": [1, 2.5, None, True, "é"]}}},
    {"backend": KongClusterPlugin(name="other", ingress_class="other")},
    IN_DATABASE,
    {"files": {"/opt/kong/plugins/traceable": "other"}},
    {"file_digests": {"other": "0"}},
    {"injection": dataclasses.replace(INJECTION, webhook=None, webhook_domain=None, agent_release=None)},
    {"injection": dataclasses.replace(INJECTION, image=parse_image("registry.example.com:5000/tme:1.58.0"))},
    {"policy": None, "injection": None},
    {"policy": dataclasses.replace(POLICY, action="warn")},
    {"agent_namespace": None},
]


@pytest.mark.parametrize("changes", CHANGES)
def test_every_field_is_recorded(changes: dict[str, Any]) -> None:
    state = desired(**changes)
    data = state_data(state)
    assert all(isinstance(text, str) for text in data.values()), "the data of a ConfigMap are strings"
    assert state_of("gw", data) == state


@pytest.mark.parametrize(
    "change", [{"pluginConfig": "{"}, {"pluginConfig": "[]"}, {"files": "null"}, {"tmeImage": "https://docker.io/x"}]
)
def test_a_value_that_cannot_be_read_is_refused(change: dict[str, str]) -> None:
    with pytest.raises(UnreadableRecord, match="gw/traceable-installation cannot be read"):
        state_of("gw", {**state_data(desired()), **change})


@pytest.mark.parametrize(
    "data",
    [
        {},
        {key: text for key, text in state_data(desired()).items() if key != "tmeImage"},
        {**state_data(desired()), "policy": '{"name": "the-guard"}'},
        {**state_data(desired()), "injection": '{"webhook": "the-injector"}'},
        {**state_data(desired(**IN_DATABASE)), "pluginEntity": '{"workspace": "default"}'},
        {**state_data(desired(**IN_DATABASE)), "adminApi": "{}"},
    ],
)
def test_the_record_of_another_version_of_the_program_is_refused(data: dict[str, str]) -> None:
    with pytest.raises(UnreadableRecord) as refused:
        state_of("gw", data)
    text = str(refused.value)
    assert "gw/traceable-installation was not written by this version of the program" in text
    assert "`pulumi up` writes it again" in text and "Error" not in text


def test_other_keys_of_the_record_are_ignored() -> None:
    assert state_of("gw", {**state_data(desired()), "mode": "sync"}) == desired()
