"""No request is made twice in a run, and what is read does not grow with objects of others."""

from typing import Any

import pytest

from tests.fakes import preflight_cluster, protected_cluster
from tests.fakes.fake_kubernetes import FakeKubernetes
from tests.fakes.preflight_cluster import (
    EXISTING,
    EXISTING_AGENT,
    UNINSTALLED,
    examined,
    put_kong,
    put_plugin,
    put_record,
)
from tests.fakes.protected_gateway import desired
from tests.fakes.recorded_requests import RecordedRequests
from tests.hooks.stack import target
from tests.plan.test_inputs import configured
from traceable_kong.cluster.api_objects import config_maps, network_policies, pods, secrets
from traceable_kong.cluster.shared_reads import SharedReads
from traceable_kong.plan.inputs import agent_settings, recorded_tme_image
from traceable_kong.verification.verifier import verify_gateway

UNRELATED = 500


def installed() -> preflight_cluster.FakeKubernetes:
    kube = preflight_cluster.FakeKubernetes()
    for namespace, release in (("kong", "quickstart"), ("traceable", "traceable-agent")):
        kube.put(f"/api/v1/namespaces/{namespace}", owned=True)
        kube.release(namespace, release, ["superseded", "deployed"])
    put_kong(kube)
    put_plugin(kube)
    put_record(kube)
    return kube


def add_unrelated(kube: Any, *namespaces: str) -> None:
    """Many pods, ConfigMaps and Secrets of others in each namespace."""
    for path in (path(namespace) for namespace in namespaces for path in (pods, config_maps, secrets)):
        for number in range(UNRELATED):
            metadata = {"labels": {"app": "other"}, "annotations": {"text": "x" * 100}}
            kube.put(f"{path}/other-{number}", {"metadata": metadata, "data": {"a": "b"}, "spec": {"containers": []}})


@pytest.mark.parametrize("config", [{}, {"mode": "async"}, EXISTING, EXISTING_AGENT, UNINSTALLED])
@pytest.mark.parametrize("administrator", [True, False])
def test_preflight_requests_nothing_twice(config: dict[str, Any], administrator: bool) -> None:
    kube = installed()
    kube.may = lambda verb, resource: administrator or verb != "*"
    recorded = RecordedRequests(kube)
    examined(recorded, **config)
    assert len(recorded.reads) > 10 and recorded.repeated == []


def test_preflight_shares_what_the_plan_needed() -> None:
    recorded = RecordedRequests(installed())
    cluster = target(recorded)
    config = configured(agent=EXISTING_AGENT["agent"])
    agent_settings(config, cluster, preview=True)
    recorded_tme_image(config, cluster, preview=True)
    assert len(recorded.reads) == 2
    examined(cluster.reads, **EXISTING_AGENT)
    assert recorded.repeated == []


def test_preflight_reads_no_more_in_a_full_cluster() -> None:
    def characters(kube: preflight_cluster.FakeKubernetes) -> int:
        recorded = RecordedRequests(kube)
        examined(recorded)
        return recorded.characters

    full = installed()
    add_unrelated(full, "kong", "traceable", "default")
    assert characters(full) == characters(installed())


def test_the_verification_requests_nothing_twice() -> None:
    kube = protected_cluster.cluster()
    # Their rules select namespaces by label, so a namespace is read that another check reads too.
    kube.put(f"{network_policies('gw')}/a", {"spec": {"podSelector": {}, "policyTypes": []}})
    recorded = RecordedRequests(kube)
    assert verify_gateway(recorded, desired()).ok
    assert "/api/v1/namespaces/gw" in recorded.reads and recorded.repeated == []


def test_the_verification_reads_no_more_in_a_full_cluster() -> None:
    def characters(kube: FakeKubernetes) -> int:
        recorded = RecordedRequests(kube)
        assert verify_gateway(recorded, desired()).ok
        return recorded.characters

    full = protected_cluster.cluster()
    add_unrelated(full, "gw", "traceable", "default")
    assert characters(full) == characters(protected_cluster.cluster())


def test_the_verification_shares_what_was_read_for_its_first_observation_only() -> None:
    kube = protected_cluster.cluster()
    recorded = RecordedRequests(kube)
    reads = SharedReads(recorded)
    reads.get(protected_cluster.DEPLOYMENT)
    assert verify_gateway(reads, desired()).ok and recorded.repeated == []

    (name,) = {path for path in kube.objects if path.startswith(f"{protected_cluster.PODS}/")}
    kube.objects[name]["status"]["conditions"] = []
    reads = SharedReads(recorded)
    assert not verify_gateway(reads, desired(), deadline_seconds=0.6).ok
    assert protected_cluster.DEPLOYMENT in recorded.repeated
