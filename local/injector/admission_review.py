"""The injector's response to an AdmissionReview: a pod that asks for the TME gets it. No side effects.

As with Traceable's injector, a pod with the annotation `tme.traceable.ai/inject: "true"` and without a TME gets a
container with the TME image, configured from the agent's current configuration (traceable-agent 1.58.0, webhook path
/injector/v1/inject-tme). The API server selects the namespaces.
"""

import base64
import json
from typing import Any

import yaml

PATH = "/injector/v1/inject-tme"
ANNOTATION = "tme.traceable.ai/inject"
CONTAINER = "traceable-agent"
REST_PORT = 5442


class ConfigurationError(Exception):
    """The agent's configuration cannot be read, so nothing can be injected."""


def respond(review: dict[str, Any], agent_config: str) -> dict[str, Any]:
    """Returns the AdmissionReview (admission.k8s.io/v1) with the response.

    `agent_config` is the agent's `agentconfig.yaml`. Raises ConfigurationError if it does not have the expected shape.
    """
    request = review["request"]
    response: dict[str, Any] = {"uid": request["uid"], "allowed": True}
    pod = request["object"]
    if _asks_for_tme(pod) and not _has_tme(pod):
        patch = [{"op": "add", "path": "/spec/containers/-", "value": _container(agent_config)}]
        response["patchType"] = "JSONPatch"
        response["patch"] = base64.b64encode(json.dumps(patch).encode()).decode("ascii")
    return {"apiVersion": review["apiVersion"], "kind": "AdmissionReview", "response": response}


def _asks_for_tme(pod: dict[str, Any]) -> bool:
    annotations = pod.get("metadata", {}).get("annotations") or {}
    return str(annotations.get(ANNOTATION, "")) == "true"


def _has_tme(pod: dict[str, Any]) -> bool:
    return any(item["name"] == CONTAINER for item in pod["spec"].get("containers", []))


def _container(agent_config: str) -> dict[str, Any]:
    try:
        config = yaml.safe_load(agent_config)
        tme = config["injector"]["tme"]
        blocking = config["injector"]["blocking_config"]
        version = str(tme["image_version"])
        separator = "@" if version.startswith("sha256:") else ":"
        image = f"{config['injector']['images_repository']}/{tme['image_name']}{separator}{version}"
        environment = {
            "TA_ENVIRONMENT": config["environment"],
            "TA_BLOCKING_CONFIG_RESPONSE_STATUS_CODE": blocking["response_status_code"],
            "TA_BLOCKING_CONFIG_RESPONSE_MESSAGE": blocking["response_message"],
        }
        # The agent reads this value itself and does not start with a file that it cannot parse.
        _ = config["ext_cap"]["blocking_config"]["response_message"]
    except (yaml.YAMLError, KeyError, TypeError) as problem:
        raise ConfigurationError(f"the agent's configuration cannot be read: {problem}") from problem
    return {
        "name": CONTAINER,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "env": [{"name": name, "value": str(value)} for name, value in environment.items()],
        "ports": [{"containerPort": REST_PORT}],
        "readinessProbe": {"tcpSocket": {"port": REST_PORT}, "initialDelaySeconds": 5, "periodSeconds": 10},
    }
