"""The options of helm:template. Unsupported ones are rejected and not ignored."""

import json
from typing import Any

import pytest

from local.provider.kubernetes.helm_template_options import FetchOptions, TemplateOptions, parse
from local.provider.kubernetes.provider_errors import ProviderError
from local.provider.property_values import UNKNOWN


def _parse(**options: Any) -> TemplateOptions:
    return parse({"jsonOpts": json.dumps(options)})


def test_defaults() -> None:
    assert parse({"jsonOpts": "null"}) == _parse() == TemplateOptions()


def test_null_is_the_default() -> None:
    assert _parse(chart=None, values=None, api_versions=None, fetch_opts={"devel": None}) == TemplateOptions()


def test_everything() -> None:
    options = _parse(
        chart="lamp",
        api_versions=["a/v1"],
        values={"a": 1.0},
        fetch_opts={"repo": "https://charts.example.com", "password": "psst", "verify": True},
    )

    assert (options.chart, options.api_versions, options.values) == ("lamp", ("a/v1",), {"a": 1.0})
    assert options.fetch == FetchOptions(repo="https://charts.example.com", password="psst", verify=True)


def test_secrets_are_not_in_a_representation() -> None:
    options = _parse(values={"token": "psst"}, fetch_opts={"repo": "https://charts.example.com", "password": "psst"})

    assert "psst" not in repr(options)


def test_options_of_the_sdk_without_effect() -> None:
    fetch = {"destination": "x", "prov": True, "untar": False, "untar_dir": "y"}

    assert _parse(transformations=[], resource_prefix="x", skip_await=True, fetch_opts=fetch) == TemplateOptions()


@pytest.mark.parametrize("arguments", [{}, {"jsonOpts": {}}, {"jsonOpts": UNKNOWN}])
def test_missing(arguments: dict[str, Any]) -> None:
    with pytest.raises(ProviderError, match=r"^missing required field 'jsonOpts' of type string$"):
        parse(arguments)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "failed to unmarshal 'jsonOpts': "),
        ('{"values": {"a": NaN}}', "invalid number NaN"),
        ('{"values": {"a": 1e999}}', "invalid number 1e999"),
        ("[]", "json: cannot unmarshal array into Go value of type provider.HelmChartOpts"),
        ('{"chart": 1}', "cannot unmarshal number into Go struct field HelmChartOpts.chart of type string"),
        ('{"skip_crd_rendering": "yes"}', "string into Go struct field HelmChartOpts.skip_crd_rendering of type bool"),
        ('{"values": []}', r"HelmChartOpts.values of type map\[string\]interface"),
        ('{"api_versions": "v1"}', r"HelmChartOpts.api_versions of type \[\]string"),
        ('{"api_versions": [1]}', "HelmChartOpts.api_versions of type string"),
        ('{"fetch_opts": "x"}', "HelmChartOpts.fetch_opts of type provider.HelmFetchOpts"),
        ('{"fetch_opts": {"repo": {}}}', "object into Go struct field HelmChartOpts.fetch_opts.repo of type string"),
    ],
)
def test_malformed(text: str, message: str) -> None:
    with pytest.raises(ProviderError, match=message):
        parse({"jsonOpts": text})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"valeus": {}}, "knows no option 'valeus'"),
        ({"releaseName": "it"}, "knows no option 'releaseName'"),
        ({"fetch_opts": {"url": "x"}}, "knows no option 'fetch_opts.url'"),
        ({"helm_chart_debug": True}, "does not support 'helm_chart_debug'"),
        ({"api_versions": ["a,b"]}, "does not support commas"),
        ({"chart": "https://me:psst@example.com/lamp-1.tgz"}, "user or password in the URL of 'chart'"),
        ({"fetch_opts": {"repo": "https://me:psst@example.com"}}, "user or password in the URL of 'fetch_opts.repo'"),
        ({"chart": "x/lamp", "fetch_opts": {"password": "psst"}}, "only together with 'fetch_opts.repo'"),
    ],
)
def test_not_supported(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ProviderError, match=message) as problem:
        _parse(**options)

    assert "psst" not in str(problem.value)
