"""Waiting for the next change of an object."""

import threading
import time
from types import SimpleNamespace
from typing import Any, cast

import pytest

from local.provider.kubernetes.api_client import Unreachable
from local.provider.kubernetes.object_watch import ObjectWatch
from local.provider.kubernetes.provider_config import ProviderConfig
from local.provider.kubernetes.provider_context import Context
from local.provider.kubernetes.provider_errors import Cancelled


class _Cluster:
    """A cluster in which one object changes when the test says so."""

    def __init__(self) -> None:
        self.versions: list[str] = []
        self.change = threading.Event()
        self.problem: Exception | None = None

    def wait_for_change(self, path: str, version: str) -> None:
        self.versions.append(version)
        if self.problem:
            raise self.problem
        self.change.wait()


def _watch(cluster: _Cluster) -> tuple[Context, ObjectWatch]:
    api = cast(Any, SimpleNamespace(wait_for_change=cluster.wait_for_change))
    context = Context(ProviderConfig(), lambda *_: None, api=api)
    return context, ObjectWatch(context, "/api/v1/namespaces/n/configmaps/it")


def _seconds(watch: ObjectWatch, version: str, seconds: float) -> float:
    began = time.monotonic()
    watch.wait(version, seconds)
    return time.monotonic() - began


def test_a_change_ends_the_wait() -> None:
    cluster = _Cluster()
    _, watch = _watch(cluster)
    threading.Timer(0.02, cluster.change.set).start()

    assert _seconds(watch, "1", 30) < 5
    assert cluster.versions == ["1"]


def test_a_change_is_reported_once() -> None:
    cluster = _Cluster()
    cluster.change.set()
    _, watch = _watch(cluster)
    watch.wait("1", 30)

    assert _seconds(watch, "1", 0.03) >= 0.03
    assert cluster.versions == ["1"]
    assert _seconds(watch, "2", 30) < 5


def test_without_a_watch_the_wait_has_its_time() -> None:
    cluster = _Cluster()
    cluster.problem = Unreachable("no connection")
    _, watch = _watch(cluster)

    assert 0.03 <= _seconds(watch, "1", 0.03) < 5


def test_a_cancelled_wait_ends() -> None:
    cluster = _Cluster()
    context, watch = _watch(cluster)
    context.cancelled.set()

    with pytest.raises(Cancelled):
        watch.wait("1", 30)
    cluster.change.set()
