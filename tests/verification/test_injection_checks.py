"""The objects that inject the TME, and those that refuse pods without it: missing, changed, or not readable."""

import copy
import dataclasses
import functools
import json
import shlex
from collections.abc import Callable
from typing import Any

import pytest

from tests.fakes.fake_kubernetes import forbidden
from tests.fakes.protected_cluster import cluster
from tests.fakes.protected_gateway import (
    ASYNC,
    INJECTION,
    Document,
    desired,
    evaluate,
    failure,
    injection_objects,
    observed,
    template,
)
from traceable_kong.cluster.api_objects import MUTATING_WEBHOOKS
from traceable_kong.verification.injection_objects import InjectionObjects, observe_injection
from traceable_kong.verification.object_reads import Unreadable
from traceable_kong.verification.report import Check

Change = Callable[[Any], object]


def with_changed(name: str, change: Change) -> InjectionObjects:
    found = injection_objects()
    change(found[name])
    return InjectionObjects(**found)


def broken(name: str, change: Change) -> Check:
    """The single check that fails after one object was changed."""
    return failure(observed(injection_objects=with_changed(name, change)))


def without(name: str) -> Check:
    return failure(observed(injection_objects=InjectionObjects(**{**injection_objects(), name: None})))


@pytest.mark.parametrize(
    ("name", "check", "text"),
    [
        ("policy", "policy", "the policy does not exist"),
        ("binding", "policy", "the binding does not exist"),
        ("webhook", "webhook", "it does not exist"),
    ],
)
def test_an_object_that_was_deleted(name: str, check: str, text: str) -> None:
    found = without(name)
    assert (found.pod, found.name, found.found, found.permanent) == ("", check, text, True)


@pytest.mark.parametrize(
    ("name", "change", "text"),
    [
        ("policy", lambda it: it["spec"].update(failurePolicy="Ignore"), "the policy has another spec.failurePolicy"),
        ("policy", lambda it: it["spec"].pop("validations"), "the policy has another spec.validations"),
        (
            "policy",
            lambda it: it["spec"]["validations"][0].update(expression="true"),
            "the policy has another spec.validations[0].expression",
        ),
        (
            "policy",
            lambda it: it["spec"]["matchConstraints"].update(matchPolicy="Exact"),
            "the policy has another spec.matchConstraints.matchPolicy",
        ),
        (
            "policy",
            lambda it: it["spec"]["variables"][0].update(expression="true"),
            "the policy has another spec.variables[hasTme].expression",
        ),
        ("policy", lambda it: it["spec"]["variables"].pop(), "the policy has another spec.variables[hasTme]"),
        (
            "policy",
            lambda it: it["spec"]["matchConstraints"]["resourceRules"][0].update(operations=["UPDATE"]),
            "the policy has another spec.matchConstraints.resourceRules[0].operations[0]",
        ),
        ("policy", lambda it: it["metadata"].update(deletionTimestamp="now"), "the policy is being deleted"),
        (
            "binding",
            lambda it: it["spec"].update(validationActions=["Audit"]),
            "the binding has another spec.validationActions[0]",
        ),
    ],
)
def test_a_policy_that_was_changed(name: str, change: Change, text: str) -> None:
    found = broken(name, change)
    assert (found.name, found.found) == ("policy", text)
    assert found.fix.endswith("`pulumi up --refresh`")


def test_a_command_removes_what_was_added_to_the_policy() -> None:
    """Server-side apply leaves what another manager added, so a refresh alone would never repair it."""
    foreign = {"name": "never", "expression": "false"}
    policy, binding = injection_objects()["policy"], injection_objects()["binding"]
    policy["spec"]["matchConditions"] = [foreign]
    policy["spec"]["variables"] = [
        {**foreign, "name": "a"},
        *policy["spec"]["variables"],
        {**foreign, "name": "it's"},
    ]
    binding["spec"]["matchResources"] = {"namespaceSelector": {"matchLabels": {"a": "b"}}}
    found = failure(
        observed(injection_objects=InjectionObjects(**{**injection_objects(), "policy": policy, "binding": binding}))
    )
    assert found.found == (
        "the policy has another spec.matchConditions; the policy has another spec.variables[it's]; "
        "the policy has another spec.variables[a]; the binding has another spec.matchResources"
    )
    of_policy, of_binding, repair = found.fix.strip("`").replace("`, `", "`, then `").split("`, then `")
    assert shlex.split(of_policy)[:6] == [
        "kubectl",
        "patch",
        "validatingadmissionpolicy",
        "the-guard",
        "--type",
        "json",
    ]
    patched = copy.deepcopy(policy)
    for operation in json.loads(shlex.split(of_policy)[-1]):
        _, *path, last = operation["path"].split("/")
        holder = functools.reduce(lambda at, key: at[int(key) if isinstance(at, list) else key], path, patched)
        last = int(last) if isinstance(holder, list) else last
        if operation["op"] == "test":
            assert holder[last] == operation["value"]
        else:
            del holder[last]
    assert patched == injection_objects()["policy"]
    assert json.loads(shlex.split(of_binding)[-1]) == [{"op": "remove", "path": "/spec/matchResources"}]
    assert repair == "pulumi up --refresh"


def test_defaults_of_the_api_server_are_no_difference() -> None:
    filled = {"matchPolicy": "Equivalent", "namespaceSelector": {}, "objectSelector": {}}
    found = with_changed("binding", lambda it: it["spec"].update(matchResources=filled))
    assert evaluate(desired(), observed(injection_objects=found)).ok


def test_a_namespace_without_the_label() -> None:
    found = evaluate(
        desired(), observed(injection_objects=with_changed("namespace", lambda it: it["metadata"]["labels"].clear()))
    )
    failed = {check.name: check for check in found.failed}
    assert failed["label"].found == "no traceableai-inject-tme"
    assert failed["webhook"].found.endswith("because namespace gw lacks its label")
    assert failed["label"].fix == failed["webhook"].fix == "`pulumi up --refresh`", "the agent's release is as it was"


def test_a_webhook_that_is_not_called_with_the_label_either() -> None:
    objects = injection_objects()
    objects["namespace"]["metadata"]["labels"].clear()
    objects["webhook"]["webhooks"][0]["rules"] = []
    report = evaluate(desired(), observed(injection_objects=InjectionObjects(**objects)))
    assert "helm rollback" in {check.name: check.fix for check in report.failed}["webhook"]


@pytest.mark.parametrize(
    "change",
    [
        lambda it: it["annotations"].clear(),
        lambda it: it["annotations"].update({"tme.traceable.ai/inject": "false"}),
        lambda it: it["annotations"].update({"traceable-kong/tme-settings": "other"}),
        lambda it: it.pop("annotations"),
    ],
)
def test_a_deployment_without_the_annotation(change: Change) -> None:
    changed = template()
    change(changed["metadata"])
    deployment: Document = {"metadata": {"name": "edge-kong"}, "spec": {"replicas": 1, "template": changed}}
    found = failure(observed(deployment=deployment))
    assert (found.name, found.fix) == ("annotation", "`pulumi up --refresh`")
    assert "tme.traceable.ai/inject: true" in found.expected


@pytest.mark.parametrize(
    "change",
    [
        lambda it: it.update(webhooks=[]),
        lambda it: it["webhooks"][0].update(namespaceSelector={"matchLabels": {"traceableai-inject-tme": "off"}}),
        lambda it: it["webhooks"][0].update(objectSelector={"matchLabels": {"app": "another"}}),
        lambda it: it["webhooks"][0]["rules"][0].update(operations=["UPDATE"]),
        lambda it: it["webhooks"][0]["rules"][0].update(resources=["pods/status"]),
        lambda it: it["webhooks"][0]["rules"][0].update(apiGroups=["apps"]),
        lambda it: it["webhooks"][0].update(rules=[]),
    ],
)
def test_a_webhook_that_is_not_called_for_these_pods(change: Change) -> None:
    found = broken("webhook", change)
    assert found.name == "webhook" and "none of its webhooks is called" in found.found
    assert "`helm rollback traceable-agent REVISION --namespace traceable`" in found.fix


@pytest.mark.parametrize(
    "change",
    [
        lambda it: it["webhooks"][0].update(namespaceSelector={}),
        lambda it: it["webhooks"][0].update(objectSelector={"matchLabels": {"app": "edge"}}),
        lambda it: it["webhooks"][0]["rules"][0].update(operations=["*"], resources=["*"], apiGroups=["*"]),
        lambda it: it["webhooks"].insert(0, {"rules": []}),
    ],
)
def test_a_webhook_that_is_called_by_other_rules(change: Change) -> None:
    assert evaluate(desired(), observed(injection_objects=with_changed("webhook", change))).ok


URL = {"url": "https://injector.example.com/injector/v1/inject-tme"}


@pytest.mark.parametrize(
    ("config", "domain", "leads_to"),
    [
        ({"service": {"name": "agent", "namespace": "elsewhere"}}, "", "service elsewhere/agent"),
        ({"service": {"name": "agent", "namespace": "elsewhere"}}, None, "service elsewhere/agent"),
        (URL, "", URL["url"]),
        (URL, "injector.example", URL["url"]),
        (URL, "other.example.com", URL["url"]),
        (
            {"url": "https://injector.example.com@evil.example/"},
            "injector.example.com",
            "https://injector.example.com@evil",
        ),
        ({}, "", "nothing"),
    ],
)
def test_a_webhook_that_leads_elsewhere(config: Document, domain: str | None, leads_to: str) -> None:
    injection = dataclasses.replace(INJECTION, webhook_domain=domain)
    found = with_changed("webhook", lambda it: it["webhooks"][0].update(clientConfig=config))
    check = failure(observed(injection_objects=found), injection=injection)
    assert check.name == "webhook" and f"its clientConfig leads to {leads_to}" in check.found
    assert "REVISION" in check.fix


def test_a_webhook_that_leads_to_the_domain_of_the_agents_values() -> None:
    found = with_changed("webhook", lambda it: it["webhooks"][0].update(clientConfig=URL))
    injection = dataclasses.replace(INJECTION, webhook_domain="injector.example.com")
    report = evaluate(desired(injection=injection), observed(injection_objects=found))
    assert (report.ok, report.verdict) == (True, "protected")
    assert not [note for note in report.notes if "injector" in note]


def test_the_address_of_an_existing_agents_webhook_is_a_note() -> None:
    found = with_changed("webhook", lambda it: it["webhooks"][0].update(clientConfig=URL))
    injection = dataclasses.replace(INJECTION, webhook_domain=None, agent_release=None)
    report = evaluate(desired(injection=injection), observed(injection_objects=found))
    assert (report.ok, report.verdict) == (True, "protected")
    assert any(note.startswith(f"not checked: whether {URL['url']}") for note in report.notes)


def test_a_webhook_with_match_conditions_is_not_checked() -> None:
    conditions = [{"name": "never", "expression": "false"}]
    found = with_changed("webhook", lambda it: it["webhooks"][0].update(matchConditions=conditions))
    report = evaluate(desired(), observed(injection_objects=found))
    assert (report.ok, report.verdict) == (True, "not checked")
    assert "it has the matchConditions never" in report.not_checked[0]
    found.webhook["webhooks"].append({**found.webhook["webhooks"][0], "matchConditions": []})  # type: ignore[index]
    assert evaluate(desired(), observed(injection_objects=found)).verdict == "protected"


def test_the_owner_of_an_existing_agent_restores_its_webhook() -> None:
    theirs = dataclasses.replace(INJECTION, agent_release=None)
    found = failure(
        observed(injection_objects=InjectionObjects(**{**injection_objects(), "webhook": None})), injection=theirs
    )
    assert "the owner of the agent in namespace traceable restores it" in found.fix and "helm rollback" not in found.fix


@pytest.mark.parametrize("name", ["policy", "binding", "namespace", "webhook"])
def test_an_object_that_may_not_be_read_is_not_checked(name: str) -> None:
    objects: dict[str, Any] = {**injection_objects(), name: Unreadable("the permission is missing")}
    found = InjectionObjects(**objects)
    report = evaluate(desired(), observed(injection_objects=found))
    assert report.ok, report.text()
    assert (report.verdict, report.not_checked) == ("not checked", ("the permission is missing",))


def test_in_async_without_a_policy_nothing_is_checked() -> None:
    report = evaluate(desired(**ASYNC, policy=None), observed(injection_objects=InjectionObjects()))
    assert not {"policy", "label", "annotation", "webhook"} & {check.name for check in report.checks}
    guarded = evaluate(desired(**ASYNC), observed(injection_objects=InjectionObjects()))
    assert [check.name for check in guarded.failed if check.name == "policy"] == ["policy"]


def test_only_desired_objects_are_read() -> None:
    fake = cluster()
    fake.problems[f"{MUTATING_WEBHOOKS}/the-injector"] = forbidden()
    found = observe_injection(fake, desired())
    assert isinstance(found.policy, dict) and isinstance(found.binding, dict) and isinstance(found.namespace, dict)
    assert found.webhook == Unreadable(
        "MutatingWebhookConfiguration the-injector: the permission to get "
        "mutatingwebhookconfigurations.admissionregistration.k8s.io is missing"
    )
    assert observe_injection(fake, desired(**ASYNC, policy=None)) == InjectionObjects()
