"""What the engine is told of our part: created, read, compared, and gone."""

import pickle
from typing import Any

import pytest

from tests.deployment_patch.deployment import Cluster, kong_of, template, variable
from traceable_kong.cluster import kubeconfig
from traceable_kong.deployment_patch import patching
from traceable_kong.providers.deployment_patch_provider import ClaimProvider, PartProvider

PROPS: dict[str, Any] = {
    "namespace": "gw",
    "deployment": "ingress-kong",
    "container": "proxy",
    "files": {"/opt/kong/plugins/traceable": "files-a"},
    "plugins": ["traceable"],
    "owner": "traceable-kong.dev",
    # As the engine hands it over.
    "timeoutSeconds": 0.0,
}


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    found = Cluster(template(("KONG_PLUGINS", "bundled")))
    monkeypatch.setattr(kubeconfig, "connect", lambda **_: found)
    monkeypatch.setattr(patching, "INTERVAL_SECONDS", 0.0)
    return found


def test_created_read_and_deleted(cluster: Cluster) -> None:
    before = cluster.template
    made = PartProvider().create(PROPS)
    assert (made.id, made.outs) == ("gw/ingress-kong", {**PROPS, "generation": "2"})
    assert PartProvider().read(str(made.id), made.outs or {}).outs == made.outs
    assert PartProvider().diff("", made.outs or {}, PROPS).changes is False
    PartProvider().delete(str(made.id), made.outs or {})
    assert cluster.template == before


def test_a_refresh_sees_what_the_owner_took_away_and_the_next_up_puts_it_back(cluster: Cluster) -> None:
    made = PartProvider().create(PROPS).outs or {}

    def helm_upgrade(found: dict[str, Any]) -> None:
        kong_of(found)["env"] = [{"name": "KONG_PLUGINS", "value": "bundled,foo"}]

    cluster.change(helm_upgrade)
    seen = PartProvider().read("gw/ingress-kong", made).outs or {}
    assert (seen["plugins"], seen["files"], seen["generation"]) == ([], PROPS["files"], "2")
    assert PartProvider().diff("", seen, PROPS).changes is True
    PartProvider().update("", seen, PROPS)
    assert variable(cluster.template, "KONG_PLUGINS") == "bundled,foo,traceable"

    cluster.change(lambda found: kong_of(found).update(name="other"))
    seen = PartProvider().read("gw/ingress-kong", made).outs or {}
    assert (seen["container"], seen["files"]) == ("", {})


def test_a_deployment_that_is_gone_is_no_resource_any_more(cluster: Cluster) -> None:
    cluster.live = None
    assert not PartProvider().read("gw/ingress-kong", PROPS).id
    PartProvider().delete("gw/ingress-kong", PROPS)


@pytest.mark.parametrize(
    ("key", "value", "replaces"),
    [
        ("files", {"/opt/kong/plugins/traceable": "files-b"}, []),
        ("plugins", [], []),
        ("container", "other", []),
        ("timeoutSeconds", 5.0, []),
        ("namespace", "other", ["namespace"]),
        ("deployment", "other", ["deployment"]),
    ],
)
def test_what_is_a_change(key: str, value: object, replaces: list[str]) -> None:
    found = PartProvider().diff("", {**PROPS, "generation": "2"}, {**PROPS, key: value})
    assert (found.changes, found.replaces, found.delete_before_replace) == (True, replaces, True)


def test_a_claim_changes_nothing_and_takes_out_what_a_killed_run_left(cluster: Cluster) -> None:
    before = cluster.template
    claim = ClaimProvider().create(PROPS)
    newer = {**PROPS, "files": {"/opt/kong/plugins/traceable": "files-b"}}
    assert (claim.outs or {})["held"] == ["files-a"]
    assert (ClaimProvider().update("", claim.outs or {}, newer).outs or {})["held"] == ["files-b"]
    assert ClaimProvider().diff("", claim.outs or {}, PROPS).changes is False
    assert cluster.patches == []
    PartProvider().create(PROPS)
    ClaimProvider().delete(str(claim.id), claim.outs or {})
    assert cluster.template == before


@pytest.mark.parametrize("provider", [ClaimProvider, PartProvider])
def test_what_is_pickled_into_the_state_is_a_name(provider: type) -> None:
    assert vars(provider()) == {}
    assert len(pickle.dumps(provider())) < 100


def test_the_cluster_is_the_stacks(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    from pulumi import dynamic

    asked: list[dict[str, Any]] = []
    monkeypatch.setattr(kubeconfig, "connect", lambda **given: asked.append(given))
    monkeypatch.setattr(sys, "tracebacklimit", 1000, raising=False)
    provider = PartProvider()
    config = dynamic.Config({"kubernetes:kubeconfig": "text", "kubernetes:context": "prod"}, "traceable-kong")
    provider.configure(dynamic.ConfigureRequest(config=config))
    provider._api()
    assert asked == [{"kubeconfig": "text", "context": "prod"}]
