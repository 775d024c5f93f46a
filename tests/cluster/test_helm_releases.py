"""Helm's releases, next to Secrets that only look like them."""

import pytest

from tests.fakes.preflight_cluster import FakeKubernetes
from traceable_kong.cluster.helm_releases import newest_revision, releases_in


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
