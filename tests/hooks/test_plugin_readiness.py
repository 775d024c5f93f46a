"""What the plugin needs of the gateway, and the messages if something is missing."""

import copy
import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from tests.fakes.clock import Clock
from tests.fakes.fake_kubernetes import FakeKubernetes
from tests.fakes.protected_cluster import DEPLOYMENT, PODS, cluster
from tests.fakes.protected_gateway import FILES, pod
from tests.hooks.stack import EXISTING_KONG, OWNER, POSTGRES, gateway_of, plan
from traceable_kong.cluster.api_objects import CLUSTER_PLUGINS
from traceable_kong.cluster.kubernetes_client import ApiError, ApiResponse
from traceable_kong.cluster.ownership import labels
from traceable_kong.common import waiting
from traceable_kong.hooks import plugin_readiness
from traceable_kong.hooks.hook_failed import HookFailed
from traceable_kong.hooks.plugin_readiness import other_writers, require_ready_for_plugin
from traceable_kong.plan.model import Plan

Document = dict[str, Any]
Change = Callable[[Document], object]
FIRST = next(iter(FILES))


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(waiting, "time", made)
    return made


def listed(document: Document) -> Document:
    """The pod with the variables that this stack sets."""
    proxy(document)["env"] += [
        {"name": "KONG_PLUGINS", "value": "bundled,traceable"},
        {"name": "KONG_LUA_PACKAGE_PATH", "value": "/opt/?.lua;;"},
    ]
    return document


def proxy(document: Document) -> Document:
    return next(item for item in document["spec"]["containers"] if item["name"] == "proxy")


def variable(document: Document, name: str) -> Document:
    return next(item for item in proxy(document)["env"] if item["name"] == name)


def ready(*pods: Document) -> FakeKubernetes:
    """A gateway that is ready for the plugin."""
    fake = cluster(*(pods or (listed(pod()),)))
    plugin = gateway_of(stack()).plugin
    assert plugin.custom_resource
    fake.put(f"{CLUSTER_PLUGINS}/traceable-plugin", plugin.document(plugin.custom_resource, labels(OWNER)))
    template = {
        "metadata": {"annotations": {"tme.traceable.ai/inject": "true"}},
        "spec": listed(pod(tme=False))["spec"],
    }
    fake.objects[DEPLOYMENT]["spec"]["template"] = template
    fake.objects[DEPLOYMENT]["metadata"]["managedFields"] = [
        written_by("helm", "2026-01-01T00:00:00Z"),
        written_by("an-operator", "2026-01-03T00:00:00Z"),
        written_by("traceable-kong", "2026-01-04T00:00:00Z"),
        written_by("pulumi-kubernetes-1a2b", "2026-01-05T00:00:00Z"),
        {"manager": "kubectl-scale", "time": "2026-01-06T00:00:00Z", "fieldsV1": {"f:spec": {"f:replicas": {}}}},
        {"manager": "kube-controller-manager", "time": "2026-01-07T00:00:00Z", "fieldsV1": {"f:status": {}}},
    ]
    return fake


def written_by(manager: str, time: str) -> Document:
    fields: Document = {"f:spec": {"f:template": {"f:spec": {}}}}
    return {"manager": manager, "operation": "Update", "time": time, "fieldsV1": fields}


def template(fake: FakeKubernetes) -> Document:
    return dict(fake.objects[DEPLOYMENT]["spec"]["template"])


def stack(*, kong: Document | None = None, **config: Any) -> Plan:
    return plan(kong={"timeoutSeconds": 60, **(kong or {})}, **config)


def require(fake: FakeKubernetes, made: Plan | None = None) -> None:
    made = made or stack()
    require_ready_for_plugin(fake, made, gateway_of(made))


def with_option(made: Plan, **options: Any) -> Plan:
    """The plan with more options of the plugin."""
    gateway = gateway_of(made)
    plugin = dataclasses.replace(gateway.plugin, config={**gateway.plugin.config, **options})
    return dataclasses.replace(made, gateway=dataclasses.replace(gateway, plugin=plugin))


def refusal(fake: FakeKubernetes, asked: Plan | None = None) -> str:
    with pytest.raises(HookFailed) as refused:
        require(fake, asked)
    assert "Nothing about the plugin was changed" in str(refused.value) or "was not deleted" in str(refused.value)
    return str(refused.value)


def test_a_gateway_that_is_ready() -> None:
    fake = ready()
    require(fake)
    assert fake.changed == []


def unmount(document: Document) -> None:
    proxy(document)["volumeMounts"] = []


def empty_list(document: Document) -> None:
    variable(document, "KONG_PLUGINS")["value"] = "bundled"


def no_list(document: Document) -> None:
    proxy(document)["env"].remove(variable(document, "KONG_PLUGINS"))


def no_path(document: Document) -> None:
    variable(document, "KONG_LUA_PACKAGE_PATH")["value"] = ";;"


def another_config_map(document: Document) -> None:
    document["spec"]["volumes"][0]["configMap"]["name"] = "another"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (unmount, f"it does not mount {FIRST} from {FILES[FIRST]}"),
        (another_config_map, f"it does not mount {FIRST} from {FILES[FIRST]}"),
        (empty_list, "KONG_PLUGINS does not list traceable"),
        (no_list, "KONG_PLUGINS does not list traceable"),
        (no_path, "KONG_LUA_PACKAGE_PATH does not list /opt/?.lua"),
    ],
)
def test_files_that_were_removed_from_the_template(clock: Clock, change: Change, said: str) -> None:
    fake = ready()
    change(template(fake))
    text = refusal(fake)
    assert f"its pod template: {said}" in text
    assert "newest first: 'an-operator' (Update, 2026-01-03T00:00:00Z), 'helm' (Update, 2026-01-01T00:00:00Z)." in text
    assert "helm rollback edge REVISION --namespace gw" in text
    assert clock.now == 0, "waiting does not restore them"
    existing = refusal(fake, stack(kong=EXISTING_KONG))
    assert "`pulumi config set --path traceable-kong:kong.filesMountedBy owner`" in existing


@pytest.mark.parametrize("change", [unmount, another_config_map, empty_list, no_path])
def test_files_that_a_serving_pod_lacks(change: Change) -> None:
    lacking = listed(pod("gw-2"))
    change(lacking)
    text = refusal(ready(listed(pod()), lacking))
    assert "pod gw-2: " in text and "pod gw-1" not in text and "pod template" not in text
    assert "kubectl rollout restart deployment edge-kong --namespace gw" in text


def test_the_annotation_was_removed() -> None:
    fake = ready()
    template(fake)["metadata"]["annotations"]["tme.traceable.ai/inject"] = "false"
    text = refusal(fake)
    assert 'the annotation tme.traceable.ai/inject is not "true"' in text
    assert "`pulumi up --refresh`" in text and "helm rollback" not in text
    require(fake, stack(mode="async"))


def test_a_serving_pod_without_the_tme() -> None:
    fake = ready(listed(pod()), listed(pod("gw-2", tme=False)))
    assert "pod gw-2: no TME runs in it (docker.io/traceableai/traceable-agent" in refusal(fake)
    require(fake, stack(mode="async"))


def test_an_old_pod_that_stays(clock: Clock) -> None:
    fake = ready(listed(pod()), listed(pod("gw-0", revision="old")))
    assert "pods of an older revision (gw-0) after 60 s" in refusal(fake)


def test_files_that_are_removed_while_it_waits(clock: Clock) -> None:
    old = listed(pod("gw-0", revision="old"))
    fake = ready(listed(pod()), old)

    def revert(now: float) -> None:
        if now >= 5:
            old["metadata"]["deletionTimestamp"] = "now"
            unmount(template(fake))

    clock.then = revert
    assert "its pod template: it does not mount" in refusal(fake)


def test_variables_with_value_from_are_left_to_the_verification() -> None:
    fake = ready()
    for document in (template(fake), fake.objects[f"{PODS}/gw-1"]):
        for name in ("KONG_PLUGINS", "KONG_LUA_PACKAGE_PATH"):
            found = variable(document, name)
            found.pop("value")
            found["valueFrom"] = {"configMapKeyRef": {"name": "a", "key": "b"}}
    require(fake)


def test_files_that_the_owner_mounts() -> None:
    fake = ready()
    for document in (template(fake), fake.objects[f"{PODS}/gw-1"]):
        proxy(document)["env"] = []
    require(fake, stack(kong={**EXISTING_KONG, "filesMountedBy": "owner"}))
    unmount(template(fake))
    with pytest.raises(HookFailed, match=r"owner's Helm release mounts them.*\"pluginName\": \"traceable\""):
        require(fake, stack(kong={**EXISTING_KONG, "filesMountedBy": "owner"}))


def test_disabling_needs_no_gateway_that_is_ready() -> None:
    fake = ready(listed(pod("gw-0", revision="old")))
    unmount(template(fake))
    require(fake, stack(enabled=False))
    require(fake, stack(enabled=False, timeoutMs=1, mode="async"))
    assert "does not mount" in refusal(fake, with_option(stack(enabled=False), max_body_size_bytes=1))
    del fake.objects[f"{CLUSTER_PLUGINS}/traceable-plugin"]
    assert "does not mount" in refusal(fake, stack(enabled=False)), "a disabled plugin needs its files too"


def test_a_rollout_that_does_not_finish_does_not_keep_the_plugin_in_sync(clock: Clock) -> None:
    stuck = listed(pod("gw-2", tme=False, ready=False))
    fake = ready(listed(pod("gw-0", revision="old")), stuck)
    assert "pods of an older revision (gw-0)" in refusal(fake)
    require(fake, stack(mode="async"))
    unmount(stuck)
    assert "pods of an older revision (gw-0)" in refusal(fake, stack(mode="async")), "it may be ready later"


def test_another_client_has_created_a_plugin_with_the_new_name() -> None:
    fake = renamed()
    fake.put(f"{CLUSTER_PLUGINS}/traceable-plugin", {"metadata": {"labels": labels("traceable-kong.test-ffffffff")}})
    assert "was created by another client after preflight" in refusal(fake), (
        "the old one would be deleted, and this one refused"
    )
    assert f"{CLUSTER_PLUGINS}/older" in fake.objects


def renamed(**metadata: Any) -> FakeKubernetes:
    fake = ready()
    current = fake.objects.pop(f"{CLUSTER_PLUGINS}/traceable-plugin")
    current["metadata"].update(name="older", labels={**labels(OWNER), **metadata})
    fake.objects[f"{CLUSTER_PLUGINS}/older"] = current
    return fake


def test_a_new_name_is_dry_run_before_the_old_object_is_deleted() -> None:
    fake = renamed()
    require(fake, with_option(stack(), key="own"))
    ((body, query),) = fake.created
    assert query == {"dryRun": "All"}
    assert body["metadata"]["name"] == "traceable-plugin" and body["metadata"]["labels"]["global"] == "true"
    assert body["config"]["key"] == "own", "what will be written"


def test_a_new_name_that_would_be_refused() -> None:
    fake = renamed()

    def refuse(_: Document) -> ApiResponse:
        raise ApiError(400, "BadRequest", 'admission webhook "names.example.com" denied the request')

    fake.on_create = refuse
    text = refusal(fake)
    assert 'would refuse KongClusterPlugin traceable-plugin: admission webhook "names.example.com" denied' in text
    assert "It would replace older, which was not deleted" in text


def test_a_first_plugin_is_not_dry_run() -> None:
    fake = renamed(**{"traceable-kong/stack": "traceable-kong.prod-ffffffff"})
    require(fake)
    assert fake.created == []


def test_no_other_client_wrote_the_template() -> None:
    deployment = copy.deepcopy(ready().objects[DEPLOYMENT])
    deployment["metadata"]["managedFields"] = [written_by("traceable-kong", "2026-01-04T00:00:00Z")]
    assert other_writers(deployment) == []
    del deployment["metadata"]["managedFields"]
    assert other_writers(deployment) == []


def test_a_plugin_entity_is_disabled_too(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = ready()
    unmount(template(fake))
    monkeypatch.setattr(plugin_readiness, "_entity_config", lambda *_: dict(gateway_of(stack()).plugin.config))
    require(fake, stack(enabled=False, kong=POSTGRES))
    monkeypatch.setattr(plugin_readiness, "_entity_config", lambda *_: None)
    assert "does not mount" in refusal(fake, stack(enabled=False, kong=POSTGRES))
