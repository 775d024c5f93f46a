"""kubectl is logged in, and goes to the server, as the table of kubeconfigs says that this program is and does."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.platform import Platform
from tests.cluster.test_kubeconfig_table import assert_seen
from tests.fakes import kubeconfig_table
from tests.fakes.kubeconfig_table import ADDED, CASES, Place
from tests.fakes.who_server import WHO


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with kubeconfig_table.place(tmp_path_factory.mktemp("place")) as made:
        yield made


@pytest.mark.parametrize("name", CASES)
def test_kubectl(name: str, place: Place, platform: Platform, tmp_path: Path) -> None:
    case = kubeconfig_table.case(name, place, tmp_path)
    bare = {key: value for key, value in platform.env.items() if key.upper() not in ADDED}
    done = subprocess.run(
        ["kubectl", "get", "--raw", WHO],
        env={**bare, **case.variables, "HOME": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode == 0) == case.works, done.stdout + done.stderr
    if case.works:
        assert_seen(case, json.loads(done.stdout)["who"])
