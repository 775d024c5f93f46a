"""What a provider's call can fail with, and how much of the resource stands then."""

from collections.abc import Mapping, Sequence
from typing import Any


class ProviderError(Exception):
    """The call failed and nothing is to be recorded; the text is for the person at the terminal."""


class Cancelled(ProviderError):
    """The engine cancelled the operation."""


class AwaitError(Exception):
    """An object is in the cluster and did not become what it should be in time.

    `details` say why, one each; `live` is the object as it was seen last.
    """

    def __init__(self, message: str, live: Mapping[str, Any] | None = None, details: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.live = live
        self.details = list(details)


class PartialError(Exception):
    """The resource exists but is not whole: its state is recorded together with the reasons.

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
