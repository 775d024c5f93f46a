"""Pages of the Admin API's lists: size, offset and tags.

Based on `kong/api/endpoints.lua`, `kong/db/dao/init.lua` and `kong/db/strategies/postgres/init.lua` of Kong 3.9.
"""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from local.kong import admin_api_errors

SIZE, LARGEST = 100, 1000
MOST_TAGS = 5

_TAG = "[ -+\\-.0-~\x80-\U0010ffff]+"


class InvalidPage(Exception):
    """The query is invalid. `body` is Kong's response (400)."""

    def __init__(self, body: dict[str, Any]) -> None:
        super().__init__(body["message"])
        self.body = body


@dataclass(frozen=True, kw_only=True)
class Page:
    """The query of a list. `after` is the last id of the previous page."""

    size: int
    after: str | None
    tags: tuple[str, ...]
    all_tags: bool

    @classmethod
    def read(cls, query: Mapping[str, str]) -> "Page":
        """Reads the query. Raises InvalidPage."""
        tags, all_tags = _tags(query)
        return cls(size=_size(query), after=_after(query), tags=tags, all_tags=all_tags)

    def has(self, entity: Mapping[str, Any]) -> bool:
        """Returns True if the entity has the requested tags."""
        found = [tag in (entity.get("tags") or []) for tag in self.tags]
        return not found or (all(found) if self.all_tags else any(found))


def to_response(path: str, query: Mapping[str, str], items: list[dict[str, Any]], *, more: bool) -> dict[str, Any]:
    """Returns the body of a page. `more` is True if other items follow."""
    if not more:
        return {"data": items, "next": None}
    offset = base64.b64encode(json.dumps([items[-1]["id"]]).encode()).decode()
    kept = "".join(f"&{name}={quote(query[name], safe='')}" for name in ("tags", "size") if name in query)
    return {"data": items, "offset": offset, "next": f"/{path}?offset={quote(offset, safe='')}{kept}"}


def _size(query: Mapping[str, str]) -> int:
    text = query.get("size", str(SIZE))
    if not re.fullmatch(r"-?[0-9]+([.][0-9]+)?", text):
        raise InvalidPage(admin_api_errors.invalid_size("size must be a number"))
    if float(text) != int(float(text)) or not 1 <= float(text) <= LARGEST:
        raise InvalidPage(admin_api_errors.invalid_size(f"size must be an integer between 1 and {LARGEST}"))
    return int(float(text))


def _after(query: Mapping[str, str]) -> str | None:
    offset = query.get("offset")
    if offset is None:
        return None
    try:
        decoded = base64.b64decode(offset, validate=True)
    except ValueError as problem:
        raise InvalidPage(admin_api_errors.invalid_offset(offset, "bad base64 encoding")) from problem
    try:
        return str(json.loads(decoded)[0])
    except (ValueError, LookupError, TypeError) as problem:
        raise InvalidPage(admin_api_errors.invalid_offset(offset, "bad json encoding")) from problem


def _tags(query: Mapping[str, str]) -> tuple[tuple[str, ...], bool]:
    text = query.get("tags")
    if text is None:
        return (), True
    for separator in (",", "/"):
        if re.fullmatch(f"{_TAG}(?:{separator}{_TAG})*", text):
            found = tuple(text.split(separator))
            if len(found) > MOST_TAGS:
                raise InvalidPage(admin_api_errors.invalid_tags(f"cannot query more than {MOST_TAGS} tags"))
            return found, separator == ","
    raise InvalidPage(admin_api_errors.invalid_tags("invalid filter syntax" if text else "cannot be null"))
