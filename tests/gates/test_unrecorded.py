"""What no state knows: a Release is removed, in the time that it may take; a database keeps its password."""

import pytest

from gates import unrecorded
from gates.probe import Refused
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


@pytest.mark.parametrize("stands", [(), ("secret",), ("pods",), ("secret", "pods")])
def test_a_database_that_no_state_knows_keeps_its_password(stands: tuple[str, ...]) -> None:
    paths = {
        "secret": "/api/v1/namespaces/gw/secrets/edge-postgres",
        "pods": "/apis/apps/v1/namespaces/gw/statefulsets/edge-postgres",
    }
    fake = FakeKube()
    for item in stands:
        fake.put(paths[item], {})
    if len(stands) < 2:
        # A run that was killed between the two, or a Secret that was removed by hand: the state has the password.
        unrecorded.refuse_new_password(fake, namespace="gw", name="edge-postgres")
        return
    with pytest.raises(Refused, match=r"database gw/edge-postgres.*state was lost.*delete statefulset,service,secret"):
        unrecorded.refuse_new_password(fake, namespace="gw", name="edge-postgres")
    assert fake.changed == []
