"""What a chart creates with its values: the objects that Helm renders, or why it renders none."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Document = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class RenderedChart:
    """The objects of a chart, each as the API server would get it, without CRDs and test hooks.

    `ignored` are undocumented top-level values without which the chart renders the same.
    """

    objects: tuple[Document, ...]
    ignored: tuple[str, ...] = ()

    def of_kind(self, kind: str) -> list[Document]:
        return [item for item in self.objects if item.get("kind") == kind]

    def find(self, kind: str, namespace: str, name: str) -> Document | None:
        """The object of this kind and name in a namespace; None if the chart creates none."""
        for item in self.of_kind(kind):
            metadata: Mapping[str, Any] = item.get("metadata") or {}
            if (metadata.get("namespace") or namespace, metadata.get("name")) == (namespace, name):
                return item
        return None

    def creates_the_same_as(self, other: "RenderedChart") -> bool:
        """Whether two renderings are equal, apart from the certificates that a chart creates in each rendering."""
        return _lasting(self.objects) == _lasting(other.objects)


def _lasting(objects: tuple[Document, ...]) -> list[Document]:
    return [item for item in objects if item.get("kind") not in _WITH_CERTIFICATES]


_WITH_CERTIFICATES = ("Secret", "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")


@dataclass(frozen=True, kw_only=True)
class UnrenderedChart:
    """A chart that Helm cannot download or render; `reason` is what it says. It can contain secret values."""

    reason: str


Rendering = RenderedChart | UnrenderedChart
