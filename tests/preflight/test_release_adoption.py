"""A release that was installed by hand: taken over where the stack says so, whole, and never with secrets in clear."""

from typing import Any

import pytest
from pydantic import SecretStr

from tests.preflight.fake import FakeKubernetes, intent, passes, refused, warned
from traceable_kong.preflight.examination import examine
from traceable_kong.preflight.intent import Adoption

OURS = {"env": {"database": "off"}, "plugins": {"configMaps": []}, "global": {"traceableKong": {"stack": "x"}}}


def adopting(**values: Any) -> dict[str, Any]:
    return {"gateway__adoption": Adoption(chart="kong", version="3.4.1", values={**OURS, **values})}


def by_hand(kube: FakeKubernetes, *, statuses: tuple[str, ...] = ("superseded", "deployed"), **options: Any) -> None:
    kube.release("kong", "quickstart", list(statuses), owner=None, **options)


def test_what_the_stack_names_and_nobody_has_passes(kube: FakeKubernetes) -> None:
    by_hand(kube, replicaCount=3, plugins={"configMaps": [{"name": "foo"}]}, env={})
    passes(kube, **adopting(replicaCount=3))


def test_without_consent_it_is_refused_with_the_way_to_give_it(kube: FakeKubernetes) -> None:
    by_hand(kube)
    text = refused(kube)
    assert "`pulumi config set --path traceable-kong:kong.adopt true`" in text and "docs/adopting-a-release.md" in text


def test_another_stacks_is_not_taken_over(kube: FakeKubernetes) -> None:
    kube.release("kong", "quickstart", ["deployed"], owner="traceable-kong.prod")
    text = refused(kube, **adopting())
    assert "another stack, traceable-kong.prod" in text and "kong.adopt" not in text


def test_one_that_is_this_stacks_already_passes_whatever_it_has(kube: FakeKubernetes) -> None:
    kube.release("kong", "quickstart", ["deployed"], chart="kong-9.9.9", replicaCount=3)
    passes(kube, **adopting())


def test_one_that_is_missing_is_not_installed_instead(kube: FakeKubernetes) -> None:
    text = refused(kube, **adopting())
    assert "helm list --all-namespaces" in text and "pulumi config rm --path traceable-kong:kong.adopt" in text


@pytest.mark.parametrize("status", ["pending-upgrade", "failed", "uninstalling"])
def test_one_half_way_is_refused_and_never_mended(kube: FakeKubernetes, status: str) -> None:
    by_hand(kube, statuses=("superseded", status))
    assert f"is {status}" in refused(kube, **adopting())
    assert examine(kube, intent(**adopting())).stuck == []


def test_one_of_another_chart_is_refused(kube: FakeKubernetes) -> None:
    by_hand(kube, chart="ingress-0.24.0", gateway={"replicaCount": 3})
    text = refused(kube, **adopting())
    assert "is of the chart ingress" in text and "replicaCount" not in text


def test_another_version_would_be_an_upgrade(kube: FakeKubernetes) -> None:
    by_hand(kube, chart="kong-3.3.0")
    assert "kong.chart.version 3.3.0" in warned(kube, **adopting())
    passes(kube, gateway__adoption=Adoption(chart="kong", version="v3.3.0", values=OURS))
    passes(kube, gateway__adoption=Adoption(chart="kong", version=None, values=OURS))


def test_values_that_the_stack_lacks_are_named_and_not_shown(kube: FakeKubernetes) -> None:
    by_hand(kube, replicaCount=3, customEnv={"own": "private-text"}, resources={})
    text = refused(kube, **adopting(replicaCount=2))
    assert "has values that this stack does not: customEnv.own." in text
    assert "private-text" not in text and "helm get values" in text


@pytest.mark.parametrize("values", [{"env": {"pg_password": "private-text"}}, {"token": "private-text"}])
def test_secrets_in_clear_are_refused_and_not_shown(kube: FakeKubernetes, values: dict[str, Any]) -> None:
    by_hand(kube, **values)
    text = refused(kube, **adopting())
    assert f"{'env.pg_password' if 'env' in values else 'token'} in its values as plain text" in text
    assert "private-text" not in text


def test_what_the_stack_keeps_secret_is_refused_whatever_its_name(kube: FakeKubernetes) -> None:
    by_hand(kube, customEnv={"own": "private-text"})
    text = refused(kube, **adopting(customEnv={"own": SecretStr("private-text")}))
    assert "has customEnv.own in its values as plain text" in text and "private-text" not in text


def test_the_name_of_a_secret_is_none(kube: FakeKubernetes) -> None:
    reference = {"valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}}
    by_hand(kube, env={"pg_password": reference}, externalTokenSecret={"name": "a", "key": "token"}, token="")
    passes(kube, **adopting(env={"pg_password": reference}, externalTokenSecret={"name": "b", "key": "token"}))


def test_a_tme_that_the_chart_asks_for_is_no_value_to_be_kept(kube: FakeKubernetes) -> None:
    by_hand(kube, podAnnotations={"tme.traceable.ai/inject": "true"})
    text = refused(kube, **adopting())
    assert "switch it to async first" in text and "has values that this stack does not" not in text


def test_the_agent_is_looked_at_as_well(kube: FakeKubernetes) -> None:
    kube.release("traceable", "traceable-agent", ["deployed"], owner=None, chart="traceable-agent-1.58.0", token="t")
    adoption = Adoption(chart="traceable-agent", version="1.58.0", values={})
    text = refused(kube, agent__adoption=adoption)
    assert "Helm release traceable-agent in namespace traceable" in text and "for the agent's token" in text
