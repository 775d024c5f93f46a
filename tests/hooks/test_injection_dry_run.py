"""The probe: is a pod without the TME refused, and would a new one get it?"""

from collections.abc import Callable
from typing import Any

import pytest

from tests.fakes.clock import Clock
from tests.fakes.fake_kubernetes import FakeKube
from traceable_kong.cluster.kubernetes_client import Answer, ApiError, Unreachable
from traceable_kong.cluster.tme import INJECT_ANNOTATION as INJECT
from traceable_kong.common.image_references import parse_image
from traceable_kong.hooks import injection_dry_run as module
from traceable_kong.hooks.injection_dry_run import IN_FORCE_SECONDS, Probe, Refused

Document = dict[str, Any]

POLICY = "traceable-tme-guard-traceable-kong.test"
DEPLOYMENT = "/apis/apps/v1/namespaces/gw/deployments/edge-kong"
WEBHOOK = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/traceable-agent-injector-traceable"
DENIED = ApiError(
    422, "Invalid", f"ValidatingAdmissionPolicy '{POLICY}' with binding '{POLICY}' denied request: no TME"
)
QUOTA = ApiError(403, "Forbidden", "exceeded quota: pods=10")
WARNED = f"Validation failed for ValidatingAdmissionPolicy '{POLICY}' with binding '{POLICY}': no TME"
TME = {"name": "tme", "image": "docker.io/traceableai/traceable-agent:1.58.0"}


def probe(action: str = "deny", *, managed: bool = False) -> Probe:
    return Probe(
        namespace="gw",
        deployment="edge-kong",
        annotations={INJECT: "true", "traceable-kong/tme-settings": "0123"},
        tme_image=parse_image("docker.io/traceableai/traceable-agent"),
        agent_namespace="traceable",
        agent_managed=managed,
        policy=POLICY,
        action=action,
    )


def gateway(**annotations: str) -> FakeKube:
    fake = FakeKube()
    template = {
        "metadata": {"labels": {"app": "edge"}, "annotations": {"theirs": "1", **annotations}},
        "spec": {"containers": [{"name": "proxy", "image": "kong:3.9"}], "serviceAccountName": "edge"},
    }
    fake.put(DEPLOYMENT, {"spec": {"template": template}})
    return fake


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(module, "time", made)
    return made


def lets(body: Document) -> Answer:
    return Answer(body)


def injects(body: Document) -> Answer:
    return Answer({**body, "spec": {**body["spec"], "containers": [*body["spec"]["containers"], TME]}})


def injects_before(body: Document) -> Answer:
    return Answer({**body, "spec": {**body["spec"], "initContainers": [{**TME, "restartPolicy": "Always"}]}})


def injects_one_that_ends(body: Document) -> Answer:
    return Answer({**body, "spec": {**body["spec"], "initContainers": [TME]}})


def injects_another(body: Document) -> Answer:
    """As an injector that takes its images from elsewhere; the policy refuses such a pod of the gateway."""
    if body["metadata"]["labels"]:
        raise DENIED
    other = {"name": "tme", "image": "evil.example/traceable-agent:1.58.0"}
    return Answer({**body, "spec": {**body["spec"], "containers": [*body["spec"]["containers"], other]}})


def warns(body: Document) -> Answer:
    made = Answer(body)
    made.warnings = ("something else", WARNED)
    return made


def refuses(problem: Exception) -> Callable[[Document], Answer]:
    def answer(_: Document) -> Answer:
        raise problem

    return answer


def until(clock: Clock, seconds: float, before: Any, after: Any) -> Callable[[Document], Answer]:
    return lambda body: (before if clock.now < seconds else after)(body)


def test_the_pod_is_the_deployments_own_with_the_annotations_and_is_not_stored(clock: Clock) -> None:
    fake = gateway()
    fake.on_create = injects
    probe().tme_arrives(fake)
    ((body, query),) = fake.created
    assert query == {"dryRun": "All"}
    assert fake.changed == [("POST", "/api/v1/namespaces/gw/pods")]
    assert body["metadata"]["labels"] == {"app": "edge"}
    assert body["metadata"]["annotations"] == {"theirs": "1", INJECT: "true", "traceable-kong/tme-settings": "0123"}
    assert body["spec"] == fake.objects[DEPLOYMENT]["spec"]["template"]["spec"]


@pytest.mark.parametrize(
    ("action", "answer"),
    [("deny", refuses(DENIED)), ("warn", warns), ("deny", injects), ("warn", injects_before)],
)
def test_a_guard_in_force_holds(clock: Clock, action: str, answer: Any) -> None:
    fake = gateway()
    fake.on_create = answer
    probe(action).guard_holds(fake)
    assert clock.now == 0


def test_without_a_guard_nobody_is_asked(clock: Clock) -> None:
    fake = gateway()
    probe("off").guard_holds(fake)
    assert fake.created == []


@pytest.mark.parametrize(("action", "answer"), [("deny", refuses(DENIED)), ("warn", warns)])
def test_a_new_guard_is_waited_for(clock: Clock, action: str, answer: Any) -> None:
    fake = gateway()
    fake.on_create = until(clock, 3, lets, answer)
    probe(action).guard_holds(fake)
    assert clock.now == 3


@pytest.mark.parametrize("action", ["deny", "warn"])
def test_a_guard_that_is_not_in_force_in_time(clock: Clock, action: str) -> None:
    fake = gateway()
    with pytest.raises(Refused, match=f"the policy {POLICY} is not in force after 10 s.*not touched"):
        probe(action).guard_holds(fake)
    assert IN_FORCE_SECONDS <= clock.now < IN_FORCE_SECONDS + 1


def test_another_refusal_is_not_the_guards(clock: Clock) -> None:
    fake = gateway()
    fake.on_create = refuses(QUOTA)
    with pytest.raises(Refused, match=r"would not take a new pod of gw/edge-kong.*exceeded quota: pods=10"):
        probe().guard_holds(fake)
    assert clock.now == 0


@pytest.mark.parametrize("answer", [injects, injects_before])
def test_a_tme_that_arrives(clock: Clock, answer: Any) -> None:
    fake = gateway()
    fake.on_create = answer
    probe().tme_arrives(fake)
    assert clock.now == 0


@pytest.mark.parametrize("before", [lets, refuses(DENIED), warns])
def test_a_tme_that_arrives_late(clock: Clock, before: Any) -> None:
    fake = gateway()
    fake.on_create = until(clock, 2, before, injects)
    probe().tme_arrives(fake)
    assert clock.now == 2


@pytest.mark.parametrize("answer", [lets, refuses(DENIED), injects_one_that_ends])
def test_a_tme_that_never_arrives_without_a_webhook(clock: Clock, answer: Any) -> None:
    fake = gateway()
    fake.on_create = answer
    with pytest.raises(Refused, match=r"would not get the TME.*traceable-agent-injector-traceable is not there"):
        probe().tme_arrives(fake)
    assert IN_FORCE_SECONDS <= clock.now < IN_FORCE_SECONDS + 1


@pytest.mark.parametrize(
    ("managed", "way"),
    [
        (False, "`pulumi config set --path traceable-kong:agent.tmeImage evil.example/traceable-agent`"),
        (True, "name its registry in traceable-kong:agentValues (imageCredentials.registry and .registrySuffix)"),
    ],
)
def test_a_tme_from_elsewhere_is_none_and_its_image_is_said(clock: Clock, managed: bool, way: str) -> None:
    fake = gateway()
    fake.on_create = injects_another
    with pytest.raises(Refused) as refusal:
        probe(managed=managed).tme_arrives(fake)
    said = str(refusal.value)
    assert "instead it would get evil.example/traceable-agent:1.58.0" in said
    assert "a container with the image docker.io/traceableai/traceable-agent" in said
    assert way in said


@pytest.mark.parametrize(
    ("ready", "said"),
    [
        ([], r"no pod of the agent in traceable is ready \(0 there\)"),
        ([False, False], r"no pod of the agent in traceable is ready \(2 there\)"),
        ([True, False], r"did not answer, or answered without it \(1 pods of the agent ready\)"),
    ],
)
def test_a_tme_that_never_arrives_says_what_is_known_of_the_injector(
    clock: Clock, ready: list[bool], said: str
) -> None:
    fake = gateway()
    fake.put(WEBHOOK, {})
    for number, value in enumerate(ready):
        conditions = [{"type": "Ready", "status": str(value)}]
        fake.put(f"/api/v1/namespaces/traceable/pods/agent-{number}", {"status": {"conditions": conditions}})
    with pytest.raises(Refused, match=said):
        probe().tme_arrives(fake)


def test_another_refusal_ends_the_waiting_for_the_tme(clock: Clock) -> None:
    fake = gateway()
    fake.on_create = refuses(QUOTA)
    with pytest.raises(Refused, match="exceeded quota: pods=10"):
        probe().tme_arrives(fake)
    assert clock.now == 0


def test_an_upgrade_asks_only_where_the_pods_ask_for_the_tme(clock: Clock) -> None:
    without = gateway()
    probe().tme_still_arrives(without)
    none = FakeKube()
    probe().tme_still_arrives(none)
    off = gateway(**{INJECT: "false"})
    probe().tme_still_arrives(off)
    assert without.created == none.created == off.created == []

    asking = gateway(**{INJECT: "true"})
    asking.on_create = injects
    probe().tme_still_arrives(asking)
    assert len(asking.created) == 1
    asking.on_create = lets
    with pytest.raises(Refused):
        probe().tme_still_arrives(asking)
    other = gateway(**{INJECT: "True"})
    other.on_create = injects
    probe().tme_still_arrives(other)
    assert len(other.created) == 1, "how the injector reads it is not known"


@pytest.mark.parametrize("question", ["guard_holds", "tme_arrives"])
def test_a_gateway_that_is_not_there(clock: Clock, question: str) -> None:
    with pytest.raises(Refused, match="no Deployment gw/edge-kong"):
        getattr(probe(), question)(FakeKube())


@pytest.mark.parametrize("question", ["guard_holds", "tme_arrives", "tme_still_arrives"])
def test_a_cluster_that_is_away_is_no_answer(clock: Clock, question: str) -> None:
    fake = gateway(**{INJECT: "true"})
    fake.on_create = refuses(Unreachable("away"))
    with pytest.raises(Unreachable):
        getattr(probe(), question)(fake)
