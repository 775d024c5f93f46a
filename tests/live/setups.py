"""The stack files that the pages show, for the live tests that run them: one that no longer works fails a test.

Names and addresses are replaced by those of the test; each replaced value must be in the page. What only this platform
needs (charts from a folder, its injector) is added to what the page says and never replaces it.
"""

import hashlib
import re
from pathlib import Path
from typing import Any

import yaml

from local import rock
from tests.live.stack import PROJECT, ROLLOUT_TIMEOUT_SECONDS, LiveStack
from traceable_kong.common.nested_data import merged

DOCS = Path(__file__).parents[2] / "docs"
PAGES = tuple(DOCS / name for name in ("getting-started.md", "existing-kong.md", "several-gateways.md"))

STACK_FILE = re.compile(r"^```yaml\n(config:\n.*?)^```$", re.MULTILINE | re.DOTALL)
"""A block of a page that is a stack file; other YAML on a page starts with another key."""

MANAGED = "Managed Kong and agent"
EXISTING_KONG = "Point the stack at the Deployment"
AGENT_STACK = "The agent stack"
FIRST_GATEWAY = "The first gateway"
SECOND_GATEWAY = "The second gateway"
OTHERS_WEBHOOK = "Another gateway's webhook"
OUTSIDE_AGENT = "An agent outside the cluster"

OF_THE_PLATFORM = ("agent", "agentValues", "kong", "kongValues", "plugin")


def stack_files() -> dict[str, str]:
    """The text of every stack file of the pages, by the heading above it."""
    found: dict[str, str] = {}
    for page in PAGES:
        parts = re.split(r"^##+ (.*)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
        for heading, text in zip(parts[1::2], parts[2::2], strict=True):
            files = STACK_FILE.findall(text)
            assert len(files) <= 1, f"{heading} has {len(files)} stack files, and only the first would be run"
            assert not files or heading not in found, f"two pages have a stack file below {heading}"
            found.update(dict.fromkeys([heading] * len(files), "".join(files)))
    return found


def config(heading: str) -> dict[str, Any]:
    """What the stack file below a heading sets, by key without its namespace."""
    document = yaml.safe_load(stack_files()[heading])["config"]
    return {key.removeprefix(f"{PROJECT}:"): value for key, value in document.items()}


def follow(stack: LiveStack, heading: str, **instead: Any) -> None:
    """Gives a prepared stack the page's stack file; the stack's other keys stay.

    `instead` are values of this test by their place in the stack file, `kong__namespace="..."`.
    """
    shown = config(heading)
    own = {key: stack.configured(key) or {} for key in OF_THE_PLATFORM}
    if shown.get("gateway") is False:
        own["plugin"], own["kong"], own["kongValues"] = {}, {}, {}
    else:
        path = rock.make(stack.directory / "rocks", version=shown["plugin"].get("version", rock.VERSION))
        instead["plugin__sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
        own["plugin"] = {"name": own["plugin"]["name"], "rock": str(path)}
    for place, value in instead.items():
        _replace(shown, place.split("__"), value)
    if shown.get("kong", {}).get("install") is False:
        own["kong"], own["kongValues"] = {"timeoutSeconds": ROLLOUT_TIMEOUT_SECONDS}, {}
    if shown.get("agent", {}).get("install") is False:
        own["agent"], own["agentValues"] = {}, {}
    given = {"agentToken": stack.configured("agentToken")} if "agentToken" in shown else {}
    result = {**merged(own, shown), **given}
    gone = {"agentToken", *OF_THE_PLATFORM} - {key for key, value in result.items() if value}
    stack.set(**{key: value for key, value in result.items() if key not in gone})
    stack.unset(*gone)


def _replace(shown: Any, place: list[str], value: Any) -> None:
    """Replaces a value. Raises KeyError or IndexError where the page has none."""
    *above, last = [int(word) if word.isdigit() else word for word in place]
    for word in above:
        shown = shown[word]
    assert shown[last] is not None
    shown[last] = value
