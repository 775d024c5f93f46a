"""Webhooks of other gateways: which ones validate the plugin, and what they answer in a dry run."""

import json
from typing import Any

import pytest

from tests.fakes.plans import OWNER
from tests.fakes.preflight_cluster import UNINSTALLED, FakeKubernetes, passes, refused, warned
from traceable_kong.cluster.api_objects import VALIDATING_WEBHOOKS
from traceable_kong.cluster.kubernetes_client import ApiError
from traceable_kong.cluster.ownership import labels
from traceable_kong.cluster.pods import selected

NAME = "plugins.validation.konghq.com"
DENIED = ApiError(400, "", f'admission webhook "{NAME}" denied the request: plugin failed schema validation')


def webhook(
    kube: FakeKubernetes, configuration: str = "other-gateway", *, release: str = "other", **changes: Any
) -> None:
    """A webhook as the kong chart makes it, of a release `other` in the namespace `other`."""
    hook = {
        "name": NAME,
        "rules": [
            {
                "apiGroups": ["configuration.konghq.com"],
                "apiVersions": ["v1"],
                "operations": ["CREATE", "UPDATE"],
                "resources": ["kongplugins", "kongclusterplugins"],
            }
        ],
        "clientConfig": {"service": {"namespace": "other", "name": "webhook"}},
        **changes,
    }
    kube.put(
        f"{VALIDATING_WEBHOOKS}/{configuration}",
        {"metadata": {"labels": {"app.kubernetes.io/instance": release}}, "webhooks": [hook]},
    )


def own(kube: FakeKubernetes, **changes: Any) -> None:
    webhook(kube, "own", clientConfig={"service": {"namespace": "kong", "name": "w"}}, release="quickstart", **changes)


def test_a_webhook_that_accepts_the_plugin_passes(kube: FakeKubernetes) -> None:
    webhook(kube)
    passes(kube)
    (tried,) = kube.creates
    assert tried["metadata"]["generateName"] == "traceable-plugin-"
    assert tried["metadata"]["labels"] == {**labels(OWNER), "global": "true"}
    assert tried["plugin"] == "traceable"


def test_a_rejection_names_the_configuration_and_the_patch(kube: FakeKubernetes) -> None:
    webhook(kube)
    kube.create_answer = DENIED
    text = refused(kube, live_change=False)
    assert "other-gateway" in text
    assert "plugin failed schema validation" in text
    (patch,) = json.loads(text.split("--patch '")[1].split("'")[0])
    assert patch["path"] == "/webhooks/0/objectSelector"
    assert not selected(patch["value"], labels(OWNER))
    assert selected(patch["value"], labels("traceable-kong.prod"))
    assert selected(patch["value"], {})


def test_the_patch_keeps_the_current_selector(kube: FakeKubernetes) -> None:
    webhook(kube, objectSelector={"matchLabels": {"global": "true"}})
    kube.create_answer = DENIED
    assert '"matchLabels": {"global": "true"}' in refused(kube)


@pytest.mark.parametrize(
    "changes",
    [
        {"objectSelector": {"matchExpressions": [{"key": "traceable-kong/stack", "operator": "DoesNotExist"}]}},
        {"objectSelector": {"matchLabels": {"a": "b"}}},
        {"rules": []},
        {"rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["*"], "resources": ["secrets"]}]},
        {"rules": [{"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["DELETE"], "resources": ["*"]}]},
        {
            "rules": [
                {
                    "apiGroups": ["*"],
                    "apiVersions": ["*"],
                    "operations": ["*"],
                    "resources": ["*"],
                    "scope": "Namespaced",
                }
            ]
        },
    ],
)
def test_a_webhook_that_does_not_match_is_not_tried(kube: FakeKubernetes, changes: dict[str, Any]) -> None:
    webhook(kube, **changes)
    kube.create_answer = DENIED
    passes(kube)


def test_a_namespace_selector_does_not_exclude_a_cluster_scoped_object(kube: FakeKubernetes) -> None:
    webhook(kube, namespaceSelector={"matchLabels": {"a": "b"}})
    kube.create_answer = DENIED
    assert "other-gateway" in refused(kube)


def test_the_gateways_own_webhook_is_ignored(kube: FakeKubernetes) -> None:
    own(kube)
    kube.create_answer = DENIED
    passes(kube)
    webhook(kube, "same-release-name-elsewhere", release="quickstart")
    assert "same-release-name-elsewhere" in warned(kube)


def test_the_gateways_own_webhook_is_recognized_by_helms_annotations(kube: FakeKubernetes) -> None:
    """A webhook need not name a Service."""
    webhook(kube, "own", clientConfig={"url": "https://somewhere"}, release="quickstart")
    noted = {"meta.helm.sh/release-name": "quickstart", "meta.helm.sh/release-namespace": "kong"}
    kube.objects[f"{VALIDATING_WEBHOOKS}/own"]["metadata"]["annotations"] = noted
    kube.create_answer = DENIED
    passes(kube)
    noted["meta.helm.sh/release-namespace"] = "elsewhere"
    assert "own" in refused(kube)


def test_an_uninstall_tries_no_webhook(kube: FakeKubernetes) -> None:
    webhook(kube)
    kube.create_answer = DENIED
    passes(kube, **UNINSTALLED)


def test_a_second_gateway_in_the_same_namespace_is_another_one(kube: FakeKubernetes) -> None:
    webhook(kube, clientConfig={"service": {"namespace": "kong", "name": "w"}})
    kube.create_answer = DENIED
    assert "rejects the plugin" in refused(kube)


def test_a_rejection_that_may_be_the_own_webhooks_is_a_warning(kube: FakeKubernetes) -> None:
    own(kube)
    webhook(kube)
    kube.create_answer = DENIED
    text = warned(kube)
    assert "may reject" in text and "its own Kong lacks it" not in text
    assert "If it was this gateway's own, there is nothing to do" in text and "`kubectl patch validatingwebhook" in text
    own(kube, name="another.name")
    assert "rejects the plugin" in refused(kube)


def test_a_webhook_that_does_not_answer_is_named(kube: FakeKubernetes) -> None:
    webhook(kube)
    kube.create_answer = ApiError(500, "InternalError", f'failed calling webhook "{NAME}": connection refused')
    assert "connection refused" in refused(kube)


def test_a_dry_run_that_is_not_permitted_is_a_warning(kube: FakeKubernetes) -> None:
    webhook(kube)
    kube.create_answer = ApiError(403, "Forbidden", "cannot create resource kongclusterplugins")
    assert "other-gateway" in warned(kube)
    kube.create_answer = ApiError(404, "NotFound", "the server could not find the requested resource")
    passes(kube)


@pytest.mark.parametrize(
    ("expression", "have", "answer"),
    [
        ({"key": "a", "operator": "In", "values": ["1"]}, {"a": "1"}, True),
        ({"key": "a", "operator": "In", "values": ["1"]}, {}, False),
        ({"key": "a", "operator": "NotIn", "values": ["1"]}, {}, True),
        ({"key": "a", "operator": "NotIn", "values": ["1"]}, {"a": "1"}, False),
        ({"key": "a", "operator": "Exists"}, {"a": ""}, True),
        ({"key": "a", "operator": "Exists"}, {}, False),
        ({"key": "a", "operator": "DoesNotExist"}, {}, True),
        ({"key": "a", "operator": "DoesNotExist"}, {"a": ""}, False),
    ],
)
def test_selectors(expression: dict[str, Any], have: dict[str, str], answer: bool) -> None:
    assert selected({"matchExpressions": [expression]}, have) is answer
