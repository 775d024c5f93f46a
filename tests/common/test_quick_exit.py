"""What refers to itself is not collected when Python ends."""

import subprocess
import sys

import pytest

CYCLE = """
class Cycle:
    def __init__(self):
        self.itself = self
    def __del__(self):
        print("collected")

cycle = Cycle()
del cycle
"""


@pytest.mark.parametrize(
    ("before", "printed"),
    [("", "collected"), ("from traceable_kong.common import quick_exit; quick_exit.skip_last_collection()", "")],
)
def test_the_last_collection(before: str, printed: str) -> None:
    done = subprocess.run([sys.executable, "-c", before + CYCLE], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == printed


def test_leaving_waits_for_nothing_and_writes_everything() -> None:
    code = """
import threading, time
from traceable_kong.common.quick_exit import leave
threading.Thread(target=time.sleep, args=(30,)).start()
print("the end", end="")
leave(3)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=20, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (3, "the end", "")
