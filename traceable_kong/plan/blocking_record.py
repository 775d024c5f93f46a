"""What the record says of the response to a blocked request."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from traceable_kong.plan.agent_model import ManagedAgent
from traceable_kong.plan.model import Plan

STATUS, MESSAGE = "blockingStatusCode", "blockingMessage"


@dataclass(frozen=True, kw_only=True)
class Blocking:
    """The response to a blocked request; `message` is None where it is not known.

    `off` says why nothing is blocked, "" where requests can be.
    """

    status: int
    message: str | None = None
    off: str = ""


def blocking_data(plan: Plan) -> dict[str, str]:
    """The record's data on it; none where this stack does not configure the agent."""
    if not isinstance(plan.agent, ManagedAgent):
        return {}
    # The injector's, because a TME answers.
    config = plan.agent.release.values["injector"]["blockingConfig"]
    data = {STATUS: str(config["blockingStatusCode"]), MESSAGE: str(config["blockingMessage"])}
    return {key: text for key, text in data.items() if text not in plan.secrets}


def blocking_of(data: Mapping[str, str]) -> Blocking | None:
    """What a record says, None where it does not.

    Others can write it: a status that no stack can have is ignored, so that no success counts as a refusal.
    """
    status = data.get(STATUS, "")
    if not re.fullmatch(r"4[0-9][0-9]", status):
        return None
    return Blocking(status=int(status), message=data.get(MESSAGE) or None)
