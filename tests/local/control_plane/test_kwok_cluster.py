"""The embedded cluster when it does not start. All commands are fakes."""

import os
from pathlib import Path

import pytest

from local.control_plane import kwok_cluster


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A cluster that does not exist, in a temporary folder. Records the calls."""
    done: list[str] = []
    monkeypatch.setattr(kwok_cluster, "_COMPLETE", tmp_path / "complete")
    monkeypatch.setattr(kwok_cluster, "_FOLDER", tmp_path / "cluster")
    monkeypatch.setattr(kwok_cluster, "_ready_nodes", lambda: 0)
    monkeypatch.setattr(kwok_cluster, "delete", lambda: done.append("delete"))
    monkeypatch.setattr(kwok_cluster, "_create", lambda: done.append("create"))
    monkeypatch.setattr(kwok_cluster, "_kwokctl", lambda *arguments: done.append(arguments[0]))
    return done


def quiet(line: str) -> None:
    """Prints nothing."""


def test_a_cluster_that_loses_a_port_is_created_again(calls: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def create() -> None:
        calls.append("create")
        if calls.count("create") == 1:
            raise kwok_cluster.ClusterError("a control plane process ended at startup")

    monkeypatch.setattr(kwok_cluster, "_create", create)
    assert kwok_cluster.ensure(report=quiet) is False
    assert calls == ["delete", "create", "delete", "create"]


def test_a_cluster_that_never_starts_is_an_error(calls: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def create() -> None:
        calls.append("create")
        raise kwok_cluster.ClusterError("no")

    monkeypatch.setattr(kwok_cluster, "_create", create)
    with pytest.raises(kwok_cluster.ClusterError, match="no"):
        kwok_cluster.ensure(report=quiet)
    assert calls.count("create") == kwok_cluster.CREATE_ATTEMPTS


def test_an_incomplete_cluster_is_recreated(calls: list[str]) -> None:
    assert kwok_cluster.ensure(report=quiet) is False
    assert calls == ["delete", "create"]


def test_a_complete_cluster_without_processes_is_started_again(
    calls: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "complete").write_text(kwok_cluster._layout())
    (tmp_path / "cluster" / "pids").mkdir(parents=True)
    monkeypatch.setattr(kwok_cluster, "_wait_ready", lambda: calls.append("wait"))
    assert kwok_cluster.ensure(report=quiet) is True
    assert calls == ["stop", "start", "wait"]


def test_other_stages_recreate_the_cluster(calls: list[str], tmp_path: Path) -> None:
    (tmp_path / "complete").write_text("another layout")
    (tmp_path / "cluster").mkdir()
    assert kwok_cluster.ensure(report=quiet) is False
    assert calls == ["delete", "create"]


def test_other_flags_recreate_the_cluster(calls: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "complete").write_text(kwok_cluster._layout())
    (tmp_path / "cluster").mkdir()
    monkeypatch.setattr(kwok_cluster, "API_SERVER_FLAGS", ("runtime-config=api/beta=false",))
    assert kwok_cluster.ensure(report=quiet) is False
    assert calls == ["delete", "create"]


def test_a_reused_process_id_is_never_killed(calls: list[str], tmp_path: Path) -> None:
    pids = tmp_path / "cluster" / "pids"
    pids.mkdir(parents=True)
    (pids / "etcd.pid").write_text(str(os.getpid()))
    kwok_cluster._disown_stale_pids()
    assert not (pids / "etcd.pid").exists()
