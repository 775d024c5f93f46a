"""An older rock, and what stands in the cluster."""

import pytest

from tests.preflight.fake import FakeKubernetes, container, kong_stands, passes, plugin_stands, record_stands, refused
from traceable_kong.preflight.cached_reader import CLUSTER_PLUGINS, NAMESPACED_PLUGINS, config_maps
from traceable_kong.preflight.option_versions import unknown_options

NEWER = {"mode": "sync", "timeout": 500, "max_body_size_bytes": 1}


def test_an_option_that_the_older_rock_does_not_know_takes_two_steps(kube: FakeKubernetes) -> None:
    plugin_stands(kube, config=NEWER)
    record_stands(kube, rockVersion="2.2.2-1", rockSha256="a" * 64)
    text = refused(kube)
    assert "max_body_size_bytes" in text
    first, second = text.index("plugin.version 2.2.2-1"), text.index("plugin.version 2.1.2-1")
    assert first < text.index("a" * 64) < second < text.index("c" * 64)
    assert text.count("`pulumi up`") == 2
    passes(kube, plugin__rock_version="2.2.2-1")


def test_a_plugin_under_its_older_name_counts_as_well(kube: FakeKubernetes) -> None:
    record_stands(kube, pluginObject="old-name")
    plugin_stands(kube, "old-name", config=NEWER)
    assert "kongclusterplugin old-name" in refused(kube)
    plugin_stands(kube, "old-name", disabled=False)
    assert "kongclusterplugin old-name" in refused(kube, installed=False, enabled=False)


def test_before_modes_the_plugin_itself_goes_first(kube: FakeKubernetes) -> None:
    plugin_stands(kube, config={"mode": "sync"})
    assert "pulumi destroy --target" in refused(kube, plugin__rock_version="2.0.0-1")


def test_where_it_is_protected_the_protection_is_lifted_first(kube: FakeKubernetes) -> None:
    plugin_stands(kube, config={"mode": "sync"})
    rock = {"rockVersion": "2.2.2-1", "rockSha256": "a" * 64, "agentNamespace": "traceable"}
    record_stands(kube, release="quickstart", protected="agent,kong", **rock)
    said = refused(kube, plugin__rock_version="2.0.0-1", agent__protect=True)
    order = [
        *("plugin.version 2.2.2-1", "kong.protect false", "agent.protect false", "`pulumi up`", "pulumi destroy"),
        *("plugin.version 2.0.0-1", "kong.protect true", "agent.protect true", "`pulumi up`"),
    ]
    at = -1
    for step in order:
        at = said.index(step, at + 1)
    record_stands(kube, release="quickstart", protected="kong", **rock)
    assert "agent.protect" not in refused(kube, plugin__rock_version="2.0.0-1")


def test_somebody_elses_plugin_is_none_of_this(kube: FakeKubernetes) -> None:
    plugin_stands(kube, "theirs", ours=False, config=NEWER, plugin="other")
    passes(kube)
    plugin_stands(kube, ours=False, config=NEWER)
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
        kube.put(f"{config_maps('kong')}/{name}", ours=True)
    volumes = {"kong-plugin-traceable": "cm-a", "kong-plugin-traceable-ai-extension": "cm-b", "kong-plugin-own": "x"}
    kong_stands(kube, container(), volumes=volumes)


@pytest.mark.parametrize("path", [CLUSTER_PLUGINS, f"{NAMESPACED_PLUGINS}"])
def test_a_plugin_that_goes_and_is_in_use_is_refused(kube: FakeKubernetes, path: str) -> None:
    two_plugins_are_mounted(kube)
    passes(kube)
    item = {"plugin": "traceable-ai-extension", "metadata": {"annotations": {"kubernetes.io/ingress.class": "kong"}}}
    kube.put(f"{path}/ai", item)
    text = refused(kube)
    assert "traceable-ai-extension" in text
    assert "plugin ai" in text
    passes(kube, plugin__shipped=frozenset({"traceable", "traceable-ai-extension"}))
    item["metadata"]["annotations"]["kubernetes.io/ingress.class"] = "other"  # type: ignore[index]
    passes(kube)


def test_plugins_of_the_users_own_stay(kube: FakeKubernetes) -> None:
    two_plugins_are_mounted(kube)
    kube.put(f"{CLUSTER_PLUGINS}/own", {"plugin": "own"})
    passes(kube)


def test_leaving_asks_for_a_plugin_that_is_off(kube: FakeKubernetes) -> None:
    plugin_stands(kube, disabled=False)
    text = refused(kube, installed=False)
    assert text.index("traceable-kong:enabled false") < text.index("traceable-kong:installed false`")
    plugin_stands(kube, disabled=True)
    two_plugins_are_mounted(kube)
    passes(kube, installed=False)


def test_leaving_asks_nothing_of_the_options(kube: FakeKubernetes) -> None:
    plugin_stands(kube, disabled=True, config=NEWER)
    passes(kube, installed=False)


def test_leaving_with_plugins_in_use_is_refused(kube: FakeKubernetes) -> None:
    two_plugins_are_mounted(kube)
    kube.put(f"{NAMESPACED_PLUGINS}/route", {"plugin": "traceable", "metadata": {"namespace": "shop"}})
    assert "kubectl delete kongplugin route --namespace shop" in refused(kube, installed=False)
