"""What exists without being in the state: a release that serves or belongs to others is never removed."""

import shutil
import subprocess
from typing import Any

import pytest

from tests.fakes import plans
from tests.fakes.fake_kubernetes import FakeKubernetes
from tests.fakes.plans import OWNER
from tests.fakes.preflight_cluster import ANOTHER_OF_THIS_NAME
from tests.fakes.preflight_cluster import FakeKubernetes as FakeCluster
from tests.hooks.stack import target
from traceable_kong.cluster.kubernetes_client import ApiError
from traceable_kong.helm_values.kong_database import ManagedPostgres
from traceable_kong.hooks import orphaned_releases
from traceable_kong.hooks.hook_failed import HookFailed

POSTGRES = ManagedPostgres(namespace="gw", name="edge-postgres")


@pytest.fixture
def helm(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The calls of a `helm` that does nothing."""
    calls: list[list[str]] = []

    def run(command: list[str], **_: Any) -> "subprocess.CompletedProcess[str]":
        calls.append(command[1:])
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(shutil, "which", lambda _: "helm")
    monkeypatch.setattr(subprocess, "run", run)
    return calls


def remove_orphaned_release(api: FakeCluster) -> None:
    plan = plans.plan(owner=OWNER, kong={"timeoutSeconds": 90})
    orphaned_releases.remove_orphaned_release(target(api), plan.releases[0], plan, say=lambda _: None)


def test_without_a_release_nothing_is_removed(helm: list[list[str]]) -> None:
    remove_orphaned_release(FakeCluster())
    assert helm == []


def test_a_release_of_an_interrupted_update_that_does_not_serve_is_removed(helm: list[list[str]]) -> None:
    api = FakeCluster()
    api.release("kong", "quickstart", ["deployed"])
    with pytest.raises(HookFailed, match="did not repair it"):
        remove_orphaned_release(api)  # This helm removes nothing.
    assert helm == [["uninstall", "quickstart", "--namespace", "kong", "--wait", "--timeout", "90s"]]


@pytest.mark.parametrize("revisions", [1, 2])
def test_a_release_that_serves_is_never_uninstalled(helm: list[list[str]], revisions: int) -> None:
    api = FakeCluster()
    api.release("kong", "quickstart", [*["superseded"] * (revisions - 1), "deployed"], serves=True)
    with pytest.raises(HookFailed, match=r"quickstart-kong has ready pods. A release that serves is not uninstalled"):
        remove_orphaned_release(api)
    assert helm == []


@pytest.mark.parametrize("owner", [None, ANOTHER_OF_THIS_NAME, "traceable-kong.prod-0a1b2c3d"])
def test_a_release_of_others_is_never_uninstalled(helm: list[list[str]], owner: str | None) -> None:
    api = FakeCluster()
    api.release("kong", "quickstart", ["deployed"], owner=owner)
    with pytest.raises(HookFailed, match=f"{owner or 'is not managed by this stack'}.*It was not changed"):
        remove_orphaned_release(api)
    assert helm == []


@pytest.mark.parametrize("path", ["/api/v1/namespaces/kong/secrets", "/apis/apps/v1/namespaces/kong/deployments"])
def test_an_error_while_checking_stops(helm: list[list[str]], path: str) -> None:
    api = FakeCluster()
    api.release("kong", "quickstart", ["deployed"])
    api.denied[path] = 500
    with pytest.raises(ApiError):
        remove_orphaned_release(api)
    assert helm == []


@pytest.mark.parametrize("existing", [(), ("secret",), ("pods",), ("secret", "pods")])
def test_a_database_that_is_not_in_the_state_keeps_its_password(existing: tuple[str, ...]) -> None:
    paths = {
        "secret": "/api/v1/namespaces/gw/secrets/edge-postgres",
        "pods": "/apis/apps/v1/namespaces/gw/statefulsets/edge-postgres",
    }
    fake = FakeKubernetes()
    for item in existing:
        fake.put(paths[item], {})
    if len(existing) < 2:
        # An update was interrupted between the two, or the Secret was deleted: the state has the password.
        orphaned_releases.require_database_password(fake, POSTGRES)
        return
    with pytest.raises(HookFailed, match=r"Database gw/edge-postgres.*stack import.*delete statefulset,service,secret"):
        orphaned_releases.require_database_password(fake, POSTGRES)
    assert fake.changed == []
