"""Helm's releases, next to Secrets that only look like them."""

import base64
import gzip
import json

import pytest

from tests.fakes.preflight_cluster import FakeKubernetes
from traceable_kong.cluster.helm_releases import LARGEST_DOCUMENT_BYTES, newest_revision, release_document, releases_in


@pytest.mark.parametrize("version", ["abc", "", "1.5", "-1", "²", "1e3"])
def test_a_secret_whose_revision_is_no_number_is_not_helms(version: str) -> None:
    kube = FakeKubernetes()
    kube.release("kong", "quickstart", ["superseded", "deployed"])
    labels = {"owner": "helm", "name": "quickstart", "version": version}
    kube.put("/api/v1/namespaces/kong/secrets/other", {"metadata": {"labels": labels}})
    kube.put("/api/v1/namespaces/kong/secrets/bare", {"metadata": {"labels": {"owner": "helm", "version": version}}})
    assert releases_in(kube, "kong").keys() == {"quickstart"}
    found = newest_revision(kube, "kong", "quickstart")
    assert found is not None and (found.revision, found.status) == (2, "deployed")


def secret(packed: bytes) -> dict[str, object]:
    return {"data": {"release": base64.b64encode(base64.b64encode(packed)).decode()}}


def test_the_document_of_a_release() -> None:
    text = json.dumps({"name": "quickstart"}).encode()
    assert release_document(secret(gzip.compress(text))) == release_document(secret(text)) == {"name": "quickstart"}


@pytest.mark.parametrize(
    "packed",
    [
        gzip.compress(b"{}")[:-9],
        gzip.compress(b" " * LARGEST_DOCUMENT_BYTES + b"{}"),
        b"\x1f\x8b",
        b"",
        gzip.compress(b"[" * 100_000),
    ],
    ids=["cut off", "too large", "only a header", "empty", "too deep"],
)
def test_a_document_that_is_none_is_empty(packed: bytes) -> None:
    assert release_document(secret(packed)) == {}
