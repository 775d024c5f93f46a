"""Verifies the agent of an agent-only stack: gateways of other stacks can use it. Changes nothing.

Each ready pod behind the agent's Service answers on its port, and the webhook that injects the TME exists.
"""

from traceable_kong.cluster.agent_objects import AGENT_SERVICE
from traceable_kong.cluster.api_objects import MUTATING_WEBHOOKS
from traceable_kong.cluster.kubernetes_client import KubernetesClient
from traceable_kong.cluster.pods import is_ready
from traceable_kong.cluster.shared_reads import SharedReads
from traceable_kong.common.commands import helm_restore
from traceable_kong.plan.agent_model import ManagedAgent
from traceable_kong.verification import deadline
from traceable_kong.verification.agent_observation import agent_service_and_pods, each_problem
from traceable_kong.verification.fix_commands import REPAIR
from traceable_kong.verification.object_reads import Unreadable, read
from traceable_kong.verification.report import Check, Report


def verify_agent(api: KubernetesClient, agent: ManagedAgent, *, deadline_seconds: float = deadline.SECONDS) -> Report:
    """The report as soon as every check holds, or the last one by the deadline. Raises ApiError or Unreachable."""

    def attempt(reads: SharedReads, _: float) -> tuple[Report, bool]:
        report = _observe_and_evaluate(reads, agent)
        return report, report.ok

    return deadline.final_report(api, attempt, seconds=deadline_seconds)


def _observe_and_evaluate(api: KubernetesClient, agent: ManagedAgent) -> Report:
    namespace = agent.namespace
    service, pods = agent_service_and_pods(api, namespace)
    ready = [pod for pod in pods if is_ready(pod)]
    describe = f"`kubectl --namespace {namespace} describe pods` shows why it is not available"
    checks = [
        Check(
            pod="",
            name="ready",
            ok=bool(ready),
            expected=f"a ready pod behind service {namespace}/{AGENT_SERVICE}",
            found=f"{len(ready)} of {len(pods)}" if service else "the service does not exist",
            fix=describe
            if service
            else f"{REPAIR} if the namespace or the Helm release was deleted, otherwise "
            f"{helm_restore(agent.release.name, namespace)}",
        )
    ]
    for pod, problem in each_problem(api, service, ready):
        checks.append(
            Check(
                pod=pod["metadata"]["name"],
                name="agent",
                ok=problem is None,
                expected="an agent that answers on port 5442",
                found=problem or "it answers",
                fix=describe,
            )
        )
    unread = []
    if name := agent.injector_webhook:
        webhook = read(api, "MutatingWebhookConfiguration", f"{MUTATING_WEBHOOKS}/{name}")
        if isinstance(webhook, Unreadable):
            unread.append(webhook.reason)
        else:
            checks.append(
                Check(
                    pod="",
                    name="webhook",
                    ok=webhook is not None,
                    expected=f"MutatingWebhookConfiguration {name}, which injects the TME into gateway pods",
                    found="it exists" if webhook else "it does not exist",
                    fix=helm_restore(agent.release.name, namespace),
                )
            )
    return Report(
        name=f"{namespace}/{AGENT_SERVICE}",
        subject="agent",
        state="ready",
        checks=tuple(checks),
        not_checked=tuple(unread),
        notes=("not checked: the agent's own connection to the Traceable platform, which the agent does not show",),
    )
