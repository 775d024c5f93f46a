"""The stand-in injector behaves like the real one."""

import base64
import json
from typing import Any

import pytest

from local.injector import admission_review

AGENT_CONFIG = """
environment: dev
ext_cap: {blocking_config: {response_status_code: 403, response_message: plain}}
injector:
  blocking_config: {response_status_code: 451, response_message: "No: really"}
  images_repository: docker.io/traceableai
  tme: {image_name: traceable-agent, image_version: 1.58.0}
"""


def reviewed(pod: dict[str, Any], config: str = AGENT_CONFIG) -> list[dict[str, Any]]:
    request = {"apiVersion": "admission.k8s.io/v1", "request": {"uid": "u", "object": pod}}
    response = admission_review.respond(request, config)["response"]
    assert (response["uid"], response["allowed"]) == ("u", True)
    return list(json.loads(base64.b64decode(response["patch"]))) if "patch" in response else []


def pod(annotation: str | None, *containers: str) -> dict[str, Any]:
    annotations = {} if annotation is None else {admission_review.ANNOTATION: annotation}
    return {"metadata": {"annotations": annotations}, "spec": {"containers": [{"name": name} for name in containers]}}


def test_an_annotated_pod_gets_one_tme_with_the_settings_of_the_agent() -> None:
    (operation,) = reviewed(pod("true", "proxy"))
    assert (operation["op"], operation["path"]) == ("add", "/spec/containers/-")
    container = operation["value"]
    assert container["image"] == "docker.io/traceableai/traceable-agent:1.58.0"
    assert {"451", "No: really"} <= {item["value"] for item in container["env"]}


def test_the_image_of_the_tme_comes_from_the_configuration_of_the_agent() -> None:
    elsewhere = AGENT_CONFIG.replace("docker.io/traceableai", "registry.example.com/mirror")
    assert reviewed(pod("true"), elsewhere)[0]["value"]["image"] == "registry.example.com/mirror/traceable-agent:1.58.0"
    by_digest = AGENT_CONFIG.replace("1.58.0", "sha256:00")
    assert reviewed(pod("true"), by_digest)[0]["value"]["image"] == "docker.io/traceableai/traceable-agent@sha256:00"


def test_other_pods_are_not_changed() -> None:
    assert reviewed(pod(None, "proxy")) == []
    assert reviewed(pod("false", "proxy")) == []
    assert reviewed({"metadata": {}, "spec": {"containers": []}}) == []
    assert reviewed(pod("true", "proxy", admission_review.CONTAINER)) == []


def test_an_agent_with_an_invalid_configuration_injects_nothing() -> None:
    with pytest.raises(admission_review.ConfigurationError):
        reviewed(pod("true", "proxy"), AGENT_CONFIG.replace("plain", "a: b: c"))
