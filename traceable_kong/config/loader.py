"""Reads the config of the stack that runs."""

import dataclasses
from pathlib import Path

import pulumi
import yaml
from pulumi.runtime import config as runtime_config

from traceable_kong.cluster.target import ClusterTarget
from traceable_kong.common.commands import config_set, on_cluster
from traceable_kong.common.safe_text import PlainError
from traceable_kong.config.config_problem import Problem
from traceable_kong.config.parser import NAMESPACE, ConfigError, parse
from traceable_kong.config.provider_options import PROVIDER, provider_arguments, provider_problems
from traceable_kong.config.secret_values import secret_paths
from traceable_kong.config.stack_config import GatewayStack, StackConfig
from traceable_kong.plugin import rock_loading


def load() -> StackConfig:
    """The config of the stack that runs. Raises ConfigError."""
    config = pulumi.Config(NAMESPACE)
    given = _given(NAMESPACE)
    # is_config_secret() knows what an embedding program set, and not what the engine put into the environment.
    secret_keys = set(pulumi.runtime.get_config_secret_keys_env())
    secrets = {
        name: text
        for name, text in given.items()
        if config.full_key(name) in secret_keys or pulumi.runtime.is_config_secret(config.full_key(name))
    }
    paths = secret_paths(secrets, _stack_file(), NAMESPACE)
    unusable = list(provider_problems(_given(PROVIDER)))
    try:
        stack = parse(given, secret_paths=paths)
    except ConfigError as error:
        if unusable:
            raise ConfigError([*error.problems, *unusable]) from None
        if [problem.rule for problem in error.problems] != ["rock_has_a_digest"]:
            raise
        stack = parse(given, secret_paths=paths, without_rules=["rock_has_a_digest"])
        raise ConfigError([_with_digest(error.problems[0], stack)]) from None
    if unusable:
        raise ConfigError(unusable)
    return stack


def _given(namespace: str) -> dict[str, str]:
    """`{name: text}` of all keys in a namespace. Config gives values by name only, and unknown names are in what the
    engine handed over."""
    prefix = f"{namespace}:"
    everything = {**runtime_config.get_config_env(), **runtime_config.CONFIG.get()}
    return {key.removeprefix(prefix): str(value) for key, value in everything.items() if key.startswith(prefix)}


def cluster_target(config: StackConfig) -> ClusterTarget:
    """The cluster that the stack may use. Raises PlainError where `allowedClusters` names only others."""
    target = dataclasses.replace(_named_cluster(), provider=provider_arguments(_given(PROVIDER)))
    if config.allowed_clusters and not (target.context or target.kubeconfig):
        pulumi.log.warn(
            "traceable-kong:allowedClusters is checked by `up` and `preview` only. `destroy` and `refresh` use the "
            "current context of the kubeconfig, whatever cluster it names. Bind the stack to a context: `pulumi config "
            "set kubernetes:context NAME`."
        )
    target.require_allowed(config.allowed_clusters)
    return target


def run_error(problem: PlainError) -> pulumi.RunError:
    """A problem as the engine reports it: without a traceback, and with its commands for the stack's cluster."""
    return pulumi.RunError(on_cluster(str(problem), _named_cluster().command_options))


def _stack_file() -> Path:
    """The file that `pulumi config` changes: beside Pulumi.yaml, or in the folder that this names."""
    try:
        folder = yaml.safe_load(Path("Pulumi.yaml").read_text(encoding="utf-8"))["stackConfigDir"]
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError):
        folder = "."
    return Path(str(folder), f"Pulumi.{pulumi.get_stack()}.yaml")


def _named_cluster() -> ClusterTarget:
    """The cluster that `kubernetes:kubeconfig` and `kubernetes:context` of the stack config name."""
    named = pulumi.Config("kubernetes")
    return ClusterTarget(
        kubeconfig=named.get("kubeconfig"),
        context=named.get("context"),
        secret=named.full_key("kubeconfig") in pulumi.runtime.get_config_secret_keys_env(),
    )


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
