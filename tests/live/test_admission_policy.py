"""The admission policy on a real API server: the image table of the verification, and all kinds of updates.

Without Pulumi: the test writes the policies like the program. New pods are dry runs; pods to be updated are real ones
that no node accepts.
"""

import itertools
import uuid
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from local.platform import Platform
from tests.fakes.image_table import ADMITTED, DIGEST, NOT_ADMITTED, PUBLIC
from tests.live.commands import wait_until
from traceable_kong.cluster.kubeconfig import connect
from traceable_kong.cluster.kubernetes_client import ApiError
from traceable_kong.cluster.tme import INJECT_ANNOTATION
from traceable_kong.common.image_references import parse_image
from traceable_kong.plan.admission_policy import policy_spec
from traceable_kong.plan.model import AdmissionPolicy

Document = dict[str, Any]

TABLE = [*((*images, True) for images in ADMITTED), *((*images, False) for images in NOT_ADMITTED)]
EXPECTED = sorted({expected for expected, *_ in TABLE})
GROUP = "admissionregistration.k8s.io/v1"
POLICIES, BINDINGS = "validatingadmissionpolicies", "validatingadmissionpolicybindings"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
EVIL = "evil.example/traceable-agent:1.58.0"


class PolicyNamespace:
    """A namespace with one policy for each image of the table; a label of a pod selects the policy."""

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
        account = f"/api/v1/namespaces/{self.name}/serviceaccounts/default"
        wait_until(lambda: self.api.get(account), "the namespace has no ServiceAccount")

    def enforce(self) -> None:
        for number, image in enumerate(EXPECTED):
            policy = AdmissionPolicy(name=f"{self.name}-{number}", action="deny", spec=self.spec(number, image))
            binding = {"policyName": policy.name, "validationActions": policy.validation_actions}
            for kind, plural, spec in (
                ("ValidatingAdmissionPolicy", POLICIES, policy.spec),
                ("ValidatingAdmissionPolicyBinding", BINDINGS, binding),
            ):
                body = {"apiVersion": GROUP, "kind": kind, "metadata": {"name": policy.name}, "spec": spec}
                self.api.request("POST", f"/apis/{GROUP}/{plural}", body=body)
        for image in EXPECTED:
            pod = self.pod(image, requests_tme="true", containers=[])
            wait_until(partial(self.refuses, image, pod), f"the policy for {image} is not enforced")

    def spec(self, number: int, image: str) -> Document:
        """The spec of the policy for an image, with every operator that a selector can have."""
        expressions = [
            {"key": "app", "operator": "In", "values": ["gateway", "edge"]},
            {"key": "app", "operator": "Exists"},
            {"key": "app", "operator": "NotIn", "values": ["other"]},
            {"key": "leaves", "operator": "DoesNotExist"},
        ]
        return policy_spec(
            namespace=self.name,
            pod_selector={"matchLabels": {"rule": str(number)}, "matchExpressions": expressions},
            tme_image=parse_image(image),
            agent_namespace="traceable",
        )

    def end(self) -> None:
        for number in range(len(EXPECTED)):
            for kind in (BINDINGS, POLICIES):
                if self.api.get(f"/apis/{GROUP}/{kind}/{self.name}-{number}"):
                    self.api.request("DELETE", f"/apis/{GROUP}/{kind}/{self.name}-{number}")
        self.api.request("DELETE", f"/api/v1/namespaces/{self.name}")

    def pod(
        self,
        image: str = PUBLIC,
        *,
        requests_tme: str | None = "true",
        containers: list[str] | None = None,
        sidecars: list[Document] | None = None,
        app: str = "gateway",
    ) -> Document:
        """A pod that no node accepts, with Kong's container first; `containers` are the images of the others."""
        beside = [f"{PUBLIC}:1.58.0"] if containers is None else containers
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": f"pod-{next(self._numbers)}",
                "labels": {"rule": str(EXPECTED.index(image)), "app": app},
                "annotations": {} if requests_tme is None else {INJECT_ANNOTATION: requests_tme},
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
        """Whether the pod could be created; only this image's policy may refuse it."""
        try:
            self.api.request("POST", self.pods, query={"dryRun": "All"}, body=pod)
        except ApiError as problem:
            assert f"{self.name}-{EXPECTED.index(image)}" in str(problem), problem
            return False
        return True

    def refuses(self, image: str, pod: Document) -> bool:
        return not self.admits(image, pod)

    def make(self, pod: Document) -> str:
        self.api.request("POST", self.pods, body=pod)
        return str(pod["metadata"]["name"])

    def changes(self, pod: str, patch: Document, *, kind: str = MERGE, subresource: str = "") -> bool:
        """Whether an update is accepted; only the policy may refuse it."""
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
        """Whether the container next to Kong's can be set to this image."""
        return self.changes(pod, {"spec": {"containers": [{"name": "beside-0", "image": image}]}}, kind=STRATEGIC)


@pytest.fixture(scope="module")
def namespace(platform: Platform) -> Iterator[PolicyNamespace]:
    created = PolicyNamespace(platform)
    created.begin()
    try:
        yield created
    finally:
        created.end()


@pytest.fixture(scope="module")
def wrong(namespace: PolicyNamespace) -> str:
    """A pod from before the policy that requests the TME and has none."""
    return namespace.make(namespace.pod(containers=["sidecar:1"]))


@pytest.fixture(scope="module", autouse=True)
def enforced(namespace: PolicyNamespace, wrong: str) -> None:
    namespace.enforce()


@pytest.mark.parametrize(("expected", "image", "counts"), TABLE)
def test_a_new_pod_is_admitted_for_exactly_the_images_that_the_verification_accepts(
    namespace: PolicyNamespace, expected: str, image: str, counts: bool
) -> None:
    assert namespace.admits(expected, namespace.pod(expected, containers=[image])) is counts
    sidecar = {"name": "beside", "image": image, "restartPolicy": "Always"}
    assert namespace.admits(expected, namespace.pod(expected, containers=[], sidecars=[sidecar])) is counts
    del sidecar["restartPolicy"]
    assert not namespace.admits(expected, namespace.pod(expected, containers=[], sidecars=[sidecar]))


@pytest.mark.parametrize(
    ("requests_tme", "admitted"),
    [(None, True), ("false", True), ("true", False), ("True", False), ("1", False), ("yes", False), ("", False)],
)
def test_every_value_of_the_annotation_but_false_requests_the_tme(
    namespace: PolicyNamespace, requests_tme: str | None, admitted: bool
) -> None:
    assert namespace.admits(PUBLIC, namespace.pod(requests_tme=requests_tme, containers=[])) is admitted


def test_the_policy_ignores_pods_of_another_gateway(namespace: PolicyNamespace) -> None:
    assert namespace.admits(PUBLIC, namespace.pod(containers=[], app="other"))


def test_the_tme_cannot_be_removed_from_a_pod(namespace: PolicyNamespace) -> None:
    pod = namespace.make(namespace.pod())
    assert namespace.runs(pod, f"{PUBLIC}:1.57.2"), "another version"
    assert namespace.runs(pod, f"{PUBLIC}@{DIGEST}")
    assert not namespace.runs(pod, EVIL)
    assert namespace.annotates(pod, None), "the TME stays"
    assert not namespace.runs(pod, EVIL), "neither in two steps"
    assert namespace.labels(pod, other="x")


def test_a_sidecar_cannot_be_removed_either(namespace: PolicyNamespace) -> None:
    sidecar = {"name": "tme", "image": f"{PUBLIC}:1.58.0", "restartPolicy": "Always"}
    pod = namespace.make(namespace.pod(containers=[], sidecars=[sidecar]))
    patch = {"spec": {"initContainers": [{"name": "tme", "image": EVIL}]}}
    assert not namespace.changes(pod, patch, kind=STRATEGIC)


def test_a_pod_without_the_tme_cannot_request_it_later(namespace: PolicyNamespace) -> None:
    pod = namespace.make(namespace.pod(requests_tme=None, containers=["sidecar:1"]))
    assert namespace.annotates(pod, "false")
    assert not namespace.annotates(pod, "true")
    assert not namespace.annotates(pod, "1")
    assert namespace.runs(pod, "sidecar:2")


def test_a_pod_that_lacks_the_requested_tme_cannot_join_the_gateway(namespace: PolicyNamespace) -> None:
    pod = namespace.make(namespace.pod(containers=["sidecar:1"], app="other"))
    assert namespace.labels(pod, other="x")
    assert not namespace.labels(pod, app="gateway")
    assert not namespace.labels(pod, app="edge")


def test_unrelated_updates_of_a_pod_that_already_lacks_the_tme_are_accepted(
    namespace: PolicyNamespace, wrong: str
) -> None:
    assert namespace.labels(wrong, other="x")
    assert namespace.runs(wrong, "sidecar:2")
    condition = {"type": "Ready", "status": "False"}
    assert namespace.changes(wrong, {"status": {"conditions": [condition]}}, kind=STRATEGIC, subresource="/status")
    assert namespace.changes(wrong, {"metadata": {"finalizers": ["example.com/held"]}})
    assert namespace.labels(wrong, leaves="x"), "removed from the gateway"
    assert not namespace.labels(wrong, leaves=None), "and not added again"
    # Removing the last finalizer deletes the pod.
    namespace.api.request("DELETE", f"{namespace.pods}/{wrong}", query={"gracePeriodSeconds": "0"})
    assert namespace.changes(wrong, {"metadata": {"finalizers": None}})
    assert namespace.api.get(f"{namespace.pods}/{wrong}") is None


def test_the_policy_ignores_terminating_pods(namespace: PolicyNamespace) -> None:
    pod = namespace.pod()
    pod["metadata"]["finalizers"] = ["example.com/held"]
    name = namespace.make(pod)
    namespace.api.request("DELETE", f"{namespace.pods}/{name}", query={"gracePeriodSeconds": "0"})
    assert namespace.annotates(name, "True")
    assert namespace.runs(name, EVIL), "it does not serve any more"
    assert namespace.changes(name, {"metadata": {"finalizers": None}})


def test_the_message_names_the_image(namespace: PolicyNamespace) -> None:
    with pytest.raises(ApiError, match=f"no container with the image {PUBLIC}"):
        namespace.api.request("POST", namespace.pods, query={"dryRun": "All"}, body=namespace.pod(containers=[EVIL]))
