"""Properties as the engine sends them, as plain data (sdk/go/common/resource/plugin/rpc.go and properties.go)."""

from collections.abc import Mapping
from typing import Any

from .registered_resource import SECRET, UNKNOWN, Hidden

SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET_SIGNATURE = "1b47061264138c4ac30d75fd1eb44270"

UNKNOWNS = frozenset(
    {
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    }
)
"""What the engine sends for a boolean, number, text, list, asset, archive or object that is unknown in a preview."""


def plain(value: Any) -> Any:
    """The value with `Hidden` in place of secrets, of what is unknown, and of files."""
    if isinstance(value, Mapping):
        if SIGNATURE in value:
            return Hidden(SECRET if value[SIGNATURE] == SECRET_SIGNATURE else "a file")
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return Hidden(UNKNOWN) if isinstance(value, str) and value in UNKNOWNS else value
