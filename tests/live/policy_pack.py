"""The policy pack in a stack's folder, installed as its page says (docs/policies.md)."""

import shutil
import sys

from tests.live.stack import CLONE, LiveStack

WITH_POLICIES = ("--policy-pack", "pack")
"""Options of `pulumi preview` and `pulumi up`, after `install`."""


def install(stack: LiveStack) -> None:
    """Copies the pack, and creates its environment, with uv because pip takes longer than the tests."""
    shutil.copytree(CLONE / "policy", stack.directory / "pack", ignore=shutil.ignore_patterns(".venv", "__pycache__"))
    uv = str(CLONE / ".venv" / "bin" / "uv")
    stack.run(uv, "venv", "--quiet", "--python", sys.executable, "pack/.venv")
    requirements = ("--require-hashes", "--requirement", "pack/requirements.txt")
    stack.run(uv, "pip", "install", "--quiet", "--python", "pack/.venv/bin/python", *requirements)
