"""The platform's environment does not touch the user's own folders."""

import subprocess
from pathlib import Path

import pytest

from local import paths, platform


def test_tools_write_only_to_the_folder_of_the_platform() -> None:
    written = {
        name: value.removeprefix("file://").partition("?")[0]
        for name, value in platform._own_variables().items()
        if name not in ("PULUMI_SKIP_UPDATE_CHECK",)
    }
    assert {"PULUMI_HOME", "KUBECONFIG", "KUBECACHEDIR", "PULUMI_BACKEND_URL", "HELM_CACHE_HOME"} <= set(written)
    assert all(Path(value).is_relative_to(paths.STATE) for value in written.values())


def test_the_users_stack_and_passphrase_are_not_inherited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_STACK", "production")
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "of-the-user")
    monkeypatch.setenv("KUBECONFIG", "/of-the-user")
    environment = platform._environment()
    assert "PULUMI_STACK" not in environment and "PULUMI_CONFIG_PASSPHRASE" not in environment
    assert environment["KUBECONFIG"] == str(paths.KUBECONFIG)
    assert environment["PATH"].split(":")[:2] == [str(paths.VENV_BIN), str(paths.TOOLS)]


def test_sourcing_the_file_sets_the_same_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
