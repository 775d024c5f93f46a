"""pinned-charts: one version, over https, and an approved one."""

from typing import Any

import pytest

from policy.rules.pinned_charts import unpinned_charts
from policy.rules.registered_resource import RELEASE, UNKNOWN, Hidden, Resource

URN = "urn:pulumi:dev::own::traceable-kong:index:KongGateway$kubernetes:helm.sh/v3:Release::x"
KONG = {"chart": "kong", "version": "3.4.1", "repositoryOpts": {"repo": "https://charts.konghq.com"}}


def found(approved: dict[str, list[str]] | None = None, urn: str = URN, **props: Any) -> list[str]:
    return list(unpinned_charts(Resource(urn=urn, type=RELEASE, props={**KONG, **props}), approved=approved or {}))


@pytest.mark.parametrize("version", ["3.4.1", "v3.4.1", "3.4.1-rc.1", "3.4.1+build.2", Hidden(UNKNOWN)])
def test_one_version(version: Any) -> None:
    assert found(version=version) == []


@pytest.mark.parametrize("version", ["^3.4.0", "~3.4", "3.x", "3.4", ">=3.4.1", "*", "latest", ""])
def test_a_range(version: str) -> None:
    (text,) = found(version=version)
    assert "which is not one version. Another run can install another chart." in text
    assert "-> pulumi config set --path traceable-kong:kong.chart.version VERSION" in text


def test_plain_http() -> None:
    (text,) = found(repositoryOpts={"repo": "http://user:planted@charts.example.com"})
    assert "over plain http from http://charts.example.com. " in text and "planted" not in text
    assert len(found(chart="http://charts.example.com/kong-3.4.1.tgz", repositoryOpts=None)) == 1
    assert found(chart="oci://registry.example.com/charts/kong", repositoryOpts=None) == []


def test_approved_versions() -> None:
    assert found({"kong": ["3.4.0", "3.4.1"], "other": ["1.0.0"]}) == []
    for chart in ("kong", "/charts/kong", "oci://registry.example.com/charts/kong"):
        (text,) = found({"kong": ["3.3.0", "3.4.0"]}, chart=chart)
        assert "chart kong 3.4.1 is not approved" in text
        assert "-> pulumi config set --path traceable-kong:kong.chart.version 3.4.0" in text


def test_a_release_of_another_program() -> None:
    (text,) = found(urn="urn:pulumi:dev::own::kubernetes:helm.sh/v3:Release::x", version="^3.4.0")
    assert text.endswith("-> set chart.version of the release to VERSION")
    other = Resource(urn=URN, type="kubernetes:core/v1:ConfigMap", props={"version": "^1"})
    assert list(unpinned_charts(other, approved={})) == []
