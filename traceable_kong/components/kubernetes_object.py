"""Resources of the Kubernetes provider, by API version and kind.

The SDK has a class for each kind. Importing those of `core/v1` alone takes about as long as an empty Pulumi program,
because they come with those of all other kinds. tests/components/test_kubernetes_object.py compares what is registered
with the SDK's types.
"""

from collections.abc import Mapping
from typing import Any

import pulumi

SECRET_DATA = ("data", "stringData")
"""Outputs of a Secret that the SDK's own class marks as secret."""


class KubernetesObject(pulumi.CustomResource):
    """An object, or with `patch` the fields of one that this stack sets in an object of others.

    `properties` are named as in a manifest.
    """

    metadata: pulumi.Output[Mapping[str, Any]]
    data: pulumi.Output[Mapping[str, Any]]

    def __init__(
        self,
        api_version: str,
        kind: str,
        name: str,
        properties: Mapping[str, Any],
        opts: pulumi.ResourceOptions,
        *,
        patch: bool = False,
    ) -> None:
        super().__init__(
            f"kubernetes:{_group_version(api_version)}:{kind}{'Patch' if patch else ''}",
            name,
            {"apiVersion": api_version, "kind": kind, **properties},
            opts,
        )


class ExistingObject(pulumi.CustomResource):
    """An object that is only read; `object_name` is with its namespace where it has one."""

    def __init__(self, api_version: str, kind: str, name: str, object_name: str, opts: pulumi.ResourceOptions) -> None:
        opts = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(id=object_name))
        super().__init__(f"kubernetes:{_group_version(api_version)}:{kind}", name, {}, opts)


def _group_version(api_version: str) -> str:
    return api_version if "/" in api_version else f"core/{api_version}"
