"""The proof of a stack that is the agent alone: can the gateways of other stacks use it? Asks, and changes nothing.

Each ready pod behind the agent's Service answers on its port, and the webhook that gives gateways the TME is there.
"""

import time
from dataclasses import dataclass

from traceable_kong.cluster.kubernetes_client import KubernetesClient
from traceable_kong.cluster.pods import is_ready
from traceable_kong.common.commands import helm_restore
from traceable_kong.verification.object_reads import Unreadable, read
from traceable_kong.verification.observation import agent_silence, agents_in
from traceable_kong.verification.report import Check, Report
from traceable_kong.verification.surroundings import WEBHOOKS

DEADLINE_SECONDS = 30.0
"""Helm has waited for the pods; their Service and their answers follow within moments."""

INTERVAL_SECONDS = 0.5


@dataclass(frozen=True, kw_only=True)
class AgentExpectation:
    """The agent's namespace and Helm release, and its injector's webhook, None where the injector is off."""

    namespace: str
    webhook: str | None
    release: str


def prove(api: KubernetesClient, expected: AgentExpectation, *, deadline_seconds: float = DEADLINE_SECONDS) -> Report:
    """The report as soon as everything holds, or the last one at the deadline.

    Raises kube.ApiError or kube.Unreachable.
    """
    deadline = time.monotonic() + deadline_seconds
    while True:
        report = _look(api, expected)
        if report.ok or time.monotonic() >= deadline:
            return report
        time.sleep(INTERVAL_SECONDS)


def _look(api: KubernetesClient, expected: AgentExpectation) -> Report:
    namespace = expected.namespace
    service, pods = agents_in(api, namespace)
    ready = [pod for pod in pods if is_ready(pod)]
    describe = f"kubectl --namespace {namespace} describe pods"
    checks = [
        Check(
            pod="",
            name="ready",
            ok=bool(ready),
            expected=f"a ready pod behind the Service agent in {namespace}",
            found=f"{len(ready)} of {len(pods)}",
            mend=describe,
        )
    ]
    for pod in ready:
        silence = agent_silence(api, service, pod)
        checks.append(
            Check(
                pod=pod["metadata"]["name"],
                name="agent",
                ok=silence is None,
                expected="an agent that answers on 5442",
                found=silence or "it answers",
                mend=describe,
            )
        )
    unread = []
    if expected.webhook:
        seen = read(api, "MutatingWebhookConfiguration", f"{WEBHOOKS}/{expected.webhook}")
        if isinstance(seen, Unreadable):
            unread.append(seen.reason)
        else:
            checks.append(
                Check(
                    pod="",
                    name="webhook",
                    ok=seen is not None,
                    expected=f"the MutatingWebhookConfiguration {expected.webhook}, which gives gateways the TME",
                    found="it is there" if seen else "there is none",
                    mend=helm_restore(expected.release, namespace),
                )
            )
    return Report(
        gateway=f"{namespace}/agent",
        subject="agent",
        state="ready",
        checks=tuple(checks),
        not_checked=tuple(unread),
        notes=("not checked: the agent's own connection to the Traceable platform, which it shows nowhere",),
    )
