"""Every operation on a gateway, recorded: what is promised holds all the while, and it rolls as often as it must.

One stack walks through all of them, once with one replica and once with four: with four, Helm's wait ends while old
pods still serve. OPERATIONS_TABLE names a file for how long each took and how often the gateway rolled; where the walks
run side by side, each has a file of its own with its number of replicas in front.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.live.history import History
from tests.live.operations import WALK
from tests.live.promises import Gateway
from tests.live.stack import LiveStack, Recording

TABLE_VARIABLE = "OPERATIONS_TABLE"
REPLICAS = (1, 4)

Timings = dict[str, dict[int, Recording]]


@pytest.fixture(scope="module")
def timings() -> Iterator[Timings]:
    """What each operation took, by name and replicas; written as a table when all walks are done."""
    found: Timings = {}
    yield found
    if os.environ.get(TABLE_VARIABLE):
        path = Path(os.environ[TABLE_VARIABLE])
        walked = sorted({count for by_replicas in found.values() for count in by_replicas})
        path.with_name("-".join([*map(str, walked), path.name])).write_text(table(found))


@pytest.mark.parametrize("replicas", REPLICAS)
def test_every_operation_keeps_every_promise(
    replicas: int, new_stack: Callable[..., LiveStack], timings: Timings, subtests: pytest.Subtests
) -> None:
    stack = new_stack()
    stack.set(kongValues={**stack.configured("kongValues"), "replicaCount": replicas})
    for operation in WALK:
        with subtests.test(operation.name):
            with stack.recorded() as recording:
                operation.run(stack)
            timings.setdefault(operation.name, {})[replicas] = recording
            assert recording.rollouts == operation.rollouts
            # Two global ones of one class are both dropped by the ingress controller.
            assert most_plugins(recording.history, stack.gateway) <= 1
            # A preview asks the stack, not its pods: once is enough.
            if operation.leaves_a_stack and replicas == REPLICAS[0]:
                stack.preview("--expect-no-changes")


def most_plugins(history: History, gateway: Gateway) -> int:
    """How many plugins of this gateway were there at once."""
    return max(len(gateway.plugins(world)) for _, world in history.replay())


def table(timings: Timings) -> str:
    """A Markdown table; seconds without those of starting and draining the recorder."""
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
