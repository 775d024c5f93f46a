"""What can go wrong with Kong's Admin API."""

from typing import Any

from traceable_kong.common.safe_text import PlainError


class AdminError(PlainError):
    """A request to Kong's Admin API failed; the text is for the person at the terminal."""


class Unavailable(AdminError):
    """The Admin API cannot be reached, perhaps only for a moment."""


class DeploymentMissing(AdminError):
    """Kong's Deployment does not exist, so there is no Admin API."""


class SecretMissing(AdminError):
    """A Secret that the config names does not exist, or has no text at its key."""


class ErrorResponse(AdminError):
    """Kong answered with an error; the text has Kong's own message."""

    def __init__(self, status: int, text: str, document: dict[str, Any]) -> None:
        super().__init__(text)
        self.status = status
        self.document = document


class OwnershipConflict(AdminError):
    """A plugin entity that is not managed by this stack is where this stack's must be."""
