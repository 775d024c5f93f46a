"""The client of the Kubernetes API server and its responses."""

import email.utils
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster.api_server import ApiServer, kubeconfig, serving
from tests.fakes.clock import Clock
from traceable_kong.cluster import kubernetes_client
from traceable_kong.cluster.api_response import RETRY_SECONDS
from traceable_kong.cluster.kubeconfig import connect
from traceable_kong.cluster.kubernetes_client import REQUEST_SECONDS, ApiError, KubernetesClient, Unreachable
from traceable_kong.cluster.list_pages import RESTARTS
from traceable_kong.common import waiting

STATUS = {"kind": "Status", "reason": "Forbidden", "message": "pods is forbidden: no"}
WARNINGS = [("Warning", '299 - "first"'), ("Warning", '299 kube "a \\"quoted\\" word, and a comma"')]


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with serving() as made:
        yield made


@pytest.fixture
def api(server: ApiServer) -> KubernetesClient:
    return connect(kubeconfig=server.kubeconfig())


def test_a_document_is_returned_unchanged(server: ApiServer, api: KubernetesClient) -> None:
    server.will(200, {"kind": "Pod", "unknown": {"to": ["the client"]}})
    answer = api.request("GET", "/api/v1/pods/p", query={"dryRun": "All", "labelSelector": "a=b,c in (d)"})
    assert answer == {"kind": "Pod", "unknown": {"to": ["the client"]}}
    assert answer.warnings == ()
    (asked,) = server.requests
    assert (asked.method, asked.path) == ("GET", "/api/v1/pods/p")
    assert asked.query == {"dryRun": "All", "labelSelector": "a=b,c in (d)"}
    assert "content-type" not in asked.headers


def test_warnings_of_the_server_are_returned(server: ApiServer, api: KubernetesClient) -> None:
    server.will(201, {}, *WARNINGS)
    answer = api.request("POST", "/api/v1/pods", body={"a": 1})
    assert answer.warnings == ("first", 'a "quoted" word, and a comma')
    assert server.requests[0].body == {"a": 1}
    assert server.requests[0].headers["content-type"] == "application/json"


def test_a_patch_has_its_content_type(server: ApiServer, api: KubernetesClient) -> None:
    server.will(200, {})
    api.request("PATCH", "/x", body={}, content_type=kubernetes_client.MERGE_PATCH)
    assert server.requests[0].headers["content-type"] == "application/merge-patch+json"
    assert server.requests[0].body == {}


def test_the_login_of_the_kubeconfig_is_used(server: ApiServer) -> None:
    server.will(200, {})
    connect(kubeconfig=server.kubeconfig(token="t0ken")).request("GET", "/version")
    assert server.requests[0].headers["authorization"] == "Bearer t0ken"


@pytest.mark.parametrize(
    ("body", "reason", "text"),
    [
        (STATUS, "Forbidden", "pods is forbidden: no"),
        (b"upstream is away", "", "upstream is away"),
        (b"", "", "HTTP 403 without a message"),
        ([1], "", "[1]"),
        ({}, "", "{}"),
    ],
)
def test_an_error_has_the_servers_own_text(
    server: ApiServer, api: KubernetesClient, body: Any, reason: str, text: str
) -> None:
    server.will(403, body)
    with pytest.raises(ApiError) as refused:
        api.request("GET", "/x")
    assert (refused.value.status, refused.value.reason, str(refused.value)) == (403, reason, text)


@pytest.mark.parametrize("body", [b"<html>log in</html>", b"", b"[]", b'"a"', b"null"])
def test_a_response_of_another_server_is_never_an_empty_list(
    server: ApiServer, api: KubernetesClient, body: bytes
) -> None:
    for ask in (api.list, api.get):
        server.will(200, body)
        with pytest.raises(ApiError, match="HTTP 200 without a JSON object") as refused:
            ask("/x")
        assert "log in" not in str(refused.value)


def test_a_response_that_is_nested_too_deep_is_not_called_another_format(
    server: ApiServer, api: KubernetesClient
) -> None:
    server.will(200, b'{"a":' * 300 + b"1" + b"}" * 300)
    with pytest.raises(ApiError, match="HTTP 200 with JSON that cannot be read, because it is nested too deep"):
        api.get("/x")


def test_an_object_that_does_not_exist_is_none(server: ApiServer, api: KubernetesClient) -> None:
    server.will(404, {"kind": "Status", "message": "the server could not find the requested resource"})
    server.will(404, b"404 page not found\n")
    server.will(403, STATUS)
    assert api.get("/x") is None
    assert api.list("/x") == []
    with pytest.raises(ApiError):
        api.get("/x")


def page(*numbers: int, more: Any = "", **other: Any) -> dict[str, Any]:
    items = [{"metadata": {"name": str(number)}} for number in numbers]
    return {"kind": "PodList", "items": items, "metadata": {"continue": more}, **other}


def names(items: list[dict[str, Any]]) -> list[str]:
    return [item["metadata"]["name"] for item in items]


def test_all_pages_of_a_list_are_read(server: ApiServer, api: KubernetesClient) -> None:
    server.will(200, page(1, more="more/1+"))
    server.will(200, page(items=None, more="more2"))
    server.will(200, page(2))
    assert names(api.list("/pods", labelSelector="a=b")) == ["1", "2"]
    assert [request.query for request in server.requests] == [
        {"limit": "250", "labelSelector": "a=b"},
        {"limit": "250", "labelSelector": "a=b", "continue": "more/1+"},
        {"limit": "250", "labelSelector": "a=b", "continue": "more2"},
    ]


def test_a_list_whose_next_page_has_expired_begins_again(server: ApiServer, api: KubernetesClient) -> None:
    server.will(200, page(1, more="more"))
    server.will(410, {"kind": "Status", "message": "the continue parameter is too old"})
    server.will(200, page(1, more="more"))
    server.will(200, page(2))
    assert names(api.list("/pods")) == ["1", "2"]
    assert [request.query.get("continue") for request in server.requests] == [None, "more", None, "more"]


def test_a_list_whose_next_page_always_expires_is_an_error(server: ApiServer, api: KubernetesClient) -> None:
    for _ in range(RESTARTS + 1):
        server.will(200, page(1, more="more"))
        server.will(410, {"kind": "Status", "message": "the continue parameter is too old"})
    with pytest.raises(ApiError, match="too old"):
        api.list("/pods")
    assert server.answers == []


@pytest.mark.parametrize("tokens", [["a", "a"], ["a", "b", "a"]])
def test_pages_that_repeat_end(server: ApiServer, api: KubernetesClient, tokens: list[str]) -> None:
    for token in tokens:
        server.will(200, page(1, more=token))
    with pytest.raises(ApiError, match="pages of a list that repeat"):
        api.list("/pods")


@pytest.mark.parametrize(
    "body",
    [
        {"error": "log in"},
        {"kind": "PodList", "items": "abc"},
        {"kind": "PodList", "items": {"a": 1}},
        {"kind": "PodList", "items": [1]},
        {"kind": "PodList", "items": [{"metadata": None}]},
        {"kind": "PodList", "items": [], "metadata": "x"},
        {"kind": "Pod", "metadata": {}},
    ],
)
def test_json_of_another_server_is_never_a_list(server: ApiServer, api: KubernetesClient, body: Any) -> None:
    server.will(200, body)
    with pytest.raises(ApiError, match="not the response of an API server"):
        api.list("/pods")


def test_the_kinds_of_a_group_have_no_metadata(server: ApiServer, api: KubernetesClient) -> None:
    body = {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "apps/v1", "resources": [{"name": "pods"}]}
    server.will(200, body)
    assert api.get("/apis/apps/v1") == body


@pytest.mark.parametrize(
    "body", [{}, {"error": "log in"}, {"kind": 1, "metadata": {}}, {"kind": "Pod"}, {"kind": "APIResourceList"}]
)
def test_json_of_another_server_is_never_an_object(server: ApiServer, api: KubernetesClient, body: Any) -> None:
    server.will(200, body)
    with pytest.raises(ApiError, match="not the response of an API server"):
        api.get("/pods/a")


@pytest.mark.parametrize("body", [b"<html>no such page</html>", b"", {}, {"message": "no route"}])
def test_the_404_of_another_server_is_an_error(server: ApiServer, api: KubernetesClient, body: Any) -> None:
    for ask in (api.get, api.list):
        server.will(404, body)
        with pytest.raises(ApiError, match="HTTP 404 that no API server sends"):
            ask("/pods")


@pytest.mark.parametrize(
    ("status", "headers", "pauses"),
    [
        (429, [("Retry-After", "3")], [3.0]),
        (429, [], None),
        (503, [], [RETRY_SECONDS]),
        (503, [("Retry-After", "2")], [2.0]),
        (500, [("Retry-After", "1")], [1.0]),
        (500, [], None),
        (503, [("Retry-After", "Fri, 31 Dec 1999 23:59:59 GMT")], [RETRY_SECONDS]),
        (503, [("Retry-After", "-1")], [RETRY_SECONDS]),
        (503, [("Retry-After", "9" * 4000)], None),
        (403, [("Retry-After", "1")], None),
    ],
)
def test_what_the_server_could_not_do_is_repeated(
    server: ApiServer,
    api: KubernetesClient,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    headers: list[tuple[str, str]],
    pauses: list[float] | None,
) -> None:
    clock = Clock()
    monkeypatch.setattr(waiting, "time", clock)
    server.will(status, {"kind": "Status", "message": "later"}, *headers)
    server.will(200, {"kind": "Pod", "metadata": {}})
    if pauses is None:
        with pytest.raises(ApiError, match="later") as refused:
            api.request("POST", "/pods", body={})
        assert refused.value.is_temporary is (status != 403)
    else:
        api.request("POST", "/pods", body={})
        assert len(server.requests) == 2
    assert clock.now == sum(pauses or [])


@pytest.mark.parametrize("status", [429, 503])
def test_a_request_is_repeated_at_a_date(
    server: ApiServer, api: KubernetesClient, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    """By the clock of the server, which dates its response. Without the date, it would be repeated after a second."""
    clock = Clock()
    monkeypatch.setattr(waiting, "time", clock)
    date = email.utils.formatdate(time.time() + 12, usegmt=True)
    server.will(status, {"kind": "Status", "message": "later"}, ("Retry-After", date))
    server.will(200, {"kind": "Pod", "metadata": {}})
    api.request("POST", "/pods", body={})
    assert 1 < clock.now <= 12


def test_repeating_ends_at_the_deadline(
    server: ApiServer, api: KubernetesClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(waiting, "time", clock)
    for _ in range(100):
        server.will(503, {"kind": "Status", "message": "later"})
    with pytest.raises(ApiError, match="later"):
        api.get("/pods")
    assert clock.now == REQUEST_SECONDS
    assert len(server.requests) == REQUEST_SECONDS + 1


def test_an_idle_connection_that_the_server_closed_is_replaced(server: ApiServer, api: KubernetesClient) -> None:
    for _ in range(3):
        server.will(200, {"kind": "Pod", "metadata": {}}, ("Connection", "close"))
        assert api.get("/x") is not None


def test_the_permission_of_a_service_account(server: ApiServer, api: KubernetesClient) -> None:
    server.will(201, {"status": {"allowed": True}})
    assert api.account_allowed("gw", "own", "watch", "kongclusterplugins", group="configuration.konghq.com")
    assert server.requests[0].path == "/apis/authorization.k8s.io/v1/subjectaccessreviews"
    assert server.requests[0].body["spec"] == {
        "user": "system:serviceaccount:gw:own",
        "groups": ["system:serviceaccounts", "system:serviceaccounts:gw", "system:authenticated"],
        "resourceAttributes": {
            "verb": "watch",
            "resource": "kongclusterplugins",
            "group": "configuration.konghq.com",
        },
    }


@pytest.mark.parametrize(("status", "allowed"), [({"allowed": True}, True), ({"allowed": False}, False), (None, False)])
def test_a_permission(server: ApiServer, api: KubernetesClient, status: Any, allowed: bool) -> None:
    server.will(201, {"status": status})
    assert api.allowed("create", "pods", namespace="gw", subresource="portforward") is allowed
    (asked,) = server.requests
    assert asked.path == "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    assert asked.body["spec"]["resourceAttributes"] == {
        "verb": "create",
        "resource": "pods",
        "group": "",
        "namespace": "gw",
        "subresource": "portforward",
    }


def test_a_redirect_is_not_followed(server: ApiServer, api: KubernetesClient) -> None:
    server.will(302, {}, ("Location", f"{server.url}/elsewhere"))
    with pytest.raises(ApiError, match="HTTP 302 without a JSON object"):
        api.request("GET", "/x")
    assert len(server.requests) == 1


def test_no_server() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        api = connect(kubeconfig=kubeconfig("here", here=url))
        with pytest.raises(Unreachable, match=f"^{url}: .*refused"):
            api.request("GET", "/version")


@pytest.mark.parametrize("status", [403, 404, 302, 200])
def test_a_refused_port_forward(server: ApiServer, api: KubernetesClient, status: int) -> None:
    server.will(status, {"message": "planted"})
    with pytest.raises(ApiError, match="port-forward to gw/p:8001: ") as refused:
        api.forward("gw", "p", 8001)
    assert refused.value.status == status
    assert "planted" not in str(refused.value)
    (asked,) = server.requests
    assert (asked.path, asked.query) == ("/api/v1/namespaces/gw/pods/p/portforward", {"ports": "8001"})


@pytest.mark.parametrize("port", [0, 65536, 99999])
def test_a_port_that_does_not_exist(api: KubernetesClient, port: int) -> None:
    with pytest.raises(ApiError, match="there is no such port"):
        api.forward("gw", "p", port)


def test_a_port_forward_without_a_server() -> None:
    with pytest.raises(Unreachable, match="refused"):
        connect(kubeconfig=kubeconfig("here", here="http://127.0.0.1:9")).forward("gw", "p", 8001)
