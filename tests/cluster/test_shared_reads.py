"""A run reads each object and list once, whichever of its parts needs it."""

from typing import Any

import pytest

from tests.fakes.fake_kubernetes import FakeKubernetes, forbidden
from traceable_kong.cluster.kubernetes_client import ApiError
from traceable_kong.cluster.shared_reads import SharedReads

PODS = "/api/v1/namespaces/a/pods"


class CountingKubernetes(FakeKubernetes):
    """Counts what it is asked."""

    def __init__(self, *objects: Any) -> None:
        super().__init__(*objects)
        self.asked: list[Any] = []

    def get(self, path: str) -> Any:
        self.asked.append(path)
        return super().get(path)

    def allowed(self, verb: str, resource: str, **where: Any) -> bool:
        self.asked.append((verb, resource))
        return verb == "get"


def test_each_request_is_sent_once() -> None:
    kube = CountingKubernetes((f"{PODS}/one", {"metadata": {"labels": {"a": "b"}}}))
    reads = SharedReads(kube)
    for _ in range(2):
        assert reads.get(f"{PODS}/one") and reads.get(f"{PODS}/two") is None
        assert len(reads.list(PODS, labelSelector="a=b")) == 1 and reads.list(PODS, labelSelector="a=c") == []
        assert reads.allowed("get", "pods") and not reads.allowed("list", "pods")
    assert kube.asked == [f"{PODS}/one", f"{PODS}/two", ("get", "pods"), ("list", "pods")]
    assert [selectors["labelSelector"] for _, selectors in kube.listed] == ["a=b", "a=c"]


def test_another_reader_and_the_client_itself_read_again() -> None:
    kube = CountingKubernetes()
    reads = SharedReads(kube)
    for reader in (reads, SharedReads.of(reads), SharedReads(reads.client), reads.client):
        assert reader.get(PODS) is None
    assert len(kube.asked) == 3


def test_an_error_is_shared_too() -> None:
    kube = CountingKubernetes()
    kube.problems[PODS] = forbidden()
    reads = SharedReads(kube)
    for _ in range(2):
        with pytest.raises(ApiError):
            reads.get(PODS)
    assert kube.asked == [PODS]


def test_what_was_read_can_be_forgotten() -> None:
    kube = CountingKubernetes((f"{PODS}/one", {"metadata": {}}))
    reads = SharedReads(kube)
    assert reads.get(f"{PODS}/one")
    del kube.objects[f"{PODS}/one"]
    reads.forget()
    assert reads.get(f"{PODS}/one") is None
