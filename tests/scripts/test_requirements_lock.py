"""Each way in which the locked packages can be out of date is found, without asking a package index."""

from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from scripts import requirements_lock
from tests.scripts.recorded import CLONE

HASH = f" \\\n    --hash=sha256:{'0' * 64}"
INSTALLED = {
    "a": ("1.0", ["B_b>=2", "c; extra == 'more'", "windows; sys_platform == 'win32'"]),
    "b-b": ("2.1", []),
    "c": ("3.0", ["a[more]"]),
    "pulumi": ("3.1", []),
    "tool": ("4.0", ["b-b"]),
}


def distribution(name: str) -> tuple[str, list[str]]:
    if name not in INSTALLED:
        raise PackageNotFoundError(name)
    return INSTALLED[name]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "requirements.in").write_text("# what it runs on\na[more]==1.0\npulumi==3.1\n")
    (tmp_path / "requirements-dev.in").write_text("-r requirements.in\n-c requirements.txt\ntool==4.0\n")
    packages = ("a==1.0", "b-b==2.1", "c==3.0", "pulumi==3.1", "windows==1 ; sys_platform == 'win32'")
    lock = "# by uv\n" + "".join(f"{package}{HASH}\n    # via x\n" for package in packages)
    (tmp_path / "requirements.txt").write_text(lock)
    (tmp_path / "requirements-dev.txt").write_text(f"{lock}tool==4.0{HASH}\n")
    policy = tmp_path / "policy"
    policy.mkdir()
    (policy / "requirements.in").write_text("pulumi==3.1\npolicies==1.0\n")
    (tmp_path / "requirements-build.in").write_text("builder==2.0\n")
    (tmp_path / "requirements-build.txt").write_text(f"builder==2.0{HASH}\n")
    (policy / "requirements.txt").write_text(f"pulumi==3.1{HASH}\npolicies==1.0{HASH}\nprotobuf==5.0{HASH}\n")
    return tmp_path


def found(folder: Path) -> list[str]:
    return list(requirements_lock.problems(folder, distribution))


def test_a_current_lock(folder: Path) -> None:
    assert found(folder) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "problem"),
    [
        ("requirements.in", "a[more]==1.0", "a[more]==1.1", "requirements.txt: pins a 1.0, but a[more]==1.1 is needed"),
        ("requirements.in", "a[more]==1.0", "a[more]==1.0\nnew==1", "requirements.txt: does not pin new==1"),
        ("requirements-dev.in", "tool==4.0", "", "requirements-dev.txt: pins tool, which nothing needs"),
        ("requirements.txt", f"b-b==2.1{HASH}\n", "", "requirements.txt: does not pin B_b>=2"),
        ("requirements.txt", f"c==3.0{HASH}\n", "", 'requirements.txt: does not pin c; extra == "more"'),
        ("requirements.txt", "b-b==2.1", "b-b==1.9", "requirements.txt: pins b-b 1.9, but B_b>=2 is needed"),
        ("requirements.txt", "c==3.0", "c==3.1", "requirements.txt: pins c 3.1, but 3.0 is installed"),
        ("requirements.txt", f"c==3.0{HASH}", "c==3.0", "requirements.txt: c==3.0 has no hash"),
        ("requirements.txt", "# by uv\n", f"old==1{HASH}\n", "requirements.txt: pins old, which nothing needs"),
        (
            "requirements-dev.txt",
            "tool==4.0",
            "tool==4.1",
            "requirements-dev.txt: pins tool 4.1, but tool==4.0 is needed",
        ),
        (
            "requirements-dev.txt",
            "windows==1 ",
            "windows==2 ",
            'requirements-dev.txt: does not pin windows==1; sys_platform == "win32", as requirements.txt does',
        ),
        ("policy/requirements.in", "==1.0", "==1.1", "policy/requirements.txt: does not pin policies==1.1"),
        (
            "policy/requirements.txt",
            "pulumi==3.1",
            "pulumi==3.2",
            "policy/requirements.txt: does not pin pulumi==3.1, as requirements.txt does",
        ),
        ("requirements-build.in", "==2.0", "==2.1", "requirements-build.txt: does not pin builder==2.1"),
        (
            "policy/requirements.txt",
            f"protobuf==5.0{HASH}",
            "protobuf==5.0",
            "policy/requirements.txt: protobuf==5.0 has no hash",
        ),
    ],
)
def test_a_lock_that_is_out_of_date(folder: Path, file: str, old: str, new: str, problem: str) -> None:
    path = folder / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    assert problem in found(folder)


def test_the_locks_of_this_repository_pin_everything_with_hashes() -> None:
    for name in ("requirements", "requirements-build", "requirements-dev", "policy/requirements"):
        lock = CLONE / f"{name}.txt"
        assert requirements_lock.without_hash(lock) == []
        locked = dict(requirements_lock.read_requirements(requirements_lock.read_lines(lock)))
        for package, direct in requirements_lock.read_requirements(requirements_lock.read_lines(CLONE / f"{name}.in")):
            assert str(direct.specifier) == str(locked[package].specifier)
