"""The import rules of the project, read from the source of every module."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

CLONE = Path(__file__).parents[1]
TRACKED = subprocess.run(
    ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"],
    cwd=CLONE,
    capture_output=True,
    text=True,
    check=True,
).stdout.splitlines()
MODULES = [path for path in map(Path, TRACKED) if (CLONE / path).exists() and path.name != "conftest.py"]
PROGRAM = [path for path in MODULES if path.parts[0] in ("__main__.py", "verify.py", "components", "traceable_kong")]
PLATFORM = [path for path in MODULES if path.parts[0] == "local"]
SCRIPTS = [path for path in MODULES if path.parts[0] == "scripts"]


def imported(path: Path) -> set[str]:
    """The first two parts of every module that `path` imports: `traceable_kong.plan`."""
    names: set[str] = set()
    for node in ast.walk(ast.parse((CLONE / path).read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def top_packages(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imported(path)}


@pytest.mark.parametrize("path", PROGRAM, ids=str)
def test_the_program_imports_neither_platform_nor_scripts_nor_tests(path: Path) -> None:
    assert not top_packages(path) & {"local", "scripts", "tests", "__main__", "verify"}


@pytest.mark.parametrize("path", PLATFORM, ids=str)
def test_the_platform_imports_nothing_of_the_program(path: Path) -> None:
    assert not top_packages(path) & {"components", "traceable_kong", "scripts", "tests", "verify"}


@pytest.mark.parametrize("path", SCRIPTS, ids=str)
def test_scripts_import_only_one_another(path: Path) -> None:
    assert not top_packages(path) & {"components", "traceable_kong", "local", "tests", "verify"}


def test_verify_runs_without_pulumi() -> None:
    code = "import sys, verify; print([name for name in sys.modules if name.startswith('pulumi')])"
    done = subprocess.run([sys.executable, "-c", code], cwd=CLONE, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("path", PROGRAM, ids=str)
def test_foreign_text_is_escaped_before_it_is_shown(path: Path) -> None:
    """An error is a PlainError, and what is logged is the program's own text, a report's, or went through printable."""
    for node in ast.walk(ast.parse((CLONE / path).read_text())):
        if isinstance(node, ast.ClassDef) and path.name != "safe_text.py":
            assert "Exception" not in map(ast.unparse, node.bases), f"{node.name}: derive it from PlainError"
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("pulumi.log."):
            said = node.args[0]
            while isinstance(said, ast.Call) and ast.unparse(said.func) in ("self._on_cluster", "on_cluster"):
                said = said.args[0]  # Points the commands in a text at a cluster.
            own = isinstance(said, ast.Constant)
            escaped = isinstance(said, ast.Call) and ast.unparse(said.func) in ("printable", "report.text")
            assert own or escaped, ast.unparse(node)
