"""The stack files of docs/setups.md, for the live tests that run them: a page that rots fails a test.

Names and addresses are changed for those of the test, and every one that is changed must stand in the page. What only
this platform needs (charts from a folder, its injector) is put beside what the page says, and never in its place.
Leaves out whether the program takes the files (tests/settings/test_setups.py).
"""

import hashlib
import re
from pathlib import Path
from typing import Any

import yaml

from local import rock
from tests.live.stack import PROJECT, ROLLOUT_TIMEOUT_SECONDS, LiveStack
from values import merged

PAGE = Path(__file__).parents[2] / "docs" / "setups.md"

ALL_OURS = "All ours"
EXISTING_KONG = "A Kong that exists"
AGENT_ALONE = "The agent alone"
FIRST_GATEWAY = "The first gateway"
SECOND_GATEWAY = "The second gateway"
OTHERS_WEBHOOK = "Another gateway's webhook"
OUTSIDE_AGENT = "An agent outside the cluster"

OF_THE_PLATFORM = ("agent", "agentValues", "kong", "kongValues", "plugin")


def stack_files() -> dict[str, str]:
    """The text of every stack file of the page, by the heading that it stands below."""
    parts = re.split(r"^##+ (.*)$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    found = {}
    for heading, text in zip(parts[1::2], parts[2::2], strict=True):
        files = re.findall(r"^```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        assert len(files) <= 1, f"{heading} has {len(files)} stack files, and only the first would be run"
        found.update(dict.fromkeys([heading] * len(files), "".join(files)))
    return found


def config(heading: str) -> dict[str, Any]:
    """What the stack file below a heading sets, by key without its namespace."""
    document = yaml.safe_load(stack_files()[heading])["config"]
    return {key.removeprefix(f"{PROJECT}:"): value for key, value in document.items()}


def follow(stack: LiveStack, heading: str, **instead: Any) -> None:
    """Gives a prepared stack the page's stack file; what it was given of other keys stays.

    `instead` are values of this test by their place in the page, `kong__namespace="..."`.
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
    """Puts another value where one is. Raises KeyError or IndexError where the page has none."""
    *above, last = [int(word) if word.isdigit() else word for word in place]
    for word in above:
        shown = shown[word]
    assert shown[last] is not None
    shown[last] = value
