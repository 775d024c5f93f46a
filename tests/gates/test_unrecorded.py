"""A Release that no state knows is removed, and the removal may take as long as it is told."""

import pytest

from gates import unrecorded
from preflight import DeadRelease
from tests.fake_kube import FakeKube


def test_what_a_killed_run_installed_is_removed_within_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    removed: list[DeadRelease] = []
    monkeypatch.setattr(unrecorded, "mend", lambda api, dead, **_: removed.append(dead))
    fake = FakeKube()
    labels = {"owner": "helm", "name": "edge", "version": "1", "status": "deployed"}
    fake.put("/api/v1/namespaces/gw/secrets/edge.v1", {"metadata": {"labels": labels}})
    unrecorded.remove(
        fake, namespace="gw", release="edge", record_path="/r", timeout_seconds=90, kubeconfig=None, context=None
    )
    assert [item.command for item in removed] == ["helm uninstall edge --namespace gw --wait --timeout 90s"]
