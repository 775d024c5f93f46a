"""Comments on recorded previews: their summaries and their fields."""

import html
import json
import re

import pytest

from scripts.gateway_forecast import forecasts
from scripts.preview_comment import comment, marker
from scripts.preview_reading import Preview, abbreviated, read
from tests.scripts.recorded import CLONE, PREVIEWS, recorded
from traceable_kong.plan.state_record import record_digest


def preview(name: str) -> Preview:
    return read(json.dumps(recorded(name)))


def plain(name: str) -> str:
    """The comment without its HTML tags."""
    text = comment(preview(name), stack="local")
    return html.unescape(re.sub(r"</?(code|pre|b)>", "", text))


def record(name: str, which: str) -> dict[str, str]:
    """The entries of the record, before or after."""
    (step,) = [step for step in recorded(name)["steps"] if step["urn"].endswith("::traceable-installation-record")]
    return dict(step[which]["inputs"]["data"])


def fields(name: str) -> dict[str, set[tuple[str, str | None, str | None]]]:
    return {
        change.name: {(field.path, field.old, field.new) for field in change.fields} for change in preview(name).changes
    }


def test_a_mode_switch_shows_only_plugin_tme_and_record() -> None:
    there, agent = "http://localhost:5442", "http://agent.traceable:5442"
    annotations = "spec.template.metadata.annotations"
    digest = fields("blocking-message")["traceable-tme-pod-annotation"]  # Of the same stack.
    (settings,) = [old for path, old, _ in digest if path == f"{annotations}.traceable-kong/tme-settings"]
    before, after = (record("mode-switch", which) for which in ("oldState", "newState"))
    config, later = before["pluginConfig"], after["pluginConfig"]
    assert json.loads(later) == json.loads(config) | {"ext_cap_endpoint": agent, "mode": "async"}
    assert fields("mode-switch") == {
        "traceable-plugin-kong-cluster-plugin": {
            ("config.ext_cap_endpoint", there, agent),
            ("config.mode", "sync", "async"),
        },
        "traceable-tme-pod-annotation": {
            (f'{annotations}["tme.traceable.ai/inject"]', "true", None),
            (f"{annotations}.traceable-kong/tme-settings", settings, None),
        },
        "traceable-tme-namespace-label": {("metadata.labels.traceableai-inject-tme", "enabled", None)},
        "traceable-installation-record": {
            ("data.endpoint", there, agent),
            ("data.mode", "sync", "async"),
            ("data.injection", abbreviated(before["injection"]), None),
            ("data.pluginConfig", abbreviated(config), abbreviated(later)),
            ("data.tmeImage", "docker.io/traceableai/traceable-agent", None),
        },
        "traceable-verified": {("input", *(record_digest(entries) for entries in (before, after)))},
    }


SUMMARIES = {
    "fresh-sync": [
        ": 15 to create\n",
        "| mode | - | **sync** |",
        "| plugin version | - | **2.1.2-1** |",
        "| protection | not installed | **enabled** |",
        "| admission policy (tmeGuard) | off | **warn** |",
        "expect: **2**: the gateway is installed; the TME is injected into its pods.",
        "| create | Provider traceable-kubernetes | 9 fields, below |",
        "| create | Stash traceable-verified | 1 field, below |",
        "<details><summary>create traceable-agent-token</summary>",
        "| data | [secret] |",
    ],
    "fresh-async": ["| mode | - | **async** |", "expect: **1**: the gateway is installed."],
    "nothing": [": nothing changes (mode sync, plugin version 2.1.2-1, protection enabled)\n"],
    "mode-switch": [
        ": 5 to update\n",
        "| mode | sync | **async** |",
        "expect: **1**: the TME is removed from its pods.",
    ],
    "newer-rock": [
        ": 1 to create, 1 to delete, 4 to update\n",
        "⚠️ **This deletes traceable-plugin-files-kong-plugin-traceable-fdda072518.**",
        "| mode | sync | sync |",
        "| plugin version | 2.1.2-1 | **2.2.2-1** |",
        "<details><summary>delete traceable-plugin-files-kong-plugin-traceable-fdda072518</summary>",
        '| data["handler.lua"] | (209 characters in 8 lines, sha256 5493c3946e) |',
        "expect: **1**: the plugin's files in its pods change.",
        "| update | KongClusterPlugin traceable-plugin-kong-cluster-plugin "
        "| metadata.annotations.traceable-kong/kong-revision | 1 | [known after the update] |",
    ],
    "plugin-name": [
        ": 1 to replace, 2 to update\n",
        "⚠️ **This replaces traceable-plugin-kong-cluster-plugin.**",
        "expect: **0**.",
        "| ⚠️ **replace** | KongClusterPlugin traceable-plugin-kong-cluster-plugin "
        "| ⚠️ metadata.name | traceable-plugin | other-plugin |",
    ],
    "blocking-message": [
        ": 4 to update\n",
        "expect: **1**: the settings of the TME change.",
        '| values.injector.blockingConfig.blockingMessage | Access Forbidden | No: # "thanks" {you} |',
    ],
    "secret": [
        ": 1 to update\n",
        "| update | Secret traceable-agent-token | data.token | [secret] | [secret] |",
    ],
    "secret-value": [
        "expect: **0 or 1**: the gateway's chart or its values change, which may not reach its pods.",
        "| update | Release traceable-gateway-release | values.env.log_level | - | debug |",
        "|  |  | values.env.pg_password | - | [secret] |",
    ],
    "guard": [
        ": 4 to update\n",
        "| protection | enabled | enabled |\n| admission policy (tmeGuard) | warn | **deny** |",
        "expect: **0**.",
        "| update | ValidatingAdmissionPolicyBinding traceable-tme-guard-binding "
        "| spec.validationActions[0] | Warn | Deny |\n|  |  | spec.validationActions[1] | Audit | - |",
    ],
    "uninstall": [
        ": 10 to delete, 2 to update\n",
        "⚠️ **This deletes traceable-installation-record, traceable-tme-namespace-label, ",
        "⚠️ **This uninstalls Traceable, and the gateway is then unprotected.**",
        "| mode | sync | **-** |",
        "| plugin version | 2.1.2-1 | **-** |",
        "| protection | disabled | **not installed** |",
        "| admission policy (tmeGuard) | warn | **off** |",
        "expect: **1**: the plugin's files in its pods change.",
        "| update | Release traceable-gateway-release "
        "| values.plugins.configMaps[0].name | kong-plugin-traceable-fdda072518 | - |",
        "| ⚠️ **delete** | ValidatingAdmissionPolicy traceable-tme-guard-policy | 28 fields, below | | |",
    ],
    "refused": [
        ": ⚠️ **failed**\n",
        "traceable-kong:blockingStatusCode\n    is 99, but must be 400 to 499",
        "did you mean blockingMessage?\n",
    ],
    "drift": [
        ": 1 to create, 3 to update\n",
        "| protection | enabled | enabled |",
        "expect: **0**.",
        "| metadata.labels.traceableai-inject-tme | - | enabled |",
        "| config.timeout | 900 | 500 |",
        "| create | ConfigMap traceable-installation-record |",
    ],
    # A program with the gateways edge, inner, legacy (an existing Kong) and store (with a database), and their agent.
    "several-gateways": [
        ": 12 to delete, 1 to replace, 5 to update\n\n#### edge: 5 to update\n\n| | now | then |",
        "| mode | sync | **async** |\n| plugin version | 2.1.2-1 | 2.1.2-1 |\n| protection | enabled | enabled |\n",
        "expect: **1**: the TME is removed from its pods.\n\n#### inner: removed, 12 to delete\n",
        "⚠️ **This uninstalls Kong, so this gateway is gone.**",
        "| admission policy (tmeGuard) | warn | **off** |\n\n#### The rest of the program: 1 to replace\n",
        "⚠️ **This replaces address.**\n\n- agents: nothing changes (an agent without a gateway)\n- legacy: nothing",
        "- store: nothing changes (mode sync, plugin version 2.1.2-1, protection enabled)\n",
        "| ⚠️ **replace** | ConfigMap address | ⚠️ metadata.name | edge-address | other-address |",
    ],
    "several-existing-kong-removed": [
        "#### legacy: removed, 12 to delete\n\n⚠️ **This uninstalls Traceable, and the gateway is then unprotected.**\n",
        "| protection | enabled | **not installed** |",
        "expect: **1 or 2**: the TME is removed from its pods; the plugin's files are removed from its pods.\n\n- ",
    ],
    "several-database-removed": [
        "#### store: removed, 16 to delete\n\n⚠️ **This uninstalls Kong, so this gateway is gone.**\n\n"
        "⚠️ **This deletes Kong's managed database with its data.**\n",
        "| protection | enabled | **not installed** |\n| admission policy (tmeGuard) | warn | **off** |\n\n- agents:",
    ],
    "several-shared-agent": [
        ": 5 to update\n\n#### agents: 2 to update\n\nAn agent without a gateway.\n\n#### edge: 1 to update\n",
        "expect: **0 or 1**: the agent changes, and may give the TME other settings.\n\n#### legacy: 1 to update\n",
        "- inner: nothing changes (mode async, plugin version 2.1.2-1, protection enabled)\n",
        '|  |  | spec.template.metadata.annotations["tme.traceable.ai/inject"] | true | [known after the update] |',
    ],
    "several-unknown": [
        ": 3 to create\n\n#### new: 2 to create\n\n⚠️ **Its arguments are not known before the update, so this preview ",
        "checks nothing.**\n\n#### The rest of the program: 1 to create\n\n- agents: nothing",
    ],
    "several-retained": [
        ": 12 to forget\n\n#### inner: removed, 12 to forget\n\n⚠️ **This gives up what this component has installed: ",
        "no stack manages it.**\n\n- agents: nothing",
        "| forget | Release inner-gateway-release | 36 fields, below | | |",
    ],
}


def test_every_recorded_preview_is_tested() -> None:
    assert set(SUMMARIES) == {path.stem for path in PREVIEWS.glob("*.json")}


@pytest.mark.parametrize("name", SUMMARIES)
def test_the_comment_of_a_preview(name: str) -> None:
    text = plain(name)
    lines = text.splitlines()
    assert lines[0] == marker("local")
    assert lines[1].startswith("### Preview of local: ")
    for said in SUMMARIES[name]:
        assert said in text


def test_the_plugins_source_is_shown_by_length_and_digest() -> None:
    shown = {
        path: new for path, _, new in fields("newer-rock")["traceable-plugin-files-kong-plugin-traceable-564b485fc1"]
    }
    assert shown['data["handler.lua"]'] == "(209 characters in 8 lines, sha256 9ec655202c)"
    assert "local Handler" not in plain("newer-rock")


def test_only_an_uninstall_is_reported_as_one() -> None:
    reported = {name for name in SUMMARIES if "uninstalls" in plain(name)}
    assert reported == {
        "uninstall",
        "several-database-removed",
        "several-existing-kong-removed",
        "several-gateways",
    }


def test_a_changed_action_of_the_admission_policy_is_in_the_summary() -> None:
    found = {name: [forecast.guard for forecast in forecasts(preview(name)) if forecast.guard] for name in SUMMARIES}
    assert {name: guards for name, guards in found.items() if guards} == {
        "fresh-sync": [("off", "warn")],
        "fresh-async": [("off", "warn")],
        "guard": [("warn", "deny")],
        "uninstall": [("warn", "off")],
        "several-database-removed": [("warn", "off")],
        "several-existing-kong-removed": [("warn", "off")],
        "several-gateways": [("warn", "off")],
    }


def test_no_preview_has_the_path_of_the_kubeconfig() -> None:
    shown = {path: new for path, _, new in fields("fresh-sync")["traceable-kubernetes"]}
    assert shown["kubeconfig"] == '""'


def test_a_failed_preview_forecasts_nothing() -> None:
    assert "expect" not in plain("refused") and "nothing changes" not in plain("refused")


def test_the_sample_on_the_page_is_current() -> None:
    document = recorded("mode-switch")
    del document["diagnostics"]  # They say that the run used a stand-in.
    sample = comment(read(json.dumps(document)), stack="dev")
    assert sample in (CLONE / "docs" / "pull-requests.md").read_text(encoding="utf-8")


def test_each_component_has_one_forecast() -> None:
    found = {name: [forecast.name for forecast in forecasts(preview(name))] for name in SUMMARIES}
    assert found["drift"] == found["mode-switch"] == ["traceable"]
    assert found["several-gateways"] == ["agents", "edge", "inner", "legacy", "store"]
