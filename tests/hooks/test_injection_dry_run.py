"""The injection dry run: is a pod without the TME refused, and does a new one get it?"""

from collections.abc import Callable
from typing import Any

import pytest

from tests.fakes.clock import Clock
from tests.fakes.fake_kubernetes import FakeKubernetes
from tests.hooks.stack import OWNER, gateway_of, plan
from traceable_kong.cluster.kubernetes_client import ApiError, ApiResponse, Unreachable
from traceable_kong.cluster.tme import INJECT_ANNOTATION as INJECT
from traceable_kong.common import waiting
from traceable_kong.hooks import injection_dry_run
from traceable_kong.hooks.hook_failed import HookFailed
from traceable_kong.hooks.injection_dry_run import IN_FORCE_SECONDS
from traceable_kong.plan.model import Plan

Document = dict[str, Any]

POLICY = f"traceable-tme-guard-{OWNER}"
DEPLOYMENT = "/apis/apps/v1/namespaces/gw/deployments/edge-kong"
WEBHOOK = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/traceable-agent-injector-traceable"
DENIED = ApiError(
    422, "Invalid", f"ValidatingAdmissionPolicy '{POLICY}' with binding '{POLICY}' denied request: no TME"
)
QUOTA = ApiError(403, "Forbidden", "exceeded quota: pods=10")
WARNED = f"Validation failed for ValidatingAdmissionPolicy '{POLICY}' with binding '{POLICY}': no TME"
TME = {"name": "tme", "image": "docker.io/traceableai/traceable-agent:1.58.0"}


def stack(action: str = "deny", *, managed: bool = True) -> Plan:
    agent = {} if managed else {"agentToken": None, "agent": {"install": False}}
    return plan(tmeGuard=action, **agent)


def require_policy_enforced(fake: FakeKubernetes, action: str = "deny") -> None:
    injection_dry_run.require_policy_enforced(fake, gateway_of(stack(action)))


def require_injection(fake: FakeKubernetes, *, managed: bool = True) -> None:
    made = stack(managed=managed)
    injection_dry_run.require_injection(fake, made, gateway_of(made))


def require_injection_where_requested(fake: FakeKubernetes) -> None:
    injection_dry_run.require_injection_where_requested(fake, stack(), gateway_of(stack()))


QUESTIONS: dict[str, Callable[[FakeKubernetes], None]] = {
    "require_policy_enforced": require_policy_enforced,
    "require_injection": require_injection,
    "require_injection_where_requested": require_injection_where_requested,
}


def gateway(**annotations: str) -> FakeKubernetes:
    fake = FakeKubernetes()
    template = {
        "metadata": {"labels": {"app": "edge"}, "annotations": {"other": "1", **annotations}},
        "spec": {"containers": [{"name": "proxy", "image": "kong:3.9"}], "serviceAccountName": "edge"},
    }
    revision = {"deployment.kubernetes.io/revision": "2"}
    fake.put(
        DEPLOYMENT,
        {
            "metadata": {"uid": "d", "annotations": revision},
            "spec": {"template": template, "selector": {"matchLabels": {"app": "edge"}}},
        },
    )
    for number, name in enumerate(("old", "new"), 1):
        metadata = {
            "uid": f"rs-{number}",
            "labels": {"app": "edge", "pod-template-hash": name},
            "annotations": {"deployment.kubernetes.io/revision": str(number)},
            "ownerReferences": [{"uid": "d"}],
        }
        fake.put(f"/apis/apps/v1/namespaces/gw/replicasets/edge-{name}", {"metadata": metadata})
    return fake


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(waiting, "time", made)
    return made


def lets(body: Document) -> ApiResponse:
    return ApiResponse(body)


def injects(body: Document) -> ApiResponse:
    return ApiResponse({**body, "spec": {**body["spec"], "containers": [*body["spec"]["containers"], TME]}})


def injects_before(body: Document) -> ApiResponse:
    return ApiResponse({**body, "spec": {**body["spec"], "initContainers": [{**TME, "restartPolicy": "Always"}]}})


def injects_one_that_ends(body: Document) -> ApiResponse:
    return ApiResponse({**body, "spec": {**body["spec"], "initContainers": [TME]}})


def injects_another(body: Document) -> ApiResponse:
    """Injects an image from another registry; the policy refuses such a gateway pod."""
    if body["metadata"]["labels"]:
        raise DENIED
    other = {"name": "tme", "image": "evil.example/traceable-agent:1.58.0"}
    return ApiResponse({**body, "spec": {**body["spec"], "containers": [*body["spec"]["containers"], other]}})


def warns(body: Document) -> ApiResponse:
    made = ApiResponse(body)
    made.warnings = ("something else", WARNED)
    return made


def refuses(problem: Exception) -> Callable[[Document], ApiResponse]:
    def answer(_: Document) -> ApiResponse:
        raise problem

    return answer


def until(clock: Clock, seconds: float, before: Any, after: Any) -> Callable[[Document], ApiResponse]:
    return lambda body: (before if clock.now < seconds else after)(body)


def test_the_pod_has_the_deployments_template_and_the_annotations_and_is_not_stored(clock: Clock) -> None:
    fake = gateway()
    fake.on_create = injects
    require_injection(fake)
    ((body, query),) = fake.created
    assert query == {"dryRun": "All"}
    assert fake.changed == [("POST", "/api/v1/namespaces/gw/pods")]
    assert body["metadata"]["labels"] == {"app": "edge", "pod-template-hash": "new"}
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "edge-new", "uid": "rs-2", "controller": True}
    assert body["metadata"]["ownerReferences"] == [owner], "as the ReplicaSet's own pods"
    assert body["metadata"]["annotations"] == {"other": "1", **gateway_of(stack()).injection.annotations}
    assert body["spec"] == fake.objects[DEPLOYMENT]["spec"]["template"]["spec"]


@pytest.mark.parametrize(
    ("action", "answer"),
    [("deny", refuses(DENIED)), ("warn", warns), ("deny", injects), ("warn", injects_before)],
)
def test_a_policy_in_force(clock: Clock, action: str, answer: Any) -> None:
    fake = gateway()
    fake.on_create = answer
    require_policy_enforced(fake, action)
    assert clock.now == 0


def test_without_a_policy_no_request_is_sent(clock: Clock) -> None:
    fake = gateway()
    require_policy_enforced(fake, "off")
    assert fake.created == []


@pytest.mark.parametrize(("action", "answer"), [("deny", refuses(DENIED)), ("warn", warns)])
def test_a_new_policy_is_waited_for(clock: Clock, action: str, answer: Any) -> None:
    fake = gateway()
    fake.on_create = until(clock, 3, lets, answer)
    require_policy_enforced(fake, action)
    assert clock.now == 3


@pytest.mark.parametrize("action", ["deny", "warn"])
def test_a_policy_that_is_not_in_force_in_time(clock: Clock, action: str) -> None:
    fake = gateway()
    with pytest.raises(HookFailed, match=f"policy {POLICY} is not in force after 10 s.*gateway was not changed"):
        require_policy_enforced(fake, action)
    assert IN_FORCE_SECONDS <= clock.now < IN_FORCE_SECONDS + 1


def test_a_pod_that_something_else_refuses(clock: Clock) -> None:
    fake = gateway()
    fake.on_create = refuses(QUOTA)
    with pytest.raises(HookFailed, match=r"refuses new pods of deployment gw/edge-kong: exceeded quota: pods=10"):
        require_policy_enforced(fake)
    assert clock.now == 0


@pytest.mark.parametrize("answer", [injects, injects_before])
def test_a_tme_that_is_injected(clock: Clock, answer: Any) -> None:
    fake = gateway()
    fake.on_create = answer
    require_injection(fake)
    assert clock.now == 0


@pytest.mark.parametrize("before", [lets, refuses(DENIED), warns])
def test_a_tme_that_is_injected_late(clock: Clock, before: Any) -> None:
    fake = gateway()
    fake.on_create = until(clock, 2, before, injects)
    require_injection(fake)
    assert clock.now == 2


@pytest.mark.parametrize("answer", [lets, refuses(DENIED), injects_one_that_ends])
def test_a_tme_that_is_not_injected_without_a_webhook(clock: Clock, answer: Any) -> None:
    fake = gateway()
    fake.on_create = answer
    with pytest.raises(HookFailed, match=r"would not get the TME.*traceable-agent-injector-traceable does not exist"):
        require_injection(fake)
    assert IN_FORCE_SECONDS <= clock.now < IN_FORCE_SECONDS + 1


@pytest.mark.parametrize(
    ("managed", "way"),
    [
        (False, "`pulumi config set --path traceable-kong:agent.tmeImage evil.example/traceable-agent`"),
        (True, "set its registry in traceable-kong:agentValues (imageCredentials.registry and .registrySuffix)"),
    ],
)
def test_an_image_from_another_registry_does_not_count_and_is_named(clock: Clock, managed: bool, way: str) -> None:
    fake = gateway()
    fake.on_create = injects_another
    with pytest.raises(HookFailed) as refusal:
        require_injection(fake, managed=managed)
    said = str(refusal.value)
    assert "instead they would get evil.example/traceable-agent:1.58.0" in said
    assert "a container with the image docker.io/traceableai/traceable-agent" in said
    assert way in said


@pytest.mark.parametrize(
    ("ready", "said"),
    [
        ([], r"the agent has no ready pod in namespace traceable \(0 not ready\)"),
        ([False, False], r"the agent has no ready pod in namespace traceable \(2 not ready\)"),
        ([True, False], r"did not answer, or answered without it \(1 ready agent pods\)"),
    ],
)
def test_a_tme_that_is_not_injected_names_the_state_of_the_injector(clock: Clock, ready: list[bool], said: str) -> None:
    fake = gateway()
    fake.put(WEBHOOK, {})
    for number, value in enumerate(ready):
        conditions = [{"type": "Ready", "status": str(value)}]
        fake.put(f"/api/v1/namespaces/traceable/pods/agent-{number}", {"status": {"conditions": conditions}})
    with pytest.raises(HookFailed, match=said):
        require_injection(fake)


def test_a_pod_that_something_else_refuses_ends_the_wait(clock: Clock) -> None:
    fake = gateway()
    fake.on_create = refuses(QUOTA)
    with pytest.raises(HookFailed, match="exceeded quota: pods=10"):
        require_injection(fake)
    assert clock.now == 0


def test_an_upgrade_only_checks_pods_that_request_the_tme(clock: Clock) -> None:
    without = gateway()
    require_injection_where_requested(without)
    none = FakeKubernetes()
    require_injection_where_requested(none)
    off = gateway(**{INJECT: "false"})
    require_injection_where_requested(off)
    assert without.created == none.created == off.created == []

    asking = gateway(**{INJECT: "true"})
    asking.on_create = injects
    require_injection_where_requested(asking)
    assert len(asking.created) == 1
    asking.on_create = lets
    with pytest.raises(HookFailed):
        require_injection_where_requested(asking)
    other = gateway(**{INJECT: "True"})
    other.on_create = injects
    require_injection_where_requested(other)
    assert len(other.created) == 1, "it is not known how the injector reads this value"


@pytest.mark.parametrize("question", ["require_policy_enforced", "require_injection"])
def test_a_gateway_that_does_not_exist(clock: Clock, question: str) -> None:
    with pytest.raises(HookFailed, match="Deployment gw/edge-kong does not exist"):
        QUESTIONS[question](FakeKubernetes())


@pytest.mark.parametrize(
    "question", ["require_policy_enforced", "require_injection", "require_injection_where_requested"]
)
def test_an_unreachable_cluster_is_no_answer(clock: Clock, question: str) -> None:
    fake = gateway(**{INJECT: "true"})
    fake.on_create = refuses(Unreachable("away"))
    with pytest.raises(Unreachable):
        QUESTIONS[question](fake)


@pytest.mark.parametrize(
    ("spec", "fatal"),
    [
        ({}, True),
        ({"replicas": 4}, False),
        ({"replicas": 3}, True),
        ({"strategy": {"type": "Recreate"}}, False),
        ({"strategy": {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}, "replicas": 9}, True),
        ({"strategy": {"rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}}}, False),
        ({"strategy": {"rollingUpdate": {"maxUnavailable": "50%"}}, "replicas": 2}, False),
        ({"strategy": {"rollingUpdate": {"maxUnavailable": "10%", "maxSurge": "0%"}}, "replicas": 4}, False),
        ({"replicas": 0}, False),
    ],
)
def test_a_quota_is_fatal_only_where_a_rollout_needs_room_in_it(clock: Clock, spec: Document, fatal: bool) -> None:
    fake = gateway()
    fake.objects[DEPLOYMENT]["spec"] |= spec
    fake.on_create = refuses(QUOTA)
    if fatal:
        with pytest.raises(HookFailed, match=r"exceeded quota: pods=10\. A rollout starts a new pod before"):
            require_injection(fake)
    else:
        require_injection(fake)
        with pytest.raises(HookFailed, match="is not in force"):
            require_policy_enforced(fake)


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        (ApiError(429, "TooManyRequests", "too many requests"), r"could not be checked.*\(HTTP 429\): too many"),
        (
            ApiError(500, "InternalError", 'failed calling webhook "a.b": deadline'),
            "webhook for new pods .* not answer",
        ),
        (ApiError(404, "NotFound", 'namespaces "gw" not found'), "Namespace gw does not exist"),
        (ApiError(403, "Forbidden", 'User "a" cannot create resource "pods" in API group ""'), "You may not create"),
        (
            ApiError(403, "Forbidden", "unable to validate against any security context constraint"),
            "rollout would fail",
        ),
        *(
            (ApiError(status, "X", 'admission webhook "a" denied the request: no'), "rollout would fail")
            for status in (401, 404, 429, 500)
        ),
        (
            ApiError(400, "BadRequest", 'admission webhook "a" does not support dry run'),
            "does not allow it.*sideEffects",
        ),
        (ApiError(403, "Forbidden", "status unknown for quota: q, resources: pods"), "could not be checked"),
        (ApiError(409, "Conflict", "the object has been modified"), "could not be checked"),
        (ApiError(0, "NotTheApi", "HTTP 200 without a JSON object"), "not able to answer: HTTP 200"),
    ],
)
def test_only_a_refusal_that_a_rollout_would_meet_is_called_one(clock: Clock, problem: ApiError, said: str) -> None:
    fake = gateway()
    fake.on_create = refuses(problem)
    with pytest.raises(HookFailed, match=said) as refused:
        require_injection(fake)
    assert ("A rollout would fail" in str(refused.value)) == (said == "rollout would fail")
