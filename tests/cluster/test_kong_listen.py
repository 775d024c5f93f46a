"""The ports in Kong's listen variables."""

import pytest

from traceable_kong.cluster.kong_listen import Listener, listeners, listens_on


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("off", []),
        ("", []),
        ("0.0.0.0:" + "9" * 5_000, []),
        ("unix:/run/8001/kong.sock", []),
        ("0.0.0.0:8000 reuseport backlog=16384, [::]:8443 http2 ssl", [Listener(8000, False), Listener(8443, True)]),
    ],
)
def test_every_address_with_a_port_is_found(value: str, found: list[Listener]) -> None:
    assert listeners(value) == found


def test_a_port_is_compared_as_a_whole() -> None:
    assert listens_on("127.0.0.1:5442", 5442)
    assert not listens_on("127.0.0.1:54420, unix:/run/5442", 5442)
