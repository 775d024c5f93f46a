"""The policy pack with the real engine: the stack file for production passes, and each rule refuses a bad config."""

import json
import re
from typing import Any

import pytest
import yaml

from tests.live.commands import CommandFailed
from tests.live.policy_pack import WITH_POLICIES, install
from tests.live.stack import CLONE, PROJECT, LiveStack

DIGEST = f"sha256:{'0' * 64}"
SECRET = "planted-credential"
PLACE = "customEnv.own_token"
IN_PRODUCTION = ("images-by-digest", "protected-in-production", "tme-guard-in-production")


@pytest.fixture(scope="module")
def stack(module_stack: Any) -> LiveStack:
    """A stack that is never deployed, with the config of Pulumi.prod.yaml and the pack, installed as its page says."""
    created: LiveStack = module_stack()
    shipped = yaml.safe_load((CLONE / "Pulumi.prod.yaml").read_text())["config"]
    config = {key.removeprefix(f"{PROJECT}:"): value for key, value in shipped.items() if key.startswith(PROJECT)}
    for key in ("agent", "kong"):
        # Charts from a folder; the namespaces of the embedded cluster do not exist yet.
        created.update(key, **{name: value for name, value in config[key].items() if name != "chart"})
        created.update(key, createNamespace=True)
    values = config["kongValues"]
    values["image"]["tag"] = values["image"]["tag"].strip("<>").replace("sha256:DIGEST", DIGEST)
    created.update("kongValues", **values)
    created.set(**{key: config[key] for key in ("mode", "failMode", "timeoutMs", "tmeGuard")})
    install(created)
    return created


def preview(stack: LiveStack, **config: Any) -> str:
    """The output of a preview with the pack, for which this stack is in production."""
    file = stack.directory / "policies.json"
    file.write_text(json.dumps({key: {"productionStacks": ["live-*"]} for key in IN_PRODUCTION} | config))
    return stack.preview(*WITH_POLICIES, "--policy-pack-config", str(file))


def violations(stack: LiveStack, **config: Any) -> dict[str, str]:
    """The text of each violation in a preview that is refused, by level and policy. The last one of a policy counts."""
    with pytest.raises(CommandFailed) as refused:
        preview(stack, **config)
    output = str(refused.value)
    assert SECRET not in output
    _, _, report = output.partition("\nPolicies:\n")
    parts = re.split(r"^ +- \[(\w+)\]  (\S+)", report.partition("\nDiagnostics:\n")[0], flags=re.MULTILINE)
    return {f"{level} {name}": text for level, name, text in zip(parts[1::3], parts[2::3], parts[3::3], strict=True)}


def test_the_stack_file_for_production_passes_with_a_secret_chart_value(stack: LiveStack) -> None:
    stack.pulumi("config", "set", "--secret", "--path", f"{PROJECT}:kongValues.{PLACE}", stdin=SECRET)
    output = preview(stack)
    assert f"✅ {PROJECT}@" in output and "[advisory]" not in output and SECRET not in output


def test_each_rule_refuses_what_it_is_about(stack: LiveStack) -> None:
    stack.update("kong", protect=False)
    stack.update("kongValues", image={"repository": "kong", "tag": "3.9"}, customEnv={"own_token": SECRET})
    stack.set(tmeGuard="off")
    found = violations(stack, **{"pinned-charts": {"approved": {"kong": ["9.9.9"]}}})
    expected = {
        "mandatory no-plain-secrets": f"pulumi config set --secret --path {PROJECT}:kongValues.{PLACE}",
        "mandatory pinned-charts": f"pulumi config set --path {PROJECT}:kong.chart.version 9.9.9",
        "mandatory protected-in-production": f"pulumi config set --path {PROJECT}:kong.protect true",
        "mandatory tme-guard-in-production": f"pulumi config set {PROJECT}:tmeGuard warn",
        "advisory images-by-digest": f"pulumi config set --path {PROJECT}:kongValues.image.tag TAG@sha256:DIGEST",
    }
    assert found.keys() == expected.keys()
    for name, command in expected.items():
        assert f"-> {command}" in found[name]


def test_a_level_at_which_pulumi_hides_what_is_secret_is_refused(stack: LiveStack) -> None:
    found = violations(stack, **{"no-plain-secrets": "mandatory"})
    assert "nothing was checked" in found["mandatory no-plain-secrets"]
