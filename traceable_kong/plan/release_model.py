"""A Helm release that this stack manages."""

from dataclasses import dataclass, field
from typing import Literal

from traceable_kong.common.nested_data import Path, Values, hidden
from traceable_kong.helm_values.chart import Chart

ReleaseKey = Literal["kong", "agent"]


@dataclass(frozen=True, kw_only=True)
class HelmRelease:
    """A Helm release of this stack; `key` is the config section that it comes from.

    `chart_digest` changes with the chart. `values` are all of the chart's values as Helm gets them, with this stack's
    mark; the leaves at `secret_values` are secret, and `values_digest` may be public. Helm waits `timeout_seconds` for
    the pods; a whole operation with its Jobs takes at most `operation_seconds`. `adopt` imports one that was installed
    by hand.
    """

    key: ReleaseKey
    namespace: str
    name: str
    chart: Chart
    chart_digest: str
    values: Values = field(repr=False)
    values_digest: str
    secret_values: frozenset[Path]
    timeout_seconds: int
    operation_seconds: int
    adopt: bool = False
    protect: bool = False

    @property
    def registered_values(self) -> Values:
        """The values with the secret ones as SecretStr, for the state."""
        return dict(hidden(self.values, self.secret_values.__contains__))
