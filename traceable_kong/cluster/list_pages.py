"""The pages of a list of the Kubernetes API.

Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks.
"""

from traceable_kong.cluster.api_response import ApiError, ApiResponse, Document, not_the_api

LIST_LIMIT = 64 * 1024 * 1024
"""Bytes of all pages."""

RESTARTS = 3
"""How often a list begins again because its next page has expired."""


class ListPages:
    """The pages of a list; `token` is of the next page, "" for the first."""

    def __init__(self) -> None:
        self.items: list[Document] = []
        self.token = ""
        self._tokens: set[str] = set()
        self._size = 0
        self._restarts = 0

    def is_last(self, page: ApiResponse) -> bool:
        """Adds a page. Raises ApiError for one that is none, or never ends."""
        items, metadata = page.get("items") or [], page.get("metadata") or {}
        if not (str(page.get("kind")).endswith("List") and isinstance(items, list) and isinstance(metadata, dict)):
            raise not_the_api("JSON that is no list of Kubernetes")
        if not all(isinstance(item, dict) and isinstance(item.get("metadata"), dict) for item in items):
            raise not_the_api("a list with entries that are no objects of Kubernetes")
        self.items += items
        self._size += page.size
        if self._size > LIST_LIMIT:
            raise ApiError(200, "TooLong", f"the list is longer than {LIST_LIMIT // 1024**2} MiB")
        token = metadata.get("continue") or ""
        if not (isinstance(token, str) and token.isascii()):
            raise not_the_api("a list with a token that is none")
        self.token = token
        if self.token in self._tokens:
            raise not_the_api("pages of a list that repeat")
        self._tokens.add(self.token)
        return not self.token

    def restart(self) -> bool:
        """True if the list may begin again: a page expires some minutes after the first one."""
        self._restarts += 1
        self.items, self.token = [], ""
        self._tokens.clear()
        return self._restarts <= RESTARTS
