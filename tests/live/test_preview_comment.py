"""The comment on a pull request for real previews: it predicts the rollouts and shows what a change of mode changes."""

from scripts.preview_comment import comment
from scripts.preview_reading import Preview, read
from tests.live.stack import TOKEN, LiveStack, NewStack


def preview(stack: LiveStack) -> Preview:
    return read(stack.preview("--json"))


def test_the_comment_predicts_the_rollouts_and_lists_the_changes(new_stack: NewStack) -> None:
    stack = new_stack(mode="sync")
    fresh = preview(stack)
    assert (fresh.now, (fresh.then or {})["mode"]) == ({}, "sync")
    text = comment(fresh, stack=stack.name)
    assert "<code>&#91;secret&#93;</code>" in text and TOKEN not in text
    assert "characters in" in text and "local Handler" not in text
    with stack.recorded() as installing:
        stack.up()
    assert installing.rollouts == len(fresh.rollouts)

    assert "nothing changes" in comment(preview(stack), stack=stack.name)

    stack.pulumi("config", "set", "traceable-kong:mode", "async")
    switch = preview(stack)
    assert {change.name: {field.path for field in change.fields} for change in switch.changes} == {
        "plugin-kong-cluster-plugin": {"config.ext_cap_endpoint", "config.mode"},
        "tme-namespace-label": {"metadata.labels.traceableai-inject-tme"},
        "tme-pod-annotation": {
            'spec.template.metadata.annotations["tme.traceable.ai/inject"]',
            "spec.template.metadata.annotations.traceable-kong/tme-settings",
        },
        "installation-record": {"data.endpoint", "data.injection", "data.mode", "data.pluginConfig", "data.tmeImage"},
    }
    with stack.recorded() as switching:
        stack.up()
    assert switching.rollouts == len(switch.rollouts)
