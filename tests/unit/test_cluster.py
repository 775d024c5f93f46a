"""Which cluster, and whether the stack may touch it."""

from pathlib import Path

import pulumi
import pytest

from cluster import Cluster
from tests.kube.server import kubeconfig

TWO = kubeconfig("a", a="https://a:6443", b="https://b:6443")


def test_the_current_context_counts_unless_another_is_named(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(TWO)
    assert Cluster(kubeconfig=str(path), context=None).api.server_url == "https://a:6443"
    assert Cluster(kubeconfig=str(path), context="b").api.server_url == "https://b:6443"
    assert Cluster(kubeconfig=TWO, context="b").api.server_url == "https://b:6443"


def test_several_files_of_the_environment_are_merged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "one").write_text(kubeconfig("x", x="https://x"))
    (tmp_path / "two").write_text(TWO)
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path / 'one'}:{tmp_path / 'missing'}:{tmp_path / 'two'}")
    assert Cluster(kubeconfig=None, context=None).api.server_url == "https://x"
    assert Cluster(kubeconfig=None, context="b").api.server_url == "https://b:6443"


def test_any_other_cluster_is_refused() -> None:
    here = Cluster(kubeconfig=TWO, context=None)
    here.refuse_unless_allowed([])
    here.refuse_unless_allowed(["https://z", "https://a:6443/"])
    with pytest.raises(pulumi.RunError, match="https://a:6443"):
        here.refuse_unless_allowed(["https://b:6443"])


def test_a_context_that_is_not_there_is_refused_and_not_passed() -> None:
    with pytest.raises(pulumi.RunError, match="get-contexts"):
        Cluster(kubeconfig=TWO, context="gone").refuse_unless_allowed(["https://a:6443"])
