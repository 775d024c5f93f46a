"""What a person configured, before it is read: texts of a stack file or of a component's arguments."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field

from traceable_kong.cluster.target import ClusterTarget
from traceable_kong.common.commands import config_set
from traceable_kong.config.config_problem import Problem
from traceable_kong.config.parser import ConfigError, parse
from traceable_kong.config.provider_options import provider_arguments, provider_problems
from traceable_kong.config.secret_values import SecretPath
from traceable_kong.config.stack_config import GatewayStack, StackConfig
from traceable_kong.plugin import rock_loading


@dataclass(frozen=True, kw_only=True)
class GivenConfig:
    """The keys of a stack's config as `{key: text}`, objects and lists as JSON, and which of their leaves are secret.

    `provider` is the same of the kubernetes provider's options, `kubernetes:NAME` in a stack file;
    `secret_kubeconfig` says whether its kubeconfig is a secret.
    """

    texts: Mapping[str, str] = field(repr=False)
    secret_paths: tuple[SecretPath, ...]
    provider: Mapping[str, str] = field(repr=False)
    secret_kubeconfig: bool

    def stack(self) -> StackConfig:
        """The config as typed values. Raises ConfigError with every problem."""
        unusable = list(provider_problems(self.provider))
        try:
            stack = parse(self.texts, secret_paths=self.secret_paths)
        except ConfigError as error:
            if unusable:
                raise ConfigError([*error.problems, *unusable]) from None
            if [problem.rule for problem in error.problems] != ["rock_has_a_digest"]:
                raise
            stack = parse(self.texts, secret_paths=self.secret_paths, without_rules=["rock_has_a_digest"])
            raise ConfigError([_with_digest(error.problems[0], stack)]) from None
        if unusable:
            raise ConfigError(unusable)
        return stack

    def named_cluster(self) -> ClusterTarget:
        """The cluster that the provider's options name; the other options may still be invalid."""
        return ClusterTarget(
            kubeconfig=self.provider.get("kubeconfig"),
            context=self.provider.get("context"),
            secret=self.secret_kubeconfig,
        )

    def cluster(self) -> ClusterTarget:
        """The cluster, with the provider's options, after `stack()` has found no problem."""
        return dataclasses.replace(self.named_cluster(), provider=provider_arguments(self.provider))


def _with_digest(problem: Problem, stack: StackConfig) -> Problem:
    """The problem that a digest is missing, with the digest of the current download: it is the only problem."""
    digest = rock_loading.found_digest(stack.plugin) if isinstance(stack, GatewayStack) else None
    if digest is None:
        return problem
    return dataclasses.replace(
        problem,
        fix=f"{config_set('plugin.sha256', digest)} (the digest of the current download; compare it with a digest "
        "from another source)",
    )
