"""The plugin's options as Kong gets them."""

from typing import Any

import pytest

from traceable_kong.plugin.plugin_config import plugin_config


def config(**changes: Any) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "rock_version": "2.1.2-1",
        "endpoint": "http://localhost:5442",
        "mode": "sync",
        "buffer_request_body": True,
        "fail_open": True,
        "timeout_ms": 500,
        "service_name": "kong",
    }
    user_config = changes.pop("user_config", {})
    return plugin_config(user_config, **(arguments | changes))


def test_the_configuration_is_what_kong_reads() -> None:
    assert config(fail_open=False, mode="async", endpoint="http://agent.traceable:5442", buffer_request_body=False) == {
        "ext_cap_endpoint": "http://agent.traceable:5442",
        "allow_on_failure": False,
        "timeout": 500,
        "service_name": "kong",
        "mode": "async",
        "buffer_request_body": False,
    }


@pytest.mark.parametrize(
    ("version", "sent"), [("2.0.9-1", False), ("2.1.0-1", True), ("2.10.0-1", True), ("3.0.0-2", True)]
)
def test_an_older_rock_is_not_sent_what_it_does_not_know(version: str, sent: bool) -> None:
    assert ("mode" in config(rock_version=version), "buffer_request_body" in config(rock_version=version)) == (
        sent,
        sent,
    )


def test_further_options_stand_beside_ours_and_never_in_their_place() -> None:
    made = config(user_config={"max_body_size_bytes": 1, "timeout": 9})
    assert (made["max_body_size_bytes"], made["timeout"]) == (1, 500)
