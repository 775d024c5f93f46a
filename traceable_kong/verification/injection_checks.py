"""Whether a new gateway pod would get the TME, and would be refused without it, as far as objects say so. Pure.

The policy that refuses it is in judging_policy.py. Whether the injector answers is tried with a pod of the gateway's
own before it is touched (hooks/injection_dry_run.py); here nothing is created.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from traceable_kong.cluster.pods import selected
from traceable_kong.common.commands import helm_restore
from traceable_kong.verification.desired_state import DesiredState, Injection
from traceable_kong.verification.kong_checks import REPAIR
from traceable_kong.verification.object_reads import Seen, Unreadable
from traceable_kong.verification.policy_checks import policy_check
from traceable_kong.verification.report import Check
from traceable_kong.verification.surroundings import Surroundings

Document = Mapping[str, Any]


def surroundings_checks(expected: DesiredState, deployment: Document, seen: Surroundings) -> Iterator[Check]:
    """The checks of what can be read."""
    if expected.guard:
        yield policy_check(expected.guard, seen)
    if expected.injection:
        template = deployment["spec"]["template"]["metadata"]
        yield _annotations(expected, expected.injection, template)
        if not isinstance(seen.namespace, Unreadable):
            yield _label(expected, expected.injection, seen.namespace)
        if expected.injection.webhook and not isinstance(seen.webhook, Unreadable):
            yield _webhook(expected, expected.injection, deployment, seen)


def unread(expected: DesiredState, deployment: Document, seen: Surroundings) -> Iterator[str]:
    """Reasons why something of it is not known."""
    for item in (seen.policy, seen.binding, seen.namespace, seen.webhook):
        if isinstance(item, Unreadable):
            yield item.reason
    leading = _leading(expected, deployment, seen)
    conditions = [[item["name"] for item in webhook.get("matchConditions") or []] for webhook in leading]
    if conditions and all(conditions):
        yield (
            f"whether the injector's webhook {expected.injection.webhook if expected.injection else ''} is called for "
            f"new pods of this gateway: it has the matchConditions {', '.join(conditions[0])}, which are not evaluated"
        )


def surroundings_notes(expected: DesiredState, deployment: Document, seen: Surroundings) -> Iterator[str]:
    """What no verification can see of the injector's webhook."""
    leading = _leading(expected, deployment, seen)
    if leading and not any(_leads_to_agent(expected, webhook) for webhook in leading):
        yield (
            f"not checked: whether {_destination(leading[0])}, which the injector's webhook calls, is the agent in "
            f"{expected.agent_namespace}; this stack does not manage it"
        )


def _annotations(expected: DesiredState, injection: Injection, template: Document) -> Check:
    found = template.get("annotations") or {}
    return Check(
        pod="",
        name="annotation",
        ok=injection.annotations.items() <= found.items(),
        expected=f"pods of the Deployment {expected.namespace}/{expected.deployment} with "
        + _pairs(injection.annotations, injection.annotations),
        found=_pairs(injection.annotations, found),
        mend=REPAIR,
        lasting=True,
    )


def _label(expected: DesiredState, injection: Injection, namespace: Document | None) -> Check:
    found = _labels(namespace)
    return Check(
        pod="",
        name="label",
        ok=injection.label.items() <= found.items(),
        expected=f"the namespace {expected.namespace} with {_pairs(injection.label, injection.label)}",
        found=_pairs(injection.label, found),
        mend=REPAIR,
        lasting=True,
    )


def _pairs(keys: Mapping[str, str], found: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}: {found[key]}" if key in found else f"no {key}" for key in keys)


def _labels(live: Any) -> Mapping[str, str]:
    return (live["metadata"].get("labels") if isinstance(live, Mapping) else None) or {}


def _webhook(expected: DesiredState, injection: Injection, deployment: Document, seen: Surroundings) -> Check:
    problem = ""
    if not isinstance(seen.webhook, Mapping):
        problem = "it does not exist"
    elif not (called := _called(deployment, seen)):
        problem = (
            "none of its webhooks is called for new pods of this gateway: rules, namespaceSelector, objectSelector"
        )
    elif not _leading(expected, deployment, seen):
        problem = f"its clientConfig leads to {_destination(called[0])}"
    return Check(
        pod="",
        name="webhook",
        ok=not problem,
        expected=f"the MutatingWebhookConfiguration {injection.webhook}, which gives new pods of this gateway the TME, "
        f"from the agent in {expected.agent_namespace}",
        found=problem or "that",
        mend=helm_restore(injection.agent_release, expected.agent_namespace)
        if injection.agent_release
        else f"the owner of the agent in {expected.agent_namespace} restores it with their Helm release",
        lasting=True,
    )


def _called(deployment: Document, seen: Surroundings) -> list[Document]:
    """The webhooks of the injector that are called for new pods of the gateway, their conditions aside."""
    if not isinstance(seen.webhook, Mapping):
        return []
    labels = deployment["spec"]["template"]["metadata"].get("labels") or {}
    return [item for item in seen.webhook.get("webhooks") or [] if _calls(item, seen.namespace, labels)]


def _leading(expected: DesiredState, deployment: Document, seen: Surroundings) -> list[Document]:
    """Those of them that lead to the agent, or may."""
    return [item for item in _called(deployment, seen) if _leads_to_agent(expected, item) is not False]


def _leads_to_agent(expected: DesiredState, webhook: Document) -> bool | None:
    """By the namespace or the domain; None where this stack cannot know the domain. Path and port are not compared."""
    config = webhook.get("clientConfig") or {}
    if service := config.get("service"):
        return bool(service.get("namespace") == expected.agent_namespace)
    domain = expected.injection.webhook_domain if expected.injection else ""
    if domain is None:
        return None
    return bool(domain) and str(config.get("url")).startswith(f"https://{domain}/")


def _destination(webhook: Document) -> str:
    config = webhook.get("clientConfig") or {}
    service = config.get("service") or {}
    where = f"the Service {service.get('namespace')}/{service.get('name')}"
    return where if service else str(config.get("url") or "nothing")


def _calls(webhook: Document, namespace: Seen, pod_labels: Mapping[str, str]) -> bool:
    """Whether the API server calls it for a new pod; a namespace that may not be read is taken to be selected."""
    known = isinstance(namespace, Unreadable) or selected(webhook.get("namespaceSelector") or {}, _labels(namespace))
    return (
        known
        and selected(webhook.get("objectSelector") or {}, pod_labels)
        and any(_covers_new_pods(rule) for rule in webhook.get("rules") or [])
    )


def _covers_new_pods(rule: Document) -> bool:
    wanted = {"apiGroups": {"", "*"}, "apiVersions": {"v1", "*"}, "operations": {"CREATE", "*"}}
    wanted["resources"] = {"pods", "*", "*/*"}
    return all(values & set(rule.get(key) or []) for key, values in wanted.items()) and rule.get("scope") != "Cluster"
