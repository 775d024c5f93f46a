"""Reads the config of the stack that runs."""

from pathlib import Path

import pulumi
import yaml
from pulumi.runtime import config as runtime_config

from traceable_kong.config.given_config import GivenConfig
from traceable_kong.config.parser import NAMESPACE
from traceable_kong.config.provider_options import PROVIDER
from traceable_kong.config.secret_values import secret_paths


def stack_config() -> GivenConfig:
    """The config of the stack that runs: the keys below `traceable-kong:` and `kubernetes:`."""
    given = _given(NAMESPACE)
    secrets = {name: text for name, text in given.items() if _is_secret(f"{NAMESPACE}:{name}")}
    return GivenConfig(
        texts=given,
        secret_paths=tuple(secret_paths(secrets, _stack_file(), NAMESPACE)),
        provider=_given(PROVIDER),
        secret_kubeconfig=_is_secret(f"{PROVIDER}:kubeconfig"),
    )


def _given(namespace: str) -> dict[str, str]:
    """`{name: text}` of all keys in a namespace. Config gives values by name only, and unknown names are in what the
    engine handed over."""
    prefix = f"{namespace}:"
    everything = {**runtime_config.get_config_env(), **runtime_config.CONFIG.get()}
    return {key.removeprefix(prefix): str(value) for key, value in everything.items() if key.startswith(prefix)}


def _is_secret(key: str) -> bool:
    # is_config_secret() knows what an embedding program set, and not what the engine put into the environment.
    return key in pulumi.runtime.get_config_secret_keys_env() or pulumi.runtime.is_config_secret(key)


def _stack_file() -> Path:
    """The file that `pulumi config` changes: beside Pulumi.yaml, or in the folder that this names."""
    try:
        folder = yaml.safe_load(Path("Pulumi.yaml").read_text(encoding="utf-8"))["stackConfigDir"]
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError):
        folder = "."
    return Path(str(folder), f"Pulumi.{pulumi.get_stack()}.yaml")
