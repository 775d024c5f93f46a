"""An empty cluster for every test."""

import pytest

from tests.preflight.fake import FakeKubernetes


@pytest.fixture
def kube() -> FakeKubernetes:
    return FakeKubernetes()
