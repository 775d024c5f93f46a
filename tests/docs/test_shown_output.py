"""docs/what-it-looks-like.md shows outputs without what differs between runs, and a live test compares each."""

import re
from pathlib import Path

import pytest

from tests.live import shown_output
from tests.live.shown_output import COMMAND, PAGE, in_any_order, normalized

HEADINGS = {name: value for name, value in vars(shown_output).items() if f"## {value}\n" in PAGE.read_text("utf-8")}
LIVE = [path.read_text(encoding="utf-8") for path in Path(shown_output.__file__).parent.glob("*.py")]
SECTIONS = [part.partition("\n") for part in PAGE.read_text("utf-8").split("\n## ")[1:]]
SHOWN = {
    heading: re.findall(r"^```text\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)[0] for heading, _, text in SECTIONS
}

STAND_IN = (
    "warning: the kubernetes provider plugin in this run is a STAND-IN for the official one: read local/README.md"
)
PRINTED = f"""\
Updating (live-0a1b2c):
@ updating....
 +  kubernetes:core/v1:Namespace traceable-kong-namespace creating (0s)
 +  pulumi:pulumi:Stack traceable-kong-live-0a1b2c creating (0s) {STAND_IN}
@ updating....
 +  kubernetes:core/v1:Namespace traceable-kong-namespace created (0.05s)
 +  pulumi:pulumi:Stack traceable-kong-live-0a1b2c created (16s) 1 warning; 2 messages
Diagnostics:
  pulumi:pulumi:Stack (traceable-kong-live-0a1b2c):
    {STAND_IN}
    The verification took 0.2 s.

Outputs:
    recordDigest: "{"5e" * 32}"
    stackId     : "traceable-kong.live-0a1b2c-c991c15b"

Duration: 18s

"""
NORMAL = """\
Updating (dev):
 +  kubernetes:core/v1:Namespace traceable-kong-namespace created
Diagnostics:
  pulumi:pulumi:Stack (traceable-kong-dev):
    The verification took N s.

Outputs:
    recordDigest: "SHA256"
    stackId     : "traceable-kong.dev-01234567"

Duration: N s"""
REPORT = """\
POD                                READY  VERDICT
live-0a1b2c-kong-5b956fc6bc-ns4j6  ok     protected
live-0a1b2c-kong-5b956fc6bc-zx111  ok     protected

live-0a1b2c-kong/live-0a1b2c-kong: protected.
"""
NORMAL_REPORT = """\
POD                       READY  VERDICT
dev-kong-6d5c9f7b8-4xk2p  ok     protected
dev-kong-6d5c9f7b8-9wz7q  ok     protected

dev-kong/dev-kong: protected."""


@pytest.mark.parametrize(("printed", "normal"), [(PRINTED, NORMAL), (REPORT, NORMAL_REPORT)])
def test_what_differs_between_runs_is_replaced(printed: str, normal: str) -> None:
    assert normalized(printed, stack="live-0a1b2c") == normal


def test_a_diagnosis_of_the_platform_alone_leaves_no_heading() -> None:
    printed = f"Diagnostics:\n  pulumi:pulumi:Stack (traceable-kong-live-0a1b2c):\n    {STAND_IN}\n\nResources:\n"
    assert normalized(printed, stack="live-0a1b2c") == "Resources:"


def test_resources_may_come_in_any_order_and_nothing_else_may() -> None:
    rows = [" +  a:b:C one created", "    a:b:C two"]
    others = ["Diagnostics:", "  a warning"]
    assert in_any_order("\n".join(rows + others)) == in_any_order("\n".join(rows[::-1] + others))
    assert in_any_order("\n".join(others)) != in_any_order("\n".join(others[::-1]))
    assert in_any_order("\n".join(rows)) != in_any_order(rows[0])


@pytest.mark.parametrize("heading", SHOWN)
def test_the_page_shows_normal_text(heading: str) -> None:
    assert SHOWN[heading].strip() and normalized(SHOWN[heading], stack="live-0a1b2c") == SHOWN[heading].strip()


def test_a_live_test_compares_each_output() -> None:
    assert set(HEADINGS.values()) == set(SHOWN)
    unused = [name for name in HEADINGS if not any(f"shown_output.{name}," in source for source in LIVE)]
    assert unused == []
    assert COMMAND in (PAGE.parents[1] / "tests" / "README.md").read_text(encoding="utf-8")
