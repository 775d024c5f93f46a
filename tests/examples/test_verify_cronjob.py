"""The CronJob that runs `verify` in the cluster: the permissions of the table, and an image with what it imports."""

import json
import os
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.preflight.security_page import documents, usual
from traceable_kong.command_line.verify_options import parse_options

CLONE = Path(__file__).parents[2]
EXAMPLE = CLONE / "examples" / "verify-cronjob"
OBJECTS: list[dict[str, Any]] = list(yaml.safe_load_all((EXAMPLE / "verify-cronjob.yaml").read_text()))
CONTAINERFILE = (EXAMPLE / "Containerfile").read_text()


def of_kind(*kinds: str) -> list[dict[str, Any]]:
    return [item for item in OBJECTS if item["kind"] in kinds]


def test_the_roles_are_those_of_the_permission_table() -> None:
    """And of docs/security.md, which is generated from it."""
    assert of_kind("Role", "ClusterRole") == documents(usual(), "verify")


def test_each_role_is_bound_to_the_service_account_of_the_pod() -> None:
    (account,) = of_kind("ServiceAccount")
    (job,) = of_kind("CronJob")
    named = {key: account["metadata"][key] for key in ("name", "namespace")}
    pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert job["metadata"]["namespace"] == named["namespace"] and pod["serviceAccountName"] == named["name"]
    assert pod["automountServiceAccountToken"] is True
    roles = {
        (item["kind"], item["metadata"].get("namespace"), item["metadata"]["name"])
        for item in of_kind("Role", "ClusterRole")
    }
    bound = set()
    for binding in of_kind("RoleBinding", "ClusterRoleBinding"):
        assert binding["subjects"] == [{"kind": "ServiceAccount", **named}]
        assert binding["kind"] == f"{binding['roleRef']['kind']}Binding"
        bound.add((binding["roleRef"]["kind"], binding["metadata"].get("namespace"), binding["roleRef"]["name"]))
    assert bound == roles


def test_the_pod_may_do_no_more_than_it_must() -> None:
    (job,) = of_kind("CronJob")
    pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert (
        pod["securityContext"]["runAsNonRoot"] and pod["securityContext"]["seccompProfile"]["type"] == "RuntimeDefault"
    )
    context = container["securityContext"]
    assert context["readOnlyRootFilesystem"] and context["allowPrivilegeEscalation"] is False
    assert context["capabilities"] == {"drop": ["ALL"]}
    user = re.search(r"^USER (\d+):(\d+)$", CONTAINERFILE, re.MULTILINE)
    assert user and [int(part) for part in user.groups()] == [
        pod["securityContext"]["runAsUser"],
        pod["securityContext"]["runAsGroup"],
    ]


def test_the_arguments_are_options_and_name_the_namespace_of_the_role() -> None:
    (job,) = of_kind("CronJob")
    (container,) = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    options = parse_options(container["args"], "verify.py")
    assert (options.namespace, options.output) == (of_kind("Role")[0]["metadata"]["namespace"], "json")
    assert options.stack is None, "the image has no Pulumi"


def test_the_image_has_every_package_that_verify_imports(tmp_path: Path) -> None:
    """And no other: `verify.py` runs with nothing but these, and the base image is no invented digest."""
    found = re.search(r"keep = /\^\(([^)]*)\)==/", CONTAINERFILE)
    assert found
    names = found[1].split("|")
    locked = set(re.findall(r"^([a-z][^=]*)==", (CLONE / "requirements.txt").read_text(), re.MULTILINE))
    assert set(names) <= locked
    for name in names:
        for part in {file.parts[0] for file in metadata.files(name) or [] if file.parts[0] != ".."}:
            (tmp_path / part).symlink_to(str(metadata.distribution(name).locate_file(part)))
    code = (
        f"import sys; sys.path[:] = [path for path in sys.path if 'site-packages' not in path] + [{str(tmp_path)!r}, "
        f"{str(CLONE)!r}]; import traceable_kong.command_line.console, websocket, urllib3.util.ssltransport, json; "
        "print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
    )
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    imported = set(json.loads(done.stdout))
    unused = [
        name
        for name in names
        if not imported & {file.parts[0].removesuffix(".py") for file in metadata.files(name) or []}
    ]
    assert unused == []
    assert "@sha256:" not in re.sub(r"^#.*$", "", CONTAINERFILE, flags=re.MULTILINE)


@pytest.mark.skipif(not Path("/usr/bin/awk").exists(), reason="no awk")
def test_the_command_of_the_image_keeps_these_packages_with_their_hashes() -> None:
    program = re.search(r"awk '([^']*)'", CONTAINERFILE)
    assert program
    done = subprocess.run(
        ["awk", program[1], "requirements.txt"], cwd=CLONE, capture_output=True, text=True, check=True
    )
    blocks = re.findall(r"^([a-z][^=]*)==\S+ \\\n((?:    --hash=\S+(?: \\)?\n)+)", done.stdout, re.MULTILINE)
    found = re.search(r"keep = /\^\(([^)]*)\)==/", CONTAINERFILE)
    assert found and [name for name, _ in blocks] == found[1].split("|")
    assert not re.search(r"^[^#\s]", re.sub(r"^[a-z][^=]*==.*$", "", done.stdout, flags=re.MULTILINE), re.MULTILINE)
