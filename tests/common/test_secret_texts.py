"""Messages without the texts of secrets."""

import pytest
from pydantic import SecretStr

from traceable_kong.common.commands import config_set
from traceable_kong.common.secret_texts import secret_texts, without_secrets

SECRET = "hunter2-marker"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"is '{SECRET}', but", "is '(secret)', but"),
        (f"is 'a,{SECRET};b', but", "is 'a,(secret);b', but"),
        (f"docker.io/{SECRET}/agent:1", "docker.io/(secret)/agent:1"),
        (f"X={SECRET} {SECRET}.", "X=(secret) (secret)."),
        (f"deployment quickstart-{SECRET}", f"deployment quickstart-{SECRET}"),
        (f"{SECRET}s", f"{SECRET}s"),
        ("nothing", "nothing"),
    ],
)
def test_a_secret_is_replaced_where_it_is_not_a_part_of_a_longer_name(text: str, shown: str) -> None:
    assert without_secrets(text, [SECRET]) == shown
    assert without_secrets(text, []) == text


@pytest.mark.parametrize("secret", ["two\nlines", 'it\'s "quoted"', "tab\there", "a.*b+(c", "x" * 200, "längs"])
def test_a_secret_is_replaced_in_every_form_in_which_messages_show_it(secret: str) -> None:
    command = config_set("kongValues.env.own", f"x;{secret}")
    for form in (secret, repr(secret), f"{secret!r:.70}...", " ".join(secret.split("\n")), command):
        shown = without_secrets(f"is {form}, but", [secret])
        assert shown.count("(secret)") == 1 and secret[:5] not in shown


def test_of_two_secrets_the_longer_one_is_replaced_whole() -> None:
    assert without_secrets("is abc/def", ["abc", "abc/def"]) == "is (secret)"


def test_the_texts_are_those_of_secret_leaves() -> None:
    config = {
        "token": SecretStr(SECRET),
        "list": [SecretStr("bundled, own-plugin;x")],
        "short": SecretStr("on"),
        "switch": SecretStr("False"),
        "port": SecretStr(8444),  # type: ignore[arg-type]
        "pin": SecretStr(4815162342),  # type: ignore[arg-type]
        "off": SecretStr(False),  # type: ignore[arg-type]
        "plain": "plain-text",
    }
    assert secret_texts(config) == {SECRET, "bundled, own-plugin;x", "bundled", "own-plugin", "4815162342"}


def test_what_is_plain_elsewhere_is_no_secret() -> None:
    assert secret_texts({"values": {"name": SecretStr("kong"), "key": SecretStr(SECRET)}, "namespace": "kong"}) == {
        SECRET
    }
