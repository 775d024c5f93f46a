"""The hooks of an agent-only stack, and its verification."""

from dataclasses import dataclass
from functools import partial

import pulumi

from traceable_kong.cluster.agent_objects import AGENT_DEPLOYMENT
from traceable_kong.cluster.kubernetes_client import ApiError, KubernetesClient, Unreachable
from traceable_kong.common.safe_text import printable
from traceable_kong.hooks.hook_runner import Connection, Hooks
from traceable_kong.plan.model import ManagedAgent
from traceable_kong.verification import agent_verification


@dataclass(frozen=True, kw_only=True)
class AgentGatesArgs:
    """`owner` is this stack's id; a removal may take `timeout_seconds`."""

    owner: str
    expectation: ManagedAgent
    timeout_seconds: int


class AgentGates(Hooks):
    """`agent`: the gate before the agent's Release, a ResourceHookBinding."""

    def __init__(self, *, args: AgentGatesArgs, cluster: Connection) -> None:
        namespace = args.expectation.namespace
        super().__init__(cluster, owner=args.owner, timeout_seconds=args.timeout_seconds)
        self._expectation = args.expectation
        clear = partial(self._clear_name, namespace=namespace, release=args.expectation.release.name)
        self.agent = self._binding("agent", create=[clear, self._watch_agent], update=[self._watch_agent])

    def prove(self) -> None:
        """Returns when the agent is what it should be. Raises pulumi.RunError with the report."""
        try:
            report = agent_verification.verify_agent(self._cluster.api, self._expectation)
        except (ApiError, Unreachable) as problem:
            raise pulumi.RunError(
                f"The agent could not be verified: {problem}. Gateways may be unprotected. Run `pulumi up` again."
            ) from None
        if not report.ok:
            raise pulumi.RunError(self._said(report.text()))
        pulumi.log.info(self._said(report.text()))
        for reason in report.not_checked:
            pulumi.log.warn(self._said(printable(f"not checked: {reason}")))

    def _watch_agent(self, api: KubernetesClient) -> None:
        self._watch(api, self._expectation.namespace, AGENT_DEPLOYMENT, plugin_object=None)
