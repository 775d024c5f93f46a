"""The invoke `kubernetes:helm:template`: the objects of a rendered chart. The SDKs' `helm.v3.Chart` uses it.

Based on provider/pkg/provider/invoke_helm_template.go of the official plugin. Helm is run as a command: `helm pull` for
a chart that is not local, and `helm template`, which does not contact the cluster. The provider's
`helmReleaseSettings` do not apply.
"""

import dataclasses
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from local.provider.kubernetes import api_discovery, cluster_versions, helm_cli, manifest_documents
from local.provider.kubernetes.api_client import ApiError, Unreachable
from local.provider.kubernetes.helm_template_options import TemplateOptions, parse
from local.provider.kubernetes.manifest_documents import ManifestError
from local.provider.kubernetes.provider_config import ProviderConfig
from local.provider.kubernetes.provider_context import Context
from local.provider.kubernetes.provider_errors import ProviderError
from local.provider.property_values import plain

TOKEN = "kubernetes:helm:template"

_REPOSITORY = "stand-in"

_TEST_HOOK = re.compile(r'"?helm.sh/hook"?:.*test')
_ARCHIVE = re.compile(r"/(\w+)-(\S+)\.tgz$")

# The invoke has no cluster credentials, and uses the default registry login.
_ENVIRONMENT = {
    **dict.fromkeys(("HELM_DEBUG", "HELM_KUBECONTEXT", "HELM_NAMESPACE", "HELM_REGISTRY_CONFIG"), ""),
    "KUBECONFIG": os.devnull,
}

_INVALID_KUBE_VERSION = re.compile(r"^invalid kube version '.*?': ", re.DOTALL)
_DEBUG_HINT = "\n\nUse --debug flag to render out invalid YAML"
_COMMAND_ONLY = (
    (re.compile(r"^\S+ charts are not installable$"), "a chart of this type"),
    (re.compile(r"^An error occurred while checking for chart dependencies\."), "a chart without its dependencies"),
)
"""Errors of the helm command that Helm's library, which the official plugin uses, does not have."""


def invoke(context: Context, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Returns `{"result": [object, ...]}`. Raises ProviderError."""
    options = parse(plain(arguments))
    # The official plugin does not use helmReleaseSettings here.
    helm = dataclasses.replace(context, settings=ProviderConfig())
    try:
        with _chart(helm, options) as folder:
            text = _render(helm, options, folder)
    except _TemplateError as problem:
        raise ProviderError(f"failed to generate YAML for specified Helm chart: {problem}") from None
    try:
        objects = _objects(context, options, text)
    except ManifestError as problem:
        raise ProviderError(f"failed to decode YAML for specified Helm chart: {problem}") from None
    return {"result": objects}


class _TemplateError(Exception):
    """The chart cannot be downloaded or rendered."""


@contextmanager
def _chart(context: Context, options: TemplateOptions) -> Iterator[Path]:
    """Yields the path of the chart, which is downloaded if `path` is not set."""
    if options.path:
        yield Path(os.path.normpath(f"{options.path}/{_folder_name(options.chart)}"))
        return
    if options.repo.startswith("http"):
        raise _TemplateError(
            "'repo' option specifies the name of the Helm Chart repo, not the URL.Use 'fetchOpts.repo' to specify a "
            "URL for a remote Chart"
        )
    with tempfile.TemporaryDirectory(prefix="pulumi-helm-") as folder:
        try:
            _pull(context, options, Path(folder))
        except helm_cli.HelmError as problem:
            raise _TemplateError(f"failed to pull chart: {problem}") from None
        yield Path(folder) / "charts" / _folder_name(options.chart)


def _pull(context: Context, options: TemplateOptions, folder: Path) -> None:
    fetch = options.fetch
    environment, reference = _environment(options), _reference(options)
    version = options.version or fetch.version or (">0.0.0-0" if fetch.devel else "")
    arguments = ["pull", "--untar", f"--untardir={folder / 'charts'}", f"--destination={folder / 'charts'}"]
    if options.helm_registry_config:
        arguments.append(f"--registry-config={options.helm_registry_config}")
    if version:
        arguments.append(f"--version={version}")
    if fetch.verify:
        arguments += ["--verify", f"--keyring={fetch.keyring}"]
    if fetch.repo and fetch.password:
        environment |= _private_repositories(folder)
        login = [f"--username={fetch.username}", "--password-stdin", *_files(options)]
        helm_cli.run(
            context,
            ["repo", "add", *login, "--", _REPOSITORY, fetch.repo],
            stdin=fetch.password,
            environment=environment,
        )
        reference = f"{_REPOSITORY}/{reference}"
    elif fetch.repo or not reference.startswith("oci://"):
        arguments += [f"--repo={fetch.repo}", f"--username={fetch.username}", *_files(options)]
    # The official plugin's client for OCI has only the credentials of the registry's login.
    helm_cli.run(context, [*arguments, "--", reference], environment=environment)


def _files(options: TemplateOptions) -> list[str]:
    fetch = options.fetch
    files = (("ca-file", fetch.ca_file), ("cert-file", fetch.cert_file), ("key-file", fetch.key_file))
    return [f"--{name}={file}" for name, file in files if file]


def _private_repositories(folder: Path) -> dict[str, str]:
    return {
        "HELM_REPOSITORY_CONFIG": str(folder / "repositories.yaml"),
        "HELM_REPOSITORY_CACHE": str(folder / "cache"),
    }


def _environment(options: TemplateOptions) -> dict[str, str]:
    return {**_ENVIRONMENT, **({"HELM_HOME": options.fetch.home} if options.fetch.home else {})}


def _reference(options: TemplateOptions) -> str:
    """Returns the chart's name with that of its repository, unless the repository has a URL."""
    chart = options.chart
    if options.fetch.repo or chart.startswith("oci://") or not options.repo:
        return chart
    prefix = options.repo.removesuffix("/") + "/"
    return chart if chart.startswith(prefix) else prefix + chart


def _folder_name(chart: str) -> str:
    """Returns the folder that the official plugin expects in a chart's archive.

    An archive's URL gives the name only up to its first hyphen (the expression has no hyphen in the name).
    """
    if chart.startswith("oci://"):
        return Path(urlsplit(chart).path).name
    if urlsplit(chart).scheme:
        found = _ARCHIVE.search(urlsplit(chart).path)
        if found:
            return found[1]
    parts = chart.split("/")
    return parts[1] if len(parts) == 2 else chart


def _render(context: Context, options: TemplateOptions, chart: Path) -> str:
    """Returns the rendered manifests and hooks."""
    if not chart.exists():
        raise _TemplateError(f"failed to load chart from temp directory: stat {chart}: no such file or directory")
    arguments = ["template", f"--namespace={options.namespace or 'default'}", "--values=-"]
    arguments += _capabilities(context, options)
    if not options.skip_crd_rendering:
        arguments.append("--include-crds")
    try:
        return helm_cli.run(
            context,
            [*arguments, "--", options.release_name, str(chart.absolute())],
            stdin=helm_cli.as_values(options.values),
            environment=_environment(options),
        )
    except helm_cli.HelmError as problem:
        raise _TemplateError(_reason(context, options, chart, str(problem))) from None


def _reason(context: Context, options: TemplateOptions, chart: Path, message: str) -> str:
    """Returns the official plugin's message for an error of `helm template`."""
    if _INVALID_KUBE_VERSION.match(message):
        reason = _INVALID_KUBE_VERSION.sub("", message)
        return f'could not get parse kube_version "{options.kube_version}" from chart options: {reason}'
    for pattern, what in _COMMAND_ONLY:
        if pattern.search(message):
            return f"the stand-in kubernetes plugin does not render {what}; use the official plugin: {message}"
    try:
        helm_cli.run(context, ["show", "chart", "--", str(chart.absolute())], environment=_environment(options))
    except helm_cli.HelmError as problem:
        return f"failed to load chart from temp directory: {problem}"
    return f"failed to create chart from template: {message.removesuffix(_DEBUG_HINT)}"


def _capabilities(context: Context, options: TemplateOptions) -> list[str]:
    """Returns the versions of the options, or those of the cluster. An unreachable cluster is a warning."""
    kube_version, api_versions = options.kube_version, list(options.api_versions)
    if context.api is not None:
        try:
            kube_version = kube_version or cluster_versions.kube_version(context.api)
            api_versions = api_versions or cluster_versions.api_versions(context.api)
        except (ApiError, Unreachable) as problem:
            what = "apiVersions" if kube_version else "server version"
            context.log(
                "warning",
                "",
                f"unable to determine cluster's API version: could not get {what} from Kubernetes: {problem}",
            )
    arguments = [f"--kube-version={kube_version or cluster_versions.DEFAULT_KUBE_VERSION}"]
    return [*arguments, f"--api-versions={','.join(api_versions)}"] if api_versions else arguments


def _objects(context: Context, options: TemplateOptions, text: str) -> list[dict[str, Any]]:
    found = []
    for document in _documents(options, text):
        value = manifest_documents.parse(document)
        if not isinstance(value, dict) or not all(_is_text(value.get(name)) for name in ("kind", "apiVersion")):
            continue
        if options.namespace:
            _set_namespace(context, value, options.namespace)
        found.append(value)
    return found


def _documents(options: TemplateOptions, text: str) -> list[str]:
    """Returns the documents without test hooks."""
    documents = manifest_documents.split(text)
    if not options.include_test_hook_resources:
        documents = [each for each in documents if not (_TEST_HOOK.search(each) and _is_hook(each))]
    if documents and _is_hook(documents[-1]):
        # Only the command ends the last hook with a line break, which a block scalar at the end would keep.
        documents[-1] = documents[-1].removesuffix("\n")
    return documents


def _is_hook(document: str) -> bool:
    if "helm.sh/hook" not in document:
        return False
    try:
        return "helm.sh/hook" in manifest_documents.parse(document)["metadata"]["annotations"]
    except (KeyError, TypeError):
        return False


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _set_namespace(context: Context, document: dict[str, Any], namespace: str) -> None:
    metadata = document.setdefault("metadata", {})
    if not isinstance(metadata, dict) or metadata.get("namespace"):
        return
    if _is_namespaced(context, document["apiVersion"], document["kind"]):
        metadata["namespace"] = namespace


def _is_namespaced(context: Context, api_version: str, kind: str) -> bool:
    """Returns True for a namespaced kind, and for one that neither the plugin nor the cluster knows."""
    known = api_discovery.built_in_scope(api_version, kind)
    if known is not None:
        return known
    if context.unreachable:
        return True
    try:
        return context.kinds.namespaced(api_version, kind)
    except (ApiError, Unreachable):
        return True
