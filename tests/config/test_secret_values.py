"""Secrets stay secret at exactly their own leaf; if the leaf cannot be determined, everything in the key is secret."""

import json
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pydantic import SecretStr

from traceable_kong.config import loader, parser
from traceable_kong.config.kong_config import ManagedKongConfig
from traceable_kong.config.plugin_source import MirrorPluginConfig
from traceable_kong.config.secret_values import secret_paths
from traceable_kong.config.stack_config import GatewayStack

NAMESPACE = parser.NAMESPACE
BASE = {
    "agentTokenSecret": '{"name": "token", "key": "token"}',
    "plugin": '{"rock": "traceable.rock"}',
}
VALUES: dict[str, Any] = {"replicas": 2, "env": {"password": "planted-credential", "log": "info"}}


def paths_of(tmp_path: Path, written: object, given: object = VALUES) -> list[tuple[str | int, ...]]:
    stack_file = tmp_path / "Pulumi.dev.yaml"
    stack_file.write_text(json.dumps({"config": {f"{NAMESPACE}:kongValues": written}}), encoding="utf-8")
    return secret_paths({"kongValues": json.dumps(given)}, stack_file, NAMESPACE)


def written(password: object) -> dict[str, Any]:
    return {"replicas": 2, "env": {"password": password, "log": "info"}}


def test_the_stack_file_tells_which_leaf(tmp_path: Path) -> None:
    paths = paths_of(tmp_path, written({"secure": "v1:abc"}))
    assert paths == [("kongValues", "env", "password")]
    found = parser.parse({**BASE, "kongValues": json.dumps(VALUES)}, secret_paths=paths)
    assert isinstance(found, GatewayStack) and isinstance(found.kong, ManagedKongConfig)
    assert found.kong.values == {"replicas": 2, "env": {"password": SecretStr("planted-credential"), "log": "info"}}


@pytest.mark.parametrize(
    "other",
    [
        {"replicas": 3, "env": {"password": {"secure": "v1:abc"}, "log": "info"}},
        {"replicas": 2, "env": {"password": "planted-credential", "log": {"secure": "v1:abc"}}, "more": 1},
        written("something else"),
        {"secure": "v1:abc"},
        "text",
        None,
    ],
)
def test_another_stack_file_is_not_trusted(tmp_path: Path, other: object) -> None:
    assert paths_of(tmp_path, other) == [("kongValues",)]


@pytest.mark.parametrize("content", ["", "config: []", "config: {", "a: *b", "\0", "config:\n  x: !!python/none"])
def test_a_stack_file_that_cannot_be_read_hides_the_whole_key(tmp_path: Path, content: str) -> None:
    stack_file = tmp_path / "Pulumi.dev.yaml"
    stack_file.write_text(content, encoding="utf-8")
    assert secret_paths({"kongValues": "{}"}, stack_file, NAMESPACE) == [("kongValues",)]
    assert secret_paths({"kongValues": "{}"}, tmp_path / "none.yaml", NAMESPACE) == [("kongValues",)]


def test_a_key_that_is_secret_as_a_whole_keeps_its_types() -> None:
    found = parser.parse({**BASE, "kongValues": json.dumps(VALUES)}, secret_paths=[("kongValues",)])
    assert isinstance(found, GatewayStack) and isinstance(found.kong, ManagedKongConfig)
    leaves = found.kong.values
    assert leaves["replicas"].get_secret_value() == 2
    assert leaves["env"]["log"].get_secret_value() == "info"
    assert "info" not in repr(found) and "planted" not in repr(found)


def test_where_the_leaf_is_unknown_only_what_can_be_secret_is(tmp_path: Path) -> None:
    plugin = {"rock": "https://mirror.example.com/a.rock", "sha256": "0" * 64, "headers": {"Authorization": "planted"}}
    paths = secret_paths({"plugin": json.dumps(plugin)}, tmp_path / "none.yaml", NAMESPACE)
    assert paths == [("plugin", "headers")]
    found = parser.parse({**BASE, "plugin": json.dumps(plugin)}, secret_paths=paths)
    assert isinstance(found, GatewayStack) and isinstance(found.plugin, MirrorPluginConfig)
    assert found.plugin.headers["Authorization"].get_secret_value() == "planted"


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """What the engine hands over to a program, without an engine."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(pulumi, "get_stack", lambda: "dev")
    for variable in ("PULUMI_CONFIG", "PULUMI_CONFIG_SECRET_KEYS"):
        monkeypatch.delenv(variable, raising=False)
    pulumi.runtime.set_all_config({}, [])
    return monkeypatch


def test_load_reads_what_the_engine_hands_over(tmp_path: Path, engine: pytest.MonkeyPatch) -> None:
    config = {**BASE, "mode": "async", "kongValues": json.dumps(VALUES)}
    engine.setenv("PULUMI_CONFIG", json.dumps({f"{NAMESPACE}:{key}": text for key, text in config.items()}))
    engine.setenv("PULUMI_CONFIG_SECRET_KEYS", json.dumps([f"{NAMESPACE}:kongValues"]))
    node = {f"{NAMESPACE}:kongValues": written({"secure": "v1:abc"})}
    (tmp_path / "Pulumi.dev.yaml").write_text(json.dumps({"config": node}), encoding="utf-8")
    found = loader.stack_config().stack()
    assert isinstance(found, GatewayStack) and isinstance(found.kong, ManagedKongConfig)
    assert found.mode == "async"
    assert found.kong.values["env"] == {"password": SecretStr("planted-credential"), "log": "info"}


@pytest.mark.parametrize("digest", ["ab" * 32, None])
def test_the_error_for_a_missing_digest_names_the_digest_of_the_download(
    engine: pytest.MonkeyPatch, digest: str | None
) -> None:
    config = {**BASE, "plugin": '{"rock": "https://mirror.example.com/a.rock"}'}
    engine.setenv("PULUMI_CONFIG", json.dumps({f"{NAMESPACE}:{key}": text for key, text in config.items()}))
    engine.setattr("traceable_kong.plugin.rock_loading.found_digest", lambda plugin: digest)
    with pytest.raises(parser.ConfigError) as error:
        loader.stack_config().stack()
    (problem,) = error.value.problems
    assert (digest or "sha256sum") in problem.fix


def test_nothing_is_downloaded_while_there_is_another_problem(engine: pytest.MonkeyPatch) -> None:
    engine.setenv("PULUMI_CONFIG", json.dumps({f"{NAMESPACE}:mode": "asynk"}))
    engine.setattr("traceable_kong.plugin.rock_loading.found_digest", lambda plugin: pytest.fail("asked the network"))
    with pytest.raises(parser.ConfigError):
        loader.stack_config().stack()


@pytest.mark.parametrize(
    ("key", "given"),
    [
        ("plugin", {"rock": "https://mirror.example.com/t.rock", "headers": {"X-Token": 4815162342}}),
        ("plugin", {"rock": "a.rock", "headers": {"X-Token": ["4815162342"]}}),
        ("kong", {"database": "postgres", "postgres": {"host": "kong:4815162342@db"}}),
        ("kong", {"database": "postgres", "postgres": {"host": "postgres://kong:48/4815162342@db/kong"}}),
        ("kong", {"database": "postgres", "admin": {"url": "https://kong:4815162342@kong:8444"}}),
        ("allowedClusters", ["https://me:4815162342@host:6443"]),
        ("agentToken", {"name": "4815162342"}),
    ],
)
def test_no_error_shows_a_password(key: str, given: object) -> None:
    with pytest.raises(parser.ConfigError) as refused:
        parser.parse({**BASE, key: json.dumps(given)})
    assert "4815162342" not in str(refused.value)


@pytest.mark.parametrize("key", ["kong", "pluginConfig", "allowedClusters"])
def test_an_object_that_holds_a_secret_where_it_would_be_shown_is_one_problem(key: str) -> None:
    given: dict[str, object] = {
        "kong": {"namespace": "4815162342", "release": "edge"},
        "pluginConfig": {"max_body_size_bytes": 4815162342, "other": True},
        "allowedClusters": ["https://4815162342:6443", "https://host:6443"],
    }
    with pytest.raises(parser.ConfigError) as refused:
        parser.parse({**BASE, key: json.dumps(given[key])}, secret_paths=[(key,)])
    (problem,) = refused.value.problems
    assert (problem.key, problem.rule) == (key, "secret_in_plain_view")
    assert "holds a secret" in problem.problem and "4815162342" not in str(refused.value)


@pytest.mark.parametrize(
    ("project", "file"),
    [
        (None, "Pulumi.dev.yaml"),
        ("name: x", "Pulumi.dev.yaml"),
        ("stackConfigDir: stacks", "stacks/Pulumi.dev.yaml"),
        ("stackConfigDir: ../up", "../up/Pulumi.dev.yaml"),
        ("a: [", "Pulumi.dev.yaml"),
    ],
)
def test_the_stack_file_is_where_the_project_has_it(
    tmp_path: Path, engine: pytest.MonkeyPatch, project: str | None, file: str
) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    engine.chdir(folder)
    if project is not None:
        (folder / "Pulumi.yaml").write_text(project)
    (folder / file).parent.mkdir(exist_ok=True)
    node = {f"{NAMESPACE}:kongValues": written({"secure": "v1:abc"})}
    (folder / file).write_text(json.dumps({"config": node}), encoding="utf-8")
    config = {**BASE, "kongValues": json.dumps(VALUES)}
    engine.setenv("PULUMI_CONFIG", json.dumps({f"{NAMESPACE}:{key}": text for key, text in config.items()}))
    engine.setenv("PULUMI_CONFIG_SECRET_KEYS", json.dumps([f"{NAMESPACE}:kongValues"]))
    found = loader.stack_config().stack()
    assert isinstance(found, GatewayStack) and isinstance(found.kong, ManagedKongConfig)
    assert found.kong.values == {"replicas": 2, "env": {"password": SecretStr("planted-credential"), "log": "info"}}
