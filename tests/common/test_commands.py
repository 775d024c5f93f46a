"""Commands to paste: each value stays one word."""

import shlex

import pytest

from traceable_kong.common.commands import cluster_options, config_remove, config_set, config_set_secret, on_cluster

VALUES = ["plain", "with spaces", "x'; reboot #", '"$(id)"', "`id`", "a|b > c", "", "-rm", "--force", "é\n"]


@pytest.mark.parametrize("value", VALUES)
def test_a_value_is_one_word(value: str) -> None:
    words = shlex.split(config_set("kong.release", value))
    assert words[-1] == value
    assert [word for word in words[:-1] if word != "--"] == [
        *("pulumi", "config", "set", "--path"),
        "traceable-kong:kong.release",
    ]
    assert ("--" in words) is value.startswith("-")


@pytest.mark.parametrize("key", ['plugin.headers["X; reboot"]', 'kongValues.env["a\'b"]', "allowedClusters[0]"])
def test_a_key_is_one_word(key: str) -> None:
    for command in (config_set(key, "v"), config_set_secret(key), config_remove(key)):
        assert f"traceable-kong:{key}" in shlex.split(command)
        assert "--path" in shlex.split(command)


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
