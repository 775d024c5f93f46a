"""Releases: what must hold before one, and what the job that can write runs."""

import re
import subprocess
import tarfile
from typing import Any

from tests.scripts.recorded import CLONE
from tests.scripts.workflows import RELEASE, Runner, definition

JOBS: dict[str, Any] = definition(RELEASE)["jobs"]

PYTHON = """#!/bin/sh
echo "$@" > "$SEEN/python"
echo "notes"
"""

GH = """#!/bin/sh
echo "$@" | sed "s#$RUNNER_TEMP#TEMP#g" > "$SEEN/gh"
"""


def test_only_tags_are_released() -> None:
    assert definition(RELEASE)[True] == {"push": {"tags": ["v*"]}}


def test_the_checks_pass_before_a_release() -> None:
    assert [step["run"] for step in JOBS["checks"]["steps"] if "run" in step] == [
        'python3 -m scripts.release_notes "$GITHUB_REF_NAME"',
        "make check",
        "make unit",
    ]
    assert JOBS["release"]["needs"] == ["checks", "build"] and "if" not in JOBS["release"]


def test_the_job_that_can_write_installs_nothing() -> None:
    used = [step["uses"].split("@")[0] for step in JOBS["release"]["steps"] if "uses" in step]
    assert used == ["actions/checkout", "actions/download-artifact", "actions/attest-build-provenance"]
    assert not [step["run"] for step in JOBS["release"]["steps"] if re.search("pip|uv", step.get("run", ""))]


UV = """#!/bin/sh
echo "$@" | sed "s#$RUNNER_TEMP#TEMP#g" > "$SEEN/uv"
while [ "$1" != --out-dir ]; do shift; done
mkdir -p "$2"
touch "$2/traceable_kong-0.1.0-py3-none-any.whl" "$2/traceable_kong-0.1.0.tar.gz"
"""

VENV = """#!/bin/sh
mkdir -p "$3/bin"
for name in pip traceable-kong; do
  printf '#!/bin/sh\\necho "%s $@" >> "$SEEN/%s"\\n' "$name" "$name" > "$3/bin/$name"
  chmod +x "$3/bin/$name"
done
"""


def test_the_package_is_built_with_pinned_tools_and_runs(runner: Runner) -> None:
    runner.stand_in(".venv/bin/uv", UV)
    done = runner.step(RELEASE, "Build the package")
    assert done.returncode == 0, done.stderr
    assert runner.read("uv") == (
        "build --build-constraints requirements-build.txt --require-hashes --out-dir TEMP/package .\n"
    )
    runner.stand_in("python3", VENV)
    done = runner.step(RELEASE, "Install the package and run its command")
    assert done.returncode == 0, done.stderr
    assert runner.read("pip").endswith("/package/traceable_kong-0.1.0-py3-none-any.whl\n")
    assert runner.read("traceable-kong") == "traceable-kong verify --help\n"


def test_the_files_that_are_built_are_those_that_are_released() -> None:
    (upload,) = [step["with"] for step in JOBS["build"]["steps"] if "upload-artifact" in step.get("uses", "")]
    (download,) = [step["with"] for step in JOBS["release"]["steps"] if "download-artifact" in step.get("uses", "")]
    (provenance,) = [step["with"] for step in JOBS["release"]["steps"] if "attest" in step.get("uses", "")]
    assert upload["name"] == download["name"]
    assert download["path"] + "/*" == provenance["subject-path"] == "${{ runner.temp }}/release/*"


def test_the_archive_is_the_commit_and_the_release_has_it(runner: Runner) -> None:
    runner.stand_in("python3", PYTHON)
    runner.stand_in("gh", GH)
    (runner.folder / "release").mkdir()
    runner.write("release/traceable_kong-0.1.0-py3-none-any.whl", "")
    done = runner.step(RELEASE, "Archive the repository", GITHUB_REF_NAME="v0.1.0")
    assert done.returncode == 0, done.stderr
    with tarfile.open(runner.folder / "release" / "traceable-kong-0.1.0-repository.tar.gz") as archive:
        names = set(archive.getnames())
    listed = subprocess.run(["git", "ls-tree", "-r", "--name-only", "HEAD"], cwd=CLONE, capture_output=True, text=True)
    assert {f"traceable-kong-0.1.0/{name}" for name in listed.stdout.splitlines()} <= names
    assert runner.read("python") == "-m scripts.release_notes v0.1.0\n" and runner.read("notes.md") == "notes\n"

    done = runner.step(RELEASE, "Create the release", GITHUB_REF_NAME="v0.1.0")
    assert done.returncode == 0, done.stderr
    assert runner.read("gh") == (
        "release create v0.1.0 --repo us/it --verify-tag --title v0.1.0 --notes-file TEMP/notes.md "
        "TEMP/release/traceable-kong-0.1.0-repository.tar.gz TEMP/release/traceable_kong-0.1.0-py3-none-any.whl\n"
    )


def test_a_tag_that_is_not_the_version_is_refused(runner: Runner) -> None:
    done = runner.step(RELEASE, "Compare the tag with the version and the changelog", GITHUB_REF_NAME="v0.0.0")
    assert done.returncode == 1 and "The tag is 'v0.0.0'" in done.stderr
