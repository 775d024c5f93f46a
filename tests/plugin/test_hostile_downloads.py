"""Every hostile server and file ends in one clear message, within limits of time and memory."""

import sys
from pathlib import Path

import pytest

from tests.fakes.limited import Outcome, is_clear, run_limited, summary
from tests.plugin.hostile_downloads import ENVIRONMENTS, TCP, UNREADABLE, answers, tcp_server
from tests.plugin.server import serving
from tests.plugin.test_rock_download import CONNECTION_VARIABLES
from traceable_kong.plugin.archive_entry import RockError
from traceable_kong.plugin.rock_loading import fetch

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the limits are those of Linux")

DIGEST = "0" * 64
STALL_SECONDS = 0.5
WHOLE_SECONDS = 1.0


def fetched(source: str, cache: Path | None = None) -> Outcome:
    def work() -> None:
        fetch(
            source,
            sha256=DIGEST,
            cache=cache,
            stall_timeout_seconds=STALL_SECONDS,
            whole_timeout_seconds=WHOLE_SECONDS,
        )

    return run_limited(work, RockError)


def wrong(outcomes: dict[str, Outcome]) -> list[str]:
    print(summary(outcomes.values()))
    return [
        f"{name}: {outcome}"
        for name, outcome in outcomes.items()
        if outcome.kind != "refused" or not is_clear(outcome.text) or outcome.seconds > WHOLE_SECONDS + 15
    ]


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in CONNECTION_VARIABLES:
        monkeypatch.delenv(variable, raising=False)


def test_a_hostile_server_is_refused_clearly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outcomes = {}
    with serving(tmp_path / "server") as server:
        monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
        for number, (name, answer) in enumerate(answers()):
            server.answers[f"/{number}"] = answer
            outcomes[name] = fetched(f"{server.url}/{number}")
    assert wrong(outcomes) == []
    assert "It has more than" in outcomes["a chunk of -1 bytes"].text, "it is read in pieces"


def test_a_server_without_tls_is_refused_clearly() -> None:
    outcomes = {}
    for name, sent in TCP.items():
        with tcp_server(sent) as url:
            outcomes[name] = fetched(url)
    assert wrong(outcomes) == []


def test_a_hostile_file_is_refused_clearly(tmp_path: Path) -> None:
    outcomes = {}
    for number, (name, create) in enumerate(UNREADABLE.items()):
        create(path := tmp_path / str(number))
        outcomes[name] = fetched(str(path))
    assert wrong(outcomes) == []


def test_a_hostile_file_in_the_cache_is_not_read(tmp_path: Path) -> None:
    outcomes = {}
    for number, (name, create) in enumerate(UNREADABLE.items()):
        cache = tmp_path / str(number)
        cache.mkdir()
        create(cache / f"{DIGEST}.rock")
        outcomes[name] = fetched("https://127.0.0.1:9/rock", cache)
    assert wrong(outcomes) == []
    assert all("no connection to 127.0.0.1" in outcome.text for outcome in outcomes.values()), "it downloads the rock"


def test_an_unusable_environment_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    outcomes = {}
    for variable, value, part in ENVIRONMENTS:
        with monkeypatch.context() as patch:
            patch.setenv(variable, value)
            outcome = outcomes[f"{variable}={value}"] = fetched("https://127.0.0.1:9/rock")
        assert part in outcome.text and "planted" not in outcome.text, (variable, value, outcome)
    assert wrong(outcomes) == []
