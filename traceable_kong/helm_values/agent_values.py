"""The chart values of the Traceable agent, and the TME's image in them."""

import json
from collections.abc import Mapping
from typing import Any

from traceable_kong.cluster.secret_key import SecretKey
from traceable_kong.common.commands import config_remove
from traceable_kong.common.image_references import DOCKER_HUB, ImageReference, ImageReferenceError, parse_image
from traceable_kong.common.nested_data import Values, merged, not_objects
from traceable_kong.common.safe_text import PlainError

OWN_TOKEN_SECRET = SecretKey(name="traceable-agent-token", key="token")
"""The Secret that this stack creates in the agent's namespace."""


class AgentValuesError(PlainError):
    """Values in `agentValues` conflict with what this stack needs; the text is for the person at the terminal."""


def agent_values(
    user_values: Mapping[str, Any],
    *,
    environment: str | None,
    endpoint: str | None,
    blocking_status_code: int,
    blocking_message: str,
    token_secret: SecretKey,
    replicas: int | None,
) -> Values:
    """This stack's chart values with the user's merged over them (traceable-agent 1.58.0).

    The chart has the blocking settings twice: at the top for the agent, and below `injector` for its sidecars. It
    writes the message at the top into YAML without quotes, so that `a: b` or `x # y` would break the agent's
    configuration. There it is passed already quoted: a JSON string is a YAML string.

    `replicas` None leaves the chart's default. Raises AgentValuesError for a conflict.
    """
    if "forceUpdate" in user_values:
        raise AgentValuesError(
            "agentValues.forceUpdate is not a value of the chart but an option of Helm that replaces objects instead "
            f"of updating them, including all pods. Remove it: `{config_remove('agentValues.forceUpdate')}`."
        )
    for problem in not_objects(
        user_values, ("imageCredentials", "injector", "injector.tme", "tlsPrivateCertificatesAsString")
    ):
        raise AgentValuesError(f"agentValues.{problem}, but the chart expects an object. `helm show values` prints it.")
    values: Values = {
        "externalTokenSecret": {"name": token_secret.name, "key": token_secret.key},
        "blockingStatusCode": blocking_status_code,
        "blockingMessage": json.dumps(blocking_message),
        "injector": {
            "blockingConfig": {
                "blockingStatusCode": blocking_status_code,
                "blockingMessage": blocking_message,
            },
        },
    }
    if environment is not None:
        values["environment"] = environment
    if endpoint is not None:
        values["endpoint"] = endpoint
    if replicas is not None:
        values["deploymentReplicas"] = replicas
    return merged(values, user_values)


TME_REGISTRY = DOCKER_HUB
TME_REGISTRY_SUFFIX = "traceableai"
TME_NAME = "traceable-agent"
"""The TME's image is `<registry>/<suffix>/<name>:<version>`, from `imageCredentials.registry`,
`imageCredentials.registrySuffix` and `injector.tme.imageName`, with these defaults (the chart's helper `imageRegistry`;
the defaults of Traceable's Terraform module 1.58.0, and injected pods)."""

DEFAULT_TME_IMAGE = ImageReference(registry=TME_REGISTRY, repository=f"{TME_REGISTRY_SUFFIX}/{TME_NAME}")


def tme_image_of(values: Mapping[str, Any]) -> ImageReference:
    """The image that an agent with these chart values injects as the TME (traceable-agent 1.58.0).

    It has a tag or a digest where `injector.tme.imageVersion` has one; otherwise the version is the chart's default,
    which the values do not contain. Raises AgentValuesError.
    """
    credentials, tme = values.get("imageCredentials") or {}, (values.get("injector") or {}).get("tme") or {}
    registry = str(credentials.get("registry") or TME_REGISTRY)
    # In the chart, an empty suffix means none.
    suffix = str(TME_REGISTRY_SUFFIX if credentials.get("registrySuffix") is None else credentials["registrySuffix"])
    name, version = str(tme.get("imageName") or TME_NAME), str(tme.get("imageVersion") or "")
    # With k8sManifests the chart omits the registry.
    parts = [suffix, name] if values.get("k8sManifests") else [registry, suffix, name]
    text = "/".join(part for part in parts if part)
    try:
        image = parse_image(text)
        if image.tag is not None or image.digest is not None:
            raise AgentValuesError(
                f"agentValues.injector.tme.imageName is {name!r}, but the chart appends the version. The image of the "
                "pods would not exist. Set the version in agentValues.injector.tme.imageVersion."
            )
        if not version:
            return image
        return parse_image(f"{text}{'@' if version.startswith('sha256:') else ':'}{version}")
    except ImageReferenceError as problem:
        raise AgentValuesError(
            f"The TME's image in agentValues is not valid: {problem}. The injector could not inject the TME. Correct "
            "imageCredentials.registry, imageCredentials.registrySuffix, injector.tme.imageName and "
            "injector.tme.imageVersion, of which it consists."
        ) from None


def sidecar_values(values: Mapping[str, Any]) -> Values:
    """The values that affect sidecars; the others change the agent only, and the gateway does not roll."""
    return {key: value for key, value in values.items() if key not in _AGENT_ONLY}


_AGENT_ONLY = frozenset({"additionalAnnotations", "deploymentReplicas", "externalTokenSecret", "resources"})
