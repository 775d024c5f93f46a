"""An empty cluster for every test."""

import pytest

from tests.fakes.preflight_cluster import FakeKubernetes


@pytest.fixture
def kube() -> FakeKubernetes:
    return FakeKubernetes()
