"""A Helm release that this stack manages."""

from dataclasses import dataclass, field
from typing import Literal

from traceable_kong.common.nested_data import Values
from traceable_kong.helm_values.chart import Chart

ReleaseKey = Literal["kong", "agent"]


@dataclass(frozen=True, kw_only=True)
class HelmRelease:
    """A Helm release of this stack; `key` is the config section that it comes from.

    `values` are all of the chart's values, with this stack's mark. Helm waits `timeout_seconds` for the pods; a whole
    operation with its Jobs takes at most `operation_seconds`. `adopt` imports one that was installed by hand.
    """

    key: ReleaseKey
    namespace: str
    name: str
    chart: Chart
    values: Values = field(repr=False)
    timeout_seconds: int
    operation_seconds: int
    adopt: bool = False
    protect: bool = False
