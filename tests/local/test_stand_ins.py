"""The stand-in injector and rock keep to what is public of the real ones; the charts are published whole."""

import base64
import io
import json
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from local import charts, rock
from local.injector import admission_review


def publish(folder: Path) -> None:
    charts.publish(
        folder, injector_domain="127.0.0.1:9", injector_ca="Q0E=", router="https://127.0.0.1:8", router_ca="UkE="
    )


def test_published_charts_carry_what_this_machine_has_in_place_of_services(tmp_path: Path) -> None:
    publish(tmp_path)
    agent = yaml.safe_load((tmp_path / "traceable-agent" / "values.yaml").read_text())
    assert (agent["injectorWebhookDomain"], agent["injector"]["caBundle"]) == ("127.0.0.1:9", "Q0E=")
    router = json.loads((tmp_path / "kong" / charts.WEBHOOK_ROUTER).read_text())
    assert router == {"url": "https://127.0.0.1:8", "caBundle": "UkE="}
    kong = yaml.safe_load((tmp_path / "kong" / "values.yaml").read_text())["ingressController"]["env"]
    assert kong == {"kong_admin_tls_skip_verify": True, **charts.CONTROLLER_WAITS}


def test_publishing_removes_what_the_charts_no_longer_have(tmp_path: Path) -> None:
    publish(tmp_path)
    (tmp_path / "kong" / "templates" / "left-over.yaml").write_text("kind: X")
    publish(tmp_path)
    assert not (tmp_path / "kong" / "templates" / "left-over.yaml").exists()
    assert (tmp_path / "kong" / charts.WEBHOOK_ROUTER).exists()


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


def test_a_pod_that_asks_gets_one_tme_with_the_agents_settings() -> None:
    (operation,) = reviewed(pod("true", "proxy"))
    assert (operation["op"], operation["path"]) == ("add", "/spec/containers/-")
    container = operation["value"]
    assert container["image"] == "docker.io/traceableai/traceable-agent:1.58.0"
    assert {"451", "No: really"} <= {item["value"] for item in container["env"]}


def test_a_tme_comes_from_where_the_agent_is_told_to_take_it() -> None:
    elsewhere = AGENT_CONFIG.replace("docker.io/traceableai", "registry.example.com/mirror")
    assert reviewed(pod("true"), elsewhere)[0]["value"]["image"] == "registry.example.com/mirror/traceable-agent:1.58.0"
    by_digest = AGENT_CONFIG.replace("1.58.0", "sha256:00")
    assert reviewed(pod("true"), by_digest)[0]["value"]["image"] == "docker.io/traceableai/traceable-agent@sha256:00"


def test_other_pods_are_left_alone() -> None:
    assert reviewed(pod(None, "proxy")) == []
    assert reviewed(pod("false", "proxy")) == []
    assert reviewed({"metadata": {}, "spec": {"containers": []}}) == []
    assert reviewed(pod("true", "proxy", admission_review.CONTAINER)) == []


def test_an_agent_whose_own_configuration_is_broken_injects_nothing() -> None:
    with pytest.raises(admission_review.ConfigurationError):
        reviewed(pod("true", "proxy"), AGENT_CONFIG.replace("plain", "a: b: c"))


def test_the_rock_has_the_real_layout_and_is_the_same_every_time(tmp_path: Path) -> None:
    path = rock.make(tmp_path / "a")
    assert path.name == "kong-plugin-traceable-2.1.2-1.src.rock"
    assert path.read_bytes() == rock.make(tmp_path / "b").read_bytes()
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["kong-plugin-traceable-2.1.2-1.rockspec", "kong-plugin-traceable-2.1.2.tar.gz"]
        with tarfile.open(fileobj=io.BytesIO(archive.read("kong-plugin-traceable-2.1.2.tar.gz"))) as sources:
            assert sources.getnames() == [
                "kong-plugin-traceable-2.1.2/kong/plugins/traceable/handler.lua",
                "kong-plugin-traceable-2.1.2/kong/plugins/traceable/schema.lua",
            ]


@pytest.mark.parametrize(
    ("version", "options", "plugins"),
    [("2.0.9-1", 4, 1), ("2.1.2-1", 6, 1), ("2.2.2-1", 7, 1), ("2.3.0-1", 7, 2), ("2.4.0-1", 8, 2)],
)
def test_a_version_knows_only_what_it_brought(version: str, options: int, plugins: int) -> None:
    made = rock.plugins(version)
    assert len(made) == plugins
    assert made["traceable"]["schema.lua"].count("\n      { ") == options
