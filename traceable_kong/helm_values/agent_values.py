"""The chart values of the Traceable agent, and the TME's image that they name. Pure."""

import json
from collections.abc import Mapping
from typing import Any

from pydantic import SecretStr

from traceable_kong.cluster.secret_key import SecretKey
from traceable_kong.common.image_references import DOCKER_HUB, ImageReference, ImageReferenceError, parse_image
from traceable_kong.common.nested_data import Values, merged, not_objects
from traceable_kong.common.safe_text import PlainError

OWN_TOKEN_SECRET = SecretKey(name="traceable-agent-token", key="token")
"""The Secret that is made here, in the agent's namespace."""


class AgentValuesError(PlainError):
    """The user's chart values and ours contradict each other; the text says where, and what to write instead."""


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
    """The chart's values: ours, with the user's laid on them (traceable-agent 1.58.0).

    The chart wants the blocking settings in two places: at the top for the agent, and below `injector` for the
    sidecars that it will inject. It writes the one at the top into YAML as it stands, so `a: b` or `x # y` would break
    the agent's own configuration: there the message is handed over already quoted. A JSON string is a YAML string.

    `replicas` None leaves the chart's own. Raises AgentValuesError where both cannot be had.
    """
    if "forceUpdate" in user_values:
        raise AgentValuesError(
            "agentValues.forceUpdate is no value of the chart but an option of Helm's that replaces objects, pods and "
            "all, in place of changing them: take it out."
        )
    for wrong in not_objects(
        user_values, ("imageCredentials", "injector", "injector.tme", "tlsPrivateCertificatesAsString")
    ):
        raise AgentValuesError(
            f"agentValues.{wrong}, and the chart takes an object there: `helm show values` prints what it takes."
        )
    ours: Values = {
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
        ours["environment"] = environment
    if endpoint is not None:
        ours["endpoint"] = endpoint
    if replicas is not None:
        ours["deploymentReplicas"] = replicas
    return merged(ours, user_values)


TME_REGISTRY = DOCKER_HUB


TME_REGISTRY_SUFFIX = "traceableai"


TME_NAME = "traceable-agent"
"""The TME's image is `<registry>/<suffix>/<name>:<version>`: the chart's `imageCredentials.registry`,
`imageCredentials.registrySuffix` and `injector.tme.imageName`, and these where the values name no others
(the chart's helper `imageRegistry`; the defaults of Traceable's Terraform module of 1.58.0, and injected pods)."""


DEFAULT_TME_IMAGE = ImageReference(registry=TME_REGISTRY, repository=f"{TME_REGISTRY_SUFFIX}/{TME_NAME}")


def tme_image_of(values: Mapping[str, Any]) -> ImageReference:
    """The image that an agent with these chart values injects as the TME (traceable-agent 1.58.0).

    It has a tag or a digest where `injector.tme.imageVersion` says so: without it the version is the chart's own, which
    the values do not hold. Raises AgentValuesError.
    """
    credentials, tme = values.get("imageCredentials") or {}, (values.get("injector") or {}).get("tme") or {}
    registry = str(credentials.get("registry") or TME_REGISTRY)
    # An empty suffix is one of the chart's ways to say that there is none.
    suffix = str(TME_REGISTRY_SUFFIX if credentials.get("registrySuffix") is None else credentials["registrySuffix"])
    name, version = str(tme.get("imageName") or TME_NAME), str(tme.get("imageVersion") or "")
    # With k8sManifests the chart leaves the registry out.
    parts = [suffix, name] if values.get("k8sManifests") else [registry, suffix, name]
    text = "/".join(part for part in parts if part)
    try:
        image = parse_image(text)
        if image.tag is not None or image.digest is not None:
            raise AgentValuesError(
                f"agentValues.injector.tme.imageName is {name!r}, and the chart puts the version behind it: the pods "
                "would have an image that does not exist. Write the version in agentValues.injector.tme.imageVersion."
            )
        if not version:
            return image
        return parse_image(f"{text}{'@' if version.startswith('sha256:') else ':'}{version}")
    except ImageReferenceError as problem:
        raise AgentValuesError(
            f"agentValues name a TME image that is none: {problem}. It is put together from imageCredentials.registry, "
            "imageCredentials.registrySuffix, injector.tme.imageName and injector.tme.imageVersion: correct these."
        ) from None


def sidecar_values(values: Mapping[str, Any]) -> Values:
    """The agent's values without those that no sidecar is given: they change the agent and not the gateway."""
    return {key: value for key, value in values.items() if key not in _AGENT_ONLY}


_AGENT_ONLY = frozenset({"additionalAnnotations", "deploymentReplicas", "externalTokenSecret", "resources"})


def _revealed(value: object) -> object:
    return value.get_secret_value() if isinstance(value, SecretStr) else value
