"""The options of the kubernetes provider in a stack config: passed on, or refused with the reason."""

import inspect
import json
from typing import Any

import pulumi_kubernetes as k8s
import pytest
from pydantic.alias_generators import to_camel

from traceable_kong.cluster.target import request_seconds
from traceable_kong.config.parser import ConfigError
from traceable_kong.config.provider_options import provider_arguments, provider_problems


def texts(**options: Any) -> dict[str, str]:
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in options.items()}


def problems(**options: Any) -> list[tuple[str, str, str]]:
    return [(found.key, found.problem, found.fix) for found in provider_problems(texts(**options))]


@pytest.mark.parametrize(
    ("options", "arguments"),
    [
        ({}, {}),
        ({"kubeconfig": "~/.kube/config", "context": "prod"}, {}),
        ({"suppressDeprecationWarnings": "true"}, {"suppress_deprecation_warnings": True}),
        ({"suppressHelmHookWarnings": "false"}, {"suppress_helm_hook_warnings": False}),
        ({"clusterIdentifier": "prod"}, {"cluster_identifier": "prod"}),
        (
            {"kubeClientSettings": {"burst": "200", "qps": 12.5, "timeout": 60}},
            {"kube_client_settings": {"burst": 200, "qps": 12.5, "timeout": 60}},
        ),
        (
            {"helmReleaseSettings": {"driver": "secret", "repositoryCache": "/cache"}},
            {"helm_release_settings": {"driver": "secret", "repository_cache": "/cache"}},
        ),
        ({"enableServerSideApply": "true", "deleteUnreachable": "false", "upsertExistingObjects": "true"}, {}),
    ],
)
def test_an_option_is_passed_on(options: dict[str, Any], arguments: dict[str, Any]) -> None:
    assert problems(**options) == []
    assert provider_arguments(texts(**options)) == arguments


@pytest.mark.parametrize(
    ("options", "key", "said"),
    [
        ({"namespace": "kong"}, "kubernetes:namespace", "has no effect"),
        ({"cluster": "prod"}, "kubernetes:cluster", "which helm cannot do"),
        ({"renderYamlToDirectory": "out"}, "kubernetes:renderYamlToDirectory", "install nothing"),
        ({"enableServerSideApply": "false"}, "kubernetes:enableServerSideApply", "must be true: label and annotation"),
        ({"skipUpdateUnreachable": "true"}, "kubernetes:skipUpdateUnreachable", "must be false: an update would"),
        ({"deleteUnreachable": "yes"}, "kubernetes:deleteUnreachable", "must be false: objects that still run"),
        ({"suppressHelmHookWarnings": "on"}, "kubernetes:suppressHelmHookWarnings", "must be true or false"),
        ({"contxt": "prod"}, "kubernetes:contxt", "did you mean kubernetes:context?"),
        ({"kubeClientSettings": "5"}, "kubernetes:kubeClientSettings", "must be an object"),
        ({"kubeClientSettings": {"timeout": 0}}, "kubernetes:kubeClientSettings.timeout", "a whole number above 0"),
        ({"kubeClientSettings": {"burst": 1.5}}, "kubernetes:kubeClientSettings.burst", "a whole number above 0"),
        ({"kubeClientSettings": {"qps": "x"}}, "kubernetes:kubeClientSettings.qps", "must be a number above 0"),
        ({"kubeClientSettings": {"tps": 1}}, "kubernetes:kubeClientSettings.tps", "is not one of burst, qps, timeout"),
        ({"helmReleaseSettings": {"driver": "sql"}}, "kubernetes:helmReleaseSettings.driver", "would find none"),
        ({"helmReleaseSettings": {"pluginsPath": 1}}, "kubernetes:helmReleaseSettings.pluginsPath", "must be text"),
    ],
)
def test_an_option_is_refused(options: dict[str, Any], key: str, said: str) -> None:
    ((found, problem, fix),) = problems(**options)
    assert found == key and said in problem
    assert f"  {key}\n" in str(ConfigError(list(provider_problems(texts(**options)))))
    assert fix.count("traceable-kong:kubernetes") == 0


def test_every_option_of_the_provider_is_decided() -> None:
    options = set(inspect.signature(k8s.ProviderArgs.__init__).parameters) - {"__self__"}
    undecided = [
        name for name in options if any("is not an option" in said for _, said, _ in problems(**{to_camel(name): "x"}))
    ]
    assert options and undecided == []


def test_the_programs_own_requests_may_take_as_long_as_the_providers() -> None:
    assert request_seconds(provider_arguments(texts(kubeClientSettings={"timeout": 90}))) == 90
    assert request_seconds({}) == 20
