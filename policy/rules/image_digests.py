"""images-by-digest: in production, images in chart values are named by digest."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .registered_resource import RELEASE, Resource, config_key, message, shown_path

KONG_IMAGE = (("image",), ("gateway", "image"))
"""Kong's own image in the values of the charts kong and kong/ingress."""

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_TAGS = ("tag", "imageTag", "imageVersion", "unifiedRepoTag")


def images_by_tag(resource: Resource) -> Iterator[str]:
    """A message for each image in the values of a release of this project that has a tag and no digest.

    Kong's own image is one of them even without a tag in the values: the chart's default is a tag.
    """
    if resource.type != RELEASE or not resource.installs_traceable:
        return
    key = "agentValues" if resource.of_agent else "kongValues"
    values = resource.get("values") or {}
    found: list[tuple[tuple[str, ...], str | None]] = list(_tags(values, ()))
    if not resource.of_agent and not any(path[:-1] in KONG_IMAGE for path, _ in found):
        found.append((("image", "tag"), None))
    for path, tag in found:
        if tag is None or not _DIGEST.search(tag):
            what = "is the chart's default, a tag" if tag is None else "is a tag without a digest"
            yield message(
                f"{resource}: {shown_path((key, *path))} {what}",
                "Whoever can write to the registry can put another image in its place, and new pods would run it",
                f"pulumi config set --path {config_key(key, *path)} TAG@sha256:DIGEST",
            )


def _tags(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    """The tags in chart values. A digest beside a tag counts as its digest."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            if name in _TAGS and isinstance(item, str | int | float):
                digest = value.get("digest")
                yield (*path, str(name)), f"{item}@{digest}" if isinstance(digest, str) else str(item)
            else:
                yield from _tags(item, (*path, str(name)))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _tags(item, (*path, str(index)))
