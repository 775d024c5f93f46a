"""What the components of a program tell one another during a run, and which one waits for another."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

import pulumi

from traceable_kong.cluster.api_connection import ApiAddress
from traceable_kong.cluster.target import ClusterTarget
from traceable_kong.plan.agent_model import ExistingAgent
from traceable_kong.plan.model import Plan
from traceable_kong.plan.siblings import SharedAgent, Siblings

STARTS_TOGETHER_SECONDS = 0.5
"""How much later another component may start to be checked."""

OTHERS_SECONDS = 60.0
"""How long the checks of the others may take until their problems are left out."""

INTERVAL_SECONDS = 0.05

TURNS = 100
"""How many intervals a gateway waits for components that may install its agent. One of them may depend on the gateway,
so it has to end. Turns are not seconds: what keeps the event loop busy keeps the others back, too."""


class InstallerFailed(pulumi.RunError):
    """The component failed that a gateway waits for; with that one's text."""


@dataclass(frozen=True, kw_only=True)
class AgentInstaller:
    """A component that installs an agent: `revision` gives Helm's, once everything is registered, and `verified` is
    created last."""

    shared: SharedAgent
    revision: Callable[[], Awaitable[pulumi.Output[int]]]
    verified: pulumi.Resource

    async def finished(self) -> pulumi.Output[int]:
        """Helm's revision of the agent, once that is verified; in a preview, once it is registered.

        Raises pulumi.RunError where the component fails.
        """
        found = await self.revision()
        await self.verified.urn.future()
        return found


@dataclass(frozen=True, kw_only=True)
class OtherComponents:
    """What a component knows of the others. `first` is what it comes after; `agent_revision` is Helm's revision of the
    agent that another one has installed for it, None without one."""

    siblings: Siblings
    first: tuple[pulumi.Resource, ...] = ()
    agent_revision: pulumi.Output[int] | None = None


@dataclass(kw_only=True)
class RunRegistry:
    """The components of a run that have started.

    `unread` are those that may install an agent, and have not said which. `names` is `{cluster and object: component}`,
    `installers` `{cluster and namespace: who installs an agent there}`, `ids` `{stack id: component}`. `undetermined`
    are those whose arguments the preview does not know. `checking` are those that are not checked yet, with the
    component that each waits for. `problems` is what was found.

    A cluster is known by its address. Of two addresses of one cluster, what exists there decides.
    """

    unread: set[str] = field(default_factory=set)
    names: dict[tuple[ApiAddress, str], str] = field(default_factory=dict)
    installers: dict[tuple[ApiAddress, str], AgentInstaller] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    undetermined: list[str] = field(default_factory=list)
    checking: dict[str, str | None] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)

    def note_installer(
        self,
        component: str,
        plan: Plan,
        cluster: ClusterTarget,
        *,
        revision: Callable[[], Awaitable[pulumi.Output[int]]],
        verified: pulumi.Resource,
    ) -> None:
        """Tells the others which agent the component installs, or that it installs none."""
        if agent := plan.managed_agent:
            shared = SharedAgent(installer=component, agent=agent)
            installer = AgentInstaller(shared=shared, revision=revision, verified=verified)
            self.installers[cluster.address, agent.namespace] = installer
        self.unread.discard(component)

    async def meet_others(self, component: str, plan: Plan, cluster: ClusterTarget, stack_id: str) -> OtherComponents:
        """Tells the others the component's id, and waits for the one that installs the agent of its gateway.

        Two components never wait for each other: one that installs an agent does not wait. Raises InstallerFailed.
        """
        self.ids[stack_id] = component
        installer = await self._installer_for(plan, cluster)
        if installer is None:
            return OtherComponents(siblings=self._siblings(component, None))
        self.checking[component] = installer.shared.installer
        # Also without `depends_on`: the gateway would race its agent, and a destroy would not know their order.
        try:
            revision = await installer.finished()
        except pulumi.RunError as problem:
            raise InstallerFailed(str(problem)) from problem
        cluster.reads.forget()
        siblings = self._siblings(component, installer.shared)
        return OtherComponents(siblings=siblings, first=(installer.verified,), agent_revision=revision)

    async def all_problems(self, component: str, problem: str) -> str:
        """The problem of this component, and those of the others that are checked at the same time."""
        self.problems[component] = problem
        await asyncio.sleep(STARTS_TOGETHER_SECONDS)
        with suppress(TimeoutError):
            async with asyncio.timeout(OTHERS_SECONDS):
                # One that waits for a component that has failed is not checked any more.
                while any(first not in self.problems for first in self.checking.values()):
                    await asyncio.sleep(INTERVAL_SECONDS)
        return "\n\n".join(self.problems.values())

    async def _installer_for(self, plan: Plan, cluster: ClusterTarget) -> AgentInstaller | None:
        """Who installs the agent that a gateway uses and does not install, of the components that start together."""
        if plan.gateway is None or not isinstance(plan.agent, ExistingAgent):
            return None
        place = cluster.address, plan.agent.namespace
        # An engine asks a plugin for one component after the other.
        first_turns = STARTS_TOGETHER_SECONDS / INTERVAL_SECONDS if is_hosted() else 0
        for turn in range(TURNS):
            if place in self.installers or (turn >= first_turns and not self.unread):
                break
            await asyncio.sleep(INTERVAL_SECONDS)
        return self.installers.get(place)

    def _siblings(self, component: str, shared_agent: SharedAgent | None) -> Siblings:
        return Siblings(
            component=component,
            prefix=f"{pulumi.get_project()}.{pulumi.get_stack()}.",
            ids={stack_id: name for stack_id, name in self.ids.items() if name != component},
            shared_agent=shared_agent,
            undetermined=tuple(self.undetermined),
        )


_registries: WeakKeyDictionary[asyncio.AbstractEventLoop, RunRegistry] = WeakKeyDictionary()
"""Of each run, which has an event loop of its own: the engine starts the component package for each one."""


def run_registry() -> RunRegistry:
    """The registry of this run."""
    return _registries.setdefault(asyncio.get_running_loop(), RunRegistry())


def is_hosted() -> bool:
    """Whether this is a plugin that hosts the component for a program in another language."""
    host = sys.modules.get("pulumi.provider.experimental.host")
    return host is not None and bool(host.is_hosting)
