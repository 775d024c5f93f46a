"""An object that may not be read names the missing permission."""

import pytest

from tests.fakes.fake_kubernetes import FakeKubernetes, forbidden
from traceable_kong.cluster.kubernetes_client import ApiError
from traceable_kong.verification.object_reads import Unreadable, read

POLICIES = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies"


@pytest.mark.parametrize(
    ("path", "missing"),
    [
        ("/api/v1/namespaces/gw/configmaps/x", "get configmaps in namespace gw is missing"),
        ("/api/v1/namespaces/gw", "get namespaces is missing"),
        (f"{POLICIES}/x", "get validatingadmissionpolicies.admissionregistration.k8s.io is missing"),
    ],
)
def test_the_missing_permission_is_named(path: str, missing: str) -> None:
    fake = FakeKubernetes()
    fake.problems[path] = forbidden()
    assert read(fake, "Thing", path) == Unreadable(f"Thing {path.rsplit('/', 1)[-1]}: the permission to {missing}")


def test_an_object_none_or_an_api_error() -> None:
    path = "/api/v1/namespaces/gw/configmaps/x"
    fake = FakeKubernetes((path, {"data": {}}))
    assert read(fake, "ConfigMap", path) == {"data": {}}
    assert read(fake, "ConfigMap", f"{path}y") is None
    fake.problems[path] = ApiError(500, "InternalError", "no")
    with pytest.raises(ApiError):
        read(fake, "ConfigMap", path)
