"""Rocks from files, from https with its failures, and from the cache."""

import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.plugin import archives
from tests.plugin.server import Answer, Handler, HttpsServer, serving
from traceable_kong.config.plugin_source import MirrorPluginConfig, PluginConfig
from traceable_kong.plugin import rock_download, rock_loading
from traceable_kong.plugin.archive_entry import MAX_ARCHIVE_BYTES, RockError

ROCK = archives.rock()
DIGEST = hashlib.sha256(ROCK).hexdigest()
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
CONNECTION_VARIABLES = (*PROXIES, *map(str.lower, PROXIES), "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpsServer]:
    for variable in CONNECTION_VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    with serving(tmp_path / "server") as running:
        monkeypatch.setenv("SSL_CERT_FILE", str(running.certificate))
        running.answers["/rock"] = content(ROCK)
        yield running


def content(body: bytes, *, status: int = 200, announced: int | None = None, **headers: str) -> Answer:
    def answer(request: Handler) -> None:
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        request.send_header("Content-Length", str(len(body) if announced is None else announced))
        request.end_headers()
        request.wfile.write(body)

    return answer


def redirect(url: str) -> Answer:
    return content(b"", status=302, Location=url)


def fetch(url: str, **options: object) -> bytes:
    return rock_loading.fetch(url, **{"sha256": DIGEST, "stall_timeout_seconds": 20.0, **options})  # type: ignore[arg-type]


def test_a_download(server: HttpsServer) -> None:
    assert fetch(f"{server.url}/rock") == ROCK


def test_ssl_cert_file_names_the_certificate_authority(server: HttpsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(RockError, match=r"certificate is not trusted.*REQUESTS_CA_BUNDLE"):
        fetch(f"{server.url}/rock")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(server.certificate))
    assert fetch(f"{server.url}/rock") == ROCK


def test_https_proxy_names_a_proxy(server: HttpsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://me:planted@127.0.0.1:9")
    with pytest.raises(RockError, match="proxy") as error:
        fetch(f"{server.url}/rock")
    assert "planted" not in str(error.value)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    assert fetch(f"{server.url}/rock") == ROCK


def test_another_digest_is_refused_and_shown(server: HttpsServer, tmp_path: Path) -> None:
    with pytest.raises(RockError, match=rf"pulumi config set --path traceable-kong:plugin.sha256 {DIGEST}"):
        fetch(f"{server.url}/rock", sha256="0" * 64, cache=tmp_path / "cache")
    assert not (tmp_path / "cache").exists(), "what was refused is not kept"


def test_the_cache_needs_no_network(server: HttpsServer, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    assert fetch(f"{server.url}/rock", cache=cache) == ROCK
    assert fetch(f"{server.url}/rock", cache=cache) == ROCK
    assert len(server.requests) == 1
    assert [path.name for path in cache.iterdir()] == [f"{DIGEST}.rock"]


def test_a_damaged_cache_is_replaced(server: HttpsServer, tmp_path: Path) -> None:
    (tmp_path / f"{DIGEST}.rock").write_bytes(ROCK[:-1])
    assert fetch(f"{server.url}/rock", cache=tmp_path) == ROCK
    assert (tmp_path / f"{DIGEST}.rock").read_bytes() == ROCK


def test_a_cache_that_cannot_be_written_is_not_needed(server: HttpsServer, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert fetch(f"{server.url}/rock", cache=tmp_path / "file" / "cache") == ROCK


def test_a_rock_that_cannot_be_kept_leaves_nothing(server: HttpsServer, tmp_path: Path) -> None:
    (tmp_path / f"{DIGEST}.rock").mkdir()
    assert fetch(f"{server.url}/rock", cache=tmp_path) == ROCK
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == []


def test_an_unexpected_error_of_a_download_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> bytes:
        raise RuntimeError("planted")

    monkeypatch.setattr(rock_download, "_followed", fail)
    with pytest.raises(RockError, match=r"^The download failed \(RuntimeError\)\.$"):
        fetch("https://127.0.0.1:9/rock")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (content(b"", status=404), "HTTP 404"),
        (content(b"", status=401), "HTTP 401"),
        (content(ROCK[:100], announced=len(ROCK)), "incomplete"),
        (content(b"\0" * (MAX_ARCHIVE_BYTES + 1)), "too large for a Kong plugin"),
        (redirect("http://127.0.0.1:9/rock"), "only https is allowed"),
        (redirect("/answer"), "redirects more than 5 times"),
        (lambda request: request.wfile.write(b"nonsense\r\n\r\n"), "did not answer in HTTP"),
        (lambda request: None, "closed the connection"),
    ],
)
def test_a_download_that_fails(server: HttpsServer, answer: Answer, reason: str) -> None:
    server.answers["/answer"] = answer
    with pytest.raises(RockError, match=reason):
        fetch(f"{server.url}/answer")


@pytest.mark.parametrize("begun", [False, True])
def test_a_server_that_stalls(server: HttpsServer, begun: bool) -> None:
    over = threading.Event()

    def stall(request: Handler) -> None:
        if begun:
            request.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nPK")
        over.wait(60)

    server.answers["/stall"] = stall
    try:
        with pytest.raises(RockError, match="did not answer for"):
            fetch(f"{server.url}/stall", stall_timeout_seconds=0.2, whole_timeout_seconds=60)
    finally:
        over.set()


@pytest.mark.parametrize("in_headers", [False, True])
def test_a_server_that_sends_single_bytes(server: HttpsServer, in_headers: bool) -> None:
    over = threading.Event()

    def drip(request: Handler) -> None:
        request.wfile.write(
            b"HTTP/1.1 200 OK\r\n" if in_headers else b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"
        )
        while not over.wait(0.05):
            request.wfile.write(b"x")

    server.answers["/drip"] = drip
    try:
        with pytest.raises(RockError, match="was not complete after"):
            fetch(f"{server.url}/drip", stall_timeout_seconds=60, whole_timeout_seconds=1)
    finally:
        over.set()


def test_headers_are_sent_to_their_own_host_only(server: HttpsServer, tmp_path: Path) -> None:
    with serving(tmp_path / "other") as other:
        bundle = tmp_path / "both.pem"
        bundle.write_bytes(server.certificate.read_bytes() + other.certificate.read_bytes())
        other.answers["/rock"] = content(ROCK)
        server.answers["/moved"] = redirect(f"{other.url}/rock")
        server.answers["/here"] = redirect("/rock")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SSL_CERT_FILE", str(bundle))
            for path in ("moved", "here"):
                assert fetch(f"{server.url}/{path}", headers={"Authorization": "Bearer planted"}) == ROCK
        assert [headers.get("Authorization") for _, headers in server.requests] == ["Bearer planted"] * 3
        assert [headers.get("Authorization") for _, headers in other.requests] == [None]


def test_a_netrc_replaces_no_header(server: HttpsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login a password b\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    fetch(f"{server.url}/rock", headers={"Authorization": "Bearer planted"})
    assert server.requests[0][1]["Authorization"] == "Bearer planted"


@pytest.mark.parametrize("value", ["planted\r\nX: y", " planted", "planted\udc80", "plänted✓"])
def test_a_header_that_cannot_be_sent_is_not_shown(server: HttpsServer, value: str) -> None:
    with pytest.raises(RockError) as error:
        fetch(f"{server.url}/rock", headers={"Authorization": value})
    assert "pl" not in str(error.value).replace("download", "")


@pytest.mark.parametrize("url", ["https://", "https://[::1", "https://a b/", "https://127.0.0.1:99999/", "https://\0"])
def test_an_unusable_url(url: str) -> None:
    with pytest.raises(RockError):
        fetch(url)


def test_a_file(tmp_path: Path) -> None:
    path = tmp_path / "traceable.rock"
    path.write_bytes(ROCK)
    assert fetch(str(path), sha256=None) == fetch(str(path)) == ROCK
    with pytest.raises(RockError, match="SHA-256"):
        fetch(str(path), sha256="0" * 64)


@pytest.mark.parametrize(
    ("path", "reason"),
    [("none.rock", "No such file"), (".", "not a file"), ("/dev/zero", "not a file"), ("a\0b", "not a path")],
)
def test_an_unusable_path(path: str, reason: str) -> None:
    with pytest.raises(RockError, match=rf"{reason}.* `pulumi config set --path traceable-kong:plugin.rock FILE`\.$"):
        fetch(path)


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(MAX_ARCHIVE_BYTES + 1)
    with pytest.raises(RockError, match="but a rock has at most"):
        fetch(str(path))


def plugin(server: HttpsServer, path: str = "/rock", **fields: object) -> PluginConfig:
    return MirrorPluginConfig(rock=f"{server.url}{path}", headers={"X-Key": SecretStr("planted")}, **fields)


def test_the_rock_of_the_config(server: HttpsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACEABLE_KONG_CACHE", str(tmp_path))
    found = rock_loading.load_rock(plugin(server, sha256=DIGEST))
    assert found.sha256 == DIGEST
    assert server.requests[0][1]["X-Key"] == "planted"
    assert (tmp_path / "rocks" / f"{DIGEST}.rock").is_file()


def test_the_error_names_the_rock(server: HttpsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACEABLE_KONG_CACHE", str(tmp_path))
    with pytest.raises(RockError, match=rf"The rock {server.url}/rock cannot be used\. .*Nothing was changed"):
        rock_loading.load_rock(plugin(server, sha256="0" * 64))


def test_the_digest_of_the_current_download(server: HttpsServer) -> None:
    server.answers["/page"] = content(b"<html>")
    assert rock_loading.found_digest(plugin(server)) == DIGEST
    assert rock_loading.found_digest(plugin(server, "/page")) is None
    # No rock, but a zip archive: it is not parsed.
    server.answers["/zip"] = content(b"PK\x03\x04")
    assert rock_loading.found_digest(plugin(server, "/zip")) == hashlib.sha256(b"PK\x03\x04").hexdigest()
