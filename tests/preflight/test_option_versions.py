"""An older rock, and the plugins and options that the cluster uses."""

import pytest

from tests.fakes.preflight_cluster import (
    UNINSTALLED,
    FakeKubernetes,
    container,
    passes,
    put_kong,
    put_plugin,
    put_record,
    refused,
    rock_of,
)
from traceable_kong.cluster.api_objects import CLUSTER_PLUGINS, NAMESPACED_PLUGINS, config_maps
from traceable_kong.preflight.option_versions import unknown_options

NEWER = {"mode": "sync", "timeout": 500, "max_body_size_bytes": 1}


def test_an_option_that_the_older_rock_does_not_know_needs_two_steps(kube: FakeKubernetes) -> None:
    put_plugin(kube, config=NEWER)
    put_record(kube, rockVersion="2.2.2-1", rockSha256="a" * 64)
    text = refused(kube)
    assert "max_body_size_bytes" in text
    first, second = text.index("plugin.version 2.2.2-1"), text.index("plugin.version 2.1.2-1")
    assert first < text.index("a" * 64) < second < text.index("c" * 64)
    assert text.count("`pulumi up`") == 2
    passes(kube, rock=rock_of("2.2.2-1"))


def test_a_plugin_under_its_older_name_counts(kube: FakeKubernetes) -> None:
    put_record(kube, pluginObject="old-name")
    put_plugin(kube, "old-name", config=NEWER)
    assert "kongclusterplugin old-name" in refused(kube)
    put_plugin(kube, "old-name", disabled=False)
    assert "kongclusterplugin old-name" in refused(kube, **UNINSTALLED)


def test_before_modes_the_plugin_itself_is_deleted_first(kube: FakeKubernetes) -> None:
    put_plugin(kube, config={"mode": "sync"})
    assert "pulumi destroy --target" in refused(kube, rock=rock_of("2.0.0-1"))


def test_a_deletion_protection_is_removed_first(kube: FakeKubernetes) -> None:
    put_plugin(kube, config={"mode": "sync"})
    rock = {"rockVersion": "2.2.2-1", "rockSha256": "a" * 64, "agentNamespace": "traceable"}
    put_record(kube, release="quickstart", protected="agent,kong", **rock)
    said = refused(kube, rock=rock_of("2.0.0-1"), agent={"protect": True}, mode=None)
    order = [
        *("plugin.version 2.2.2-1", "kong.protect false", "agent.protect false", "`pulumi up`", "pulumi destroy"),
        *("plugin.version 2.0.0-1", "kong.protect true", "agent.protect true", "`pulumi up`"),
    ]
    at = -1
    for step in order:
        at = said.index(step, at + 1)
    put_record(kube, release="quickstart", protected="kong", **rock)
    assert "agent.protect" not in refused(kube, rock=rock_of("2.0.0-1"))


def test_other_plugins_are_not_checked(kube: FakeKubernetes) -> None:
    put_plugin(kube, "other", owned=False, config=NEWER, plugin="other")
    passes(kube)
    put_plugin(kube, owned=False, config=NEWER)
    assert "max_body_size_bytes" not in refused(kube)


@pytest.mark.parametrize(
    ("option", "version", "unknown"),
    [
        ("mode", "2.0.9-1", True),
        ("mode", "2.1.0-1", False),
        ("timeout", "1.0.0-1", False),
        ("export_max_senders", "2.3.9-1", True),
        ("export_max_senders", "2.4.0-1", False),
        ("of_the_future", "2.4.0-1", True),
        ("of_the_future", "2.4.1-1", False),
    ],
)
def test_options_and_versions(option: str, version: str, unknown: bool) -> None:
    assert unknown_options({option: 1}, version) == ([option] if unknown else [])


def two_plugins_are_mounted(kube: FakeKubernetes) -> None:
    for name in ("cm-a", "cm-b"):
        kube.put(f"{config_maps('kong')}/{name}", owned=True)
    volumes = {"kong-plugin-traceable": "cm-a", "kong-plugin-traceable-ai-extension": "cm-b", "kong-plugin-own": "x"}
    put_kong(kube, container(), volumes=volumes)


@pytest.mark.parametrize("path", [CLUSTER_PLUGINS, f"{NAMESPACED_PLUGINS}"])
def test_a_removed_plugin_that_is_in_use_is_refused(kube: FakeKubernetes, path: str) -> None:
    two_plugins_are_mounted(kube)
    passes(kube)
    item = {"plugin": "traceable-ai-extension", "metadata": {"annotations": {"kubernetes.io/ingress.class": "kong"}}}
    kube.put(f"{path}/ai", item)
    text = refused(kube)
    assert "traceable-ai-extension" in text
    assert "plugin ai" in text
    passes(kube, rock=rock_of("2.1.2-1", "traceable", "traceable-ai-extension"))
    item["metadata"]["annotations"]["kubernetes.io/ingress.class"] = "other"  # type: ignore[index]
    passes(kube)


def test_the_users_own_plugins_pass(kube: FakeKubernetes) -> None:
    two_plugins_are_mounted(kube)
    kube.put(f"{CLUSTER_PLUGINS}/own", {"plugin": "own"})
    passes(kube)


def test_an_uninstall_needs_a_disabled_plugin(kube: FakeKubernetes) -> None:
    put_plugin(kube, disabled=False)
    text = refused(kube, **UNINSTALLED)
    assert text.index("traceable-kong:enabled false") < text.index("traceable-kong:installed false`")
    put_plugin(kube, disabled=True)
    two_plugins_are_mounted(kube)
    passes(kube, **UNINSTALLED)


def test_an_uninstall_does_not_check_options(kube: FakeKubernetes) -> None:
    put_plugin(kube, disabled=True, config=NEWER)
    passes(kube, **UNINSTALLED)


def test_an_uninstall_with_plugins_in_use_is_refused(kube: FakeKubernetes) -> None:
    two_plugins_are_mounted(kube)
    kube.put(f"{NAMESPACED_PLUGINS}/route", {"plugin": "traceable", "metadata": {"namespace": "shop"}})
    assert "kubectl delete kongplugin route --namespace shop" in refused(kube, **UNINSTALLED)
