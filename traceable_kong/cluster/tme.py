"""What counts as the TME in a gateway pod, as Python for pods and as CEL for the admission policy.

A container or a sidecar (an init container with `restartPolicy: Always`) runs the TME's image: its registry and
repository, and its tag or digest where they are known. Other init containers have ended before the gateway serves.
"""

import json
from collections.abc import Mapping
from typing import Any

import yaml

from traceable_kong.common.foreign_documents import yaml_document
from traceable_kong.common.image_references import ImageReference, ImageReferenceError, parse_image, without_version

TME_PORT = 5442
"""Where a TME listens in the gateway's pod, and the agent on its REST port (traceable-agent chart 1.58.0)."""

TME_ENDPOINT = f"http://localhost:{TME_PORT}"
"""Where the plugin finds the TME of its own pod."""

INJECT_LABEL = {"traceableai-inject-tme": "enabled"}
"""The namespaces that the injector's webhook selects (traceable-agent 1.58.0, MutatingWebhookConfiguration)."""

INJECT_ANNOTATION = "tme.traceable.ai/inject"
"""The annotation with which a pod requests the TME; the documented value is `true` (traceable-agent 1.58.0)."""

DIGEST_ANNOTATION = "traceable-kong/tme-settings"

NO_REQUEST = "false"
"""The only value that counts as no request.

How the injector treats other values than `true` is not public. All of them count as a request here, so that none can
bypass the policy.
"""

AGENT_CONFIG = "agentconfig.yaml"
"""The key in the agent's ConfigMap with the settings of TMEs (traceable-agent 1.58.0)."""

Document = dict[str, Any]


def tme_image_in(agent_config: str) -> ImageReference | None:
    """The image, without its version, that an agent with this `agentconfig.yaml` injects as the TME.

    None where the text does not say (`injector.images_repository` and `injector.tme.image_name`, as in Traceable's
    Terraform module 1.58.0). Without the version, because the agent's owner may upgrade it at any time, and a policy
    with the old one would refuse every new gateway pod until the next update of this stack.
    """
    try:
        injector = yaml_document(agent_config)["injector"]
        image = parse_image(f"{injector['images_repository']}/{injector['tme']['image_name']}")
    except (yaml.YAMLError, ValueError, KeyError, TypeError, ImageReferenceError):
        return None
    return without_version(image)


def requests_tme(metadata: Mapping[str, Any]) -> bool:
    """True where the metadata of a pod requests the TME."""
    value = (metadata.get("annotations") or {}).get(INJECT_ANNOTATION)
    return value is not None and value != NO_REQUEST


def running_containers(spec: Mapping[str, Any]) -> list[Document]:
    """The containers and sidecars of a pod's spec."""
    sidecars = [item for item in spec.get("initContainers") or [] if item.get("restartPolicy") == "Always"]
    return [*(spec.get("containers") or []), *sidecars]


def tme_containers(spec: Mapping[str, Any], image: ImageReference) -> list[Document]:
    """The containers of a pod's spec that are the TME."""
    return [item for item in running_containers(spec) if image.admits(str(item.get("image", "")))]


def requests_tme_cel(pod: str) -> str:
    """`requests_tme()` as a CEL expression; `pod` is the CEL variable of a pod."""
    annotations, key = f"{pod}.metadata.annotations", json.dumps(INJECT_ANNOTATION)
    return f"(has({annotations}) && {key} in {annotations} && {annotations}[{key}] != {json.dumps(NO_REQUEST)})"


def has_tme_cel(pod: str, image: ImageReference) -> str:
    """`tme_containers()` is not empty, as a CEL expression; `pod` as above."""
    runs = f"c.image.matches({json.dumps(image.pattern)})"
    sidecars = f"{pod}.spec.initContainers"
    return (
        f"({pod}.spec.containers.exists(c, {runs}) || (has({sidecars}) && "
        f'{sidecars}.exists(c, has(c.restartPolicy) && c.restartPolicy == "Always" && {runs})))'
    )


def selected_cel(pod: str, selector: Mapping[str, Any]) -> str:
    """A LabelSelector selects a pod, as a CEL expression; `pod` as above."""
    labels = f"{pod}.metadata.labels"
    parts = [_label_cel(labels, key, "In", [value]) for key, value in (selector.get("matchLabels") or {}).items()]
    for item in selector.get("matchExpressions") or []:
        parts.append(_label_cel(labels, item["key"], item["operator"], item.get("values") or []))
    return f"({' && '.join(parts)})" if parts else "true"


def _label_cel(labels: str, key: str, operator: str, values: list[str]) -> str:
    quoted = json.dumps(key)
    exists = f"(has({labels}) && {quoted} in {labels})"
    if operator == "Exists":
        return exists
    if operator == "DoesNotExist":
        return f"!{exists}"
    is_one = f"({exists} && {labels}[{quoted}] in {json.dumps(values)})"
    return is_one if operator == "In" else f"!{is_one}"


def pod_annotations(settings_digest: str) -> dict[str, str]:
    """The annotations of a gateway pod that requests the TME."""
    return {INJECT_ANNOTATION: "true", DIGEST_ANNOTATION: settings_digest}
