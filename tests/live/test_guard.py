"""The policy as a real API server evaluates it: the same table of images as for the proof, and every kind of change.

No Pulumi, and no stack: the policies are written as the program would write them. New pods are dry runs; pods that are
changed are real ones that no node takes.
"""

import itertools
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from components.tme_guard import ACTIONS, TmeGuardArgs, policy_spec
from local.platform import Platform
from tests.fakes.image_table import ADMITTED, DIGEST, NOT_ADMITTED, PUBLIC
from traceable_kong.cluster.kubeconfig import connect
from traceable_kong.cluster.kubernetes_client import ApiError
from traceable_kong.cluster.tme import INJECT_ANNOTATION
from traceable_kong.common.image_references import parse_image

Document = dict[str, Any]

DEADLINE_SECONDS = 30
TABLE = [*((*row, True) for row in ADMITTED), *((*row, False) for row in NOT_ADMITTED)]
EXPECTED = sorted({expected for expected, *_ in TABLE})
GROUP = "admissionregistration.k8s.io/v1"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
EVIL = "evil.example/traceable-agent:1.58.0"


class Guarded:
    """A namespace with one policy for each image of the table; a pod names its policy by a label."""

    def __init__(self, platform: Platform) -> None:
        self.api = connect(kubeconfig=str(platform.kubeconfig))
        self.name = f"guard-{uuid.uuid4().hex[:6]}"
        self._numbers = itertools.count()
        self.pods = f"/api/v1/namespaces/{self.name}/pods"

    def begin(self) -> None:
        metadata = {"name": self.name}
        self.api.request(
            "POST", "/api/v1/namespaces", body={"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
        )
        deadline = time.monotonic() + DEADLINE_SECONDS
        while self.api.get(f"/api/v1/namespaces/{self.name}/serviceaccounts/default") is None:
            assert time.monotonic() < deadline
            time.sleep(0.1)

    def enforce(self) -> None:
        for number, image in enumerate(EXPECTED):
            arguments = TmeGuardArgs(
                policy=f"{self.name}-{number}",
                namespace=self.name,
                pod_selector={
                    "matchLabels": {"rule": str(number)},
                    "matchExpressions": [
                        {"key": "app", "operator": "In", "values": ["gateway", "edge"]},
                        {"key": "app", "operator": "Exists"},
                        {"key": "app", "operator": "NotIn", "values": ["other"]},
                        {"key": "leaves", "operator": "DoesNotExist"},
                    ],
                },
                tme_image=parse_image(image),
                agent_namespace="traceable",
                action="deny",
                labels={},
            )
            binding = {"policyName": arguments.policy, "validationActions": ACTIONS["deny"]}
            for kind, spec in (
                ("ValidatingAdmissionPolicy", policy_spec(arguments)),
                ("ValidatingAdmissionPolicyBinding", binding),
            ):
                path = f"/apis/{GROUP}/{'validatingadmissionpolicies' if 'Binding' not in kind else BINDINGS}"
                body = {"apiVersion": GROUP, "kind": kind, "metadata": {"name": arguments.policy}, "spec": spec}
                self.api.request("POST", path, body=body)
        deadline = time.monotonic() + DEADLINE_SECONDS
        for image in EXPECTED:
            while self.admits(image, self.pod(image, asks="true", containers=[])):
                assert time.monotonic() < deadline, image
                time.sleep(0.1)

    def end(self) -> None:
        for number in range(len(EXPECTED)):
            for kind in (BINDINGS, "validatingadmissionpolicies"):
                if self.api.get(f"/apis/{GROUP}/{kind}/{self.name}-{number}"):
                    self.api.request("DELETE", f"/apis/{GROUP}/{kind}/{self.name}-{number}")
        self.api.request("DELETE", f"/api/v1/namespaces/{self.name}")

    def pod(
        self,
        image: str = PUBLIC,
        *,
        asks: str | None = "true",
        containers: list[str] | None = None,
        sidecars: list[Document] | None = None,
        app: str = "gateway",
    ) -> Document:
        """A pod that no node takes, with a first container that is Kong's; `containers` are images beside it."""
        beside = [f"{PUBLIC}:1.58.0"] if containers is None else containers
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": f"pod-{next(self._numbers)}",
                "labels": {"rule": str(EXPECTED.index(image)), "app": app},
                "annotations": {} if asks is None else {INJECT_ANNOTATION: asks},
            },
            "spec": {
                "nodeSelector": {"no": "where"},
                "containers": [
                    {"name": "proxy", "image": "kong:3.9"},
                    *({"name": f"beside-{index}", "image": text} for index, text in enumerate(beside)),
                ],
                "initContainers": sidecars or [],
            },
        }

    def admits(self, image: str, pod: Document) -> bool:
        """Whether the pod could be made; a refusal is this image's policy's."""
        try:
            self.api.request("POST", self.pods, query={"dryRun": "All"}, body=pod)
        except ApiError as problem:
            assert f"{self.name}-{EXPECTED.index(image)}" in str(problem), problem
            return False
        return True

    def make(self, pod: Document) -> str:
        self.api.request("POST", self.pods, body=pod)
        return str(pod["metadata"]["name"])

    def changes(self, pod: str, patch: Document, *, kind: str = MERGE, subresource: str = "") -> bool:
        """Whether a change goes through; a refusal is the policy's."""
        try:
            self.api.request("PATCH", f"{self.pods}/{pod}{subresource}", body=patch, content_type=kind)
        except ApiError as problem:
            assert f"{self.name}-{EXPECTED.index(PUBLIC)}" in str(problem), problem
            return False
        return True

    def annotates(self, pod: str, value: str | None) -> bool:
        return self.changes(pod, {"metadata": {"annotations": {INJECT_ANNOTATION: value}}})

    def labels(self, pod: str, **labels: str | None) -> bool:
        return self.changes(pod, {"metadata": {"labels": labels}})

    def runs(self, pod: str, image: str) -> bool:
        """Whether the container beside Kong's can be given this image."""
        return self.changes(pod, {"spec": {"containers": [{"name": "beside-0", "image": image}]}}, kind=STRATEGIC)


BINDINGS = "validatingadmissionpolicybindings"


@pytest.fixture(scope="module")
def guarded(platform: Platform) -> Iterator[Guarded]:
    made = Guarded(platform)
    made.begin()
    try:
        yield made
    finally:
        made.end()


@pytest.fixture(scope="module")
def wrong(guarded: Guarded) -> str:
    """A pod that asks for the TME and has none, from before there was a policy."""
    return guarded.make(guarded.pod(containers=["sidecar:1"]))


@pytest.fixture(scope="module", autouse=True)
def enforced(guarded: Guarded, wrong: str) -> None:
    guarded.enforce()


@pytest.mark.parametrize(("expected", "image", "counts"), TABLE)
def test_a_new_pod_is_admitted_for_exactly_the_images_that_the_proof_takes(
    guarded: Guarded, expected: str, image: str, counts: bool
) -> None:
    assert guarded.admits(expected, guarded.pod(expected, containers=[image])) is counts
    sidecar = {"name": "beside", "image": image, "restartPolicy": "Always"}
    assert guarded.admits(expected, guarded.pod(expected, containers=[], sidecars=[sidecar])) is counts
    del sidecar["restartPolicy"]
    assert not guarded.admits(expected, guarded.pod(expected, containers=[], sidecars=[sidecar]))


@pytest.mark.parametrize(
    ("asks", "admitted"),
    [(None, True), ("false", True), ("true", False), ("True", False), ("1", False), ("yes", False), ("", False)],
)
def test_every_request_but_false_is_judged(guarded: Guarded, asks: str | None, admitted: bool) -> None:
    assert guarded.admits(PUBLIC, guarded.pod(asks=asks, containers=[])) is admitted


def test_a_pod_of_another_gateway_is_not_judged(guarded: Guarded) -> None:
    assert guarded.admits(PUBLIC, guarded.pod(containers=[], app="other"))


def test_the_tme_cannot_be_taken_away_from_a_pod(guarded: Guarded) -> None:
    pod = guarded.make(guarded.pod())
    assert guarded.runs(pod, f"{PUBLIC}:1.57.2"), "another version of it"
    assert guarded.runs(pod, f"{PUBLIC}@{DIGEST}")
    assert not guarded.runs(pod, EVIL)
    assert guarded.annotates(pod, None), "the TME stays"
    assert not guarded.runs(pod, EVIL), "not in two steps either"
    assert guarded.labels(pod, other="x")


def test_a_sidecar_cannot_be_taken_away_either(guarded: Guarded) -> None:
    sidecar = {"name": "tme", "image": f"{PUBLIC}:1.58.0", "restartPolicy": "Always"}
    pod = guarded.make(guarded.pod(containers=[], sidecars=[sidecar]))
    patch = {"spec": {"initContainers": [{"name": "tme", "image": EVIL}]}}
    assert not guarded.changes(pod, patch, kind=STRATEGIC)


def test_a_pod_without_the_tme_cannot_be_made_to_ask_for_it(guarded: Guarded) -> None:
    pod = guarded.make(guarded.pod(asks=None, containers=["sidecar:1"]))
    assert guarded.annotates(pod, "false")
    assert not guarded.annotates(pod, "true")
    assert not guarded.annotates(pod, "1")
    assert guarded.runs(pod, "sidecar:2")


def test_a_pod_cannot_become_one_of_the_gateways_without_the_tme_that_it_asks_for(guarded: Guarded) -> None:
    pod = guarded.make(guarded.pod(containers=["sidecar:1"], app="other"))
    assert guarded.labels(pod, other="x")
    assert not guarded.labels(pod, app="gateway")
    assert not guarded.labels(pod, app="edge")


def test_whatever_else_happens_to_a_pod_that_is_wrong_already_goes_through(guarded: Guarded, wrong: str) -> None:
    assert guarded.labels(wrong, other="x")
    assert guarded.runs(wrong, "sidecar:2")
    condition = {"type": "Ready", "status": "False"}
    assert guarded.changes(wrong, {"status": {"conditions": [condition]}}, kind=STRATEGIC, subresource="/status")
    assert guarded.changes(wrong, {"metadata": {"finalizers": ["example.com/held"]}})
    assert guarded.labels(wrong, leaves="x"), "out of the gateway"
    assert not guarded.labels(wrong, leaves=None), "and not in again"
    # A status that no finalizer keeps: the pod is gone with the last one.
    guarded.api.request("DELETE", f"{guarded.pods}/{wrong}", query={"gracePeriodSeconds": "0"})
    assert guarded.changes(wrong, {"metadata": {"finalizers": None}})
    assert guarded.api.get(f"{guarded.pods}/{wrong}") is None


def test_a_pod_that_is_being_deleted_is_not_judged(guarded: Guarded) -> None:
    pod = guarded.pod()
    pod["metadata"]["finalizers"] = ["example.com/held"]
    name = guarded.make(pod)
    guarded.api.request("DELETE", f"{guarded.pods}/{name}", query={"gracePeriodSeconds": "0"})
    assert guarded.annotates(name, "True")
    assert guarded.runs(name, EVIL), "it no longer serves"
    assert guarded.changes(name, {"metadata": {"finalizers": None}})


def test_the_message_names_the_image(guarded: Guarded) -> None:
    with pytest.raises(ApiError, match=f"no container with the image {PUBLIC}"):
        guarded.api.request("POST", guarded.pods, query={"dryRun": "All"}, body=guarded.pod(containers=[EVIL]))
