"""The stack files in the documentation, for the live tests that run them: one that no longer works fails a test.

A test replaces names and addresses by its own; each replaced value must be in the page. What only the embedded
platform needs (charts from a folder, its injector) is added to the page's values and never replaces them.
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
"""A stack file in a page; other YAML in a page starts with another key."""

MANAGED_KONG = "Managed Kong and agent"
EXISTING_KONG = "Point the stack at the Deployment"
AGENT_STACK = "The agent stack"
FIRST_GATEWAY = "The first gateway"
SECOND_GATEWAY = "The second gateway"
WEBHOOK_OF_ANOTHER_GATEWAY = "Another gateway's webhook"
EXTERNAL_AGENT = "An agent outside the cluster"

PLATFORM_KEYS = ("agent", "agentValues", "kong", "kongValues", "plugin")


def stack_files() -> dict[str, str]:
    """The text of every stack file in the pages, by the heading above it."""
    found: dict[str, str] = {}
    for page in PAGES:
        parts = re.split(r"^##+ (.*)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
        for heading, text in zip(parts[1::2], parts[2::2], strict=True):
            files = STACK_FILE.findall(text)
            assert len(files) <= 1, f"{heading} has {len(files)} stack files, and tests would only run the first"
            assert not files or heading not in found, f"two pages have a stack file below the heading {heading}"
            found.update(dict.fromkeys([heading] * len(files), "".join(files)))
    return found


def documented_config(heading: str) -> dict[str, Any]:
    """The config of the stack file below a heading, by key without its namespace."""
    document = yaml.safe_load(stack_files()[heading])["config"]
    return {key.removeprefix(f"{PROJECT}:"): value for key, value in document.items()}


def use_documented(stack: LiveStack, heading: str, **replaced: Any) -> None:
    """Writes the page's stack file into that of a prepared stack; the stack's other keys stay.

    `replaced` are the test's values by their place in the stack file, `kong__namespace="..."`.
    """
    shown = documented_config(heading)
    own = {key: stack.configured(key) or {} for key in PLATFORM_KEYS}
    if shown.get("gateway") is False:
        own["plugin"], own["kong"], own["kongValues"] = {}, {}, {}
    else:
        path = rock.make(stack.directory / "rocks", version=shown["plugin"].get("version", rock.VERSION))
        replaced["plugin__sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
        own["plugin"] = {"name": own["plugin"]["name"], "rock": str(path)}
    for place, value in replaced.items():
        _replace(shown, place.split("__"), value)
    if shown.get("kong", {}).get("install") is False:
        own["kong"], own["kongValues"] = {"timeoutSeconds": ROLLOUT_TIMEOUT_SECONDS}, {}
    if shown.get("agent", {}).get("install") is False:
        own["agent"], own["agentValues"] = {}, {}
    token = {"agentToken": stack.configured("agentToken")} if "agentToken" in shown else {}
    result = {**merged(own, shown), **token}
    removed = {"agentToken", *PLATFORM_KEYS} - {key for key, value in result.items() if value}
    stack.set(**{key: value for key, value in result.items() if key not in removed})
    stack.unset(*removed)


def _replace(shown: Any, place: list[str], value: Any) -> None:
    """Replaces a value. Raises KeyError or IndexError where the page has none."""
    *above, last = [int(word) if word.isdigit() else word for word in place]
    for word in above:
        shown = shown[word]
    assert shown[last] is not None
    shown[last] = value
