"""Container image references, parsed as Docker and containerd do.

Source of the rules: https://github.com/distribution/reference (regexp.go, normalize.go).
"""

import re
from dataclasses import dataclass

DOCKER_HUB = "docker.io"
_OLD_DOCKER_HUB = "index.docker.io"
_OFFICIAL = "library/"
_LONGEST_NAME = 255

_TAG = r"[0-9A-Za-z_][0-9A-Za-z_.-]{0,127}"
_DIGEST = r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}"
_LABEL = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_HOST = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?"
_PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_REFERENCE = re.compile(rf"(?P<name>(?:{_HOST}/)?{_PART}(?:/{_PART})*)(?::(?P<tag>{_TAG}))?(?:@(?P<digest>{_DIGEST}))?")


class ImageReferenceError(ValueError):
    """A text that is not an image reference."""


@dataclass(frozen=True, kw_only=True)
class ImageReference:
    """A container image: `registry` is the host with its port, `repository` the path on it.

    `tag` and `digest` (such as `sha256:...`) are None where the reference has none.
    """

    registry: str
    repository: str
    tag: str | None = None
    digest: str | None = None

    @property
    def name(self) -> str:
        """The last part of the repository."""
        return self.repository.rsplit("/", 1)[-1]

    @property
    def pattern(self) -> str:
        """A regular expression for Python and RE2 that matches every spelling of an image that this one admits.

        Registry and repository must be equal. A digest admits that digest with any tag, as for a pull. A tag admits
        that tag with any digest. A reference with neither admits every version.
        """
        version = rf"(?::{_TAG})?(?:@{_DIGEST})?"
        if self.digest is not None:
            version = rf"(?::{_TAG})?@{re.escape(self.digest)}"
        elif self.tag is not None:
            version = rf":{re.escape(self.tag)}(?:@{_DIGEST})?"
            if self.tag == "latest":  # The default of a reference without tag and digest.
                version = rf"(?:{version})?"
        return rf"^{self._name_pattern}{version}$"

    def admits(self, image: str) -> bool:
        """True for an image that matches `pattern`; False for a text that is not an image."""
        return re.fullmatch(self.pattern.removeprefix("^").removesuffix("$"), image) is not None

    @property
    def _name_pattern(self) -> str:
        if self.registry != DOCKER_HUB:
            return rf"{re.escape(self.registry)}/{re.escape(self.repository)}"
        hosts = rf"(?:{re.escape(DOCKER_HUB)}|{re.escape(_OLD_DOCKER_HUB)})/"
        official = self.repository.removeprefix(_OFFICIAL)
        if self.repository.startswith(_OFFICIAL) and "/" not in official:
            return rf"(?:{hosts})?(?:{_OFFICIAL})?{re.escape(official)}"
        if _is_host(self.repository.split("/", 1)[0]):
            return rf"{hosts}{re.escape(self.repository)}"
        return rf"(?:{hosts})?{re.escape(self.repository)}"

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag is not None else ""
        digest = f"@{self.digest}" if self.digest is not None else ""
        return f"{self.registry}/{self.repository}{tag}{digest}"


def parse_image(text: str) -> ImageReference:
    """The image that a text names, with Docker's defaults. Raises ImageReferenceError."""
    found = _REFERENCE.fullmatch(text)
    if found is None or len(found["name"]) > _LONGEST_NAME:
        raise ImageReferenceError(f"{text!r} is not an image reference: [REGISTRY/]REPOSITORY[:TAG][@DIGEST]")
    first, slash, rest = found["name"].partition("/")
    registry, repository = (first, rest) if slash and _is_host(first) else (DOCKER_HUB, found["name"])
    if registry == _OLD_DOCKER_HUB:
        registry = DOCKER_HUB
    if registry == DOCKER_HUB and "/" not in repository:
        repository = _OFFICIAL + repository
    if re.fullmatch(_HOST, registry) is None or re.fullmatch(rf"{_PART}(?:/{_PART})*", repository) is None:
        raise ImageReferenceError(f"{text!r} is not an image reference: {registry!r} is not a registry")
    return ImageReference(registry=registry, repository=repository, tag=found["tag"], digest=found["digest"])


def without_version(image: ImageReference) -> ImageReference:
    """The image without tag and digest, which admits every version."""
    return ImageReference(registry=image.registry, repository=image.repository)


def image_name(text: str) -> str:
    """The last part of an image's repository; "" for a text that is not an image."""
    try:
        return parse_image(text).name
    except ImageReferenceError:
        return ""


def _is_host(part: str) -> bool:
    """True where the part before the first slash is a registry and not a part of the repository."""
    return any(sign in part for sign in ".:") or part == "localhost" or part != part.lower()
