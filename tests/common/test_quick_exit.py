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
