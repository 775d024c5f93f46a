"""KongClusterPlugins that collide with this stack's."""

import pytest

from tests.fakes.preflight_cluster import UNINSTALLED, FakeKubernetes, passes, put_plugin, put_record, refused
from traceable_kong.cluster.api_objects import CLUSTER_PLUGINS


def test_a_second_global_plugin_of_the_class_is_refused(kube: FakeKubernetes) -> None:
    second = put_plugin(kube, "second", owned=False)
    text = refused(kube)
    assert "kubectl delete kongclusterplugin second" in text
    assert (
        "plugin.name second" in text
        and "kubectl label kongclusterplugin second traceable-kong/stack=traceable-kong.dev`" in text
    )
    passes(kube, scope="selected")
    second["metadata"]["labels"]["traceable-kong/stack"] = "traceable-kong.prod-0a1b2c3d"
    text = refused(kube)
    assert "Use another kong.ingressClass" in text and "pulumi destroy --stack NAME" in text and "kubectl" not in text
    for change in ({"plugin": "rate-limiting"}, {"metadata": {**second["metadata"], "labels": {}}}):
        kube.put(f"{CLUSTER_PLUGINS}/second", {**second, **change})
        passes(kube)
    second["metadata"]["annotations"]["kubernetes.io/ingress.class"] = "other"
    kube.put(f"{CLUSTER_PLUGINS}/second", second)
    passes(kube)


def test_the_recorded_plugin_is_no_second_one(kube: FakeKubernetes) -> None:
    put_plugin(kube, "old-name")
    put_record(kube, pluginObject="old-name")
    passes(kube)


@pytest.mark.parametrize("everywhere", [True, False])
@pytest.mark.parametrize("recorded", [True, False])
def test_a_left_over_plugin_of_this_stack_is_refused(kube: FakeKubernetes, recorded: bool, everywhere: bool) -> None:
    put_plugin(kube)
    put_plugin(kube, "left-over")
    if recorded:
        put_record(kube, pluginObject="traceable-plugin")
    text = refused(kube, scope="global" if everywhere else "selected")
    assert "`kubectl delete kongclusterplugin left-over`" in text
    assert "plugin.name left-over" in text


def test_an_uninstall_removes_all_of_them(kube: FakeKubernetes) -> None:
    put_plugin(kube, disabled=True)
    put_plugin(kube, "left-over", disabled=True)
    passes(kube, **UNINSTALLED)
