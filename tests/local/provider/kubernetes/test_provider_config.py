"""The provider's arguments. Unsupported ones are rejected and not ignored."""

from collections.abc import Mapping
from types import MappingProxyType

import pytest

from local.provider.kubernetes.provider_config import ProviderConfig, ProviderConfigError, read


def _read(environment: Mapping[str, str] = MappingProxyType({}), **arguments: str) -> ProviderConfig:
    return read({f"kubernetes:config:{name}": value for name, value in arguments.items()}, environment)


def test_defaults() -> None:
    assert _read() == ProviderConfig()


def test_arguments_override_the_environment() -> None:
    variable = {"PULUMI_K8S_ENABLE_CONFIGMAP_MUTABLE": "true"}

    assert _read(variable).enable_config_map_mutable
    assert not _read(variable, enableConfigMapMutable="false").enable_config_map_mutable


def test_objects() -> None:
    settings = _read(kubeClientSettings='{"timeout": 5, "burst": 10}', helmReleaseSettings='{"repositoryCache": "/x"}')

    assert settings.client == {"timeout": 5.0, "burst": 10.0}
    assert settings.helm == {"repositoryCache": "/x"}


@pytest.mark.parametrize(
    "arguments",
    [
        *({"enableServerSideApply": "false"}, {"renderYamlToDirectory": "x"}, {"strictMode": "true"}),
        *({"nonsense": "1"}, {"helmReleaseSettings": '{"driver": "sql"}'}, {"helmReleaseSettings": '{"new": 1}'}),
        {"kubeClientSettings": "not json"},
    ],
)
def test_refused(arguments: dict[str, str]) -> None:
    with pytest.raises(ProviderConfigError):
        _read({}, **arguments)
