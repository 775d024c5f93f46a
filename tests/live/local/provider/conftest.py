"""A plugin for the whole session, plugins with other arguments, and a namespace for each test.

CONFORMANCE_KUBECONFIG selects another cluster than the embedded one.
"""

import json
import os
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.live.commands import execute, wait_until
from tests.live.local.provider.plugin import Plugin


class Cluster:
    """The cluster as another client sees it, with kubectl."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = dict(environment)

    def run(self, *arguments: str, stdin: str = "", check: bool = True) -> str:
        done = execute(*arguments, environment=self.environment, stdin=stdin)
        assert done.returncode == 0 or not check, done.stderr
        return done.stdout

    def get(self, kind: str, name: str, namespace: str = "default") -> Any:
        """Returns an object, or None if it does not exist."""
        shown = self.run(
            *("kubectl", "get", kind, name, "-n", namespace, "-o", "json"),
            *("--show-managed-fields", "--ignore-not-found"),
        )
        return json.loads(shown) if shown else None

    def apply(self, document: Mapping[str, Any]) -> None:
        """Applies an object with the field manager `another`."""
        self.run(
            *("kubectl", "apply", "--server-side", "--force-conflicts", "--field-manager=another", "-f", "-"),
            stdin=json.dumps(document),
        )


@pytest.fixture(scope="session")
def environment(request: pytest.FixtureRequest) -> dict[str, str]:
    """The environment of a plugin: the cluster, and helm and kubectl on PATH."""
    other = os.environ.get("CONFORMANCE_KUBECONFIG")
    if other:
        return {**os.environ, "KUBECONFIG": other}
    return dict(request.getfixturevalue("platform").env)


@pytest.fixture(scope="session")
def cluster(environment: dict[str, str]) -> Cluster:
    return Cluster(environment)


@pytest.fixture(scope="session")
def plugin(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plugin]:
    """A plugin with default arguments."""
    running = Plugin(environment, tmp_path_factory.mktemp("plugin"))
    yield running
    running.stop()


@pytest.fixture
def new_plugin(environment: dict[str, str], tmp_path: Path) -> Iterator[Callable[..., Plugin]]:
    """Returns a factory of plugins with other arguments: `new_plugin(namespace="x")`."""
    running: list[Plugin] = []

    def make(**arguments: str) -> Plugin:
        running.append(Plugin(environment, tmp_path, **arguments))
        return running[-1]

    yield make
    for each in running:
        each.stop()


@pytest.fixture
def namespace(cluster: Cluster) -> Iterator[str]:
    """A namespace for the test."""
    name = f"conformance-{uuid.uuid4().hex[:8]}"
    cluster.run("kubectl", "create", "namespace", name)
    wait_until(lambda: cluster.get("serviceaccount", "default", name) is not None, "no default service account")
    yield name
    cluster.run("kubectl", "delete", "namespace", name, "--wait=false", check=False)
