"""Traceable on a Kong gateway, as one component: load -> plan -> preflight -> deploy -> outputs."""

import asyncio
import filecmp
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pulumi

import traceable_kong.components as components
from traceable_kong.cluster.ownership import StackIdentity, new_identity
from traceable_kong.cluster.target import ClusterError, ClusterTarget
from traceable_kong.common.safe_text import PlainError, printable
from traceable_kong.common.wording import Wording
from traceable_kong.config import loader
from traceable_kong.config.given_config import GivenConfig
from traceable_kong.config.parser import ConfigError
from traceable_kong.config.provider_options import PROVIDER
from traceable_kong.config.python_spelling import python_spelling
from traceable_kong.hooks.preflight_run import run_preflight
from traceable_kong.hooks.stack_hooks import Hooks
from traceable_kong.plan.build import build_plan
from traceable_kong.plan.inputs import agent_settings, read_inputs
from traceable_kong.plan.model import Plan
from traceable_kong.plan.outputs import VerifyCommand, stack_outputs
from traceable_kong.preflight import release_imports
from traceable_kong.program.argument_values import UnknownArguments, given_by_arguments
from traceable_kong.program.arguments import TraceableOnKongArgs
from traceable_kong.program.claimed_names import ClaimedName, claim
from traceable_kong.program.deployment_order import deploy
from traceable_kong.program.run_registry import InstallerFailed, OtherComponents, is_hosted, run_registry
from traceable_kong.providers.cluster_provider import own_program_inputs

CLONE = Path(__file__).parents[2]
"""A clone of this repository, or the folder that this package is installed in."""

TYPE = "traceable-kong:index:TraceableOnKong"

NOT_DEPLOYED = (
    "So this preview does not show what TraceableOnKong will install, and checks nothing. `pulumi up` runs preflight "
    "as soon as the value is known, and stops before it changes the cluster where preflight finds a problem."
)

DEPLOYED = (
    "So this preview cannot show what changes here: it would show everything that TraceableOnKong has installed as "
    "deleted. Nothing was changed. Run `pulumi up --skip-preview`, which runs preflight when the value is known. To "
    "see a preview of this component, first update what the value comes from: `pulumi up --skip-preview --target URN`."
)

UNNAMED_CLUSTER = (
    "traceable-kong:allowedClusters is checked by `up` and `preview` only. `destroy` and `refresh` use the current "
    "context of the kubeconfig, whatever cluster it names. Bind the stack to a context: `pulumi config set "
    "kubernetes:context NAME`."
)


@dataclass(frozen=True, kw_only=True)
class _Started:
    """A deployment whose resources are registered."""

    outputs: dict[str, Any]
    installation: components.Installation


class TraceableOnKong(pulumi.ComponentResource):
    """Traceable API security on one Kong gateway, verified at the end of every update; or an agent alone.

    It deploys what `args` describe, with the keys of a stack file (docs/configuration.md); None: what the stack's
    config has below `traceable-kong:`. A preview in which an argument is not known yet, such as the kubeconfig of a
    cluster that the same update creates, shows and checks nothing before the first update, and fails later.

    Everything that depends on it, and every output, waits until the gateway is verified. The component starts when all
    that it depends on exists.
    """

    outputs: pulumi.Output[dict[str, Any]]
    """Every output of a stack (docs/getting-started.md). `traceable-kong verify --stack-output` reads them."""

    namespace: pulumi.Output[str]
    """Kong's namespace; of an agent-only stack, the agent's."""

    deployment: pulumi.Output[str]
    """Kong's Deployment; empty for an agent-only stack."""

    proxy_service: pulumi.Output[str]
    """The Service of a managed Kong's proxy; empty where this component does not install Kong."""

    def __init__(
        self, name: str, args: TraceableOnKongArgs | None = None, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(TYPE, name, None, opts)
        if _may_install_agent(args):
            run_registry().unread.add(name)
        self._started = asyncio.ensure_future(self._start(args))
        finished = pulumi.Output.from_input(self._finish())
        # Whatever depends on this component waits for the children that it has by then, so this one is registered
        # before __init__ returns, and created last.
        self._last = pulumi.Stash(
            f"{name}-verified",
            input=pulumi.Output.from_input(self._verified()),
            opts=pulumi.ResourceOptions(parent=self, depends_on=pulumi.Output.from_input(self._last_steps())),
        )
        self.outputs = pulumi.Output.all(finished, self._last.urn).apply(lambda found: found[0])
        self.namespace = self.outputs.apply(lambda found: found.get("namespace") or found.get("agentNamespace") or "")
        self.deployment = self.outputs.apply(lambda found: found.get("deployment") or "")
        self.proxy_service = self.outputs.apply(lambda found: found.get("proxyService") or "")
        self.register_outputs({"outputs": self.outputs})

    async def stack_outputs(self) -> dict[str, Any]:
        """The outputs of a stack that is nothing but this component, before the verification; `recordDigest` follows
        after it."""
        started = await self._started
        if started is None:
            return {}
        digest = started.installation.record_digest
        return started.outputs | ({"recordDigest": digest} if digest is not None else {})

    async def _verified(self) -> Any:
        """What the last resource keeps: the digest of the record, "" where there is none."""
        started = await self._started
        if started is None:
            return pulumi.UNKNOWN
        verified, digest = started.installation.verified, started.installation.wanted_digest
        return verified.apply(lambda _: "") if digest is None else digest

    async def _last_steps(self) -> list[pulumi.Resource]:
        started = await self._started
        return [started.installation] if started else []

    async def _finish(self) -> Any:
        started = await self._started
        if started is None:
            return pulumi.UNKNOWN
        # Neither is ever known in a preview that changes something.
        await started.installation.verified.future()
        digest = started.installation.record_digest
        recorded = await digest.future() if digest is not None else None
        return started.outputs | ({"recordDigest": recorded} if recorded else {})

    async def _start(self, args: TraceableOnKongArgs | None) -> _Started | None:
        await self.urn.future()  # Everything that this component depends on exists.
        # One stack may have several of these; the one of a stack's config is named by the stack alone.
        stack = pulumi.get_stack() if args is None else f"{pulumi.get_stack()}.{self._name}"
        fresh = new_identity(pulumi.get_project(), stack)
        wording = self._wording("", in_arguments=args is not None)
        run = run_registry()
        try:
            self._require_no_protection()
            try:
                given = loader.stack_config() if args is None else await given_by_arguments(args)
            except UnknownArguments as unknown:
                run.undetermined.append(self._name)
                await self._show_nothing(_spelling()(", ".join(unknown.keys)), fresh)
                return None
            wording = self._wording(given.named_cluster().command_options, in_arguments=args is not None)
            run.checking[self._name] = None
            return await self._deploy(given, fresh, wording)
        except (ConfigError, ClaimedName) as problem:
            text = wording.shown(str(problem))
        except PlainError as problem:
            text = wording.logged(str(problem))
        except InstallerFailed:
            raise  # It is among the problems of the other one.
        except pulumi.RunError as problem:
            text = str(problem)
        finally:
            run.unread.discard(self._name)
            run.checking.pop(self._name, None)
        # Pulumi shows the first error of a program and ends it. Of a plugin, it shows every component's.
        if pulumi.runtime.is_dry_run() and args is not None and not is_hosted():
            text = await run.all_problems(self._name, text)
        raise pulumi.RunError(text)

    async def _deploy(self, given: GivenConfig, fresh: StackIdentity, wording: Wording) -> _Started:
        name, preview = self._name, pulumi.runtime.is_dry_run()
        # Load.
        config, cluster = given.stack(), given.cluster()
        self._require_cluster(given, config.allowed_clusters, wording)
        inputs = read_inputs(config, cluster, preview=preview)
        # Plan. Bad values fail before any registration.
        plan = build_plan(config, inputs, fresh)
        stack_id, identity, others = await self._meet_others(plan, cluster, fresh)
        if others.agent_revision:
            inputs = replace(inputs, agent_settings=agent_settings(config, cluster, preview=preview))
        inputs = replace(inputs, siblings=others.siblings if wording.component else None)
        plan = build_plan(config, inputs, identity)
        # Preflight.
        first = pulumi.ResourceOptions(parent=self, depends_on=[stack_id, *others.first])
        provider = components.kubernetes_provider(f"{name}-kubernetes", cluster, opts=first)
        reader = await run_preflight(cluster, plan, provider, live_change=not preview, wording=wording)
        imports = release_imports.releases_to_import(plan, reader, preview=preview)
        # Deploy.
        opts = pulumi.ResourceOptions(parent=self, provider=provider)
        hooks = Hooks(plan, cluster, name=name, opts=opts, wording=wording, agent_revision=others.agent_revision)
        own_program = own_program_inputs(cluster, wording)
        installation = deploy(name, plan, hooks, imports, own_program, verified=self._last)
        # Outputs.
        outputs = stack_outputs(plan, self._verify_command(given, in_arguments=wording.component is not None))
        outputs = {key: wording.shown(text) if key == "deletionProtection" else text for key, text in outputs.items()}
        return _Started(outputs=outputs, installation=installation)

    async def _meet_others(
        self, plan: Plan, cluster: ClusterTarget, fresh: StackIdentity
    ) -> tuple[pulumi.Resource, StackIdentity, OtherComponents]:
        """The resource with this component's identity, the identity, and what it knows of the other components.

        Raises ClaimedName.
        """
        run = run_registry()
        claim(plan, self._name, cluster)
        run.note_installer(self._name, plan, cluster, revision=self._agent_revision, verified=self._last)
        stack_id, identity = await self._kept_identity(fresh)
        return stack_id, identity, await run.meet_others(self._name, plan, cluster, identity.owner)

    async def _agent_revision(self) -> pulumi.Output[int]:
        """Helm's revision of the agent that this component installs, once everything is registered."""
        await asyncio.shield(self._started)
        return next(child.revision for child in self._childResources if isinstance(child, components.TraceableAgent))

    async def _show_nothing(self, unknown: str, fresh: StackIdentity) -> None:
        """A preview that does not know these arguments. Raises RunError where the stack has what it would not show."""
        _, identity = await self._kept_identity(fresh)
        if identity.owner != fresh.owner:
            raise pulumi.RunError(printable(f"{self._name}: {unknown}: not known before the update. {DEPLOYED}"))
        pulumi.log.warn(printable(f"{self._name}: {unknown}: not known before the update. {NOT_DEPLOYED}"), self)

    async def _kept_identity(self, fresh: StackIdentity) -> tuple[pulumi.Resource, StackIdentity]:
        child = pulumi.ResourceOptions(parent=self)
        return await components.kept_identity(f"{self._name}-stack-id", fresh, opts=child)

    def _wording(self, options: str, *, in_arguments: bool) -> Wording:
        return Wording(options=options, component=self._name if in_arguments else None, spelled=_spelling())

    def _require_no_protection(self) -> None:
        """Raises PlainError where the resources of this component would inherit `protect`."""
        if self._protect:
            raise PlainError(
                "TraceableOnKong has protect in its options, or inherits it from its parent. Pulumi "
                "would refuse to delete the files of an older plugin when it has changed everything else, and would "
                "not protect the Helm releases. Nothing was changed. Set protect to false in its options, and the "
                "arguments kong.protect and agent.protect to true."
            )

    def _require_cluster(self, given: GivenConfig, allowed: Sequence[str], wording: Wording) -> None:
        """Raises ClusterError where the options of this component name a cluster that its arguments do not, and where
        `allowed` does not name the one that they do."""
        cluster = given.cluster()
        is_named = bool(cluster.kubeconfig or cluster.context)
        if PROVIDER in self._providers and not is_named:
            raise ClusterError(
                "TraceableOnKong has a kubernetes provider in its options, which does not tell its "
                "kubeconfig: preflight and verification would read another cluster. Nothing was changed. Pass the "
                "provider's kubeconfig, and its context if it has one: `pulumi config set kubernetes:kubeconfig "
                "KUBECONFIG`."
            )
        if allowed and not is_named:
            pulumi.log.warn(wording.logged(UNNAMED_CLUSTER))
        cluster.require_allowed(allowed)

    def _verify_command(self, given: GivenConfig, *, in_arguments: bool) -> VerifyCommand:
        cluster, stack = given.named_cluster().command_options, ["--stack", pulumi.get_stack()]
        here, own = Path("verify.py"), CLONE / "verify.py"
        in_clone = here.is_file() and own.is_file() and filecmp.cmp(here, own, shallow=False)
        if in_arguments or not in_clone:
            # Only this repository's own program has the outputs one by one.
            stack += ["--stack-output", self._name]
        command = ".venv/bin/python verify.py" if in_clone else "traceable-kong verify"
        return VerifyCommand(command=command, stack_options=stack, cluster_options=cluster)


def _spelling() -> Callable[[str], str]:
    """How the language of the program spells keys."""
    return str if is_hosted() else python_spelling


def _may_install_agent(args: TraceableOnKongArgs | None) -> bool:
    """Whether the arguments, as they are before their Outputs are known, leave it open."""
    agent = args.get("agent") if isinstance(args, Mapping) else None
    return not isinstance(agent, Mapping) or agent.get("install") is not False
