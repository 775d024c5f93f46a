"""The cluster's version and API versions as helm's arguments, for `.Capabilities` in templates.

The names are those of `GetVersionSet` in Helm (pkg/action/action.go): each `group/version`, and each
`group/version/Kind`.
"""

import re
from typing import Any

from local.provider.kubernetes.api_client import ApiClient, ApiError
from local.provider.kubernetes.provider_errors import ProviderError

DEFAULT_KUBE_VERSION = "v1.20.0"
"""The version that a Go program with Helm's library assumes without a cluster (pkg/chartutil/capabilities.go)."""

_VERSION = re.compile(r"v(\d+)\.(\d+)\.\d+")


def kube_version(api: ApiClient) -> str:
    """Returns the server's version. Raises ProviderError if helm's arguments cannot express it."""
    answer = api.request("GET", "/version")
    version, numbers = str(answer.get("gitVersion", "")), (answer.get("major"), answer.get("minor"))
    found = _VERSION.fullmatch(version)
    if found is None or found.groups() != numbers:
        raise ProviderError(
            f"the stand-in kubernetes plugin does not render charts for a cluster of version {version!r} with the "
            f"numbers {numbers}, only for versions such as v1.36.3; set 'kube_version', or use the official plugin"
        )
    return version


def api_versions(api: ApiClient) -> list[str]:
    """Returns the API versions and their kinds, sorted. Groups that do not answer have no kinds."""
    core = [str(version) for version in api.request("GET", "/api").get("versions") or []]
    groups = api.request("GET", "/apis").get("groups") or []
    named = [str(each["groupVersion"]) for group in groups for each in group.get("versions") or []]
    found = {*core, *named}
    for path, version in [*((f"/api/{each}", each) for each in core), *((f"/apis/{each}", each) for each in named)]:
        found |= {f"{version}/{each['kind']}" for each in _resources(api, path)}
    return sorted(found)


def _resources(api: ApiClient, path: str) -> list[dict[str, Any]]:
    try:
        return list(api.request("GET", path).get("resources") or [])
    except ApiError:
        return []
