"""The choice of provider plugins, and that it is reported at every start."""

import os
from pathlib import Path

import pytest

from local import paths
from local.toolchain import provider_plugins


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A platform without plugins on a machine that cannot download any."""
    monkeypatch.setattr(paths, "STATE", tmp_path / "state")
    monkeypatch.setattr(paths, "PULUMI_HOME", tmp_path / "state" / "home")
    monkeypatch.setenv("HOME", str(tmp_path / "person"))
    monkeypatch.delenv("TRACEABLE_KONG_PLUGIN", raising=False)
    monkeypatch.setattr(provider_plugins, "_obtainable", lambda name: False)
    paths.PULUMI_HOME.mkdir(parents=True)
    return paths.PULUMI_HOME


def program(home: Path, name: str) -> Path:
    return home / "plugins" / f"resource-{name}-v{provider_plugins.version(name)}" / f"pulumi-resource-{name}"


def ensured() -> tuple[dict[str, str], list[str]]:
    reported: list[str] = []
    return provider_plugins.ensure(os.environ, report=reported.append), reported


def test_stand_ins_are_used_and_reported_if_the_official_plugins_are_not_available(home: Path) -> None:
    for _ in range(2):
        choices, reported = ensured()
        assert choices == {"kubernetes": "stand-in", "random": "stand-in"}
        assert [line.split(":")[0] for line in reported if "STAND-IN" in line] == ["kubernetes plugin", "random plugin"]
    assert "-m local.provider.random" in program(home, "random").read_text()
    assert "-m local.provider.kubernetes " in program(home, "kubernetes").read_text()
    assert os.access(program(home, "random"), os.X_OK)


def test_an_installed_plugin_is_used(home: Path, tmp_path: Path) -> None:
    installed = program(tmp_path / "person" / ".pulumi", "random")
    installed.parent.mkdir(parents=True)
    installed.write_text("official")
    choices, reported = ensured()
    assert choices == {"kubernetes": "stand-in", "random": "official"}
    assert reported[1] == f"random plugin: official, {provider_plugins.version('random')}"
    assert program(home, "random").read_text() == "official"
    assert provider_plugins.chosen("random") == "official"


def test_a_variable_overrides_the_choice(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider_plugins, "_obtainable", lambda name: True)
    monkeypatch.setattr(provider_plugins, "_acquire", lambda name, environment: True)
    assert set(ensured()[0].values()) == {"official"}
    monkeypatch.setenv("TRACEABLE_KONG_PLUGIN", "stand-in")
    assert set(ensured()[0].values()) == {"stand-in"}
    monkeypatch.setenv("TRACEABLE_KONG_PLUGIN", "official")
    monkeypatch.setattr(provider_plugins, "_obtainable", lambda name: False)
    with pytest.raises(provider_plugins.PluginError, match="The official kubernetes plugin"):
        ensured()
    monkeypatch.setenv("TRACEABLE_KONG_PLUGIN", "other")
    with pytest.raises(provider_plugins.PluginError, match="it must be official or stand-in"):
        ensured()


def test_the_stand_ins_serve_the_versions_that_are_pinned() -> None:
    for name, package in provider_plugins.STAND_INS.items():
        main = paths.CLONE / package.replace(".", "/") / "__main__.py"
        assert f'VERSION = "{provider_plugins.version(name)}"' in main.read_text()
