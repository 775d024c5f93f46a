"""Entities in the Admin API of a node with a database, with Kong's responses and errors."""

import uuid
from typing import Any

import pytest

from local.kong.traditional_node import TraditionalNode
from tests.local.kong.databases import PrivateDatabase, ask, create

NOWHERE = str(uuid.uuid4())
NULLS = {"route": None, "service": None, "consumer": None}


@pytest.fixture
def kong(database: PrivateDatabase) -> TraditionalNode:
    return database.node()


def test_an_entity_has_the_defaults_of_kong(kong: TraditionalNode) -> None:
    entity = create(kong, "/plugins", name="foo", tags=["a"])
    fixed = {name: value for name, value in entity.items() if name not in ("id", "created_at", "updated_at")}
    assert fixed == {
        **NULLS,
        "name": "foo",
        "instance_name": None,
        "config": {"level": "low", "size": None},
        "protocols": ["grpc", "grpcs", "http", "https"],
        "enabled": True,
        "tags": ["a"],
    }
    assert uuid.UUID(entity["id"]) and entity["created_at"] == entity["updated_at"]
    assert ask(kong, "GET", f"/plugins/{entity['id']}") == (200, entity)


def test_put_replaces_an_entity_and_patch_changes_it(kong: TraditionalNode) -> None:
    identity = str(uuid.uuid4())
    where = f"/plugins/{identity}"
    status, entity = ask(kong, "PUT", where, {"name": "foo", "config": {"level": "high", "size": 3}, "tags": ["a"]})
    assert (status, entity["id"]) == (200, identity)
    status, entity = ask(kong, "PATCH", where, {"config": {"size": 4}})
    assert (status, entity["config"], entity["tags"]) == (200, {"level": "high", "size": 4}, ["a"])
    status, entity = ask(kong, "PUT", where, {"name": "foo", "config": {"size": 5}})
    assert (status, entity["config"], entity["tags"]) == (200, {"level": "low", "size": 5}, None)
    assert ask(kong, "DELETE", where) == (204, None)
    assert ask(kong, "GET", where) == (404, {"message": "Not found"})
    assert ask(kong, "DELETE", where) == (204, None), "one that is not there is no error"


def test_a_second_plugin_entity_of_one_scope_is_rejected(kong: TraditionalNode) -> None:
    first = create(kong, "/plugins", name="foo")
    wanted = {
        "code": 5,
        "name": "unique constraint violation",
        "message": "UNIQUE violation detected on '{consumer=null,name=\"foo\",route=null,service=null}'",
        "fields": {**NULLS, "name": "foo"},
    }
    assert ask(kong, "POST", "/plugins", {"name": "foo"}) == (409, wanted)
    assert ask(kong, "PUT", f"/plugins/{NOWHERE}", {"name": "foo"}) == (409, wanted)
    service = create(kong, "/services", name="s", host="h")
    assert ask(kong, "POST", "/plugins", {"name": "foo", "service": {"id": service["id"]}})[0] == 201
    assert ask(kong, "POST", "/services/s/plugins", {"name": "foo"})[0] == 409
    assert ask(kong, "PUT", f"/plugins/{first['id']}", {"name": "foo", "enabled": False})[0] == 200
    status, answer = ask(kong, "POST", "/plugins", {"name": "cors", "id": first["id"]})
    assert (status, answer["name"]) == (400, "primary key violation")


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"name": "nope"}, "name: plugin 'nope' not enabled; add it to the 'plugins' configuration property"),
        ({}, "name: required field missing"),
        ({"name": "foo", "config": {"level": "x"}}, "config.level: expected one of: low, high"),
        ({"name": "foo", "config": {"nope": 1}}, "config.nope: unknown field"),
        ({"name": "foo", "nope": 1}, "nope: unknown field"),
        ({"name": "foo", "route": {"id": "x"}}, "route.id: expected a valid UUID"),
        (
            {"name": "foo", "tags": ["a/b"]},
            "tags.1: invalid tag 'a/b': expected printable ascii (except `,` and `/`) or valid utf-8 sequences",
        ),
    ],
)
def test_schema_violations(kong: TraditionalNode, document: dict[str, Any], message: str) -> None:
    for method, path in (("POST", "/plugins"), ("PUT", f"/plugins/{NOWHERE}")):
        status, answer = ask(kong, method, path, document)
        assert (status, answer["code"], answer["name"]) == (400, 2, "schema violation")
        assert answer["message"] == f"schema violation ({message})"
    assert ask(kong, "POST", "/schemas/plugins/validate", {"name": "foo"})[0] == 200
    assert ask(kong, "GET", "/plugins")[1]["data"] == []


def test_a_referenced_entity_must_exist(kong: TraditionalNode) -> None:
    status, answer = ask(kong, "POST", "/plugins", {"name": "foo", "route": {"id": NOWHERE}})
    assert (status, answer) == (
        400,
        {
            "code": 4,
            "name": "foreign key violation",
            "message": f"the foreign key '{{id=\"{NOWHERE}\"}}' does not reference an existing 'routes' entity.",
            "fields": {"route": {"id": NOWHERE}},
        },
    )
    status, answer = ask(kong, "POST", "/plugins", {"name": "foo", "service": {"name": "s"}})
    assert (status, answer["name"]) == (400, "foreign keys unresolved")
    assert answer["message"] == (
        "foreign key unresolved (service.name: the foreign key cannot be resolved with '{name=\"s\"}' "
        "for an existing 'services' entity)"
    )
    service = create(kong, "/services", name="s", url="https://example.com/base")
    assert (service["protocol"], service["port"], service["path"]) == ("https", 443, "/base")
    entity = create(kong, "/plugins", name="foo", service={"name": "s"})
    assert entity["service"] == {"id": service["id"]}


def test_deletions_cascade_or_are_restricted(kong: TraditionalNode) -> None:
    create(kong, "/services", name="s", host="h")
    route = create(kong, "/services/s/routes", name="r", paths=["/r"])
    plugin = create(kong, "/routes/r/plugins", name="foo")
    assert plugin["route"] == {"id": route["id"]}
    assert ask(kong, "GET", "/routes/r/service")[1]["name"] == "s"
    assert [item["id"] for item in ask(kong, "GET", "/routes/r/plugins")[1]["data"]] == [plugin["id"]]
    assert ask(kong, "GET", f"/services/s/plugins/{plugin['id']}")[0] == 404, "it is the route's"
    status, answer = ask(kong, "DELETE", "/services/s")
    assert status == 400
    assert answer["message"] == "an existing 'routes' entity references this 'services' entity"
    assert ask(kong, "DELETE", "/routes/r")[0] == 204
    assert ask(kong, "GET", f"/plugins/{plugin['id']}")[0] == 404
    assert ask(kong, "DELETE", "/services/s")[0] == 204


def test_changing_a_missing_entity(kong: TraditionalNode) -> None:
    assert ask(kong, "PATCH", f"/plugins/{NOWHERE}", {"enabled": False}) == (404, {"message": "Not found"})
    status, answer = ask(kong, "PATCH", f"/services/{NOWHERE}", {"host": "h"})
    assert (status, answer["code"], answer["name"]) == (404, 6, "not found")
    assert ask(kong, "GET", "/services/none/plugins") == (404, {"message": "Not found"})
    assert ask(kong, "GET", "/nothing") == (404, {"message": "Not found"})
    assert ask(kong, "PUT", "/plugins", {"name": "foo"}) == (405, {"message": "Method not allowed"})
    assert kong.admin_api("POST", "/plugins", {}, b"{") == (400, {"message": "Cannot parse JSON body"})


def test_pages(kong: TraditionalNode) -> None:
    names = [
        create(kong, "/services", name=f"s{number}", host="h", tags=["even"] if number % 2 == 0 else ["odd"])["name"]
        for number in range(5)
    ]
    found, query = [], {"size": "2"}
    for _ in range(3):
        status, answer = ask(kong, "GET", "/services", **query)
        assert status == 200
        found += [item["name"] for item in answer["data"]]
        query["offset"] = answer.get("offset", "")
    assert sorted(found) == names and "offset" not in answer and answer["next"] is None
    status, answer = ask(kong, "GET", "/services", size="2", tags="even")
    assert {item["name"] for item in answer["data"]} <= {"s0", "s2", "s4"}
    assert answer["next"].startswith("/services?offset=") and answer["next"].endswith("&tags=even&size=2")
    assert len(ask(kong, "GET", "/services", tags="even,odd")[1]["data"]) == 0
    assert len(ask(kong, "GET", "/services", tags="even/odd")[1]["data"]) == 5


@pytest.mark.parametrize(
    ("query", "name", "message"),
    [
        ({"size": "0"}, "invalid size", "size must be an integer between 1 and 1000"),
        ({"size": "1001"}, "invalid size", "size must be an integer between 1 and 1000"),
        ({"size": "x"}, "invalid size", "size must be a number"),
        ({"offset": "!"}, "invalid offset", "'!' is not a valid offset: bad base64 encoding"),
        ({"offset": "YQ=="}, "invalid offset", "'YQ==' is not a valid offset: bad json encoding"),
        ({"tags": "a,b/c"}, "invalid options", "invalid option (tags: invalid filter syntax)"),
        ({"tags": "a,b,c,d,e,f"}, "invalid options", "invalid option (tags: cannot query more than 5 tags)"),
    ],
)
def test_an_invalid_page(kong: TraditionalNode, query: dict[str, str], name: str, message: str) -> None:
    status, answer = ask(kong, "GET", "/plugins", **query)
    assert (status, answer["name"], answer["message"]) == (400, name, message)


def test_other_entity_types_are_stored(kong: TraditionalNode) -> None:
    create(kong, "/consumers", username="c")
    assert create(kong, "/consumers/c/key-auth", key="k")["consumer"]
    assert len(ask(kong, "GET", "/key-auths")[1]["data"]) == 1
    create(kong, "/upstreams", name="u")
    create(kong, "/upstreams/u/targets", target="h:80")
    assert ask(kong, "POST", "/upstreams/u/targets", {"target": "h:80"})[0] == 409
    assert ask(kong, "GET", "/targets")[0] == 404
    route = create(kong, "/routes", paths=["/"])
    assert (route["strip_path"], route["protocols"], route["service"]) == (True, ["http", "https"], None)
    status, answer = ask(kong, "POST", "/services", {"name": "s"})
    assert (status, answer["message"]) == (400, "schema violation (host: required field missing)")
    assert ask(kong, "GET", "/schemas/routes")[0] == 200


def test_the_open_source_kong_has_no_workspace_paths_and_no_tokens(database: PrivateDatabase) -> None:
    kong = database.node(KONG_ENFORCE_RBAC="on")
    assert ask(kong, "GET", "/default/plugins") == (404, {"message": "Not found"})
    assert ask(kong, "GET", "/workspaces") == (404, {"message": "Not found"})
    assert ask(kong, "GET", "/plugins")[0] == 200


def test_workspaces_of_kong_gateway_enterprise_are_separate(database: PrivateDatabase) -> None:
    kong = database.node(enterprise=True)
    assert ask(kong, "GET", "/")[1]["edition"] == "enterprise"
    assert ask(kong, "GET", "/team/plugins") == (404, {"message": "Workspace 'team' not found"})
    create(kong, "/workspaces", name="team")
    assert [item["name"] for item in ask(kong, "GET", "/workspaces")[1]["data"]].count("team") == 1
    ours = create(kong, "/team/plugins", name="foo")
    theirs = create(kong, "/plugins", name="foo")
    assert ask(kong, "GET", f"/team/plugins/{theirs['id']}")[0] == 404
    assert ask(kong, "GET", "/team/plugins")[1]["data"] == [ours]
    assert ask(kong, "GET", "/default/plugins")[1]["data"] == [theirs]
    assert {entity["workspace"] for entity in database.node(enterprise=True).loaded.plugins} == {"default", "team"}


def test_rbac_requires_a_token(empty_database: PrivateDatabase) -> None:
    empty_database.migrate("bootstrap", enterprise=True, KONG_PASSWORD="s3cret")
    assert ask(empty_database.node(enterprise=True), "GET", "/plugins")[0] == 200
    kong = empty_database.node(enterprise=True, KONG_ENFORCE_RBAC="on", KONG_PASSWORD="another")
    rejected = (401, {"message": "Invalid RBAC credentials"})
    assert ask(kong, "GET", "/plugins") == rejected
    assert ask(kong, "PUT", f"/plugins/{NOWHERE}", {"name": "foo"}, token="another") == rejected
    assert ask(kong, "GET", "/plugins", token="s3cret")[0] == 200
    assert kong.status_api("/status/ready")[0] == 200


def test_the_bootstrap_of_the_open_source_kong_creates_no_admin(empty_database: PrivateDatabase) -> None:
    empty_database.migrate("bootstrap", KONG_PASSWORD="s3cret")
    kong = empty_database.node(enterprise=True, KONG_ENFORCE_RBAC="on")
    assert ask(kong, "GET", "/plugins", token="s3cret")[0] == 401
