"""What counts as the TME in a pod's spec, and what as a request for it.

That the policy's expressions say the same is a live test's: only an API server evaluates CEL.
"""

from typing import Any

import pytest

from tests.fakes.image_table import ADMITTED, NOT_ADMITTED, PUBLIC
from traceable_kong.cluster.tme import (
    INJECT_ANNOTATION,
    has_tme_cel,
    requests_tme,
    selected_cel,
    tme_containers,
    tme_image_in,
)
from traceable_kong.common.image_references import parse_image

IMAGE = parse_image(PUBLIC)
TME = {"name": "tme", "image": f"{PUBLIC}:1.58.0"}
KONG = {"name": "proxy", "image": "kong:3.9"}


@pytest.mark.parametrize(
    ("spec", "counts"),
    [
        ({"containers": [KONG]}, False),
        ({"containers": [KONG, TME]}, True),
        ({"containers": [KONG], "initContainers": [TME]}, False),
        ({"containers": [KONG], "initContainers": [{**TME, "restartPolicy": "Always"}]}, True),
        ({"containers": [KONG], "initContainers": [{**KONG, "restartPolicy": "Always"}]}, False),
        ({"containers": [KONG], "ephemeralContainers": [TME]}, False),
        ({"containers": [KONG], "initContainers": None}, False),
        ({"containers": [{"name": "tme"}]}, False),
        ({}, False),
    ],
)
def test_a_container_or_a_sidecar_is_the_tme(spec: dict[str, Any], counts: bool) -> None:
    assert [item["name"] for item in tme_containers(spec, IMAGE)] == (["tme"] if counts else [])


@pytest.mark.parametrize(("expected", "image"), ADMITTED)
def test_an_admitted_image_is_the_tme(expected: str, image: str) -> None:
    assert tme_containers({"containers": [{"name": "a", "image": image}]}, parse_image(expected))


@pytest.mark.parametrize(("expected", "image"), NOT_ADMITTED)
def test_no_other_image_is_the_tme(expected: str, image: str) -> None:
    assert not tme_containers({"containers": [{"name": "a", "image": image}]}, parse_image(expected))


@pytest.mark.parametrize(
    ("metadata", "asks"),
    [
        ({}, False),
        ({"annotations": None}, False),
        ({"annotations": {"other": "true"}}, False),
        ({"annotations": {INJECT_ANNOTATION: "false"}}, False),
        *(({"annotations": {INJECT_ANNOTATION: value}}, True) for value in ("true", "True", "1", "yes", "", " false")),
    ],
)
def test_every_value_but_false_requests_the_tme(metadata: dict[str, Any], asks: bool) -> None:
    assert requests_tme(metadata) is asks


def test_the_expression_has_the_pattern_of_the_image() -> None:
    escaped = IMAGE.pattern.replace("\\", "\\\\")
    assert has_tme_cel("object", IMAGE).count(f'c.image.matches("{escaped}")') == 2


def test_an_empty_selector_selects_every_pod() -> None:
    assert selected_cel("object", {}) == "true"


@pytest.mark.parametrize(
    "text",
    ["a: !!timestamp 2020-99-99", "[" * 5_000, "injector: &a\n- *a", "injector: {tme: []}", "a: 1:" + "9" * 5_000, "{"],
)
def test_the_settings_of_an_agent_that_cannot_be_read_name_no_image(text: str) -> None:
    assert tme_image_in(text) is None
