"""The client of the Kubernetes API server and its responses."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from kubernetes import client

from tests.cluster.api_server import ApiServer, kubeconfig, serving
from traceable_kong.cluster import kubernetes_client
from traceable_kong.cluster.kubeconfig import connect
from traceable_kong.cluster.kubernetes_client import ApiError, KubernetesClient, Unreachable

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
        (b"", "", "HTTP 403"),
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
        with pytest.raises(ApiError, match="HTTP 200 without a JSON document") as refused:
            ask("/x")
        assert "log in" not in str(refused.value)


def test_an_object_that_does_not_exist_is_none(server: ApiServer, api: KubernetesClient) -> None:
    server.will(404, {"message": "the server could not find the requested resource"})
    server.will(404, {})
    server.will(403, STATUS)
    assert api.get("/x") is None
    assert api.list("/x") == []
    with pytest.raises(ApiError):
        api.get("/x")


def test_all_pages_of_a_list_are_read(server: ApiServer, api: KubernetesClient) -> None:
    server.will(200, {"items": [{"n": 1}], "metadata": {"continue": "more/1+"}})
    server.will(200, {"items": None, "metadata": {"continue": "more2"}})
    server.will(200, {"items": [{"n": 2}], "metadata": {"continue": ""}})
    assert api.list("/pods", labelSelector="a=b") == [{"n": 1}, {"n": 2}]
    assert [request.query for request in server.requests] == [
        {"limit": "500", "labelSelector": "a=b"},
        {"limit": "500", "labelSelector": "a=b", "continue": "more/1+"},
        {"limit": "500", "labelSelector": "a=b", "continue": "more2"},
    ]


def test_an_incomplete_list_is_an_error(server: ApiServer, api: KubernetesClient) -> None:
    server.will(200, {"items": [{"n": 1}], "metadata": {"continue": "more"}})
    server.will(410, {"message": "the continue parameter is too old"})
    with pytest.raises(ApiError, match="too old"):
        api.list("/pods")


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
    with pytest.raises(Unreachable):
        api.request("GET", "/x")
    assert len(server.requests) == 1


def test_no_server() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        api = connect(kubeconfig=kubeconfig("here", here=url))
        with pytest.raises(Unreachable, match=f"^{url}: .*refused"):
            api.request("GET", "/version")


@pytest.mark.parametrize(
    ("problem", "expected"),
    [
        (client.ApiException(status=403, reason="Forbidden"), ApiError),
        (client.ApiException(status=0, reason="Handshake status 404 Not Found"), ApiError),
        (OSError("no route"), Unreachable),
    ],
)
def test_a_refused_port_forward(
    api: KubernetesClient, monkeypatch: pytest.MonkeyPatch, problem: Exception, expected: type[Exception]
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise problem

    monkeypatch.setattr(kubernetes_client, "portforward", refuse)
    with pytest.raises(expected):
        api.forward("gw", "p", 8001)
