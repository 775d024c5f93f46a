"""The user's own program on a Kong with a database: the plugin is a row, and every operation keeps the promises.

One stack with an existing PostgreSQL walks through a gateway's life, in the order of the tests.
"""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from local.postgres.postgres_server import Server
from tests.live.operations import mounted, new_rock, refused_preview
from tests.live.rows import recorded_rows
from tests.live.stack import TOKEN, CommandFailed, LiveStack
from tests.live.standing import gateway_pods, plugins, record, tme_count
from tests.live.test_interrupted import killed_when
from tests.live.with_database import DATABASE_PASSWORD, ask, give_database, row, rows, running_database

NOTHING = "--expect-no-changes"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_database(tmp_path_factory.mktemp("postgres")) as server:
        yield server


@pytest.fixture(scope="module")
def stack(database: Server, module_stack: Any) -> LiveStack:
    made: LiveStack = module_stack(tmeGuard="deny")
    give_database(made, database)
    made.set(kongValues={**made.configured("kongValues"), "replicaCount": 2})
    return made


def test_install(stack: LiveStack) -> None:
    said = stack.preview()
    assert "plugin-row" in said
    with recorded_rows(stack) as recording:
        stack.up()
    assert recording.rollouts == 2
    assert (row(stack)["enabled"], row(stack)["config"]["mode"]) == (True, "sync")
    assert record(stack)["mode"] == "sync"
    assert tme_count(stack) == len(gateway_pods(stack)) == 2
    assert plugins(stack) == []
    stack.preview(NOTHING)
    verified = stack.verify()
    assert verified.returncode == 0, verified.stdout
    state = stack.pulumi("stack", "export")
    assert TOKEN not in state and DATABASE_PASSWORD not in state


def test_a_killed_switch_is_finished_and_both_switches_leave_no_gap(stack: LiveStack) -> None:
    stack.set(mode="async")
    with recorded_rows(stack):
        killed_when(stack, lambda: row(stack)["config"]["mode"] == "async")
        stack.up()
    assert tme_count(stack) == 0
    stack.preview(NOTHING)

    stack.set(mode="sync")
    with recorded_rows(stack) as recording:
        stack.up()
    assert (recording.rollouts, row(stack)["config"]["mode"]) == (1, "sync")
    stack.preview(NOTHING)

    stack.set(mode="async")
    with recorded_rows(stack) as recording:
        stack.up()
    assert (recording.rollouts, row(stack)["config"]["mode"]) == (1, "async")


def test_off_and_on(stack: LiveStack) -> None:
    stack.set(enabled=False)
    with recorded_rows(stack) as recording:
        stack.up()
    assert (recording.rollouts, row(stack)["enabled"]) == (0, False)
    stack.set(enabled=True, timeoutMs=750)
    stack.up()
    assert (row(stack)["enabled"], row(stack)["config"]["timeout"]) == (True, 750)
    stack.preview(NOTHING)


def test_what_is_changed_or_removed_by_hand_is_put_back(stack: LiveStack) -> None:
    standing = row(stack)
    ask(stack, f"/plugins/{standing['id']}", "PATCH", {"config": {"timeout": 1}, "tags": []})
    verified = stack.verify()
    assert verified.returncode == 1 and "timeout" in verified.stdout
    stack.pulumi("refresh", "--yes", "--skip-preview")
    assert "plugin-row" in stack.preview()
    stack.up()
    mended = row(stack)
    assert {key: mended[key] for key in ("id", "tags", "config")} == {
        key: standing[key] for key in ("id", "tags", "config")
    }
    stack.preview(NOTHING)

    ask(stack, f"/plugins/{standing['id']}", "PATCH", {"protocols": ["tcp"]})
    verified = stack.verify()
    assert verified.returncode == 1 and "protocols is ['tcp']" in verified.stdout
    stack.up("--refresh")
    assert row(stack)["protocols"] == standing["protocols"]

    ask(stack, f"/plugins/{standing['id']}", "DELETE")
    assert stack.verify().returncode == 1
    stack.pulumi("refresh", "--yes", "--skip-preview")
    stack.up()
    assert row(stack)["id"] == standing["id"]
    stack.preview(NOTHING)


def test_somebody_elses_row_is_refused_and_taken_over_where_that_is_said(stack: LiveStack) -> None:
    ask(stack, f"/plugins/{row(stack)['id']}", "DELETE")
    config = {"ext_cap_endpoint": "http://by.hand:5442", "mode": "async"}
    theirs = ask(stack, "/plugins", "POST", {"name": "traceable", "config": config})
    stack.pulumi("refresh", "--yes", "--skip-preview")
    said = refused_preview(stack)
    assert theirs["id"] in said and "kong.admin.adopt true" in said and "Nothing was changed" in said
    assert row(stack) == theirs

    stack.set(kong={**stack.configured("kong"), "admin": {"adopt": True}})
    with recorded_rows(stack):
        stack.up()
    assert row(stack)["id"] == theirs["id"]
    assert row(stack)["config"]["ext_cap_endpoint"] != config["ext_cap_endpoint"]
    stack.preview(NOTHING)
    standing = stack.configured("kong")
    stack.set(kong={key: value for key, value in standing.items() if key != "admin"})
    stack.preview(NOTHING)


def test_a_plugin_that_an_ingress_controller_would_write_beside_the_row_is_refused(stack: LiveStack) -> None:
    name = f"{stack.name}-object"
    annotations = {"kubernetes.io/ingress.class": stack.name}
    metadata = {"name": name, "annotations": annotations, "labels": {"owner": "helm"}}
    config = {"ext_cap_endpoint": "http://by.hand:5442"}
    document = {"apiVersion": "configuration.konghq.com/v1", "kind": "KongClusterPlugin", "metadata": metadata}
    stack.apply({**document, "plugin": "traceable", "config": config})
    try:
        said = refused_preview(stack)
        assert name in said and "Nothing was changed" in said
    finally:
        stack.kubectl("delete", "kongclusterplugin", name)


def test_one_route_and_back(stack: LiveStack) -> None:
    service = ask(stack, "/services", "POST", {"name": "shop", "url": "http://shop.example"})
    ask(stack, "/routes", "POST", {"name": "shop", "paths": ["/shop"], "service": {"id": service["id"]}})
    standing = stack.configured("kong")
    stack.set(scope="selected", kong={**standing, "admin": {"route": "nowhere"}})
    assert "nowhere" in refused_preview(stack)
    stack.set(kong={**standing, "admin": {"route": "shop"}})
    with recorded_rows(stack) as recording:
        stack.up()
    assert recording.rollouts == 0
    assert row(stack)["route"] is not None
    stack.preview(NOTHING)
    stack.set(scope="global", kong=standing)
    stack.up()
    assert row(stack)["route"] is None
    stack.preview(NOTHING)


def test_a_newer_rock_and_back(stack: LiveStack) -> None:
    older = stack.configured("plugin")
    new_rock(stack, "2.2.2-1")
    stack.set(pluginConfig={"max_body_size_bytes": 65536})
    with recorded_rows(stack) as recording:
        stack.up()
    assert recording.rollouts == 1
    assert row(stack)["config"]["max_body_size_bytes"] == 65536
    assert mounted(stack) == set(stack.outputs()["configMaps"])
    stack.preview(NOTHING)

    newer = stack.configured("plugin")
    stack.set(plugin=older, pluginConfig={})
    assert "max_body_size_bytes" in refused_preview(stack)
    stack.set(plugin=newer)
    stack.up()
    stack.set(plugin=older)
    with recorded_rows(stack) as recording:
        stack.up()
    assert recording.rollouts == 1
    assert "max_body_size_bytes" not in row(stack)["config"]


def test_another_database_setting_is_refused(stack: LiveStack) -> None:
    standing = stack.configured("kong")
    without = {key: value for key, value in standing.items() if key not in ("database", "postgres")}
    stack.set(kong=without, kongValues={"proxy": {"type": "NodePort"}})
    said = refused_preview(stack)
    assert "kong.database" in said and "Nothing was changed" in said
    stack.set(kong=standing)


def test_leave_a_kong_that_stays_and_come_back(stack: LiveStack) -> None:
    stack.set(enabled=False)
    stack.up()
    stack.set(installed=False)
    with recorded_rows(stack) as recording:
        stack.up()
    assert recording.rollouts == 1
    assert rows(stack) == [] and gateway_pods(stack) and mounted(stack) == set()
    stack.set(installed=True, enabled=True, mode="sync")
    with recorded_rows(stack) as recording:
        stack.up()
    assert recording.rollouts == 2
    assert row(stack)["config"]["mode"] == "sync"
    stack.preview(NOTHING)


def test_a_killed_destroy_is_finished_and_the_database_keeps_only_what_is_its_owners(
    stack: LiveStack, database: Server
) -> None:
    with recorded_rows(stack):
        killed_when(stack, lambda: not rows(stack), "destroy")
        stack.destroy()
    with psycopg.connect(database.conninfo(DATABASE_PASSWORD, "kong")) as connection:
        kinds = [kind for (kind,) in connection.execute("SELECT kind FROM entities ORDER BY kind")]
    assert kinds == ["routes", "services"]
    with pytest.raises(CommandFailed, match="NotFound"):
        stack.kubectl("get", "deployment", stack.gateway.deployment, "--namespace", stack.kong_namespace)
    names = {item["metadata"]["name"] for item in stack.objects("configmaps", "--namespace", stack.kong_namespace)}
    assert names == {"kube-root-ca.crt"}
    stack.kubectl("delete", "namespace", stack.kong_namespace, "--wait=false")
