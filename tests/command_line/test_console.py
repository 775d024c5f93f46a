"""The command `traceable-kong`, and that the package installs it."""

import tomllib
from importlib import import_module
from pathlib import Path

import pytest

from traceable_kong.command_line import console, verify_command

CLONE = Path(__file__).parents[2]
SETTINGS = tomllib.loads((CLONE / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = SETTINGS["project"]


def called(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["traceable-kong", *arguments])
    return console.main()


def test_the_package_installs_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    assert PROJECT["name"] == console.PACKAGE
    assert list(PROJECT["scripts"]) == [console.COMMAND]
    module, _, function = PROJECT["scripts"][console.COMMAND].partition(":")
    entry_point = getattr(import_module(module), function)
    assert entry_point is console.run

    def leave(code: int) -> None:
        raise SystemExit(code)

    monkeypatch.setattr(console, "leave", leave)
    monkeypatch.setattr("sys.argv", ["traceable-kong", "--help"])
    with pytest.raises(SystemExit) as ended:
        entry_point()
    assert ended.value.code == 0


def test_the_package_says_that_it_has_types() -> None:
    """Otherwise type checkers take the arguments of TraceableOnKong for anything (PEP 561)."""
    assert SETTINGS["tool"]["setuptools"]["package-data"] == {"traceable_kong": ["py.typed"]}
    assert (CLONE / "traceable_kong" / "py.typed").read_bytes() == b""


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], option: str) -> None:
    assert called(monkeypatch, option) == 0
    assert "traceable-kong verify [options]" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [(), ("verfy",), ("--json",), ("--version", "verify")])
def test_an_unknown_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    assert called(monkeypatch, *arguments) == 64
    shown = capsys.readouterr()
    assert shown.out == "" and "traceable-kong verify [options]" in shown.err
    assert all(argument in shown.err.splitlines()[0] for argument in arguments)


@pytest.mark.parametrize(("package", "shown"), [("pytest", pytest.__version__), ("no-such-package", "(not installed)")])
def test_the_version(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], package: str, shown: str
) -> None:
    monkeypatch.setattr(console, "PACKAGE", package)
    assert called(monkeypatch, "--version") == 0
    assert capsys.readouterr().out == f"traceable-kong {shown}\n"


def test_verify(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Its usage has the name that a person typed, and its help the exit codes."""
    with pytest.raises(SystemExit) as ended:
        called(monkeypatch, "verify", "--help")
    text = capsys.readouterr().out
    assert ended.value.code == 0 and "usage: traceable-kong verify" in text
    assert "exit codes:" in text and "64   the options cannot be used" in text
    with pytest.raises(SystemExit) as ended:
        called(monkeypatch, "verify")
    shown = capsys.readouterr()
    assert (ended.value.code, shown.err) == (
        64,
        "traceable-kong verify: error: one of --stack and --namespace is required. Nothing was verified. --help lists "
        "the options.\n",
    )


def test_an_interrupt_is_no_traceback(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def connect(**_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(verify_command, "connect", connect)
    assert called(monkeypatch, "verify", "--namespace", "gw") == 130
    assert capsys.readouterr().err == "\nInterrupted. Nothing was verified.\n"
