"""Image references: how they are parsed, and which images one admits."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.image_table import ADMITTED, DIGEST, NOT_ADMITTED, PUBLIC
from traceable_kong.common.image_references import ImageReference, ImageReferenceError, image_name, parse_image


@pytest.mark.parametrize(
    ("text", "registry", "repository", "tag", "digest"),
    [
        ("kong", "docker.io", "library/kong", None, None),
        ("kong:3.9", "docker.io", "library/kong", "3.9", None),
        ("library/kong", "docker.io", "library/kong", None, None),
        ("kong/kong-gateway:3.9", "docker.io", "kong/kong-gateway", "3.9", None),
        ("docker.io/kong", "docker.io", "library/kong", None, None),
        ("index.docker.io/a/b", "docker.io", "a/b", None, None),
        ("ghcr.io/a/b/c:1", "ghcr.io", "a/b/c", "1", None),
        ("localhost/a", "localhost", "a", None, None),
        ("localhost:5000/a:1", "localhost:5000", "a", "1", None),
        ("a:5000/b", "a:5000", "b", None, None),
        ("Registry/a", "Registry", "a", None, None),
        ("[fe80::1]:5000/a", "[fe80::1]:5000", "a", None, None),
        (f"a/b@{DIGEST}", "docker.io", "a/b", None, DIGEST),
        (f"r.io/a:1@{DIGEST}", "r.io", "a", "1", DIGEST),
        ("a/b__c.d--e:v1.0-rc_1", "docker.io", "a/b__c.d--e", "v1.0-rc_1", None),
        ("docker.io/foo.bar/x", "docker.io", "foo.bar/x", None, None),
    ],
)
def test_an_image_is_parsed_with_dockers_defaults(
    text: str, registry: str, repository: str, tag: str | None, digest: str | None
) -> None:
    found = parse_image(text)
    assert (found.registry, found.repository, found.tag, found.digest) == (registry, repository, tag, digest)
    assert parse_image(str(found)) == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "a b",
        "a\n",
        "A",
        "a/B",
        "a//b",
        "/a",
        "a/",
        "a:",
        ":1",
        "a:.1",
        f"a:{'1' * 129}",
        "a@sha256:0",
        "a@0123",
        "-a",
        "a..b",
        "https://docker.io/a",
        "foo_bar.io/a",
        "a" * 256,
    ],
)
def test_a_text_that_is_not_an_image_is_refused(text: str) -> None:
    with pytest.raises(ImageReferenceError):
        parse_image(text)
    assert image_name(text) == ""


@pytest.mark.parametrize(("expected", "image"), ADMITTED)
def test_an_image_admits_itself_in_every_spelling(expected: str, image: str) -> None:
    assert parse_image(expected).admits(image)


@pytest.mark.parametrize(("expected", "image"), NOT_ADMITTED)
def test_an_image_admits_no_other(expected: str, image: str) -> None:
    assert not parse_image(expected).admits(image)


def test_no_character_of_a_name_is_special_in_the_pattern() -> None:
    assert not ImageReference(registry="r.io", repository="a.b").admits("r.io/axb")
    assert not ImageReference(registry="r.io", repository="a.b").admits("rxio/a.b")
    assert ImageReference(registry="r.io", repository="a.b").admits("r.io/a.b:1")
    assert not parse_image(PUBLIC).admits(f"{PUBLIC}\n")


REGISTRIES = st.sampled_from(["docker.io", "index.docker.io", "localhost", "r.io", "r.io:5000", "Docker.io", None])
REPOSITORIES = st.lists(st.sampled_from(["library", "a.b", "localhost", "a", "b"]), min_size=1, max_size=2)
TAGS = st.sampled_from([None, "latest", "1.0", "1x0"])
DIGESTS = st.sampled_from([None, DIGEST, DIGEST.replace("0", "1")])


@st.composite
def images(draw: st.DrawFn) -> str:
    parts = [part for part in (draw(REGISTRIES), *draw(REPOSITORIES)) if part is not None]
    tag, digest = draw(TAGS), draw(DIGESTS)
    return "/".join(parts) + (f":{tag}" if tag else "") + (f"@{digest}" if digest else "")


def same(expected: ImageReference, image: ImageReference) -> bool:
    """The rule in other words, over what is read and not over text."""
    if (expected.registry, expected.repository) != (image.registry, image.repository):
        return False
    if expected.digest is not None:
        return expected.digest == image.digest
    if expected.tag is None:
        return True
    return expected.tag == (image.tag or (None if image.digest else "latest"))


@given(expected=images(), image=images())
def test_the_pattern_agrees_with_the_parts(expected: str, image: str) -> None:
    assert parse_image(expected).admits(image) is same(parse_image(expected), parse_image(image))


@given(image=images())
def test_every_image_admits_itself(image: str) -> None:
    found = parse_image(image)
    assert found.admits(image)
    assert found.admits(str(found))
    re.compile(found.pattern)
