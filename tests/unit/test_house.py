"""The arrows between the parts: who may import whom."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

CLONE = Path(__file__).parents[2]
PARTS = ("admin", "components", "existing", "gates", "preflight", "proof", "settings")
PROGRAM = [*sorted(CLONE.glob("*.py")), *(path for part in PARTS for path in sorted((CLONE / part).glob("*.py")))]


def part(path: Path) -> str:
    """The part that a module belongs to, whatever the clone's own folder is called; "" for one at the top."""
    return path.parent.relative_to(CLONE).as_posix().removeprefix(".")


PLATFORM = sorted((CLONE / "local").rglob("*.py"))
TOOLS = sorted((CLONE / "tools").rglob("*.py"))
PROGRAM_MODULES = {path.stem for path in CLONE.glob("*.py")} | set(PARTS)

SHARED_BY_COMPONENTS = {"components.helm", "components.namespace"}
TME = {"tme_port", "tme_rule"}
NETWORK = {"agent_flow", "network_policies"}
DOORS = ("__init__.py", "opening.py")
GATES = (*DOORS, "alone.py", "hooks.py")
WITHOUT_PULUMI = [
    "agent_flow.py",
    "images.py",
    "ingress_controller.py",
    "kube.py",
    "network_policies.py",
    "ownership.py",
    "plugin_object.py",
    "plugin_options.py",
    "pods.py",
    "rock.py",
    "settings/model.py",
    "settings/rules.py",
    "settings/rules_admin.py",
    "settings/rules_agent.py",
    "settings/rules_alone.py",
    "settings/rules_database.py",
    "settings/rules_plugin.py",
    "tme_port.py",
    "tme_rule.py",
    "verify.py",
    *(f"{part(path)}/{path.name}" for path in PROGRAM if part(path) in ("preflight", "proof")),
    *(f"admin/{path.name}" for path in PROGRAM if part(path) == "admin" and path.name != "provider.py"),
    "existing/editing.py",
    "existing/template.py",
    "existing/variables.py",
    # The doors make them hooks and errors of a run; what they ask is behind them.
    *(f"gates/{path.name}" for path in PROGRAM if part(path) == "gates" and path.name not in GATES),
]
QUESTIONS = [
    path
    for path in PROGRAM
    if (part(path) == "gates" and path.name not in GATES) or (part(path) == "proof" and path.name not in DOORS)
]


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def tops(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imported(path)}


def named(path: Path) -> str:
    return str(path.relative_to(CLONE))


@pytest.mark.parametrize("path", PROGRAM, ids=named)
def test_the_program_knows_neither_platform_nor_tests(path: Path) -> None:
    assert not tops(path) & {"local", "tests", "tools"}


@pytest.mark.parametrize("path", PLATFORM, ids=named)
def test_the_platform_knows_nothing_of_the_program(path: Path) -> None:
    assert not tops(path) & (PROGRAM_MODULES | {"tests"})


@pytest.mark.parametrize("path", TOOLS, ids=named)
def test_a_pull_requests_tools_know_nothing_but_one_another(path: Path) -> None:
    assert not tops(path) & (PROGRAM_MODULES | {"local", "tests"})


@pytest.mark.parametrize("path", sorted((CLONE / "components").glob("*.py")), ids=named)
def test_components_import_neither_one_another_nor_settings(path: Path) -> None:
    names = imported(path)
    others = {name for name in names if name.startswith("components.")}
    assert {name for name in others if not name.startswith(tuple(SHARED_BY_COMPONENTS))} == set()
    assert not {name for name in names if name.startswith(("settings", "plan", "cluster", "gates"))}


@pytest.mark.parametrize("name", WITHOUT_PULUMI)
def test_what_is_pure_knows_no_pulumi(name: str) -> None:
    assert not {top for top in tops(CLONE / name) if top.startswith("pulumi")}


@pytest.mark.parametrize("path", sorted((CLONE / "preflight").glob("*.py")), ids=named)
def test_preflight_knows_no_pulumi_and_is_told_everything(path: Path) -> None:
    own = {"admin", "existing", "preflight"}
    facts = {"commands", "images", "ingress_controller", "kube", "ownership", "plugin_options", "pods", "safe_text"}
    allowed = own | facts | TME | NETWORK | {"plugin_object"}
    assert not {top for top in tops(path) if top.startswith("pulumi") or top in PROGRAM_MODULES} - allowed


@pytest.mark.parametrize("path", QUESTIONS, ids=named)
def test_what_is_asked_of_a_cluster_depends_on_nothing_that_is_made_there(path: Path) -> None:
    allowed = (
        {"admin", "commands", "images", "kube", "ownership", "plugin_object", "pods", "proof", "safe_text"}
        | TME
        | NETWORK
        | ({"existing", "gates", "preflight"} if part(path) == "gates" else set())
    )
    assert tops(path) & PROGRAM_MODULES <= allowed


def test_verify_runs_without_pulumi() -> None:
    asked = "import sys, verify; print([name for name in sys.modules if name.startswith('pulumi')])"
    said = subprocess.run([sys.executable, "-c", asked], cwd=CLONE, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


@pytest.mark.parametrize("name", ["__main__.py", "stack_agent.py", "stack_gateway.py"])
def test_main_and_the_kinds_of_stacks_are_wiring_only(name: str) -> None:
    assert len((CLONE / name).read_text().splitlines()) < 100


@pytest.mark.parametrize("path", PROGRAM, ids=named)
def test_text_of_others_is_made_safe_on_its_way_out(path: Path) -> None:
    """An error is a PlainError, and what is logged is the program's own text, a report's, or went through printable."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ClassDef) and path.name != "safe_text.py":
            assert "Exception" not in map(ast.unparse, node.bases), f"{node.name}: derive it from PlainError"
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("pulumi.log."):
            said = node.args[0]
            while isinstance(said, ast.Call) and ast.unparse(said.func) in ("self._said", "on_cluster"):
                said = said.args[0]  # Points the commands in a text at a cluster.
            own = isinstance(said, ast.Constant)
            made = isinstance(said, ast.Call) and ast.unparse(said.func) in ("printable", "report.text")
            assert own or made, ast.unparse(node)
