"""The chart values of the Traceable agent, and the TME's image in them."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from traceable_kong.cluster.secret_key import SecretKey
from traceable_kong.common.commands import config_remove
from traceable_kong.common.image_references import DOCKER_HUB, ImageReference, ImageReferenceError, parse_image
from traceable_kong.common.nested_data import Values, merged
from traceable_kong.config.config_problem import Problem
from traceable_kong.helm_values.chart_types import well_typed

OWN_TOKEN_SECRET = SecretKey(name="traceable-agent-token", key="token")
"""The Secret that this stack creates in the agent's namespace."""


_OBJECTS = ("imageCredentials", "injector", "injector.tme", "tlsPrivateCertificatesAsString")
"""Values that are objects in the chart and that this program reads."""


def agent_value_problems(user_values: Mapping[str, Any]) -> Iterator[Problem]:
    """What in `agentValues` conflicts with what this stack needs."""
    values, problems = well_typed(user_values, "agentValues", objects=_OBJECTS)
    yield from problems
    if "forceUpdate" in values:
        yield Problem(
            "agentValues.forceUpdate",
            "is not a value of the chart but an option of Helm that replaces objects instead of updating them, "
            "including all pods",
            config_remove("agentValues.forceUpdate"),
        )
    try:
        tme_image_of(values)
    except ImageReferenceError as problem:
        yield Problem(
            "agentValues.injector.tme",
            f"and agentValues.imageCredentials name no image for the TME: {problem}. The injector could not inject it",
            "correct injector.tme.imageName and .imageVersion, imageCredentials.registry and .registrySuffix, of which "
            "the image consists",
        )


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

    `replicas` None leaves the chart's default. `user_values` have no problem by `agent_value_problems`.
    """
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
    which the values do not contain. Raises ImageReferenceError.
    """
    credentials, tme = values.get("imageCredentials") or {}, (values.get("injector") or {}).get("tme") or {}
    registry = str(credentials.get("registry") or TME_REGISTRY)
    # In the chart, an empty suffix means none.
    suffix = str(TME_REGISTRY_SUFFIX if credentials.get("registrySuffix") is None else credentials["registrySuffix"])
    name, version = str(tme.get("imageName") or TME_NAME), str(tme.get("imageVersion") or "")
    # With k8sManifests the chart omits the registry.
    parts = [suffix, name] if values.get("k8sManifests") else [registry, suffix, name]
    text = "/".join(part for part in parts if part)
    image = parse_image(text)
    if image.tag is not None or image.digest is not None:
        raise ImageReferenceError(f"injector.tme.imageName {name!r} has a version, to which the chart appends another")
    if not version:
        return image
    return parse_image(f"{text}{'@' if version.startswith('sha256:') else ':'}{version}")


def sidecar_values(values: Mapping[str, Any]) -> Values:
    """The values that affect sidecars; the others change the agent only, and the gateway does not roll."""
    return {key: value for key, value in values.items() if key not in _AGENT_ONLY}


_AGENT_ONLY = frozenset({"additionalAnnotations", "deploymentReplicas", "externalTokenSecret", "resources"})
