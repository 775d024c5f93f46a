"""What exists without being in the state: what serves and what is not this stack's is never removed."""

import shutil
import subprocess
from typing import Any

import pytest

from tests.fakes.fake_kubernetes import FakeKubernetes
from tests.preflight.fake import ANOTHER_OF_THIS_NAME, OWNER
from tests.preflight.fake import FakeKubernetes as FakeCluster
from traceable_kong.cluster.kubernetes_client import ApiError
from traceable_kong.hooks import orphaned_releases
from traceable_kong.hooks.injection_dry_run import HookFailed


@pytest.fixture
def helm(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The calls of `helm`, which does nothing."""
    calls: list[list[str]] = []

    def run(command: list[str], **_: Any) -> "subprocess.CompletedProcess[str]":
        calls.append(command[1:])
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(shutil, "which", lambda _: "helm")
    monkeypatch.setattr(subprocess, "run", run)
    return calls


def make_room(api: FakeCluster) -> None:
    orphaned_releases.make_room(
        api,
        namespace="kong",
        release="quickstart",
        owner=OWNER,
        timeout_seconds=90,
        kubeconfig=None,
        context=None,
        say=lambda _: None,
    )


def test_where_nothing_is_nothing_is_removed(helm: list[list[str]]) -> None:
    make_room(FakeCluster())
    assert helm == []


def test_what_an_interrupted_update_installed_and_does_not_serve_is_removed(helm: list[list[str]]) -> None:
    api = FakeCluster()
    api.release("kong", "quickstart", ["deployed"])
    with pytest.raises(HookFailed, match="did not mend it"):
        make_room(api)  # This helm leaves everything where it is.
    assert helm == [["uninstall", "quickstart", "--namespace", "kong", "--wait", "--timeout", "90s"]]


@pytest.mark.parametrize("revisions", [1, 2])
def test_what_serves_is_never_uninstalled(helm: list[list[str]], revisions: int) -> None:
    api = FakeCluster()
    api.release("kong", "quickstart", [*["superseded"] * (revisions - 1), "deployed"], serves=True)
    with pytest.raises(HookFailed, match=r"quickstart-kong has ready pods: what serves is not uninstalled"):
        make_room(api)
    assert helm == []


@pytest.mark.parametrize("owner", [None, ANOTHER_OF_THIS_NAME, "traceable-kong.prod-0a1b2c3d"])
def test_what_is_not_this_stacks_is_never_uninstalled(helm: list[list[str]], owner: str | None) -> None:
    api = FakeCluster()
    api.release("kong", "quickstart", ["deployed"], owner=owner)
    with pytest.raises(HookFailed, match=f"{owner or 'no mark of a stack'}.*It was not touched"):
        make_room(api)
    assert helm == []


@pytest.mark.parametrize("path", ["/api/v1/namespaces/kong/secrets", "/apis/apps/v1/namespaces/kong/deployments"])
def test_an_error_while_checking_stops(helm: list[list[str]], path: str) -> None:
    api = FakeCluster()
    api.release("kong", "quickstart", ["deployed"])
    api.denied[path] = 500
    with pytest.raises(ApiError):
        make_room(api)
    assert helm == []


@pytest.mark.parametrize("stands", [(), ("secret",), ("pods",), ("secret", "pods")])
def test_a_database_that_no_state_knows_keeps_its_password(stands: tuple[str, ...]) -> None:
    paths = {
        "secret": "/api/v1/namespaces/gw/secrets/edge-postgres",
        "pods": "/apis/apps/v1/namespaces/gw/statefulsets/edge-postgres",
    }
    fake = FakeKubernetes()
    for item in stands:
        fake.put(paths[item], {})
    if len(stands) < 2:
        # An update that was killed between the two, or a Secret that was removed by hand: the state has the password.
        orphaned_releases.refuse_new_password(fake, namespace="gw", name="edge-postgres")
        return
    with pytest.raises(HookFailed, match=r"Database gw/edge-postgres.*stack import.*delete statefulset,service,secret"):
        orphaned_releases.refuse_new_password(fake, namespace="gw", name="edge-postgres")
    assert fake.changed == []
