"""The errors of a provider's RPCs, by what the engine has to record."""

from collections.abc import Mapping, Sequence
from typing import Any


class ProviderError(Exception):
    """The call failed and there is nothing to record. The message is for the user."""


class Cancelled(ProviderError):
    """The engine has cancelled the operation."""


class AwaitError(Exception):
    """An object exists and did not become ready in time.

    `details` are the reasons, `live` is the object as it was last seen.
    """

    def __init__(self, message: str, live: Mapping[str, Any] | None = None, details: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.live = live
        self.details = list(details)


class PartialError(Exception):
    """The resource exists but is not complete. Its state is recorded together with the reasons.

    https://www.pulumi.com/docs/iac/concepts/providers/dynamic-providers/ and `partialError` in provider.go.
    """

    def __init__(
        self,
        message: str,
        resource_id: str,
        state: Mapping[str, Any],
        *,
        inputs: Mapping[str, Any] | None = None,
        details: Sequence[str] = (),
    ) -> None:
        super().__init__(message)
        self.resource_id = resource_id
        self.state = state
        self.inputs = inputs
        self.reasons = [message, *details]
