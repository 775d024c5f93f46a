"""Commands to paste: each word is the one that was meant, whatever is in it."""

import shlex

import pytest

from commands import config_remove, config_set, config_set_secret

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


def test_a_key_at_the_top_needs_no_path() -> None:
    assert config_set("mode", "sync") == "pulumi config set traceable-kong:mode sync"
    assert config_set_secret("agentToken") == "pulumi config set --secret traceable-kong:agentToken"
    assert config_remove("mode") == "pulumi config rm traceable-kong:mode"
