"""The rules for every module, read from its source: who imports whom, unique names, one fact in one record."""

import ast
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

CLONE = Path(__file__).parents[1]
TRACKED = subprocess.run(
    ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"],
    cwd=CLONE,
    capture_output=True,
    text=True,
    check=True,
).stdout.splitlines()
SOURCES = {path: ast.parse((CLONE / path).read_text()) for path in map(Path, TRACKED) if (CLONE / path).exists()}
PROGRAM = [path for path in SOURCES if path.parts[0] in ("__main__.py", "verify.py", "traceable_kong")]
PLATFORM = [path for path in SOURCES if path.parts[0] == "local"]
SCRIPTS = [path for path in SOURCES if path.parts[0] == "scripts"]
POLICY = [path for path in SOURCES if path.parts[0] == "policy"]
BENCH = [path for path in SOURCES if path.parts[0] == "bench"]
SUBJECTS = [path for path in PROGRAM if path.parts[0] == "traceable_kong" and len(path.parts) > 2]

LAYERS = (
    {"common"},
    {"cluster"},
    {"plugin"},
    {"config"},
    {"helm_values"},
    {"kong_admin"},
    {"deployment_patch"},
    {"plan"},
    {"preflight", "smoke", "verification"},
    {"hooks", "providers", "command_line"},
    {"components"},
    {"program"},
)
"""The folders of traceable_kong. Each imports itself and folders of the layers before it."""

SHARED_FIELDS = {
    "container": "Kong's container, where the record is about that container and not about the Deployment",
    "deployment": "the one record KongDeployment, which these hold",
    "fix": "the last part of a message, in whatever reports a problem",
    "name": "what Kubernetes, Kong and Helm call the name of whatever the record is about",
    "namespace": "a part of the identity of a namespaced object",
    "owner": "the stack's id, where an object's owner is compared with it",
    "plugin": "the one record Plugin, which these hold; the plugin's name, below the plan",
    "subject": "the first part of a message, in whatever reports a problem",
}
"""Field names that more than three dataclasses may have, and why."""


def imports(path: Path) -> set[str]:
    """The full names of the modules and names that `path` imports, without those that it imports by a relative name."""
    names: set[str] = set()
    for node in ast.walk(SOURCES[path]):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def _is_relative(node: ast.AST) -> bool:
    return isinstance(node, ast.ImportFrom) and node.level > 0


def imported_from(paths: list[Path], packages: set[str]) -> list[str]:
    """Every import of one of these packages: `FILE imports NAME`."""
    return [
        f"{path} imports {name}" for path in paths for name in sorted(imports(path)) if name.split(".")[0] in packages
    ]


def module(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def test_the_program_imports_neither_platform_nor_scripts_nor_tests() -> None:
    assert imported_from(PROGRAM, {"bench", "local", "policy", "scripts", "tests", "__main__", "verify"}) == []


def test_the_platform_imports_nothing_of_the_program() -> None:
    assert imported_from(PLATFORM, {"bench", "policy", "traceable_kong", "scripts", "tests", "verify"}) == []


def test_scripts_import_only_one_another() -> None:
    assert imported_from(SCRIPTS, {"bench", "traceable_kong", "local", "tests", "verify"}) == []


def test_the_bench_runs_the_program_and_imports_only_the_platform() -> None:
    assert imported_from(BENCH, {"traceable_kong", "scripts", "tests", "verify"}) == []


def test_the_policy_pack_imports_its_rules_and_they_import_no_pulumi() -> None:
    """It runs, and is published, without the rest of the repository; its rules are tested without its environment."""
    known = sys.stdlib_module_names | {"rules", "pulumi_policy"}
    assert [name for path in POLICY for name in imports(path) if name.split(".")[0] not in known] == []
    assert imported_from([path for path in POLICY if "rules" in path.parts], {"rules", "pulumi_policy"}) == []
    others = [path for path in SOURCES if path not in POLICY for node in ast.walk(SOURCES[path]) if _is_relative(node)]
    assert others == [], "only the rules import by relative names: the folder of the pack is their only package"


def test_every_folder_of_the_program_has_a_layer() -> None:
    assert sorted(folder for layer in LAYERS for folder in layer) == sorted({path.parts[1] for path in SUBJECTS})


def test_imports_run_one_way() -> None:
    rank = {folder: number for number, layer in enumerate(LAYERS) for folder in layer}
    wrong = []
    for path in SUBJECTS:
        for name in sorted(imports(path)):
            package, _, rest = name.partition(".")
            folder = rest.split(".")[0]
            if (
                package == "traceable_kong"
                and folder
                and folder != path.parts[1]
                and rank[folder] >= rank[path.parts[1]]
            ):
                wrong.append(f"{path} imports {name}")
    assert wrong == []


def test_components_import_nothing_above_the_plan_but_providers() -> None:
    plan = next(number for number, layer in enumerate(LAYERS) if "plan" in layer)
    allowed = {folder for layer in LAYERS[: plan + 1] for folder in layer} - {"config"} | {"providers"}
    allowed |= {"components"}
    paths = [path for path in SUBJECTS if path.parts[1] == "components"]
    names = [(path, name.split(".")) for path in paths for name in imports(path) if name.startswith("traceable_kong.")]
    assert [f"{path} imports {'.'.join(name)}" for path, name in names if name[1] not in allowed] == []


def test_no_module_imports_itself_by_a_detour() -> None:
    names = {module(path) for path in PROGRAM}
    graph = {module(path): {name for name in imports(path) if name in names} for path in PROGRAM}
    done: set[str] = set()

    def visit(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, " -> ".join([*way[way.index(name) :], name])
        if name not in done:
            for other in graph[name] - {name}:
                visit(other, (*way, name))
            done.add(name)

    for name in graph:
        visit(name, ())


def test_only_what_registers_runs_or_reads_a_stack_imports_pulumi() -> None:
    outside = ("components", "hooks", "program", "providers")
    pure = [path for path in SUBJECTS if path.parts[1] not in outside and path.name != "loader.py"]
    packages = {name.split(".")[0] for path in PROGRAM for name in imports(path)}
    assert imported_from(pure, {name for name in packages if name.startswith("pulumi")}) == []


def test_verify_runs_without_pulumi() -> None:
    code = "import traceable_kong.command_line.console, sys; print([name for name in sys.modules if 'pulumi' in name])"
    done = subprocess.run([sys.executable, "-c", code], cwd=CLONE, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_run_imports_no_package_that_few_runs_need() -> None:
    """Each of them takes a good part of the time of an empty Pulumi program."""
    heavy = ["pulumi_kubernetes.core.v1", "pulumi_random", "kubernetes", "requests", "urllib3", "websocket"]
    program = [name for name in imports(Path("__main__.py")) if name in {module(path) for path in PROGRAM}]
    code = f"import sys, {', '.join(sorted(program))}; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=CLONE, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_module_names_are_unique() -> None:
    names = Counter(path.stem for path in PROGRAM if path.name != "__init__.py")
    assert [name for name, count in names.items() if count > 1] == []


def test_a_field_name_is_in_at_most_three_dataclasses() -> None:
    """One fact is in one record: a name that comes again and again is a fact that is copied."""
    classes = defaultdict(set)
    for path in PROGRAM:
        for node in ast.walk(SOURCES[path]):
            if isinstance(node, ast.ClassDef) and any("dataclass" in ast.unparse(item) for item in node.decorator_list):
                for field in node.body:
                    if isinstance(field, ast.AnnAssign) and "ClassVar" not in ast.unparse(field.annotation):
                        classes[ast.unparse(field.target)].add(node.name)
    shared = {name: sorted(names) for name, names in classes.items() if len(names) > 3}
    assert {name: names for name, names in shared.items() if name not in SHARED_FIELDS} == {}
    assert not SHARED_FIELDS.keys() - shared.keys(), "no longer shared: take it out"


def test_one_file_shows_the_order_of_the_deployment_in_under_a_hundred_lines() -> None:
    assert len((CLONE / "traceable_kong/program/deployment_order.py").read_text().splitlines()) < 100


def test_no_file_is_longer_than_300_lines() -> None:
    lengths = {str(path): len((CLONE / path).read_text().splitlines()) for path in PROGRAM}
    assert {path: length for path, length in lengths.items() if length > 300} == {}, "it has two subjects"


def test_foreign_text_is_escaped_before_it_is_shown() -> None:
    """An error is a PlainError, and what is logged is the program's own text, a report's, or went through printable."""
    wording = ("self._shown", "self._logged", "wording.shown", "wording.logged")
    for path, node in [(source, node) for source in PROGRAM for node in ast.walk(SOURCES[source])]:
        if isinstance(node, ast.ClassDef) and path.name != "safe_text.py":
            assert "Exception" not in map(ast.unparse, node.bases), f"{node.name}: derive it from PlainError"
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("pulumi.log."):
            said = node.args[0]
            while isinstance(said, ast.Call) and ast.unparse(said.func) in wording:
                said = said.args[0]  # Words the commands in a text for the run.
            own = isinstance(said, ast.Constant) or (isinstance(said, ast.Name) and said.id.isupper())
            escaped = isinstance(said, ast.Call) and ast.unparse(said.func) in ("printable", "report.text")
            assert own or escaped, ast.unparse(node)
