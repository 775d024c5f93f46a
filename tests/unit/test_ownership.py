"""Names and marks by which a stack's own objects are known: always such as Kubernetes takes, and never two alike."""

import re

import pytest
from hypothesis import given, strategies
from hypothesis import settings as hypothesis_settings

from ownership import LABEL_LIMIT, STACK_LABEL, cluster_wide_name, labels, release_mark, stack_id

LABEL_VALUE = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
STACKS = strategies.from_regex(r"[A-Za-z0-9_.-]{1,100}", fullmatch=True)
"""What the engine takes as the name of a stack (https://www.pulumi.com/docs/iac/concepts/stacks/)."""


def test_a_short_name_stands_as_it_is() -> None:
    assert stack_id("traceable-kong", "dev") == "traceable-kong.dev"
    assert cluster_wide_name("guard", "traceable-kong.dev") == "guard-traceable-kong.dev"


@pytest.mark.parametrize("stack", ["d" * 100, "dev-", "dev_", "dev.", "a/b", "é"])
def test_a_name_that_does_not_fit_is_shortened_and_kept_apart(stack: str) -> None:
    made = stack_id("traceable-kong", stack)
    assert LABEL_VALUE.fullmatch(made) and made != stack_id("traceable-kong", stack + "x")
    assert made.startswith("traceable-kong.")


@pytest.mark.parametrize("stack", ["Dev", "a_b", "dev-", "a.-b", "a..b", "d" * 100])
def test_the_name_of_a_cluster_wide_object_is_one_that_kubernetes_takes(stack: str) -> None:
    made = cluster_wide_name("guard", stack_id("traceable-kong", stack))
    assert SUBDOMAIN.fullmatch(made), made


@hypothesis_settings(max_examples=200, deadline=None)
@given(one=STACKS, other=STACKS)
def test_two_stacks_never_meet(one: str, other: str) -> None:
    first, second = stack_id("traceable-kong", one), stack_id("traceable-kong", other)
    assert LABEL_VALUE.fullmatch(first) and len(first) <= LABEL_LIMIT
    name = cluster_wide_name("guard", first)
    assert SUBDOMAIN.fullmatch(name) and len(name) <= 253
    if one != other:
        assert first != second
        assert name != cluster_wide_name("guard", second)


def test_the_marks() -> None:
    assert labels("p.s") == {"app.kubernetes.io/managed-by": "pulumi", STACK_LABEL: "p.s"}
    assert release_mark("p.s") == {"global": {"traceableKong": {"stack": "p.s"}}}
