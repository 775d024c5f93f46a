"""The resource `kubernetes:helm.sh/v3:Release`: check, diff, create, update, read and delete of a Helm release.

Based on provider/pkg/provider/helm_release.go of the official plugin. Helm is run as a command (`helm`), and its
messages are reported unchanged. `helm upgrade` merges against the last deployed revision.
"""

from collections.abc import Mapping
from typing import Any

import yaml

from local.provider.kubernetes import api_discovery, helm_cli, helm_storage, object_metadata
from local.provider.kubernetes.diff import Changes, compare_three_ways
from local.provider.kubernetes.helm_release_inputs import DEFAULT_TIMEOUT_SECONDS, OUTPUTS, decode, merged, set_defaults
from local.provider.kubernetes.provider_context import Context
from local.provider.kubernetes.provider_errors import PartialError, ProviderError
from local.provider.property_values import UNKNOWN, Secret, has_unknown, mark_secrets, mark_unknowns, plain

_FORCE_NEW = ("name", "namespace")

_INSTALL_FLAGS = {
    "disableWebhooks": "--no-hooks",
    "atomic": "--atomic",
    "skipCrds": "--skip-crds",
    "renderSubchartNotes": "--render-subchart-notes",
    "disableOpenapiValidation": "--disable-openapi-validation",
    "replace": "--replace",
    "createNamespace": "--create-namespace",
    "dependencyUpdate": "--dependency-update",
}
_UPGRADE_FLAGS = {
    "disableCRDHooks": "--no-hooks",
    "atomic": "--atomic",
    "renderSubchartNotes": "--render-subchart-notes",
    "forceUpdate": "--force",
    "resetValues": "--reset-values",
    "reuseValues": "--reuse-values",
    "recreatePods": "--recreate-pods",
    "cleanupOnFail": "--cleanup-on-fail",
    "dependencyUpdate": "--dependency-update",
}


def check(context: Context, urn: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """Returns the inputs with name, namespace, timeout and chart version, and the reason if the chart cannot be
    loaded.
    """
    given = dict(new)
    if "name" not in given and plain(old).get("name"):
        given["name"] = plain(old)["name"]
    if "name" not in given or given["name"] == "":
        given["name"] = object_metadata.unique_name(api_discovery.urn_name(urn) + "-")
    set_defaults(context, given)
    release = decode(given)
    if release["allowNullValues"]:
        context.log(
            "warning", urn, "`allowNullValues` is deprecated and has no effect; null values are preserved by default."
        )
    failure = ""
    if not has_unknown(given):
        try:
            release["version"] = str(helm_cli.load(context, release).get("version") or "")
        except (helm_cli.HelmError, OSError, yaml.YAMLError) as problem:
            failure = f"{problem}; check the chart name and repository configuration."
    for name in OUTPUTS:
        release.pop(name, None)
    marked = mark_unknowns(release, new)
    return mark_secrets(marked, new), failure


def difference(state: Mapping[str, Any], new: Mapping[str, Any], ignored: list[str]) -> Changes:
    """Returns the changes that an update would make."""
    old = plain(state)
    old_inputs = old.pop("__inputs", {}) or {}
    inputs = plain(new)
    if "version" in ignored and "version" in old:
        inputs["version"] = old["version"]
    for name in ("checksum", "resourceNames"):
        old_inputs.pop(name, None)
    return compare_three_ways(old, inputs, old_inputs, _FORCE_NEW)


def create(context: Context, urn: str, given: Mapping[str, Any], *, preview: bool) -> tuple[str, dict[str, Any]]:
    """Installs the release and returns its id and state. Raises ProviderError, or PartialError if the release
    failed.
    """
    release = decode(given)
    if preview:
        return "", _checkpoint(given, release, preview=True)
    if context.unreachable:
        raise ProviderError(f"can't create Helm Release with unreachable cluster: {context.unreachable}")
    namespace, name = release["namespace"], release["name"]
    resource_id = f"{namespace}/{name}" if namespace else name
    failure = _helm(context, "install", release, _INSTALL_FLAGS)
    live = helm_storage.latest(context, namespace, name)
    if failure is not None and (live is None or not _was_attempted(failure)):
        raise ProviderError(str(failure))
    _describe(release, live)
    state = _checkpoint(given, release, preview=False)
    if failure is not None:
        context.log(
            "warning",
            urn,
            f'Helm release "{name}" was created but has a failed status. Use the `helm` command to investigate the '
            f"error, correct it, then retry. Reason: {failure}",
        )
        raise PartialError(
            f'Helm release "{resource_id}" was created, but failed to initialize completely. Use Helm CLI to '
            f"investigate: {_unavailable(resource_id, failure)}",
            resource_id,
            state,
        )
    return resource_id, state


def update(
    context: Context, urn: str, state: Mapping[str, Any], given: Mapping[str, Any], *, preview: bool
) -> dict[str, Any]:
    """Upgrades the release and returns its new state. Raises ProviderError, or PartialError if the upgrade failed."""
    release = decode(given)
    if preview:
        return _checkpoint(given, release, preview=True)
    if context.unreachable:
        raise ProviderError(f"can't update Helm Release with unreachable cluster: {context.unreachable}")
    namespace, name = release["namespace"], release["name"]
    before = helm_storage.latest(context, namespace, name)
    if release["lint"]:
        _lint(context, release)
    failure = _helm(context, "upgrade", release, _UPGRADE_FLAGS)
    live = helm_storage.latest(context, namespace, name)
    attempted = live is not None and (before is None or live.get("version") != before.get("version"))
    if failure is not None and not attempted:
        raise ProviderError(str(failure))
    _describe(release, live)
    known = _checkpoint(given, release, preview=False)
    if failure is not None:
        resource_id = f"{namespace}/{name}"
        raise PartialError(
            f'Helm release "{resource_id}" failed to initialize completely. Use Helm CLI to investigate: '
            f"{_unavailable(resource_id, failure)}",
            resource_id,
            known,
        )
    return known


def _unavailable(resource_id: str, failure: helm_cli.HelmError) -> str:
    return f"failed to become available within allocated timeout. Error: Helm Release {resource_id}: {failure}"


def _was_attempted(failure: helm_cli.HelmError) -> bool:
    """Returns False if the install failed because the release already exists."""
    return "cannot re-use a name that is still in use" not in str(failure)


def _helm(
    context: Context, verb: str, release: Mapping[str, Any], flags: Mapping[str, str]
) -> helm_cli.HelmError | None:
    """Runs an install or upgrade. Returns Helm's error, or None."""
    seconds = release["timeout"] or DEFAULT_TIMEOUT_SECONDS
    arguments = [flag for name, flag in flags.items() if release[name]]
    arguments += ["--timeout", f"{seconds}s", "--values", "-"]
    if not release["skipAwait"]:
        arguments.append("--wait")
        if release["waitForJobs"]:
            arguments.append("--wait-for-jobs")
    if release["description"]:
        arguments += ["--description", release["description"]]
    if release["postrender"]:
        arguments += ["--post-renderer", release["postrender"]]
    if verb == "upgrade":
        arguments += ["--history-max", str(release.get("maxHistory") or 0)]
    try:
        with helm_cli.chart_arguments(context, release) as (chart, environment):
            helm_cli.run(
                context,
                [verb, release["name"], *chart, *helm_cli.cluster_arguments(context, release["namespace"]), *arguments],
                stdin=helm_cli.as_values(release["values"]),
                environment=environment,
            )
    except helm_cli.HelmError as problem:
        return problem
    return None


def _lint(context: Context, release: Mapping[str, Any]) -> None:
    try:
        helm_cli.run(context, ["lint", release["chart"], "--values", "-"], stdin=helm_cli.as_values(release["values"]))
    except helm_cli.HelmError as problem:
        raise ProviderError(f"malformed chart or values: \n\t{problem}") from None


def _describe(release: dict[str, Any], live: Mapping[str, Any] | None) -> None:
    """Fills in what Helm has recorded: names of the resources, status, version, and the applied values."""
    if live is None:
        return
    chart = live.get("chart", {}).get("metadata", {})
    release["name"] = release["name"] or live.get("name", "")
    release["namespace"] = release["namespace"] or live.get("namespace", "")
    release["chart"] = release["chart"] or chart.get("name", "")
    release["values"] = merged(release["values"], live.get("config") or {})
    release["version"] = chart.get("version", "")
    release["resourceNames"] = helm_storage.resource_names(live.get("manifest") or "")
    release["status"] = {
        "appVersion": chart.get("appVersion", ""),
        "chart": chart.get("name", ""),
        "name": live.get("name", ""),
        "namespace": live.get("namespace", ""),
        "revision": live.get("version"),
        "status": live.get("info", {}).get("status", ""),
        "version": chart.get("version", ""),
    }


def _checkpoint(given: Mapping[str, Any], release: Mapping[str, Any], *, preview: bool) -> dict[str, Any]:
    marked = mark_secrets(mark_unknowns(dict(release), given), given)
    marked["__inputs"] = Secret(dict(given))
    if preview:
        marked["resourceNames"] = UNKNOWN
        marked["status"] = UNKNOWN
    return marked


def read(
    context: Context, urn: str, resource_id: str, state: Mapping[str, Any]
) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """Returns id, state and inputs of a release. The id is empty if the release does not exist."""
    release = decode(state)
    namespace, name = (
        (release["namespace"], release["name"]) if state else object_metadata.parse_identifier(resource_id)
    )
    live = helm_storage.latest(context, namespace or context.default_namespace, name)
    if live is None:
        return "", {}, {}
    _describe(release, live)
    recorded = state.get("__inputs")
    if recorded is not None:
        inputs = recorded.value if isinstance(recorded, Secret) else recorded
    else:
        inputs = {key: value for key, value in release.items() if key not in OUTPUTS}
        set_defaults(context, inputs)
    return resource_id, _checkpoint(inputs, release, preview=False), dict(inputs)


def delete(context: Context, urn: str, state: Mapping[str, Any]) -> None:
    """Uninstalls the release and waits until its resources are deleted. Raises ProviderError."""
    release = decode(state)
    arguments = ["uninstall", release["name"], *helm_cli.cluster_arguments(context, release["namespace"])]
    if release["atomic"] or not release["skipAwait"]:
        arguments += ["--wait", "--timeout", f"{release['timeout'] or DEFAULT_TIMEOUT_SECONDS}s"]
    try:
        output = helm_cli.run(context, arguments)
    except helm_cli.HelmError as problem:
        raise ProviderError(str(problem)) from None
    kept = output.partition("These resources were kept")[2]
    if kept:
        context.log("warning", urn, f"Helm uninstall returned information: These resources were kept{kept}".strip())
