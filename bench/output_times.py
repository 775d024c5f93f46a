"""What the lines of a command's output say about time: the verification, and how soon the end of a rollout was seen."""

import re
from collections.abc import Iterable, Sequence

from bench.measured_command import Line

_VERIFICATION = re.compile(r"\bThe verification took (\d+\.\d+) s\.")
_ROLLOUT_STEP_ENDED = re.compile(
    r"(Release +traceable-gateway-release|DeploymentPatch +\S+) +(created|updated)\b|successfully rolled out$"
)
_SCRIPT_STEP = re.compile(r"^--- (\w+)$")
_CHECK = "check"
_SAME_MOMENT_SECONDS = 0.5


def verification(lines: Sequence[Line]) -> float | None:
    """How long an `up` verified, as it says itself; None if it does not."""
    return next((float(found[1]) for _, text in lines if (found := _VERIFICATION.search(text))), None)


def check(lines: Sequence[Line], ended: float) -> float | None:
    """How long the manual's steps `check` looked at Kong; the script names each step before it starts."""
    starts = [(time, found[1]) for time, text in lines if (found := _SCRIPT_STEP.search(text))]
    ends = [time for time, _ in starts[1:]] + [ended]
    durations = [end - time for (time, name), end in zip(starts, ends, strict=True) if name == _CHECK]
    return sum(durations) if durations else None


def rollout_lag(lines: Iterable[Line], completions: Sequence[float]) -> float | None:
    """The longest time from the end of a rollout to the end of the step that waited for it; None without a rollout.

    A step can hear of the end a moment before the bench does, which is no lag.
    """
    lags, steps = [], [time for time, text in lines if _ROLLOUT_STEP_ENDED.search(text)]
    for completed in completions:
        later = [time - completed for time in steps if time >= completed - _SAME_MOMENT_SECONDS]
        if later:
            lags.append(max(0.0, min(later)))
    return max(lags, default=None)
