"""Every operation on a gateway keeps the promises, and replaces its pods as often as it must.

One stack runs all operations, once with one replica and once with four: with four, Helm's wait ends while old pods
still serve. OPERATIONS_TABLE names a file for a table of seconds and rollouts; tests that run in parallel each write a
file of their own, with the number of replicas in front of its name.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.live.operations import OPERATIONS
from tests.live.stack import NO_DRIFT, LiveStack, Recording
from tests.recorder.history import History
from tests.recorder.promises import Gateway

TABLE_VARIABLE = "OPERATIONS_TABLE"
REPLICAS = (1, 4)

Timings = dict[str, dict[int, Recording]]


@pytest.fixture(scope="module")
def timings() -> Iterator[Timings]:
    """The recording of each operation, by name and replicas; written as a table at the end."""
    found: Timings = {}
    yield found
    if os.environ.get(TABLE_VARIABLE):
        path = Path(os.environ[TABLE_VARIABLE])
        counts = sorted({count for by_replicas in found.values() for count in by_replicas})
        path.with_name("-".join([*map(str, counts), path.name])).write_text(table(found))


@pytest.mark.parametrize("replicas", [pytest.param(REPLICAS[0], marks=pytest.mark.shown_output), *REPLICAS[1:]])
def test_every_operation_keeps_every_promise(
    replicas: int, new_stack: Callable[..., LiveStack], timings: Timings, subtests: pytest.Subtests
) -> None:
    stack = new_stack()
    stack.update("kongValues", replicaCount=replicas)
    for operation in OPERATIONS:
        with subtests.test(operation.name):
            with stack.recorded() as recording:
                operation.run(stack)
            timings.setdefault(operation.name, {})[replicas] = recording
            assert recording.rollouts == operation.rollouts
            # The ingress controller drops both of two global plugins of one class.
            assert most_plugins(recording.history, stack.gateway) <= 1
            # A preview does not depend on the number of pods: once is enough.
            if operation.keeps_stack and replicas == REPLICAS[0]:
                stack.preview(*NO_DRIFT)


def most_plugins(history: History, gateway: Gateway) -> int:
    """The largest number of plugins that this gateway had at once."""
    return max(len(gateway.plugins(world)) for _, world in history.replay())


def table(timings: Timings) -> str:
    """A Markdown table; the seconds do not include starting and draining the recorder."""
    lines = [
        "| operation | gateway rollouts | "
        + " | ".join(f"seconds, {count} replica{'s' * (count > 1)}" for count in REPLICAS)
        + " |",
        "|---|---|" + "---|" * len(REPLICAS),
    ]
    for name, by_replicas in timings.items():
        rollouts = "/".join(sorted({str(item.rollouts) for item in by_replicas.values()}))
        took = [f"{by_replicas[count].seconds:.0f}" if count in by_replicas else "-" for count in REPLICAS]
        lines.append(f"| {name} | {rollouts} | " + " | ".join(took) + " |")
    return "\n".join(lines) + "\n"
