"""The toolchain with a fake `go` and fake tools: choosing, building, failing, continuing."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from local import toolchain
from local.toolchain.build_progress import Package
from local.toolchain.builder import Builder
from local.toolchain.go_command import ToolchainError
from local.toolchain.tools import TOOLS, Tool

ONE = Tool(name="one", bundle="b", module_set="m", package="example.com/one", fitting=(1, 4, 6))
TWO = Tool(name="two", bundle="b", module_set="m", package="example.com/two", fitting=(1, 4, 6))

GO = """#!/bin/sh
command=$1
for last; do :; done
case "$command" in
  env) echo "{version}"; exit 0 ;;
  list) echo "go: downloading example.com/one v1.0.0" >&2; cat "{packages}"; exit 0 ;;
esac
echo "$*" >> "{log}"
while [ "$1" != "-o" ]; do shift; done
folder=$2
shift 2
for package; do
  echo "$package" >&2
  if [ "$package" = "{broken}" ]; then echo "# $package: the compiler says no" >&2; exit 1; fi
  printf '#!/bin/sh\\n' > "$folder${{package##*/}}"; chmod +x "$folder${{package##*/}}"
done
"""


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a fake `go`, module pins and a cache, and a PATH without this machine's tools."""
    (tmp_path / "modules" / "m").mkdir(parents=True)
    (tmp_path / "modules" / "m" / "go.mod").write_text("module m\n")
    (tmp_path / "modules" / "m" / "go.sum").write_text("")
    (tmp_path / "path").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path / 'path'}:/usr/bin:/bin")
    (tmp_path / "packages").write_text("")
    fake_go(tmp_path)
    return tmp_path


def fake_go(world: Path, *, version: str = "go1.26.8", broken: str = "-") -> None:
    values = {"version": version, "log": world / "built", "packages": world / "packages", "broken": broken}
    script(world / "path" / "go", GO.format(**values))


def script(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def builder(world: Path, reported: list[str] | None = None) -> Builder:
    lines = reported if reported is not None else []
    return Builder(world / "cache", (ONE, TWO), modules=world / "modules", report=lines.append)


def builds(world: Path) -> int:
    log = world / "built"
    return len(log.read_text().splitlines()) if log.exists() else 0


def test_tools_of_one_module_set_are_built_together_and_once(world: Path) -> None:
    builder(world).build([ONE, TWO])
    assert builds(world) == 1
    assert os.access(builder(world).path(ONE), os.X_OK)
    builder(world).build([ONE, TWO])
    assert builds(world) == 1


def test_each_tool_gets_its_own_version(world: Path) -> None:
    builder(world).build([replace(ONE, version=(("main.version", "v1"),)), TWO])
    command = (world / "built").read_text()
    assert "-ldflags=example.com/one=-s -w -X main.version=v1 -ldflags=example.com/two=-s -w -o" in command


def test_a_program_is_named_after_its_package_and_not_its_version() -> None:
    names = {tool.name: tool.program for tool in TOOLS}
    assert (names["etcd"], names["helm"], names["kong-ingress-controller"]) == ("server", "helm", "cmd")


def test_another_pin_has_another_folder(world: Path) -> None:
    before = builder(world).path(ONE)
    (world / "modules" / "m" / "go.sum").write_text("example.com/one v1 h1:x\n")
    assert builder(world).path(ONE) != before
    assert builder(world).path(ONE).parent == builder(world).path(TWO).parent


def test_another_source_has_another_folder(world: Path) -> None:
    own = replace(ONE, package="./one")
    source = world / "modules" / "m" / "one" / "main.go"
    source.parent.mkdir()
    source.write_text("package main\n")
    tools = Builder(world / "cache", (own,), modules=world / "modules")
    before = tools.path(own)
    source.write_text("package main // changed\n")
    assert tools.path(own) != before


def test_a_build_reports_what_it_built(world: Path) -> None:
    reported: list[str] = []
    builder(world, reported).build([ONE, TWO])
    assert reported[-1].startswith("tools: one, two built in ")


def test_only_packages_that_are_not_compiled_yet_are_counted(world: Path) -> None:
    (world / "a.go").write_text("package a\n")
    lines = [f"example.com/{name}\t{stale}\t{world}\ta.go" for name, stale in (("a", "true"), ("b", "false"))]
    (world / "packages").write_text("\n".join([*lines, f"example.com/empty\ttrue\t{world}\t"]))
    (world / "cache" / "work" / "tmp").mkdir(parents=True)
    assert builder(world)._packages("m", [ONE]) == [
        Package(path="example.com/a", folder=str(world), size=10),
        Package(path="example.com/empty", folder=str(world), size=0),
    ]


def test_a_failed_build_names_its_log_and_can_be_continued(world: Path) -> None:
    fake_go(world, broken="example.com/two")
    with pytest.raises(ToolchainError) as failed:
        builder(world).build([ONE, TWO])
    message = str(failed.value)
    assert str(world / "cache" / "logs" / "m.build.log") in message
    assert "the compiler says no" in message
    assert "\nexample.com/two\n" not in message, "packages that were compiled are no errors"
    assert not builder(world).built(TWO)
    fake_go(world)
    builder(world).build([ONE, TWO])
    assert builder(world).built(ONE) and builder(world).built(TWO)


def test_files_of_a_killed_build_are_removed(world: Path) -> None:
    left = world / "cache" / "work" / "tmp" / "go-build1"
    left.mkdir(parents=True)
    builder(world).build([ONE])
    assert not left.exists()


@pytest.mark.parametrize("version", ["go1.25.9", ""])
def test_an_outdated_go_is_rejected(world: Path, version: str) -> None:
    fake_go(world, version=version)
    with pytest.raises(ToolchainError, match=r"too old.*Install Go 1\.26"):
        builder(world).build([ONE])


def test_a_missing_go_is_reported(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(world / "nothing"))
    with pytest.raises(ToolchainError, match="Go is not installed"):
        builder(world).build([ONE])


@pytest.mark.parametrize(
    ("printed", "status", "taken"),
    [
        ("one v1.5.2", 0, True),
        ("one v1.3.9", 0, False),
        ("one v2.5.0", 0, False),
        ("v1.5.2", 1, False),
        ("?", 0, False),
    ],
)
def test_a_tool_on_path_is_used_if_its_version_fits(world: Path, printed: str, status: int, taken: bool) -> None:
    script(world / "path" / "one", f"#!/bin/sh\necho '{printed}'\nexit {status}\n")
    assert ONE.fits(world / "path" / "one") is taken


def test_tools_are_linked_from_path_or_from_the_cache(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACEABLE_KONG_CACHE", str(world / "cache"))
    monkeypatch.setattr(Builder.__init__, "__kwdefaults__", {"modules": world / "modules", "say": print})
    script(world / "path" / "one", "#!/bin/sh\necho v1.5.0\n")
    toolchain.ensure(world / "links", tools=(ONE, TWO), report=lambda line: None)
    assert (world / "links" / "one").readlink() == world / "path" / "one"
    assert (world / "links" / "two").resolve().is_relative_to(world / "cache")
    assert builds(world) == 1
    toolchain.ensure(world / "links", tools=(ONE, TWO), report=lambda line: None)
    assert builds(world) == 1


def test_the_engine_and_its_language_host_are_in_one_folder() -> None:
    bundles = {tool.name: tool.bundle for tool in TOOLS}
    assert bundles["pulumi"] == bundles["pulumi-language-python"]
