"""A release that was installed by hand: adopted if the config says so, with all values, and never with secrets."""

from typing import Any

import pytest

from tests.fakes.plans import plan
from tests.fakes.preflight_cluster import FakeKubernetes, examined, passes, refused, warned


def adopting(*, chart: dict[str, str] | None = None, **values: Any) -> dict[str, Any]:
    """The keys of a stack that adopts Kong's release, with these chart values."""
    return {"kong": {"adopt": True, **({"chart": chart} if chart else {})}, "kongValues": values}


def by_hand(kube: FakeKubernetes, *, statuses: tuple[str, ...] = ("superseded", "deployed"), **options: Any) -> None:
    kube.release("kong", "quickstart", list(statuses), owner=None, **options)


def test_a_release_that_the_config_adopts_passes(kube: FakeKubernetes) -> None:
    by_hand(kube, replicaCount=3, plugins={"configMaps": [{"name": "foo"}]}, env={})
    passes(kube, **adopting(replicaCount=3))


def test_a_release_that_the_config_does_not_adopt_is_refused(kube: FakeKubernetes) -> None:
    by_hand(kube)
    text = refused(kube)
    assert "`pulumi config set --path traceable-kong:kong.adopt true`" in text and "docs/adopting-a-release.md" in text


def test_another_stacks_release_is_not_adopted(kube: FakeKubernetes) -> None:
    kube.release("kong", "quickstart", ["deployed"], owner="traceable-kong.prod")
    text = refused(kube, **adopting())
    assert "another stack, traceable-kong.prod" in text and "kong.adopt" not in text


def test_an_adopted_release_passes(kube: FakeKubernetes) -> None:
    kube.release("kong", "quickstart", ["deployed"], chart="kong-9.9.9", replicaCount=3)
    passes(kube, **adopting())


def test_a_missing_release_is_not_installed_instead(kube: FakeKubernetes) -> None:
    text = refused(kube, **adopting())
    assert "helm list --all-namespaces" in text and "pulumi config rm --path traceable-kong:kong.adopt" in text


@pytest.mark.parametrize("status", ["pending-upgrade", "failed", "uninstalling"])
def test_a_release_with_an_unfinished_operation_is_refused_and_never_repaired(
    kube: FakeKubernetes, status: str
) -> None:
    by_hand(kube, statuses=("superseded", status))
    assert f"is {status}" in refused(kube, **adopting())
    assert examined(kube, **adopting()).stuck == []


def test_a_release_of_another_chart_is_refused(kube: FakeKubernetes) -> None:
    by_hand(kube, chart="ingress-0.24.0", gateway={"replicaCount": 3})
    text = refused(kube, **adopting())
    assert "is of the chart ingress" in text and "replicaCount" not in text


def test_another_chart_version_is_a_warning(kube: FakeKubernetes) -> None:
    by_hand(kube, chart="kong-3.3.0")
    assert "kong.chart.version 3.3.0" in warned(kube, **adopting())
    passes(kube, **adopting(chart={"version": "v3.3.0"}))


def test_values_that_the_stack_lacks_are_named_but_not_shown(kube: FakeKubernetes) -> None:
    by_hand(kube, replicaCount=3, customEnv={"own": "private-text"}, resources={})
    text = refused(kube, **adopting(replicaCount=2))
    assert "has values that this stack does not: customEnv.own." in text
    assert "private-text" not in text and "helm get values" in text


@pytest.mark.parametrize("values", [{"env": {"pg_password": "private-text"}}, {"token": "private-text"}])
def test_secrets_in_plain_text_are_refused_and_not_shown(kube: FakeKubernetes, values: dict[str, Any]) -> None:
    by_hand(kube, **values)
    text = refused(kube, **adopting())
    assert f"{'env.pg_password' if 'env' in values else 'token'} in its values as plain text" in text
    assert "private-text" not in text


def test_what_the_stack_keeps_secret_is_refused(kube: FakeKubernetes) -> None:
    by_hand(kube, customEnv={"own": "private-text"})
    made = plan(**adopting(customEnv={"own": "private-text"}), secrets=[("kongValues", "customEnv", "own")])
    text = refused(kube, of=made)
    assert "has customEnv.own in its values as plain text" in text and "private-text" not in text


def test_the_name_of_a_secret_is_no_secret(kube: FakeKubernetes) -> None:
    reference = {"valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}}
    by_hand(kube, env={"pg_password": reference}, externalTokenSecret={"name": "a", "key": "token"}, token="")
    passes(kube, **adopting(env={"pg_password": reference}, externalTokenSecret={"name": "b", "key": "token"}))


def test_a_tme_that_the_values_request_is_refused(kube: FakeKubernetes) -> None:
    by_hand(kube, podAnnotations={"tme.traceable.ai/inject": "true"})
    text = refused(kube, **adopting())
    assert "switch it to async first" in text and "has values that this stack does not" not in text


def test_the_agents_release_is_checked(kube: FakeKubernetes) -> None:
    kube.release("traceable", "traceable-agent", ["deployed"], owner=None, chart="traceable-agent-1.58.0", token="t")
    text = refused(kube, agent={"adopt": True})
    assert "Helm release traceable-agent in namespace traceable" in text and "for the agent's token" in text
