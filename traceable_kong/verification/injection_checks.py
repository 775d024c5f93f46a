"""Checks whether a new gateway pod would get the TME, and would be refused without it, by the objects alone. Pure.

Whether the injector answers is tested with a dry run before the gateway is changed (hooks/injection_dry_run.py); the
verification creates nothing.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from traceable_kong.cluster.pods import selected
from traceable_kong.common.commands import helm_restore
from traceable_kong.plan.model import DesiredState, Injection
from traceable_kong.verification.fix_commands import REPAIR
from traceable_kong.verification.injection_objects import InjectionObjects
from traceable_kong.verification.object_reads import ObservedObject, Unreadable
from traceable_kong.verification.policy_checks import policy_check
from traceable_kong.verification.report import Check

Document = Mapping[str, Any]


def injection_checks(desired: DesiredState, deployment: Document, objects: InjectionObjects) -> Iterator[Check]:
    """The checks of the objects that may be read."""
    if desired.policy:
        yield policy_check(desired.policy, objects)
    if injection := desired.injection:
        template = deployment["spec"]["template"]["metadata"]
        yield _annotations(desired, injection, template)
        if not isinstance(objects.namespace, Unreadable):
            yield _label(desired, injection, objects.namespace)
        if injection.webhook and not isinstance(objects.webhook, Unreadable):
            yield _webhook(desired, injection, deployment, objects)


def unread_objects(desired: DesiredState, deployment: Document, objects: InjectionObjects) -> Iterator[str]:
    """Reasons why a part of it is unknown."""
    for item in (objects.policy, objects.binding, objects.namespace, objects.webhook):
        if isinstance(item, Unreadable):
            yield item.reason
    leading = _leading_to_agent(desired, deployment, objects)
    conditions = [[item["name"] for item in webhook.get("matchConditions") or []] for webhook in leading]
    if desired.injection and conditions and all(conditions):
        yield (
            f"whether the injector's webhook {desired.injection.webhook} is called for new pods of this gateway: it "
            f"has the matchConditions {', '.join(conditions[0])}, which are not evaluated"
        )


def injection_notes(desired: DesiredState, deployment: Document, objects: InjectionObjects) -> Iterator[str]:
    """What no verification can observe of the injector's webhook."""
    leading = _leading_to_agent(desired, deployment, objects)
    if leading and not any(_leads_to_agent(desired, webhook) for webhook in leading):
        yield (
            f"not checked: whether {_destination(leading[0])}, which the injector's webhook calls, is the agent in "
            f"namespace {desired.agent_namespace}: this stack does not set that address"
        )


def _annotations(desired: DesiredState, injection: Injection, template: Document) -> Check:
    found = template.get("annotations") or {}
    return Check(
        pod="",
        name="annotation",
        ok=injection.annotations.items() <= found.items(),
        expected=f"pod template of deployment {desired.deployment} with "
        + _pairs(injection.annotations, injection.annotations),
        found=_pairs(injection.annotations, found),
        fix=REPAIR,
        permanent=True,
    )


def _label(desired: DesiredState, injection: Injection, namespace: Document | None) -> Check:
    found = _labels(namespace)
    return Check(
        pod="",
        name="label",
        ok=injection.label.items() <= found.items(),
        expected=f"namespace {desired.deployment.namespace} with {_pairs(injection.label, injection.label)}",
        found=_pairs(injection.label, found),
        fix=REPAIR,
        permanent=True,
    )


def _pairs(keys: Mapping[str, str], found: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}: {found[key]}" if key in found else f"no {key}" for key in keys)


def _labels(namespace: Any) -> Mapping[str, str]:
    return (namespace["metadata"].get("labels") if isinstance(namespace, Mapping) else None) or {}


def _webhook(desired: DesiredState, injection: Injection, deployment: Document, objects: InjectionObjects) -> Check:
    problem = ""
    fix = (
        helm_restore(injection.agent_release, desired.agent_namespace)
        if injection.agent_release and desired.agent_namespace
        else f"the owner of the agent in namespace {desired.agent_namespace} restores it with their Helm release"
    )
    if not isinstance(objects.webhook, Mapping):
        problem = "it does not exist"
    elif not (called := _called(deployment, objects)):
        problem = (
            "none of its webhooks is called for new pods of this gateway: rules, namespaceSelector, objectSelector"
        )
        if _called(deployment, _with_label(objects, injection)):
            problem = f"none of its webhooks is called for new pods, because namespace {desired.deployment.namespace} "
            problem += "lacks its label"
            fix = REPAIR
    elif not _leading_to_agent(desired, deployment, objects):
        problem = f"its clientConfig leads to {_destination(called[0])}"
    return Check(
        pod="",
        name="webhook",
        ok=not problem,
        expected=f"MutatingWebhookConfiguration {injection.webhook} injects the TME into new pods of this gateway, "
        f"and calls the agent in namespace {desired.agent_namespace}",
        found=problem or "that",
        fix=fix,
        permanent=True,
    )


def _with_label(objects: InjectionObjects, injection: Injection) -> InjectionObjects:
    labels = {**_labels(objects.namespace), **injection.label}
    return dataclasses.replace(objects, namespace={"metadata": {"labels": labels}})


def _called(deployment: Document, objects: InjectionObjects) -> list[Document]:
    """The webhooks of the injector that are called for new pods of the gateway, apart from their matchConditions."""
    if not isinstance(objects.webhook, Mapping):
        return []
    labels = deployment["spec"]["template"]["metadata"].get("labels") or {}
    return [item for item in objects.webhook.get("webhooks") or [] if _calls(item, objects.namespace, labels)]


def _leading_to_agent(desired: DesiredState, deployment: Document, objects: InjectionObjects) -> list[Document]:
    """Those of the called webhooks that lead to the agent, or may lead to it."""
    return [item for item in _called(deployment, objects) if _leads_to_agent(desired, item) is not False]


def _leads_to_agent(desired: DesiredState, webhook: Document) -> bool | None:
    """Compares the namespace or the domain, not path and port; None if this stack cannot know the domain."""
    config = webhook.get("clientConfig") or {}
    if service := config.get("service"):
        return bool(service.get("namespace") == desired.agent_namespace)
    domain = desired.injection.webhook_domain if desired.injection else None
    if domain is None:
        return None
    return bool(domain) and str(config.get("url")).startswith(f"https://{domain}/")


def _destination(webhook: Document) -> str:
    config = webhook.get("clientConfig") or {}
    if service := config.get("service") or {}:
        return f"service {service.get('namespace')}/{service.get('name')}"
    return str(config.get("url") or "nothing")


def _calls(webhook: Document, namespace: ObservedObject, pod_labels: Mapping[str, str]) -> bool:
    """Whether the API server calls it for a new pod; a namespace that may not be read counts as selected."""
    is_selected = isinstance(namespace, Unreadable) or selected(
        webhook.get("namespaceSelector") or {}, _labels(namespace)
    )
    return (
        is_selected
        and selected(webhook.get("objectSelector") or {}, pod_labels)
        and any(_covers_new_pods(rule) for rule in webhook.get("rules") or [])
    )


def _covers_new_pods(rule: Document) -> bool:
    wanted = {"apiGroups": {"", "*"}, "apiVersions": {"v1", "*"}, "operations": {"CREATE", "*"}}
    wanted["resources"] = {"pods", "*", "*/*"}
    return all(values & set(rule.get(key) or []) for key, values in wanted.items()) and rule.get("scope") != "Cluster"
