"""Helm's release records: the Secrets `sh.helm.release.v1.<name>.v<revision>`.

They contain JSON, compressed with gzip and encoded in base64 (https://helm.sh/docs/topics/advanced/#storage-backends).
"""

import base64
import gzip
import json
from typing import Any

import yaml

from local.provider.kubernetes.api_client import ApiError
from local.provider.kubernetes.provider_context import Context
from local.provider.kubernetes.provider_errors import ProviderError


def latest(context: Context, namespace: str, name: str) -> dict[str, Any] | None:
    """Returns the newest revision of a release in any status, or None. Raises ProviderError."""
    try:
        answer = context.cluster.request(
            "GET",
            f"/api/v1/namespaces/{namespace}/secrets",
            query={"labelSelector": f"owner=helm,name={name}"},
        )
    except ApiError as problem:
        raise ProviderError(str(problem)) from None
    found = [each for each in answer.get("items") or [] if each.get("type") == "helm.sh/release.v1"]
    if not found:
        return None
    newest = max(found, key=lambda each: int(each["metadata"]["labels"].get("version", "0")))
    packed = base64.b64decode(base64.b64decode(newest["data"]["release"]))
    document = json.loads(gzip.decompress(packed) if packed[:2] == b"\x1f\x8b" else packed)
    return document if isinstance(document, dict) else None


def resource_names(manifest: str) -> dict[str, list[str]]:
    """Returns the names in a manifest by kind: `{"Deployment.apps/apps/v1": ["ns/name"]}`.

    The keys are those of the official plugin (`convertYAMLManifestToJSON` in provider/pkg/provider/manifest_json.go).
    """
    names: dict[str, set[str]] = {}
    for document in yaml.safe_load_all(manifest):
        if not isinstance(document, dict) or not document.get("kind"):
            continue
        api_version, kind = str(document.get("apiVersion", "")), str(document["kind"])
        group = api_version.rpartition("/")[0]
        described = document.get("metadata") or {}
        namespace, name = described.get("namespace"), str(described.get("name", ""))
        key = f"{kind}.{group}/{api_version}" if group else f"{kind}/{api_version}"
        names.setdefault(key, set()).add(f"{namespace}/{name}" if namespace else name)
    return {key: sorted(values) for key, values in names.items()}
