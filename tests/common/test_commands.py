"""Commands to paste: each value stays one word."""

from pathlib import Path

import pytest

from tests.common.pulumi_config import Given, given, parse_path
from traceable_kong.common.commands import cluster_options, config_remove, config_set, config_set_secret, on_cluster
from traceable_kong.common.safe_text import printable
from traceable_kong.config.config_problem import path_of

VALUES = [
    *("plain", "with spaces", "x'; reboot #", '"$(id)"', "`id`", "a|b > c", "", "-rm", "--force", "~", "!x", "*", "é"),
    *("two\nlines", "ends\n", "\ttab", "-\n", "100%\n", "a\\b\n", "\u2028", "<{%reset%}>", "\x1b[31m"),
]

PARTS = ["X; reboot", "a'b", 'a"b', "a.b", "é", "a\\b", 'a\\"b', "a]b", '"]', "$(id)", "with space", "*", "", "-x"]


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("key", ["kong.release", "blockingMessage"])
def test_a_pasted_command_sets_the_value(key: str, value: str, tmp_path: Path) -> None:
    command = config_set(key, value)
    assert printable(command) == command
    assert given(command, tmp_path) == Given("set", parse_path(key), value, secret=False)


@pytest.mark.parametrize("part", PARTS)
def test_a_pasted_command_names_the_key(part: str, tmp_path: Path) -> None:
    key = path_of("kongValues", "env", part, 0)
    path = ("kongValues", "env", part, 0)
    assert given(config_set(key, "v"), tmp_path) == Given("set", path, "v", secret=False)
    assert given(config_set_secret(key), tmp_path) == Given("set", path, None, secret=True)
    assert given(config_remove(key), tmp_path) == Given("rm", path, None, secret=False)


@pytest.mark.parametrize("part", ["a\\", "a\nb", "\x1b[31m"])
def test_a_key_that_no_command_can_name_is_edited(part: str) -> None:
    key = path_of("kongValues", "env", part)
    for command in (config_set(key, "v"), config_set_secret(key), config_remove(key)):
        assert command == "edit it in Pulumi.<stack>.yaml (no command can name this key)"


@pytest.mark.parametrize("key", ["agentTokenSecret.name", "kong.postgres.passwordSecret.key", "kongValues.env.PASS_X"])
def test_pulumi_takes_a_name_that_looks_like_a_secret(key: str) -> None:
    assert " --plaintext " in config_set(key, "Vg8#kQ2!zR5@tY7")
    assert " --plaintext" not in config_set("kong.release", "Vg8#kQ2!zR5@tY7") + config_set_secret(key)


def test_a_key_at_the_top_level_needs_no_path() -> None:
    assert config_set("mode", "sync") == "pulumi config set traceable-kong:mode sync"
    assert config_set_secret("agentToken") == "pulumi config set --secret traceable-kong:agentToken"
    assert config_remove("mode") == "pulumi config rm traceable-kong:mode"


@pytest.mark.parametrize(
    ("text", "pointed"),
    [
        ("`kubectl get pods`", "`kubectl --context 'my prod' get pods`"),
        ("kubectl --namespace a describe pods", "kubectl --context 'my prod' --namespace a describe pods"),
        ("`helm rollback edge 2 --namespace a`", "`helm --kube-context 'my prod' rollback edge 2 --namespace a`"),
        ("helm is not on PATH, and kubectl wrote it", "helm is not on PATH, and kubectl wrote it"),
        ("`pulumi up`, then `helm history edge`", "`pulumi up`, then `helm --kube-context 'my prod' history edge`"),
    ],
)
def test_commands_name_the_cluster_of_the_stack(text: str, pointed: str) -> None:
    assert on_cluster(text, " --context 'my prod'") == pointed
    assert on_cluster(text, "") == text


def test_a_kubeconfig_has_the_same_option_for_both() -> None:
    text = on_cluster("`kubectl get pods` and `helm list`", " --kubeconfig /a/b --context prod")
    assert text == (
        "`kubectl --kubeconfig /a/b --context prod get pods` and `helm --kubeconfig /a/b --kube-context prod list`"
    )


def test_the_options_of_a_cluster_are_quoted() -> None:
    assert cluster_options(kubeconfig=None, context=None) == ""
    assert cluster_options(kubeconfig="/a b", context="it's") == """ --kubeconfig '/a b' --context 'it'"'"'s'"""
