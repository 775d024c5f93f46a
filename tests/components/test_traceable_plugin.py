"""TraceablePlugin: the KongClusterPlugin as it is registered."""

import dataclasses
from typing import Any

from tests.fakes.plans import plan
from tests.fakes.recording import Recording, Registration, record
from traceable_kong.components import TraceablePlugin

LABELS = plan().labels


def registered(*, options: dict[str, Any] | None = None, **config: Any) -> Recording:
    made = plan(**config)
    gateway = made.gateway
    assert gateway is not None
    plugin = dataclasses.replace(gateway.plugin, config={**gateway.plugin.config, **(options or {})})
    gateway = dataclasses.replace(gateway, plugin=plugin)
    return record(lambda: TraceablePlugin("plugin", plan=made, gateway=gateway, kong_revision="4"))


def plugin(**config: Any) -> Registration:
    return registered(**config)["plugin-kong-cluster-plugin"]


def test_the_gateways_own_controller_reads_it_and_it_applies_everywhere() -> None:
    made = plugin()
    assert made.type == "kubernetes:configuration.konghq.com/v1:KongClusterPlugin"
    assert made.inputs["plugin"] == "traceable"
    assert made.inputs["disabled"] is False
    assert made.inputs["metadata"] == {
        "name": "traceable-plugin",
        "labels": {**LABELS, "global": "true"},
        "annotations": {"kubernetes.io/ingress.class": "kong", "traceable-kong/kong-revision": "4"},
    }


def test_with_scope_selected_it_is_not_global_and_disabled_it_still_exists() -> None:
    assert plugin(scope="selected").inputs["metadata"]["labels"] == LABELS
    assert plugin(enabled=False).inputs["disabled"] is True


def test_under_a_new_name_the_old_one_is_deleted_first() -> None:
    assert plugin().delete_before_replace is True
