"""The client of Kong's Admin API, with Kong's documented responses and broken connections."""

import threading
from pathlib import Path
from typing import Any

import pytest

from local import certificates
from tests.fakes.admin_api import Admin, serving
from tests.fakes.fake_kubernetes import FakeKubernetes
from tests.kong_admin.conftest import CLIENT
from traceable_kong.cluster.kong_listen import Listener
from traceable_kong.kong_admin.admin_client import AdminClient, path_of
from traceable_kong.kong_admin.admin_connection import Tls, port_forward, to_url
from traceable_kong.kong_admin.admin_errors import AdminError, ErrorResponse, Unavailable

ID = "11111111-1111-4111-8111-111111111111"
PATH = f"/plugins/{ID}"
BODY = {"name": "traceable", "config": {"timeout": 500}}


def client_of(admin: Admin, tls: Tls | None = None, **options: Any) -> AdminClient:
    return AdminClient(to_url(admin.url, tls or Tls()), **{"deadline_seconds": 2.0, **options})


def test_put_get_and_delete(admin: Admin) -> None:
    with client_of(admin) as client:
        assert client.get(PATH) is None
        assert client.put(PATH, BODY)["id"] == ID
        assert client.put(PATH, BODY) == client.get(PATH)
        client.delete(PATH)
        client.delete(PATH)
        assert admin.entities == {}


def test_deleting_an_entity_that_does_not_exist_succeeds(admin: Admin) -> None:
    admin.answers = [(404, {"message": "Not found"})]
    client_of(admin).delete(PATH)


@pytest.mark.parametrize("workspace", ["default", "team a"])
def test_a_list_has_every_page_of_the_workspace(admin: Admin, workspace: str) -> None:
    entities = {str(number): {"id": str(number)} for number in range(5)}
    admin.plugins = {"default": {}, "team%20a": {}}
    within = "" if workspace == "default" else "/team%20a"
    admin.plugins[within.strip("/") or "default"] = entities
    admin.page = 2
    assert client_of(admin, workspace=workspace).list("/plugins") == list(entities.values())
    assert [(item.path, item.query) for item in admin.requests] == [
        (f"{within}/plugins", {"size": "1000"}),
        (f"{within}/plugins", {"size": "2", "offset": "2"}),
        (f"{within}/plugins", {"size": "2", "offset": "4"}),
    ]


def test_the_path_of_the_url_comes_first(admin: Admin) -> None:
    admin.answers = [(200, {"configuration": {}})]
    client_of(admin, base="/kong/admin/").root()
    assert admin.asked == [("GET", "/kong/admin/")]


SCHEMA_VIOLATION = {
    "code": 2,
    "name": "schema violation",
    "message": "schema violation (config.timeout: expected an integer)",
    "fields": {"config": {"timeout": "expected an integer"}},
}
NOT_ENABLED = {
    "code": 2,
    "name": "schema violation",
    "message": "schema violation (name: plugin 'traceable' not enabled; add it to the 'plugins' configuration)",
}


@pytest.mark.parametrize(
    ("status", "answer", "said"),
    [
        (400, SCHEMA_VIOLATION, "HTTP 400: schema violation (config.timeout: expected an integer)"),
        (400, NOT_ENABLED, "plugin 'traceable' not enabled"),
        (401, {"message": "Unauthorized"}, "HTTP 401: Unauthorized (kong.admin.tokenSecret names"),
        (
            403,
            {"message": "jo, you do not have permissions to update it"},
            "jo, you do not have permissions",
        ),
        (404, {"message": "Workspace 'x' not found"}, "HTTP 404: Workspace 'x' not found"),
        (
            405,
            {"message": "cannot create or update 'plugins' entities when not using a database"},
            "set kong.database to off",
        ),
        (409, {"message": "UNIQUE violation detected on '{name=\"traceable\"}'"}, "HTTP 409: UNIQUE violation"),
        (413, b"<html>too\n  much</html>", "HTTP 413: <html>too much</html>"),
        (418, {"why": "no message"}, 'HTTP 418: {"why": "no message"}'),
        (400, b"", "HTTP 400"),
    ],
)
def test_an_error_of_kong_is_reported_in_its_words_and_not_retried(
    admin: Admin, status: int, answer: Any, said: str
) -> None:
    admin.answers = [(status, answer)]
    with pytest.raises(ErrorResponse) as refused:
        client_of(admin).put(PATH, BODY)
    assert f"the Admin API answers PUT {PATH} with" in str(refused.value) and said in str(refused.value)
    assert (refused.value.status, len(admin.requests)) == (status, 1)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_temporary_error_is_retried(admin: Admin, status: int) -> None:
    admin.answers = [(status, {"message": "An unexpected error occurred"}), (status, b"<html>")]
    assert client_of(admin).put(PATH, BODY)["id"] == ID
    assert len(admin.requests) == 3


def test_a_temporary_error_is_reported_at_the_deadline(admin: Admin) -> None:
    admin.answers = [(503, {"message": "no database"})] * 1000
    with pytest.raises(ErrorResponse, match="HTTP 503: no database"):
        client_of(admin, deadline_seconds=0.1).get(PATH)
    assert 1 < len(admin.requests) < 1000


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("method", ["get", "list", "root", "put", "delete"])
def test_a_request_is_repeated_after_a_broken_connection(admin: Admin, when: str, method: str) -> None:
    admin.entities[ID] = {"id": ID, "name": "traceable", "config": {}}
    admin.drops = ["", when, when]
    arguments: dict[str, list[Any]] = {
        "get": [PATH],
        "list": ["/plugins"],
        "root": [],
        "put": [PATH, BODY],
        "delete": [PATH],
    }
    with client_of(admin) as client:
        client.root()
        found = getattr(client, method)(*arguments[method])
    assert len(admin.requests) == 4
    if method == "delete":
        assert admin.entities == {}
    else:
        assert found
    if method == "put":
        assert admin.entities[ID]["config"]["timeout"] == 500


def test_a_connection_that_always_breaks_is_reported_at_the_deadline(admin: Admin) -> None:
    admin.drops = ["after"] * 1000
    with pytest.raises(Unavailable, match="the Admin API does not answer"):
        client_of(admin, deadline_seconds=0.1).put(PATH, BODY)


def test_without_retries_each_request_is_sent_once(admin: Admin) -> None:
    admin.drops = ["before"] * 2
    with pytest.raises(Unavailable):
        client_of(admin, retries=False).get(PATH)
    admin.answers = [(503, b"")]
    admin.drops = []
    with pytest.raises(ErrorResponse):
        client_of(admin, retries=False).get(PATH)
    assert len(admin.requests) == 2


def test_an_unused_port_forward_is_closed() -> None:
    gone = threading.Event()
    fake = FakeKubernetes()
    fake.listeners["gw-1", 8001] = lambda channel: gone.set() if channel.recv(1) == b"" else None
    kept = port_forward(fake, "gw", "gw-1", Listener(port=8001, tls=False))(1.0)
    kept.close()
    assert gone.wait(5) and kept.sock is None


def test_no_server_at_the_address() -> None:
    with pytest.raises(Unavailable, match="does not answer"):
        client_of(Admin(url="http://127.0.0.1:9"), deadline_seconds=0.1).root()


@pytest.mark.parametrize(
    ("status", "answer", "said"),
    [
        (200, b"<html>", "not a JSON object"),
        (200, b"[]", "not a JSON object"),
        (200, b'{"a":' * 300 + b"1" + b"}" * 300, "JSON that cannot be read, because it is nested too deep"),
        (302, b"", "HTTP 302"),
    ],
)
def test_another_server_is_reported_and_not_asked_again(admin: Admin, status: int, answer: bytes, said: str) -> None:
    admin.answers = [(status, answer)]
    with pytest.raises(AdminError, match=said):
        client_of(admin).get(PATH)
    assert len(admin.requests) == 1


def test_the_token_is_sent_and_never_shown(admin: Admin) -> None:
    admin.token = "planted-token"
    assert client_of(admin, token="planted-token").list("/plugins") == []
    with pytest.raises(ErrorResponse, match="HTTP 401"):
        client_of(admin).list("/plugins")
    admin.answers = [(400, {"message": "what is planted-token?"})]
    with pytest.raises(ErrorResponse) as refused:
        client_of(admin, token="planted-token").list("/plugins")
    assert "planted-token" not in str(refused.value) and "what is ***?" in str(refused.value)


@pytest.mark.parametrize("status", [401, 403, 404])
def test_the_root_is_read_in_the_workspace_where_the_token_allows_no_more(admin: Admin, status: int) -> None:
    admin.answers = [(status, {"message": "no"}), (200, {"configuration": {"db_update_frequency": 5}})]
    assert client_of(admin, workspace="team").root()["configuration"] == {"db_update_frequency": 5}
    assert admin.asked == [("GET", "/"), ("GET", "/team/kong")]
    admin.answers = [(status, {"message": "no"})]
    with pytest.raises(ErrorResponse):
        client_of(admin).root()
    admin.answers = [(400, {"message": "no"})]
    with pytest.raises(ErrorResponse, match="HTTP 400"):
        client_of(admin, workspace="team").root()


def test_tls_with_a_certificate_authority_and_a_client_certificate(pems: Path) -> None:
    ca, own = (pems / certificates.CA_FILE).read_text(), (pems / CLIENT).read_text()
    with serving(pems / certificates.SERVER_FILE) as admin:
        assert client_of(admin, Tls(ca=ca)).list("/plugins") == []
        assert client_of(admin, Tls(verify=False)).list("/plugins") == []
        with pytest.raises(AdminError, match=r"not trusted .*kong\.admin\.caSecret"):
            client_of(admin).list("/plugins")
    with serving(pems / certificates.SERVER_FILE, authority=pems / CLIENT) as admin:
        assert client_of(admin, Tls(ca=ca, certificate=own)).list("/plugins") == []
        with pytest.raises(Unavailable):
            client_of(admin, Tls(ca=ca), deadline_seconds=0.1).list("/plugins")


@pytest.mark.parametrize("tls", [Tls(ca="no pem"), Tls(certificate="no pem")])
def test_a_certificate_that_cannot_be_used_is_reported(tls: Tls) -> None:
    with pytest.raises(AdminError, match="cannot be used"):
        client_of(Admin(url="https://127.0.0.1:9"), tls).list("/plugins")


def test_an_authority_with_comments_in_another_alphabet(pems: Path) -> None:
    ca = (pems / certificates.CA_FILE).read_text()
    with serving(pems / certificates.SERVER_FILE) as admin:
        assert client_of(admin, Tls(ca=f"# größe Ω\n{ca}\nnoch eine\n")).list("/plugins") == []


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:99999", "http://127.0.0.1:x", "http://a..b:1", f"http://{'a' * 70}/"]
)
def test_a_url_that_is_not_valid_is_not_unavailable(url: str) -> None:
    with pytest.raises(AdminError, match=r"its URL is not valid.*kong\.admin\.url") as refused:
        client_of(Admin(url=url)).list("/plugins")
    assert not isinstance(refused.value, Unavailable)


@pytest.mark.parametrize("path", ["/routes/größe", "/routes/a b", "/routes/a\r\nb"])
def test_a_path_that_cannot_be_sent_is_not_unavailable(admin: Admin, path: str) -> None:
    with pytest.raises(AdminError, match="a name cannot be sent") as refused:
        client_of(admin).get(path)
    assert not isinstance(refused.value, Unavailable) and admin.requests == []


def test_names_are_quoted_in_paths() -> None:
    assert path_of("routes", "größe") == "/routes/gr%C3%B6%C3%9Fe"
    assert path_of("routes", "a b/../c?d#e") == "/routes/a%20b%2F..%2Fc%3Fd%23e"
    assert path_of("routes", "\ud800") == "/routes/%3F"
