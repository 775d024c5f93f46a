"""An agent that the last run protected against deletion is not deleted by this one."""

from typing import Any

import pytest

from tests.preflight.fake import FakeKubernetes, passes, refused
from traceable_kong.preflight.cached_reader import config_maps

RECORD = {"protected": "agent,kong", "agentNamespace": "traceable"}


def record(kube: FakeKubernetes, **data: str) -> None:
    kube.put(f"{config_maps('kong')}/traceable-installation", {"data": data}, ours=True)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"agent": None, "installed": False, "enabled": False}, "with installed false it would be deleted"),
        ({"agent": None}, "with agent.install false it would be deleted"),
    ],
)
def test_a_run_without_it_is_refused_with_the_way(kube: FakeKubernetes, changes: dict[str, Any], said: str) -> None:
    record(kube, **RECORD)
    text = refused(kube, **changes)
    assert said in text and "traceable-agent in namespace traceable" in text
    assert (
        "`pulumi config set --path traceable-kong:agent.protect false` and `pulumi up`. Then make this change" in text
    )


def test_another_namespace_is_refused_as_long_as_it_is_protected(kube: FakeKubernetes) -> None:
    record(kube, **{**RECORD, "agentNamespace": "elsewhere"})
    text = refused(kube, agent__protect=True)
    assert "agent.namespace traceable it would be replaced" in text and "agent.namespace elsewhere`" in text
    passes(kube, agent__protect=False)


def test_what_was_not_protected_may_go(kube: FakeKubernetes) -> None:
    record(kube, **{**RECORD, "protected": "kong"})
    passes(kube, agent=None)
    record(kube, agentNamespace="traceable")
    passes(kube, agent=None)


def test_nothing_moves_and_nothing_is_said(kube: FakeKubernetes) -> None:
    record(kube, **RECORD)
    passes(kube, agent__protect=True)
    passes(kube, agent__protect=False)
