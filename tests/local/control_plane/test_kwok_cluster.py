"""The embedded cluster: what is done when it does not come up; on fakes, no process is started."""

import os
from pathlib import Path

import pytest

from local.control_plane import kwok_cluster


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A cluster that is not there, in a folder of its own; the list is filled with what is done."""
    done: list[str] = []
    monkeypatch.setattr(kwok_cluster, "_COMPLETE", tmp_path / "complete")
    monkeypatch.setattr(kwok_cluster, "_FOLDER", tmp_path / "cluster")
    monkeypatch.setattr(kwok_cluster, "_ready_nodes", lambda: 0)
    monkeypatch.setattr(kwok_cluster, "delete", lambda: done.append("delete"))
    monkeypatch.setattr(kwok_cluster, "_create", lambda: done.append("create"))
    monkeypatch.setattr(kwok_cluster, "_kwokctl", lambda *arguments: done.append(arguments[0]))
    return done


def quiet(line: str) -> None:
    """Says nothing."""


def test_one_that_loses_a_race_for_a_port_is_made_again(calls: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def create() -> None:
        calls.append("create")
        if calls.count("create") == 1:
            raise kwok_cluster.ClusterError("one of its processes ended at once")

    monkeypatch.setattr(kwok_cluster, "_create", create)
    assert kwok_cluster.ensure(report=quiet) is False
    assert calls == ["delete", "create", "delete", "create"]


def test_one_that_never_comes_up_is_an_error_in_the_end(calls: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def create() -> None:
        calls.append("create")
        raise kwok_cluster.ClusterError("no")

    monkeypatch.setattr(kwok_cluster, "_create", create)
    with pytest.raises(kwok_cluster.ClusterError, match="no"):
        kwok_cluster.ensure(report=quiet)
    assert calls.count("create") == kwok_cluster.CREATE_ATTEMPTS


def test_half_a_cluster_is_made_anew(calls: list[str]) -> None:
    assert kwok_cluster.ensure(report=quiet) is False
    assert calls == ["delete", "create"]


def test_a_whole_one_whose_processes_are_gone_is_started_again(
    calls: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "complete").write_text(kwok_cluster._layout())
    (tmp_path / "cluster" / "pids").mkdir(parents=True)
    monkeypatch.setattr(kwok_cluster, "_wait_ready", lambda: calls.append("wait"))
    assert kwok_cluster.ensure(report=quiet) is True
    assert calls == ["stop", "start", "wait"]


def test_one_that_was_made_with_other_stages_is_made_anew(calls: list[str], tmp_path: Path) -> None:
    (tmp_path / "complete").write_text("those of before")
    (tmp_path / "cluster").mkdir()
    assert kwok_cluster.ensure(report=quiet) is False
    assert calls == ["delete", "create"]


def test_one_that_was_made_with_other_flags_is_made_anew(
    calls: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "complete").write_text(kwok_cluster._layout())
    (tmp_path / "cluster").mkdir()
    monkeypatch.setattr(kwok_cluster, "API_SERVER_FLAGS", ("runtime-config=api/beta=false",))
    assert kwok_cluster.ensure(report=quiet) is False
    assert calls == ["delete", "create"]


def test_a_process_of_somebody_else_is_never_ended(calls: list[str], tmp_path: Path) -> None:
    pids = tmp_path / "cluster" / "pids"
    pids.mkdir(parents=True)
    (pids / "etcd.pid").write_text(str(os.getpid()))
    kwok_cluster._disown_stale_pids()
    assert not (pids / "etcd.pid").exists()
