"""The cluster supports the admission policy."""

from tests.fakes.preflight_cluster import FakeKubernetes, passes, refused
from traceable_kong.preflight.policy_support import ADMISSION_API


def test_a_cluster_without_admission_policies_is_refused(kube: FakeKubernetes) -> None:
    resources = [{"name": "validatingwebhookconfigurations"}]
    kube.put(ADMISSION_API, {"resources": resources})
    assert "tmeGuard off" in refused(kube)
    passes(kube, tmeGuard="off")
    resources.append({"name": "validatingadmissionpolicies"})
    assert "no validatingadmissionpolicybindings" in refused(kube)
    resources.append({"name": "validatingadmissionpolicybindings"})
    passes(kube)
