"""The charts that the platform publishes for its stack."""

import json
from pathlib import Path

import yaml

from local import charts


def publish(folder: Path) -> None:
    charts.publish(
        folder, injector_domain="127.0.0.1:9", injector_ca="Q0E=", router="https://127.0.0.1:8", router_ca="UkE="
    )


def test_published_charts_have_the_addresses_of_this_machine(tmp_path: Path) -> None:
    publish(tmp_path)
    agent = yaml.safe_load((tmp_path / "traceable-agent" / "values.yaml").read_text())
    assert (agent["injectorWebhookDomain"], agent["injector"]["caBundle"]) == ("127.0.0.1:9", "Q0E=")
    router = json.loads((tmp_path / "kong" / charts.WEBHOOK_ROUTER).read_text())
    assert router == {"url": "https://127.0.0.1:8", "caBundle": "UkE="}
    kong = yaml.safe_load((tmp_path / "kong" / "values.yaml").read_text())["ingressController"]["env"]
    assert kong == {"kong_admin_tls_skip_verify": True, **charts.CONTROLLER_WAITS}


def test_publishing_removes_obsolete_files(tmp_path: Path) -> None:
    publish(tmp_path)
    (tmp_path / "kong" / "templates" / "left-over.yaml").write_text("kind: X")
    publish(tmp_path)
    assert not (tmp_path / "kong" / "templates" / "left-over.yaml").exists()
    assert (tmp_path / "kong" / charts.WEBHOOK_ROUTER).exists()
