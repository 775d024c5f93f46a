"""Names that the API server refuses, by the kind of the object."""

import pytest

from traceable_kong.helm_values.object_names import name_problem


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        *(("Service", "a" * 63), ("Service", "edge-1"), ("Deployment", "1.a-b.c"), ("Deployment", "a" * 253)),
        *(("ClusterRole", "system:kong_reader"), ("Job", "a" * 63), ("StatefulSet", "a" * 52), ("Namespace", "1")),
        ("KongClusterPlugin", "traceable.plugin"),
    ],
)
def test_a_name_is_accepted(kind: str, name: str) -> None:
    assert name_problem(kind, name) is None


@pytest.mark.parametrize(
    ("kind", "name", "said"),
    [
        ("Service", "a" * 64, "has 64 characters, and the name of a Service has at most 63"),
        ("Service", "1edge", "first a letter"),
        ("Service", "edge.kong", "is not a name for a Service"),
        ("Deployment", "a..b", "in parts with a dot between them"),
        ("Deployment", "Edge", "is not a name for a Deployment"),
        ("Deployment", "", "is not a name for a Deployment"),
        ("Deployment", "edge\n", "is not a name for a Deployment"),
        ("Secret", "a" * 254, "at most 253"),
        ("Job", "a" * 64, "at most 63"),
        ("StatefulSet", "a" * 53, "at most 52"),
        ("Namespace", "a.b", "is not a name for a Namespace"),
        ("ClusterRole", "a/b", "any text without / and %"),
        ("Role", "..", "is not a name for a Role"),
    ],
)
def test_a_name_is_refused(kind: str, name: str, said: str) -> None:
    assert said in str(name_problem(kind, name))
