"""An empty cluster for every test."""

import pytest

from tests.preflight.fake import FakeKube


@pytest.fixture
def kube() -> FakeKube:
    return FakeKube()
