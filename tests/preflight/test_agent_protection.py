"""An agent that the last update protected against deletion is not deleted."""

from typing import Any

import pytest

from tests.fakes.preflight_cluster import EXTERNAL_AGENT, UNINSTALLED, FakeKubernetes, passes, refused
from traceable_kong.cluster.api_objects import config_maps

RECORD = {"protected": "agent,kong", "agentNamespace": "traceable"}


def record(kube: FakeKubernetes, **data: str) -> None:
    kube.put(f"{config_maps('kong')}/traceable-installation", {"data": data}, owned=True)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (UNINSTALLED, "with installed false it would be deleted"),
        (EXTERNAL_AGENT, "with agent.install false it would be deleted"),
    ],
)
def test_an_update_without_the_agent_is_refused(kube: FakeKubernetes, changes: dict[str, Any], said: str) -> None:
    record(kube, **RECORD)
    text = refused(kube, **changes)
    assert said in text and "traceable-agent in namespace traceable" in text
    assert (
        "`pulumi config set --path traceable-kong:agent.protect false` and `pulumi up`. Then make this change" in text
    )


def test_another_namespace_is_refused_while_the_agent_is_protected(kube: FakeKubernetes) -> None:
    record(kube, **{**RECORD, "agentNamespace": "elsewhere"})
    text = refused(kube, agent={"protect": True})
    assert "agent.namespace traceable it would be replaced" in text and "agent.namespace elsewhere`" in text
    passes(kube, agent={"protect": False})


def test_an_unprotected_agent_may_be_removed(kube: FakeKubernetes) -> None:
    record(kube, **{**RECORD, "protected": "kong"})
    passes(kube, **EXTERNAL_AGENT)
    record(kube, agentNamespace="traceable")
    passes(kube, **EXTERNAL_AGENT)


def test_an_agent_that_stays_passes(kube: FakeKubernetes) -> None:
    record(kube, **RECORD)
    passes(kube, agent={"protect": True})
    passes(kube, agent={"protect": False})
