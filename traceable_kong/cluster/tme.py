"""What counts as the TME in a gateway pod, for the admission policy (CEL) and for everything that reads pods. Pure.

One container, or one sidecar (an init container with `restartPolicy: Always`), runs the TME's image: its registry and
repository, and its tag or digest where they are known. A plain init container has ended before the gateway serves.
"""

import json
from collections.abc import Mapping
from typing import Any

import yaml

from traceable_kong.common.image_references import ImageReference, ImageReferenceError, parse_image, without_version

INJECT_LABEL = {"traceableai-inject-tme": "enabled"}
"""What the injector's webhook selects namespaces by (traceable-agent 1.58.0, MutatingWebhookConfiguration)."""

INJECT_ANNOTATION = "tme.traceable.ai/inject"
"""What the injector looks for on a pod; documented is the value `true` (traceable-agent 1.58.0)."""

REFUSES = "false"
"""The one value of the annotation that is no request.

How the injector reads other values than `true` is not public. Each of them counts as a request, so none of them can be
used to get a pod past the policy.
"""

AGENT_CONFIG = "agentconfig.yaml"
"""The key of the agent's ConfigMap with the settings of its TMEs (traceable-agent 1.58.0)."""

Document = dict[str, Any]


def tme_image_in(agent_config: str) -> ImageReference | None:
    """The image, without its version, that an agent with this `agentconfig.yaml` injects as the TME.

    None where the text does not say so (`injector.images_repository` and `injector.tme.image_name`, as Traceable's
    Terraform module of 1.58.0 writes them). The version is left out because the agent's owner may raise it at any
    time: a policy that asked for the old one would refuse every new gateway pod until this stack's next update.
    """
    try:
        injector = yaml.safe_load(agent_config)["injector"]
        image = parse_image(f"{injector['images_repository']}/{injector['tme']['image_name']}")
    except (yaml.YAMLError, KeyError, TypeError, ImageReferenceError):
        return None
    return without_version(image)


def asks_for_tme(metadata: Mapping[str, Any]) -> bool:
    """True where a pod's metadata ask for the TME."""
    value = (metadata.get("annotations") or {}).get(INJECT_ANNOTATION)
    return value is not None and value != REFUSES


def running_containers(spec: Mapping[str, Any]) -> list[Document]:
    """The containers of a pod's spec that run while it serves: containers and sidecars."""
    sidecars = [item for item in spec.get("initContainers") or [] if item.get("restartPolicy") == "Always"]
    return [*(spec.get("containers") or []), *sidecars]


def tme_containers(spec: Mapping[str, Any], image: ImageReference) -> list[Document]:
    """The containers of a pod's spec that count as the TME."""
    return [item for item in running_containers(spec) if image.admits(str(item.get("image", "")))]


def asks_for_tme_cel(pod: str) -> str:
    """`asks_for_tme` as a CEL expression; `pod` is a CEL variable that holds a pod."""
    annotations, key = f"{pod}.metadata.annotations", json.dumps(INJECT_ANNOTATION)
    return f"(has({annotations}) && {key} in {annotations} && {annotations}[{key}] != {json.dumps(REFUSES)})"


def has_tme_cel(pod: str, image: ImageReference) -> str:
    """Whether a pod has a container that counts as the TME, as a CEL expression; `pod` as above."""
    runs = f"c.image.matches({json.dumps(image.pattern)})"
    sidecars = f"{pod}.spec.initContainers"
    return (
        f"({pod}.spec.containers.exists(c, {runs}) || (has({sidecars}) && "
        f'{sidecars}.exists(c, has(c.restartPolicy) && c.restartPolicy == "Always" && {runs})))'
    )


def selected_cel(pod: str, selector: Mapping[str, Any]) -> str:
    """Whether a LabelSelector selects a pod, as a CEL expression; `pod` as above."""
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


INJECTION_ANNOTATION = {INJECT_ANNOTATION: "true"}
"""What the injector looks for on a pod (traceable-agent 1.58.0)."""


DIGEST_ANNOTATION = "traceable-kong/tme-settings"


TME_ENDPOINT = "http://localhost:5442"
"""Where the plugin finds the TME of its own pod."""


def pod_annotations(settings_digest: str) -> dict[str, str]:
    """What a gateway pod that is to get the TME carries."""
    return {**INJECTION_ANNOTATION, DIGEST_ANNOTATION: settings_digest}


TME_PORT = 5442
"""Where a TME listens in the gateway's own pod, and the agent on its REST port (traceable-agent chart 1.58.0)."""
