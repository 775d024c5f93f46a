"""The cluster of the stack, and whether the config allows it."""

from pathlib import Path

import pytest

from tests.cluster.api_server import kubeconfig
from tests.fakes.fake_kubernetes import FakeKubernetes, forbidden
from traceable_kong.cluster.kubernetes_client import Unreachable
from traceable_kong.cluster.target import ClusterError, ClusterTarget
from traceable_kong.common.wording import Wording

TWO = kubeconfig("a", a="https://a:6443", b="https://b:6443")


def test_the_current_context_is_the_default(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(TWO)
    assert ClusterTarget(kubeconfig=str(path), context=None).api.server_url == "https://a:6443"
    assert ClusterTarget(kubeconfig=str(path), context="b").api.server_url == "https://b:6443"
    assert ClusterTarget(kubeconfig=TWO, context="b").api.server_url == "https://b:6443"


def test_several_files_in_kubeconfig_are_merged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "one").write_text(kubeconfig("x", x="https://x"))
    (tmp_path / "two").write_text(TWO)
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path / 'one'}:{tmp_path / 'missing'}:{tmp_path / 'two'}")
    assert ClusterTarget(kubeconfig=None, context=None).api.server_url == "https://x"
    assert ClusterTarget(kubeconfig=None, context="b").api.server_url == "https://b:6443"


def test_any_other_cluster_is_refused() -> None:
    here = ClusterTarget(kubeconfig=TWO, context=None)
    here.require_allowed([])
    here.require_allowed(["https://z", "https://a:6443/"])
    with pytest.raises(ClusterError, match="https://a:6443"):
        here.require_allowed(["https://b:6443"])


def test_a_missing_context_is_refused() -> None:
    with pytest.raises(
        ClusterError,
        match="Choose one of its contexts: `pulumi config set kubernetes:context",
    ):
        ClusterTarget(kubeconfig=TWO, context="gone").require_allowed(["https://a:6443"])


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "config"
    with pytest.raises(ClusterError) as refused:
        ClusterTarget(kubeconfig=str(path), context=None).require_allowed(["https://a:6443"])
    assert str(refused.value) == (
        f"The cluster of this stack cannot be determined: no usable kubeconfig ({path}, named by "
        "kubernetes:kubeconfig): it does not exist. Nothing was changed. Name another file: `pulumi config set "
        "kubernetes:kubeconfig FILE`."
    )
    shown = Wording(options="", component="edge").shown(str(refused.value))
    assert "named by kubernetes.kubeconfig)" in shown
    assert shown.endswith("Name another file: set the argument kubernetes.kubeconfig to FILE.")


def test_the_selector_of_a_deployment() -> None:
    path = "/apis/apps/v1/namespaces/gw/deployments/edge"
    selector = {"matchLabels": {"app": "edge"}}
    api = FakeKubernetes((path, {"spec": {"selector": selector}}))

    def here() -> ClusterTarget:
        made = ClusterTarget(kubeconfig=TWO, context=None)
        made.__dict__["api"] = api
        return made

    assert here().selector_of("gw", "edge") == selector
    assert here().selector_of("gw", "gone") == {}, "preflight says that it is not there"
    for problem in (forbidden(), Unreachable("https://a:6443: nobody answers")):
        api.problems[path] = problem
        with pytest.raises(ClusterError, match=r"gw/edge could not be read: .*Nothing was changed"):
            here().selector_of("gw", "edge")
