"""The keys of a stack file as Python programs write them."""

import re
from collections.abc import Mapping

from traceable_kong.config.config_layout import KNOWN_KEYS
from traceable_kong.config.provider_options import OBJECTS, OPTIONS

_OPTIONS = {*OPTIONS, *(key for keys in OBJECTS.values() for key in keys)}
_KEYS = sorted({str(part) for path in KNOWN_KEYS for part in path} | _OPTIONS)

PYTHON_NAMES: Mapping[str, str] = {
    key: re.sub("[A-Z]", lambda found: f"_{found[0].lower()}", key) for key in _KEYS if key != key.lower()
}
"""`{filesMountedBy: files_mounted_by}`."""

_CAMEL_CASE = re.compile(rf"\b({'|'.join(PYTHON_NAMES)})\b")


def python_spelling(text: str) -> str:
    """A message in which the keys of a stack file, such as `filesMountedBy`, are written as Python programs do."""
    return _CAMEL_CASE.sub(lambda found: PYTHON_NAMES[found[0]], text)
