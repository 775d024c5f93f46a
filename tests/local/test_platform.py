"""The environment of the platform keeps its hands off the person's own folders."""

import subprocess
from pathlib import Path

import pytest

from local import paths, platform


def test_everything_that_tools_write_is_in_the_platforms_folder() -> None:
    written = {
        name: value.removeprefix("file://")
        for name, value in platform._own_variables().items()
        if name not in ("PULUMI_SKIP_UPDATE_CHECK",)
    }
    assert {"PULUMI_HOME", "KUBECONFIG", "KUBECACHEDIR", "PULUMI_BACKEND_URL", "HELM_CACHE_HOME"} <= set(written)
    assert all(Path(value).is_relative_to(paths.STATE) for value in written.values())


def test_the_persons_own_stack_and_passphrase_do_not_get_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_STACK", "production")
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "theirs")
    monkeypatch.setenv("KUBECONFIG", "/theirs")
    made = platform._environment()
    assert "PULUMI_STACK" not in made and "PULUMI_CONFIG_PASSPHRASE" not in made
    assert made["KUBECONFIG"] == str(paths.KUBECONFIG)
    assert made["PATH"].split(":")[:2] == [str(paths.VENV_BIN), str(paths.TOOLS)]


def test_sourcing_the_file_sets_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "ENVIRONMENT", tmp_path / "env")
    platform._write_environment()
    shown = subprocess.run(
        ["sh", "-c", '. "$1" && env', "sh", tmp_path / "env"],
        env={"PATH": "/usr/bin:/bin", "PULUMI_STACK": "production"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    for name, value in platform._own_variables().items():
        assert f"{name}={value}" in shown
    assert not any(line.startswith("PULUMI_STACK=") for line in shown)
