"""Labels and names of a stack's objects are valid in Kubernetes, and different for each stack."""

import re

import pytest
from hypothesis import given, strategies
from hypothesis import settings as hypothesis_settings

from traceable_kong.cluster.ownership import (
    LABEL_LIMIT,
    NAME_LABEL,
    STACK_LABEL,
    cluster_wide_name,
    handover_label,
    is_owned,
    labels,
    new_identity,
    release_owner_values,
    selector,
    stack_name,
)

LABEL_VALUE = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
STACKS = strategies.from_regex(r"[A-Za-z0-9_.-]{1,100}", fullmatch=True)
"""Names that Pulumi accepts for a stack (https://www.pulumi.com/docs/iac/concepts/stacks/)."""


def test_an_id_is_the_name_and_a_random_part() -> None:
    made = new_identity("traceable-kong", "dev").owner
    assert re.fullmatch(r"traceable-kong\.dev-[0-9a-f]{8}", made)
    assert made != new_identity("traceable-kong", "dev").owner, "two people may choose the same name"
    assert handover_label(made) == stack_name("traceable-kong", "dev") == "traceable-kong.dev"


@pytest.mark.parametrize("stack", ["d" * 100, "d" * 45, "dev-", "dev_", "dev.", "a/b", "é"])
def test_a_long_name_is_shortened_and_stays_unique(stack: str) -> None:
    made = stack_name("traceable-kong", stack)
    assert LABEL_VALUE.fullmatch(made) and made != stack_name("traceable-kong", stack + "x")
    assert made.startswith("traceable-kong.")


@pytest.mark.parametrize("stack", ["Dev", "a_b", "dev-", "a.-b", "a..b", "d" * 100])
def test_the_name_of_a_cluster_wide_object_is_valid(stack: str) -> None:
    made = cluster_wide_name("guard", new_identity("traceable-kong", stack).owner)
    assert SUBDOMAIN.fullmatch(made), made
    assert cluster_wide_name("guard", "traceable-kong.dev-0a1b2c3d") == "guard-traceable-kong.dev-0a1b2c3d"


@hypothesis_settings(max_examples=200)
@given(one=STACKS, other=STACKS)
def test_two_stacks_have_different_names(one: str, other: str) -> None:
    first, second = new_identity("traceable-kong", one).owner, new_identity("traceable-kong", other).owner
    assert LABEL_VALUE.fullmatch(first) and len(first) <= LABEL_LIMIT
    name = cluster_wide_name("guard", first)
    assert SUBDOMAIN.fullmatch(name) and len(name) <= 253
    assert first != second and name != cluster_wide_name("guard", second)
    assert handover_label(first) == stack_name("traceable-kong", one)
    assert LABEL_VALUE.fullmatch(handover_label(first))


@pytest.mark.parametrize(
    ("value", "owned"),
    [
        ("p.s-0a1b2c3d", True),
        ("p.s", True),
        ("p.s-ffffffff", False),
        ("p.s-0a1b2c3d-x", False),
        ("p.other", False),
        (None, False),
    ],
)
def test_a_stack_owns_its_objects_and_those_given_to_it(value: str | None, owned: bool) -> None:
    assert is_owned({STACK_LABEL: value} if value else {}, "p.s-0a1b2c3d") is owned
    assert is_owned({NAME_LABEL: "p.s"}, "p.s-0a1b2c3d") is False


def test_the_labels_and_the_chart_value() -> None:
    assert labels("p.s-0a1b2c3d") == {
        "app.kubernetes.io/managed-by": "pulumi",
        STACK_LABEL: "p.s-0a1b2c3d",
        NAME_LABEL: "p.s",
    }
    assert release_owner_values("p.s-0a1b2c3d") == {"global": {"traceableKong": {"stack": "p.s-0a1b2c3d"}}}
    assert selector("p.s-0a1b2c3d") == "traceable-kong/stack in (p.s-0a1b2c3d,p.s)"
