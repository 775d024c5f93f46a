"""The program's client is logged in, and goes to the server, as kubectl is and does with the same kubeconfig.

tests/live/test_kubeconfigs.py runs the same table through kubectl.
"""

import io
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes import kubeconfig_table
from tests.fakes.kubeconfig_table import ADDED, CASES, Case, Place
from tests.fakes.who_server import WHO
from traceable_kong.cluster.kubeconfig import connect
from traceable_kong.cluster.kubernetes_client import Unreachable


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with kubeconfig_table.place(tmp_path_factory.mktemp("place")) as made:
        yield made


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ADDED:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setattr(sys, "stdin", io.StringIO())


@pytest.mark.parametrize("name", CASES)
def test_as_kubectl(name: str, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = kubeconfig_table.case(name, place, tmp_path)
    for variable, value in case.variables.items():
        monkeypatch.setenv(variable, value)
    if case.works:
        found = connect().get(WHO)
        assert found is not None
        assert_seen(case, found["who"])
    else:
        with pytest.raises(Unreachable) as refused:
            connect().get(WHO)
        assert str(refused.value).startswith(("http", "no usable kubeconfig (", "the login of the kubeconfig failed: "))


def assert_seen(case: Case, who: dict[str, object]) -> None:
    path = "/clusters/one" if "/clusters/one" in case.cluster.get("server", "") else ""
    assert who == {
        "path": f"{path}{WHO}",
        "authorization": case.authorization,
        "certificate": case.certificate,
        "impersonated": case.impersonated,
    }
    assert_way(case)


def assert_way(case: Case) -> None:
    """The requests went through the case's proxy."""
    targets = {"http": case.place.http.targets, "socks": case.place.socks.targets}
    used = [(kind, target) for kind, found in targets.items() for target in found]
    assert used == ([case.via] if case.via else [])
